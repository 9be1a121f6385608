import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl import ticks
from etl.contracts import core, raw
from etl.contracts.judge import judge
from etl.normalise import alerts, evidence
from etl.values import digest

NOW = datetime(2026, 1, 2, tzinfo=UTC)
AT = "2026-01-02T03:04:05.1234567Z"
TICKS = ticks.from_text(AT)
PREFIX = "#microsoft.graph.security."

Record = dict[str, Any]


def alert(*items: object, **fields: object) -> Record:
    """Return an alert as Graph writes it."""
    return {
        "id": "da1", "title": "Title", "severity": "high", "status": "inProgress",
        "serviceSource": "microsoftDefenderForEndpoint", "createdDateTime": AT,
        "lastUpdateDateTime": "2026-01-03T00:00:00Z", "evidence": list(items), **fields,
    }  # fmt: skip


def item(kind: str, **fields: object) -> Record:
    """Return an evidence item."""
    return {
        "@odata.type": f"{PREFIX}{kind}", "createdDateTime": AT, "verdict": "suspicious",
        "remediationStatus": "none", "roles": ["compromised"], **fields,
    }  # fmt: skip


def process(**fields: object) -> Record:
    """Return process evidence."""
    key = {"processId": 7, "processCreationDateTime": AT, "mdeDeviceId": "abc"}
    return item("processEvidence") | key | fields


def versions(*records: object, seen: datetime = NOW) -> pl.DataFrame:
    """Read alerts as versions."""
    return alerts.versions(
        raw.ALERTS.frame(
            [
                {
                    "TenantId": "t",
                    "ContentHash": digest(r),
                    "Record": json.dumps(r),
                    "IngestedAt": seen,
                    "SourceRequestId": "r",
                }
                for r in records
            ]
        )
    )


def evidence_of(*records: object) -> pl.DataFrame:
    """Read the evidence of alerts."""
    return evidence.evidence(list(alerts.parsed(versions(*records))))


def devices_of(*records: object) -> pl.DataFrame:
    """Read the devices of alerts."""
    return evidence.devices(list(alerts.parsed(versions(*records))))


def only(found: Mapping[str, object]) -> Record:
    """Return what a row has beyond what every item has."""
    common = {
        "TenantId", "AlertId", "EvidenceId", "Timestamp", "Title", "Categories", "ServiceSource",
        "AttackTechniques", "Severity", "Verdict", "RemediationStatus", "Roles", "Raw",
        "IngestedAt", "SourceRequestId",
    }  # fmt: skip
    return {
        name: value for name, value in found.items() if name not in common and value is not None
    }


