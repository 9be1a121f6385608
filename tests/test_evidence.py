import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import AT, Record, alert, devices_of, evidence_of, item, own, process, read, versions

from etl.contracts import core
from etl.contracts.judge import judge
from etl.normalise import alerts, evidence, nesting
from etl.normalise.schema import EVIDENCE_TYPES

GOLDEN = json.loads((Path(__file__).parent / "golden" / "evidence_types.json").read_text())
UNSEEN = {"brandNewEvidence": {"item": {"anything": [1]}, "columns": {}}}


def expected(kind: str, columns: Record) -> Record:
    """Return the columns of a row; an entity type that is not given is the type's own name."""
    return {"EvidenceType": kind, "EntityType": kind, **columns}


def shown(row: Record) -> Record:
    """Return a row's own columns, instants as text."""
    return {
        name: value.strftime("%FT%T.%fZ").replace(".000000Z", "Z") if "Time" in name else value
        for name, value in own(row).items()
    }


def test_every_type_has_a_golden_row() -> None:
    """There is an example of each type that Microsoft has, and of no other."""
    assert set(GOLDEN) == EVIDENCE_TYPES
    assert len(EVIDENCE_TYPES) == 48


@pytest.mark.parametrize("kind", sorted(GOLDEN | UNSEEN))
def test_each_type_has_its_columns(kind: str) -> None:
    """An item of each type becomes a row with the columns that its type fills, and no other."""
    golden = (GOLDEN | UNSEEN)[kind]
    listed = evidence_of(alert(item(kind, **golden["item"]))).filter(
        pl.col("ParentEvidenceId").is_null()
    )
    assert [shown(row) for row in listed.iter_rows(named=True)] == [
        expected(kind, golden["columns"])
    ]


@pytest.mark.parametrize("kind", sorted(GOLDEN))
def test_entities_inside_an_item_have_rows(kind: str) -> None:
    """What is an entity in its own right has a row with its columns; nothing else has."""
    nested = evidence_of(alert(item(kind, **GOLDEN[kind]["item"]))).filter(
        pl.col("ParentEvidenceId").is_not_null()
    )
    found = [shown(row) for row in nested.iter_rows(named=True)]
    wanted = [expected(inner, columns) for inner, columns in GOLDEN[kind].get("nested", [])]
    assert sorted(found, key=str_of) == sorted(wanted, key=str_of)


def str_of(row: Record) -> str:
    """Return a key to sort rows by."""
    return json.dumps(row, sort_keys=True)


def test_every_item_has_its_alerts_words() -> None:
    """Every item carries its alert's title and its own verdict, roles and text."""
    listed = item("brandNewEvidence", x=1)
    record = alert(listed, categories=["Execution"], mitreTechniques=["T1059.001"])
    found = evidence_of(record).row(0, named=True)
    assert (found["AlertId"], found["Title"], found["Severity"]) == ("da1", "Title", "High")
    assert found["ServiceSource"] == "Microsoft Defender for Endpoint"
    assert (found["Categories"], found["AttackTechniques"]) == ('["Execution"]', '["T1059.001"]')
    assert (found["Verdict"], found["RemediationStatus"]) == ("Suspicious", "None")
    assert found["Roles"] == ["compromised"]
    assert json.loads(found["Raw"]) == listed


def test_a_translated_item_shows_what_was_sent() -> None:
    """Raw is the item as its service sent it, which is no part of its identity."""
    sent = evidence_of(alert(item("lunarEvidence", x=1) | {evidence.SENT: {"entityType": "Moon"}}))
    assert sent["Raw"].to_list() == ['{"entityType":"Moon"}']
    plain = evidence_of(alert(item("lunarEvidence", x=1)))
    assert sent["EvidenceId"].to_list() == plain["EvidenceId"].to_list()


