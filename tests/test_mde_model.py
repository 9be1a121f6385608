import json
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.contracts import raw
from etl.normalise import alerts, evidence
from etl.normalise.evidence import SENT
from etl.normalise.mde import graph_shaped
from etl.sandbox import Tenant, mde_alerts
from etl.values import canonical, digest

NOW = datetime(2026, 1, 2, tzinfo=UTC)
AT = "2026-01-02T03:04:05.1234567Z"
BEFORE = "2026-01-02T03:04:04.5Z"
DEVICE = "a" * 40
TENANT = "11111111-2222-3333-4444-555555555555"
PREFIX = "#microsoft.graph.security."

Record = dict[str, Any]

KEYS = (
    "entityType", "evidenceCreationTime", "sha1", "sha256", "fileName", "filePath", "processId",
    "processCommandLine", "processCreationTime", "parentProcessId", "parentProcessCreationTime",
    "parentProcessFileName", "parentProcessFilePath", "ipAddress", "url", "registryKey",
    "registryHive", "registryValueType", "registryValue", "accountName", "domainName", "userSid",
    "aadUserId", "userPrincipalName", "detectionStatus",
)  # fmt: skip


def sent(kind: object, **fields: object) -> Record:
    """Return an evidence item as the service writes it: every key, null where it means nothing."""
    return {
        **dict.fromkeys(KEYS),
        "entityType": kind,
        "evidenceCreationTime": AT,
        **fields,
    }


def mde(*items: object, **fields: object) -> Record:
    """Return an alert of Defender for Endpoint."""
    return {
        "id": "da639000000000000000_-12", "incidentId": 4711, "investigationId": None,
        "investigationState": "Queued", "assignedTo": "ada@contoso.example", "severity": "High",
        "status": "InProgress", "classification": None, "determination": None,
        "detectionSource": "WindowsDefenderAtp", "detectorId": "7f1c3609", "category": "Execution",
        "threatFamilyName": "Wacatac", "threatName": "Trojan:Win32/Wacatac", "title": "Title",
        "description": "Description", "alertCreationTime": AT,
        "firstEventTime": "2026-01-02T03:00:00.123Z", "lastEventTime": "2026-01-02T03:01:00.5Z",
        "lastUpdateTime": "2026-01-02T04:00:00.3333333Z", "resolvedTime": None,
        "machineId": DEVICE, "computerDnsName": "ws1.contoso.example", "rbacGroupName": "all",
        "aadTenantId": TENANT, "mitreTechniques": ["T1059.001", "T1566"], "relatedUser": None,
        "comments": [], "evidence": list(items), **fields,
    }  # fmt: skip


def graph(*items: object, **fields: object) -> Record:
    """Return the same alert as Graph writes it."""
    identity = fields.get("id", "da639000000000000000_-12")
    return {
        "id": identity, "providerAlertId": identity, "incidentId": "4711", "tenantId": TENANT,
        "status": "inProgress", "severity": "high", "classification": None, "determination": None,
        "serviceSource": "microsoftDefenderForEndpoint", "assignedTo": "ada@contoso.example",
        "detectionSource": "microsoftDefenderForEndpoint", "detectorId": "7f1c3609",
        "category": "Execution", "categories": ["Execution"], "threatFamilyName": "Wacatac",
        "threatDisplayName": "Trojan:Win32/Wacatac", "title": "Title",
        "description": "Description", "createdDateTime": AT,
        "firstActivityDateTime": "2026-01-02T03:00:00.123Z",
        "lastActivityDateTime": "2026-01-02T03:01:00.5Z",
        "lastUpdateDateTime": "2026-01-02T04:00:00.3333333Z", "resolvedDateTime": None,
        "mitreTechniques": ["T1059.001", "T1566"], "evidence": list(items),
        "alertWebUrl": f"https://security.microsoft.com/alerts/{identity}?tid={TENANT}",
        "incidentWebUrl": f"https://security.microsoft.com/incidents/4711?tid={TENANT}",
        **fields,
    }  # fmt: skip


def item(kind: str, **fields: object) -> Record:
    """Return an evidence item as Graph writes it."""
    return {
        "@odata.type": PREFIX + kind, "createdDateTime": AT, "verdict": "suspicious",
        "remediationStatus": "none", "roles": [], **fields,
    }  # fmt: skip


def versions(source: str, *records: object) -> pl.DataFrame:
    """Read alerts of a source as versions."""
    return alerts.versions(
        raw.ALERTS.frame(
            [
                {
                    "TenantId": TENANT, "AlertSource": source, "ContentHash": digest(record),
                    "Record": json.dumps(record), "IngestedAt": NOW, "SourceRequestId": "r",
                }
                for record in records
            ]
        )
    )  # fmt: skip