GOLDEN = {
    "processEvidence": (
        {
            "processId": 7,
            "processCommandLine": "cmd /c dir",
            "processCreationDateTime": AT,
            "parentProcessId": 6,
            "parentProcessCreationDateTime": "2026-01-02T03:04:05Z",
            "mdeDeviceId": "ABC",
            "imageFile": {
                "fileName": "cmd.exe", "filePath": r"C:\Windows", "fileSize": 5,
                "sha1": "aa", "sha256": "bb", "md5": "cc",
            },
            "userAccount": {
                "accountName": "ann", "domainName": "corp", "userSid": "S-1", "azureAdUserId": "u",
                "userPrincipalName": "ann@corp",
            },
        },
        {
            "EntityType": "Process", "DeviceId": "abc", "ProcessId": 7,
            "ProcessCommandLine": "cmd /c dir", "ProcessCreationTicks": TICKS,
            "ProcessCreationTime": datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC),
            "ParentProcessId": 6, "ParentProcessCreationTicks": TICKS - 1_234_567,
            "ParentProcessCreationTime": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            "FileName": "cmd.exe", "FolderPath": r"C:\Windows\cmd.exe", "FileSize": 5,
            "SHA1": "aa", "SHA256": "bb", "MD5": "cc", "AccountName": "ann",
            "AccountDomain": "corp", "AccountSid": "S-1", "AccountObjectId": "u",
            "AccountUpn": "ann@corp",
        },
    ),
    "fileEvidence": (
        {
            "mdeDeviceId": "abc",
            "fileDetails": {"fileName": "x.sh", "filePath": "/opt", "sha1": "aa"},
        },
        {
            "EntityType": "File", "DeviceId": "abc", "FileName": "x.sh", "FolderPath": "/opt/x.sh",
            "SHA1": "aa",
        },
    ),
    "userEvidence": (
        {"userAccount": {"accountName": "ann", "domainName": "corp"}},
        {"EntityType": "User", "AccountName": "ann", "AccountDomain": "corp"},
    ),
    "ipEvidence": ({"ipAddress": "fe80::1"}, {"EntityType": "Ip", "RemoteIP": "fe80::1"}),
    "urlEvidence": (
        {"url": "https://example.com/x"},
        {"EntityType": "Url", "RemoteUrl": "https://example.com/x"},
    ),
    "registryKeyEvidence": (
        {"registryHive": "HKEY_LOCAL_MACHINE", "registryKey": r"SOFTWARE\Run"},
        {"EntityType": "RegistryKey", "RegistryKey": r"HKEY_LOCAL_MACHINE\SOFTWARE\Run"},
    ),
    "registryValueEvidence": (
        {"registryKey": r"SOFTWARE\Run", "registryValueName": "n", "registryValue": "v"},
        {
            "EntityType": "RegistryValue", "RegistryKey": r"SOFTWARE\Run",
            "RegistryValueName": "n", "RegistryValueData": "v",
        },
    ),
    "deviceEvidence": (
        {"mdeDeviceId": "ABC", "deviceDnsName": "pc1.corp", "osPlatform": "Windows11"},
        {"EntityType": "Machine", "DeviceId": "abc", "DeviceName": "pc1.corp"},
    ),
    "brandNewEvidence": ({"anything": [1]}, {"EntityType": "brandNewEvidence"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(GOLDEN))
def test_each_evidence_type_has_its_columns(kind: str) -> None:
    """An item of each type becomes a row with the columns that its type fills, and no other."""
    fields, expected = GOLDEN[kind]
    found = evidence_of(alert(item(kind, **fields))).row(0, named=True)
    assert only(found) == {"EvidenceType": kind, **expected}


def test_every_item_has_its_alerts_words() -> None:
    """Every item carries its alert's title and its own verdict, roles and text."""
    given_item = item("brandNewEvidence", x=1)
    record = alert(given_item, categories=["Execution"], mitreTechniques=["T1059.001"])
    found = evidence_of(record).row(0, named=True)
    assert (found["AlertId"], found["Title"], found["Severity"]) == ("da1", "Title", "High")
    assert found["ServiceSource"] == "Microsoft Defender for Endpoint"
    assert (found["Categories"], found["AttackTechniques"]) == ('["Execution"]', '["T1059.001"]')
    assert (found["Verdict"], found["RemediationStatus"]) == ("Suspicious", "None")
    assert found["Roles"] == ["compromised"]
    assert json.loads(found["Raw"]) == given_item


@pytest.mark.parametrize(
    ("listed", "types"),
    [
        (None, []),
        ([], []),
        ([None], []),
        (item("ipEvidence"), ["ipEvidence"]),
        (["text"], ["unknown"]),
        ("text", ["unknown"]),
        ([5, {}], ["unknown", "unknown"]),
        ([{"@odata.type": None}], ["unknown"]),
        ([{"@odata.type": "#other.thing"}], ["other.thing"]),
        ([item("processEvidence", imageFile="x", userAccount=[1])], ["processEvidence"]),
    ],
)
def test_odd_evidence_keeps_its_rows(listed: object, types: list[str]) -> None:
    """Evidence that is null, one object, text or malformed loses no item and fails nowhere."""
    found = evidence_of(alert(evidence=listed))
    assert found["EvidenceType"].to_list() == types
    assert judge(found, core.ALERT_EVIDENCE, source="x", raw=found["Raw"]).rejected.is_empty()


def test_missing_evidence_is_none() -> None:
    """An alert without the field has no evidence and no device."""
    record = alert()
    del record["evidence"]
    assert evidence_of(record).is_empty()
    assert devices_of(record).is_empty()


def test_a_pid_may_be_text() -> None:
    """A pid in digits is the number."""
    assert evidence_of(alert(process(processId="7")))["ProcessId"].to_list() == [7]


@pytest.mark.parametrize("pid", ["x", 7.5, True, None, 2**70])
def test_what_is_no_pid_is_null(pid: object) -> None:
    """A pid that is no number is null; the item keeps its row."""
    assert evidence_of(alert(process(processId=pid)))["ProcessId"].to_list() == [None]


@pytest.mark.parametrize("year", ["0001", "1601", "1970"])
def test_sentinel_times_are_null(year: str) -> None:
    """A creation time that stands for none is null in both columns."""
    found = evidence_of(alert(process() | {"processCreationDateTime": f"{year}-01-01T00:00:00Z"}))
    assert found["ProcessCreationTicks"].to_list() == [None]
    assert found["ProcessCreationTime"].to_list() == [None]


def test_the_same_process_twice_is_one_row() -> None:
    """An item listed twice, with another verdict or the device id in capitals, is one row."""
    again = process(
        verdict="malicious", roles=[], tags=["x"], createdDateTime="2026-01-05T00:00:00Z"
    )
    found = evidence_of(alert(process(), again, process() | {"mdeDeviceId": "ABC"}))
    assert found.height == 1


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "malicious"},
        {"remediationStatus": "blocked"},
        {"roles": ["attacked"]},
        {"tags": ["x"]},
        {"createdDateTime": "2026-01-04T00:00:00Z"},
        {"detectionStatus": "prevented"},
        {"mdeDeviceId": "ABC"},
    ],
)
def test_identity_survives_what_changes(change: Record) -> None:
    """A later state of the alert that judges an item otherwise speaks of the same item."""
    before = evidence_of(alert(process()))["EvidenceId"].to_list()
    assert evidence_of(alert(process() | change))["EvidenceId"].to_list() == before