@pytest.mark.parametrize(
    ("listed", "types"),
    [
        (None, []),
        ([], []),
        (item("ipEvidence"), ["ipEvidence"]),
        (["text"], ["unknown"]),
        ("text", ["unknown"]),
        ([5, {}], ["unknown", "unknown"]),
        ([{"@odata.type": None}], ["unknown"]),
        ([{"@odata.type": "#other.thing"}], ["other.thing"]),
        ([{"@odata.type": "microsoft.graph.security.ipEvidence"}], ["ipEvidence"]),
        ([item("processEvidence", imageFile="x", userAccount=[1])], ["processEvidence"]),
        ([item("processEvidence", imageFile=None, userAccount=None)], ["processEvidence"]),
        ([item("malwareEvidence", processes=[None, 5, "x"], files={})], ["malwareEvidence"]),
    ],
)
def test_odd_evidence_keeps_its_rows(listed: object, types: list[str]) -> None:
    """Evidence that is null, one object, text or malformed loses no item and fails nowhere."""
    found = evidence_of(alert(evidence=listed)).filter(pl.col("ParentEvidenceId").is_null())
    assert found["EvidenceType"].to_list() == types
    assert judge(found, core.ALERT_EVIDENCE, source="x", raw=found["Raw"]).rejected.is_empty()


def test_a_null_item_is_accounted_for() -> None:
    """A null in the list is read, turned away with its reason, and disturbs no other item."""
    found = read(alert(None, process(), None, {}))
    assert (found.read, found.rows.height) == (4, 3)
    verdict = judge(
        found.rows, core.ALERT_EVIDENCE, source="x", raw=found.rows["Raw"], faults=found.faults
    )
    assert verdict.rejected["Raw"].to_list() == ["null"]
    assert set(verdict.accepted["EvidenceType"]) == {"processEvidence", "unknown"}


def test_missing_evidence_is_none() -> None:
    """An alert without the field has no evidence and no device."""
    record = alert()
    del record["evidence"]
    assert read(record).read == 0
    assert evidence_of(record).is_empty()
    assert devices_of(record).is_empty()


def test_a_pid_may_be_text() -> None:
    """A pid in digits is the number."""
    assert evidence_of(alert(process(processId="7")))["ProcessId"].to_list() == [7]


@pytest.mark.parametrize("pid", ["x", 7.5, True, None, 2**70, [7], {"a": 7}])
def test_what_is_no_pid_is_null(pid: object) -> None:
    """A pid that is no number is null, and no key; the item keeps its row."""
    found = evidence_of(alert(process(processId=pid)))
    assert found["ProcessId"].to_list() == found["KeySource"].to_list() == [None]


@pytest.mark.parametrize("year", ["0001", "1601", "1970"])
def test_sentinel_times_are_null(year: str) -> None:
    """A creation time that stands for none is null in both columns, and no key."""
    found = evidence_of(alert(process(processCreationDateTime=f"{year}-01-01T00:00:00Z")))
    assert found["ProcessCreationTicks"].to_list() == [None]
    assert found["ProcessCreationTime"].to_list() == found["KeySource"].to_list() == [None]


def test_who_told_the_key() -> None:
    """A pid and time that came with the alert are the API's; pid 0 is nobody."""
    found = evidence_of(alert(process(), process(processId=0), item("ipEvidence", ipAddress="::1")))
    assert sorted(found["KeySource"].fill_null("")) == ["", "", "api"]


def test_a_listed_item_goes_before_a_nested_one() -> None:
    """A process that is listed and lies in malware too is one row, without a parent."""
    inner = {"processId": 7, "processCreationDateTime": AT, "imageFile": {"fileName": "x.exe"}}
    found = read(alert(item("malwareEvidence", name="M", processes=[inner]), process()))
    assert (found.read, found.rows.height) == (3, 2)
    (row,) = found.rows.filter(EvidenceType="processEvidence").iter_rows(named=True)
    assert (row["ParentEvidenceId"], row["DeviceId"]) == (None, "abc")


def test_a_nested_item_names_its_parent() -> None:
    """Each nested item has the id of the item right around it, and that item's time."""
    pod = {"name": "p", "podIp": {"ipAddress": "10.0.0.7"}}
    found = evidence_of(alert(item("containerEvidence", containerId="c", pod=pod)))
    ids = dict(found.select("EvidenceType", "EvidenceId").iter_rows())
    parents = dict(found.select("EvidenceType", "ParentEvidenceId").iter_rows())
    assert parents == {
        "containerEvidence": None,
        "kubernetesPodEvidence": ids["containerEvidence"],
        "ipEvidence": ids["kubernetesPodEvidence"],
    }
    assert found["Timestamp"].n_unique() == 1


def test_one_object_for_a_list_is_nested_too() -> None:
    """A nested list that came as one object is a list of one."""
    found = evidence_of(alert(item("malwareEvidence", processes=process())))
    assert sorted(found["EvidenceType"]) == ["malwareEvidence", "processEvidence"]