def evidence_of(source: str, *records: object) -> pl.DataFrame:
    """Read the evidence of alerts of a source."""
    return evidence.evidence(alerts.parsed(versions(source, *records))).rows


def devices_of(source: str, *records: object) -> pl.DataFrame:
    """Read the devices of alerts of a source."""
    return evidence.devices(alerts.parsed(versions(source, *records)))


PROCESS_FILE = {"fileName": "cmd.exe", "filePath": r"C:\Windows", "sha1": "aa", "sha256": "bb"}
ACCOUNT = {"accountName": "ada", "domainName": "CONTOSO", "userSid": "S-1-5-21-7",
           "userPrincipalName": "ada@contoso.example"}  # fmt: skip
SENT_ACCOUNT = ACCOUNT | {"aadUserId": "oid"}
GRAPH_ACCOUNT = ACCOUNT | {"azureAdUserId": "oid"}
MACHINE = {"id": DEVICE, "computerDnsName": "ws1.contoso.example", "osPlatform": "Windows11",
           "version": "23H2", "osBuild": 22631, "aadDeviceId": "d1"}  # fmt: skip

SAME = {
    "process": (
        sent("Process", processId=7, processCommandLine="cmd /c", processCreationTime=AT,
             parentProcessId=6, parentProcessCreationTime=BEFORE, parentProcessFileName="e.exe",
             parentProcessFilePath=r"C:\Windows", detectionStatus="Detected",
             **PROCESS_FILE, **SENT_ACCOUNT),
        item("processEvidence", processId=7, processCommandLine="cmd /c", mdeDeviceId=DEVICE,
             processCreationDateTime=AT, parentProcessId=6, parentProcessCreationDateTime=BEFORE,
             imageFile=PROCESS_FILE, userAccount=GRAPH_ACCOUNT, detectionStatus="detected"),
    ),
    "file": (
        sent("File", **PROCESS_FILE),
        item("fileEvidence", fileDetails=PROCESS_FILE, mdeDeviceId=DEVICE),
    ),
    "user": (sent("User", **SENT_ACCOUNT), item("userEvidence", userAccount=GRAPH_ACCOUNT)),
    "ip": (sent("Ip", ipAddress="10.0.0.1"), item("ipEvidence", ipAddress="10.0.0.1")),
    "url": (sent("Url", url="http://x.example"), item("urlEvidence", url="http://x.example")),
    "registry key": (
        sent("Registry", registryHive="HKEY_CURRENT_USER", registryKey=r"SOFTWARE\RUN"),
        item("registryKeyEvidence", registryHive="HKEY_CURRENT_USER",
             registryKey=r"SOFTWARE\RUN"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_the_same_item_is_the_same_evidence(name: str) -> None:
    """An item that both services tell has one identity and the same columns by either way."""
    theirs, graphs = SAME[name]
    by_mde = evidence_of("mde", mde(theirs)).filter(pl.col("EvidenceType") != "deviceEvidence")
    by_graph = evidence_of("graph", graph(graphs))
    told = ["Verdict", "RemediationStatus", "Raw"]
    assert by_mde.drop(told).rows(named=True) == by_graph.drop(told).rows(named=True)


def test_the_same_alert_has_the_same_columns() -> None:
    """Through either way an alert is the same row of core/Alerts, but for where it came from."""
    apart = ["AlertSource", "ContentHash", "Raw"]
    (by_mde,) = versions("mde", mde()).drop(apart).rows(named=True)
    (by_graph,) = versions("graph", graph()).drop(apart).rows(named=True)
    assert by_mde == by_graph


def test_the_same_device_is_the_same_device() -> None:
    """The machine that was fetched for an alert describes its device as Graph's item does."""
    device = item(
        "deviceEvidence", mdeDeviceId=DEVICE, deviceDnsName="ws1.contoso.example",
        osPlatform="Windows11", version="23H2", osBuild=22631, azureAdDeviceId="d1",
    )  # fmt: skip
    by_mde, by_graph = mde(machine=MACHINE), graph(device)
    assert devices_of("mde", by_mde).equals(devices_of("graph", by_graph))
    ids = [evidence_of("mde", by_mde), evidence_of("graph", by_graph)]
    assert ids[0]["EvidenceId"].to_list() == ids[1]["EvidenceId"].to_list()


UNLIKE = {
    "Timestamp", "Categories", "DeviceId", "FileSize", "MD5", "LocalIP", "Verdict",
    "RemediationStatus", "Roles", "Raw",
}  # fmt: skip
"""Columns of evidence that the older API has nothing for, or one value for a whole alert."""


def test_a_whole_tenant_is_the_same_by_either_way(tenant: Tenant) -> None:
    """Over all alerts of a tenant the two ways differ in what the older API lacks, no more."""
    sent_by_mde = [
        mde_alerts.summary(one) | {"evidence": list(mde_alerts.evidence(one))}
        for one in tenant.alerts
        if mde_alerts.has(one)
    ]
    ids = {one["id"] for one in sent_by_mde}
    sent_by_graph = [one for one in tenant.alerts if one["id"] in ids]
    apart = ["AlertSource", "ContentHash", "Raw", "Categories"]
    columns = versions("graph", *sent_by_graph).drop(apart).sort("AlertId")
    assert columns.equals(versions("mde", *sent_by_mde).drop(apart).sort("AlertId"))
    by_graph = evidence_of("graph", *sent_by_graph)
    by_mde = evidence_of("mde", *sent_by_mde)
    key = ["AlertId", "EvidenceId"]
    lacking = by_graph.join(by_mde, on=key, how="anti")
    added = by_mde.join(by_graph, on=key, how="anti")
    assert set(lacking["EvidenceType"]) <= {"deviceEvidence", "registryValueEvidence"}
    assert set(added["EvidenceType"]) <= {"registryValueEvidence"}
    shared = [by.join(other, on=key, how="semi").drop(UNLIKE).sort(key)
              for by, other in ((by_graph, by_mde), (by_mde, by_graph))]  # fmt: skip
    assert shared[0].height > 100
    assert shared[0].equals(shared[1])


def test_a_device_without_its_machine_keeps_its_name() -> None:
    """Where the machine could not be fetched, the alert's own words for it stand."""
    (device,) = devices_of("mde", mde()).rows(named=True)
    assert (device["DeviceId"], device["DeviceName"]) == (DEVICE, "ws1.contoso.example")
    assert device["OSPlatform"] is None


def test_a_registry_value_lacks_its_name() -> None:
    """The API never sends a value's name, so that its identity cannot be Graph's."""
    value = sent("Registry", registryHive="HKEY_CURRENT_USER", registryKey="RUN",
                 registryValue="x.exe", registryValueType="String")  # fmt: skip
    (row,) = evidence_of("mde", mde(value, machineId=None, computerDnsName=None)).rows(named=True)
    assert row["EvidenceType"] == "registryValueEvidence"
    assert row["RegistryKey"] == r"HKEY_CURRENT_USER\RUN"
    assert (row["RegistryValueName"], row["RegistryValueData"]) == (None, "x.exe")


@pytest.mark.parametrize("kind", ["Registry", "RegistryKey", "registryvalue", "REGISTRY"])
def test_registry_items_are_told_apart_by_what_they_hold(kind: str) -> None:
    """Whatever they are called, items with data are values and items without are keys."""
    key = sent(kind, registryKey="RUN")
    value = sent(kind, registryKey="RUN", registryValue="x")
    types = [i["@odata.type"] for i in graph_shaped(mde(key, value))["evidence"][1:]]
    assert types == [f"{PREFIX}registryKeyEvidence", f"{PREFIX}registryValueEvidence"]


@pytest.mark.parametrize(
    ("field", "theirs", "ours"),
    [
        ("severity", "UnSpecified", "unknown"),
        ("severity", "Informational", "informational"),
        ("status", "New", "new"),
        ("classification", "Informational, expected activity", "informationalExpectedActivity"),
        ("classification", "InformationalExpectedActivity", "informationalExpectedActivity"),
        ("classification", "TruePositive", "truePositive"),
        ("classification", "Brand new", "brand new"),
        ("determination", "CompromisedUser", "compromisedAccount"),
        ("determination", "ConfirmedUserActivity", "confirmedActivity"),
        ("determination", "Clean", "notMalicious"),
        ("determination", "NotMalicious", "notMalicious"),
        ("determination", "InsufficientData", "notEnoughDataToValidate"),
        ("determination", "LineOfBusinessApplication", "lineOfBusinessApplication"),
        ("determination", None, None),
        ("investigationState", "PendingApproval", "pendingApproval"),
        ("detectionSource", "WindowsDefenderAtp", "microsoftDefenderForEndpoint"),
        ("detectionSource", "WindowsDefenderAv", "antivirus"),
        ("detectionSource", "CustomerTI", "customTi"),
        ("detectionSource", "SmartScreen", "smartScreen"),
        ("detectionSource", "WindowsDefenderLunar", "WindowsDefenderLunar"),
    ],
)
def test_words_are_spelled_as_graph_spells_them(
    field: str, theirs: str | None, ours: str | None
) -> None:
    """Members of enumerations have Graph's spelling; unknown ones lose nothing."""
    assert graph_shaped(mde(**{field: theirs}))[field] == ours


def test_custom_detections_are_told_by_their_id() -> None:
    """An alert of a customer's own detection is attributed as Graph attributes it."""
    shaped = graph_shaped(mde(id="ed639000000000000000_7"))
    assert shaped["serviceSource"] == "microsoft365Defender"
    assert shaped["detectionSource"] == "customDetection"


def test_pages_of_the_portal_need_a_tenant() -> None:
    """Without a tenant's or an incident's id there is no address, rather than a broken one."""
    shaped = graph_shaped(mde(aadTenantId=None))
    assert (shaped["alertWebUrl"], shaped["incidentWebUrl"]) == (None, None)
    assert graph_shaped(mde(incidentId=None))["incidentWebUrl"] is None


def test_techniques_may_be_one_text() -> None:
    """The documentation calls techniques a text, samples have a list; both are read."""
    found = versions("mde", mde(mitreTechniques="T1059"), mde(mitreTechniques=None))
    assert found["AttackTechniques"].to_list() == [["T1059"], []]


def test_comments_are_translated() -> None:
    """Comments keep their text, author and time."""
    comment = {"comment": "Closed.", "createdBy": "ada", "createdTime": AT}
    assert graph_shaped(mde(comments=[comment]))["comments"] == [
        {"comment": "Closed.", "createdByDisplayName": "ada", "createdDateTime": AT}
    ]


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("MailBox", "mailBoxEvidence"),
        ("lunarRelay", "lunarRelayEvidence"),
        ("MoonEvidence", "moonEvidence"),
        (None, "unknown"),
        ("", "unknown"),
    ],
)
def test_an_unknown_type_keeps_its_row(kind: str | None, named: str) -> None:
    """An item of a type that nobody has seen is a row under its own name, with what it holds."""
    unknown = sent(kind, orbit={"height": 3})
    rows = evidence_of("mde", mde(unknown)).filter(pl.col("EvidenceType") == named)
    assert [json.loads(text) for text in rows["Raw"]] == [unknown]


def test_raw_is_what_was_sent() -> None:
    """A translated item's Raw is the service's own item, not the translation."""
    process = SAME["process"][0]
    rows = evidence_of("mde", mde(process)).filter(pl.col("EvidenceType") == "processEvidence")
    assert rows["Raw"].to_list() == [canonical(process)]


def test_what_was_fetched_stands_in_for_evidence() -> None:
    """Files, addresses, domains and the user become items where the alert has no evidence."""
    fetched = {
        "files": [{"sha1": "aa", "sha256": "bb", "md5": "cc", "size": 5}],
        "ips": [{"id": "10.0.0.1"}],
        "domains": [{"host": "evil.example"}],
        "user": [{"id": "c\\ada", "accountName": "ada", "accountDomain": "c", "accountSid": "S"}],
    }
    rows = evidence_of("mde", mde(machineId=None, computerDnsName=None, **fetched))
    columns = ["EvidenceType", "SHA1", "MD5", "FileSize", "RemoteIP", "RemoteUrl", "AccountSid"]
    assert sorted(rows.select(columns).rows(), key=str) == [
        ("fileEvidence", "aa", "cc", 5, None, None, None),
        ("ipEvidence", None, None, None, "10.0.0.1", None, None),
        ("urlEvidence", None, None, None, None, "evil.example", None),
        ("userEvidence", None, None, None, None, None, "S"),
    ]
    beside = mde(SAME["ip"][0], **fetched)
    assert set(evidence_of("mde", beside)["EvidenceType"]) == {"deviceEvidence", "ipEvidence"}


def test_the_related_user_stands_in_for_a_user() -> None:
    """Where there is no evidence and no user was fetched, the alert's own user is the item."""
    related = {"userName": "ada", "domainName": "contoso"}
    rows = evidence_of("mde", mde(relatedUser=related, machineId=None, computerDnsName=None))
    assert rows.select("AccountName", "AccountDomain").rows() == [("ada", "contoso")]
    listed = evidence_of("mde", mde(SAME["ip"][0], relatedUser=related))
    assert "userEvidence" not in set(listed["EvidenceType"])


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
FETCHED = ("machine", "files", "ips", "domains", "user")
ITEMS = st.fixed_dictionaries(
    {"entityType": st.sampled_from(["Process", "File", "User", "Registry", "Ip", "x"]) | ANYTHING},
    optional=dict.fromkeys(KEYS[1:], ANYTHING),
)


@settings(deadline=None, max_examples=60)
@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys([*mde(), *FETCHED], ANYTHING)),
    st.lists(ITEMS | ANYTHING, max_size=3),
)
def test_whatever_is_sent_is_translated(alert: Record, items: list[object]) -> None:
    """No value of any field breaks the translation, and no item of evidence is lost by it."""
    shaped = graph_shaped(alert | {"evidence": items})
    translated = [one[SENT] for one in shaped["evidence"] if isinstance(one, dict)]
    assert all(item in translated for item in items if isinstance(item, dict))
    evidence_of("mde", alert | {"evidence": items})