@pytest.mark.parametrize(
    "change",
    [
        {"processId": 8},
        {"processCreationDateTime": AT.replace("7Z", "8Z")},
        {"mdeDeviceId": "abd"},
        {"processCommandLine": "x"},
        {"@odata.type": f"{PREFIX}otherEvidence"},
    ],
)
def test_identity_tells_items_apart(change: Record) -> None:
    """Another pid, time, device, content or type is another item."""
    found = evidence_of(alert(process(), process() | change))
    assert found["EvidenceId"].n_unique() == found.height == 2


def test_equal_items_of_two_alerts_are_two_rows() -> None:
    """The same process in two alerts has the same id and a row in each."""
    found = evidence_of(alert(process()), alert(process(), id="da2"))
    assert found["EvidenceId"].n_unique() == 1
    assert found["AlertId"].to_list() == ["da1", "da2"]


def test_devices_are_described_by_their_own_evidence() -> None:
    """A device that other evidence names as well is one row, with what its own item says."""
    own = item(
        "deviceEvidence", mdeDeviceId="ABC ", deviceDnsName="pc1", osPlatform="Windows11",
        version="22H2", osBuild="22621", azureAdDeviceId="aad", lastExternalIpAddress="192.0.2.1",
    )  # fmt: skip
    found = devices_of(alert(process(), own, item("fileEvidence", mdeDeviceId="xyz")))
    assert found["DeviceId"].to_list() == ["abc", "xyz"]
    described = found.row(0, named=True)
    assert (described["DeviceName"], described["OSPlatform"]) == ("pc1", "Windows11")
    assert (described["OSVersion"], described["OSBuild"]) == ("22H2", 22621)
    assert (described["AadDeviceId"], described["PublicIP"]) == ("aad", "192.0.2.1")
    assert found.row(1, named=True)["DeviceName"] is None