def test_nesting_is_bounded() -> None:
    """Items nested absurdly deep are read down to a depth, and the cut is told."""
    inner: Record = {"activeDirectoryDomainName": "d"}
    for number in range(300):
        inner = {"activeDirectoryDomainName": f"d{number}", "trustedDomains": [inner]}
    record = alert(item("activeDirectoryDomainEvidence", **inner))
    assert read(record).read == 1 + nesting.DEPTH
    assert sum(nesting.items(record).cut.values()) > 1


def test_nested_items_are_bounded_in_number() -> None:
    """One alert yields so many nested items and no more; listed ones are never cut."""
    addresses = [{"ipAddress": f"10.0.{n // 256}.{n % 256}"} for n in range(nesting.MOST)]
    dns = item("dnsEvidence", ipAddresses=addresses)
    record = alert(dns, {**dns, "domainName": "x"}, *[process(processId=n) for n in range(9)])
    found = nesting.items(record)
    assert len(found.items) == 11 + nesting.MOST
    assert found.cut == {f"more than {nesting.MOST} nested": nesting.MOST}


def test_absurdly_deep_json_keeps_its_row() -> None:
    """An item with hundreds of levels of JSON is a row, cut in depth."""
    deep: object = "end"
    for _ in range(400):
        deep = [deep]
    found = evidence_of(alert(item("lunarEvidence", deep=deep)))
    assert found["EvidenceType"].to_list() == ["lunarEvidence"]
    assert "end" not in found["Raw"].item()


def test_devices_are_described_by_their_own_evidence() -> None:
    """A device that other evidence names as well is one row, with what its own item says."""
    described = item(
        "deviceEvidence", mdeDeviceId="ABC ", deviceDnsName="pc1", osPlatform="Windows11",
        version="22H2", osBuild="22621", azureAdDeviceId="aad", lastExternalIpAddress="192.0.2.1",
    )  # fmt: skip
    found = devices_of(alert(process(), described, item("fileEvidence", mdeDeviceId="xyz")))
    assert found["DeviceId"].to_list() == ["abc", "xyz"]
    row = found.row(0, named=True)
    assert (row["DeviceName"], row["OSPlatform"]) == ("pc1", "Windows11")
    assert (row["OSVersion"], row["OSBuild"]) == ("22H2", 22621)
    assert (row["AadDeviceId"], row["PublicIP"]) == ("aad", "192.0.2.1")
    assert found.row(1, named=True)["DeviceName"] is None


def test_a_sessions_host_is_a_device_of_the_alert() -> None:
    """A device that is only nested in evidence counts, and is described."""
    session = item("hostLogonSessionEvidence", host={"mdeDeviceId": "DEF", "hostName": "pc2"})
    found = devices_of(alert(session)).row(0, named=True)
    assert (found["DeviceId"], found["DeviceName"]) == ("def", "pc2")


@pytest.mark.parametrize("value", [None, "", "  "])
def test_no_device_id_is_no_device(value: object) -> None:
    """An item whose device id is null or blank names no device."""
    record = alert(process(mdeDeviceId=value))
    assert devices_of(record).is_empty()
    assert evidence_of(record)["DeviceId"].to_list() == [None]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
KEYS = sorted({key for golden in GOLDEN.values() for key in golden["item"]})
ITEMS = st.builds(
    lambda kind, fields: item(kind, **GOLDEN[kind]["item"]) | fields,
    st.sampled_from(sorted(GOLDEN)),
    st.dictionaries(st.sampled_from(KEYS), JSON, max_size=5),
)


@settings(deadline=None, max_examples=30)
@given(st.lists(ITEMS | JSON, max_size=4), st.dictionaries(st.sampled_from([*alert()]), JSON))
def test_no_alert_makes_reading_fail(items: list[object], fields: Record) -> None:
    """Whatever an alert holds, each item is a row or repeats one, and every row is judged."""
    record = alert(*items) | fields
    states = versions(record)
    assert states.height == 1
    found = evidence.evidence(list(alerts.parsed(states)))
    assert found.rows.height <= found.read
    assert bool(found.rows.height) == bool(found.read)
    assert found.faults.len() == found.rows.height
    judge(found.rows, core.ALERT_EVIDENCE, source="x", raw=found.rows["Raw"], faults=found.faults)
    parents = set(found.rows["ParentEvidenceId"].drop_nulls())
    assert parents <= set(found.rows["EvidenceId"])
    assert devices_of(record).height <= found.read