@pytest.mark.parametrize("value", [None, "", "  "])
def test_no_device_id_is_no_device(value: object) -> None:
    """An item whose device id is null or blank names no device."""
    record = alert(process() | {"mdeDeviceId": value})
    assert devices_of(record).is_empty()
    assert evidence_of(record)["DeviceId"].to_list() == [None]


def test_an_alerts_columns() -> None:
    """An alert's fields come in the lake's words; `categories` goes before `category`."""
    record = alert(
        classification="truePositive", categories=["Execution", "Persistence"], category="Other",
        mitreTechniques=["T1059"], detectionSource="customTi", incidentId="12",
        resolvedDateTime="0001-01-01T00:00:00Z", firstActivityDateTime="2026-01-01 10:00:00",
    )  # fmt: skip
    (found,) = alerts.alerts(versions(record)).iter_rows(named=True)
    assert (found["AlertId"], found["Severity"], found["Status"]) == ("da1", "High", "InProgress")
    assert (found["Classification"], found["DetectionSource"]) == ("TruePositive", "Custom TI")
    assert found["Categories"] == ["Execution", "Persistence"]
    assert found["FirstActivityTime"] == datetime(2026, 1, 1, 10, tzinfo=UTC)
    assert (found["ResolvedTime"], found["AlertSource"]) == (None, "graph")


def test_unknown_words_stay() -> None:
    """A service, severity or source that nobody has seen before keeps its own name."""
    found = versions(alert(serviceSource="newProduct", severity="apocalyptic", category="X"))
    assert found["ServiceSource"].to_list() == ["newProduct"]
    assert found["Severity"].to_list() == ["Apocalyptic"]
    assert found["Categories"].to_list() == [["X"]]


def test_the_newest_state_wins() -> None:
    """Of several states the one with the last update is the alert, then the one seen last."""
    old = alert(title="old")
    new = alert(title="new", lastUpdateDateTime="2026-01-03T00:00:00.0000001Z")
    never = alert(title="never", lastUpdateDateTime=None)
    assert alerts.newest(versions(new, old, never))["Title"].to_list() == ["new"]
    states = pl.concat([versions(alert(title="later"), seen=NOW + timedelta(1)), versions(old)])
    assert alerts.newest(states)["Title"].to_list() == ["later"]


@pytest.mark.parametrize("record", [None, 5, "x", [], {}, {"id": ""}, {"id": "x"}])
def test_what_is_no_alert_is_turned_away(record: object) -> None:
    """A record without id or creation breaks the contract; the others do not."""
    found = versions(alert(), record)
    verdict = judge(found, core.ALERT_VERSIONS, source="x", raw=found["Raw"])
    assert verdict.accepted["AlertId"].to_list() == ["da1"]
    assert verdict.rejected["Raw"].to_list() == [json.dumps(record)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ITEM_KEYS = [
    "processId", "processCreationDateTime", "imageFile", "userAccount", "mdeDeviceId", "roles",
    "verdict", "fileDetails", "registryKey", "registryHive", "deviceDnsName", "osBuild", "url",
]  # fmt: skip
ITEMS = st.builds(
    lambda kind, fields: item(kind) | fields,
    st.sampled_from(sorted(GOLDEN)),
    st.dictionaries(st.sampled_from(ITEM_KEYS), JSON, max_size=5),
)


@settings(deadline=None, max_examples=30)
@given(st.lists(ITEMS | JSON, max_size=4), st.dictionaries(st.sampled_from([*alert()]), JSON))
def test_no_alert_makes_reading_fail(items: list[object], fields: Record) -> None:
    """Whatever an alert holds, it is one version, and each of its items a row or a repetition."""
    record = alert(*items) | fields
    states = versions(record)
    assert states.height == 1
    listed = list(evidence.items(record))
    found = evidence_of(record)
    assert found.height <= len(listed)
    assert bool(found.height) == bool(listed)
    assert devices_of(record).height <= len(listed)
