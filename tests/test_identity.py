import ipaddress
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import AT, PREFIX, Record, alert, evidence_of, item, process

from etl import ticks
from etl.normalise import mde
from etl.normalise.entities import COLUMNS

GOLDEN = json.loads((Path(__file__).parent / "golden" / "evidence_types.json").read_text())
ENDPOINT = sorted(
    f"{kind}Evidence"
    for kind in ("process", "file", "user", "ip", "url", "registryKey", "registryValue", "device")
)
SAID = {
    "verdict": "malicious", "remediationStatus": "blocked", "roles": ["attacked"], "tags": ["x"],
    "detailedRoles": ["Main device"], "createdDateTime": "2026-01-04T00:00:00Z",
    "detectionStatus": "prevented", "remediationStatusDetails": "done",
}  # fmt: skip
NAMES = st.text("abcXYZ019._-", min_size=1, max_size=8)


def ids(*items: object) -> list[str]:
    """Return the ids of items, each in an alert of its own."""
    found = evidence_of(*[alert(one, id=f"da{n}") for n, one in enumerate(items)])
    listed = found.filter(pl.col("ParentEvidenceId").is_null())
    return listed.sort(pl.col("AlertId").str.slice(2).cast(pl.Int64))["EvidenceId"].to_list()


def golden(kind: str) -> Record:
    """Return an example of a type."""
    return item(kind, **GOLDEN[kind]["item"])


def test_the_same_process_twice_is_one_row() -> None:
    """An item listed twice, with another verdict or the device id in capitals, is one row."""
    again = process(verdict="malicious", roles=[], tags=["x"], mdeDeviceId="ABC")
    assert evidence_of(alert(process(), again)).height == 1


@pytest.mark.parametrize("kind", sorted(GOLDEN))
def test_identity_survives_what_is_said_of_an_item(kind: str) -> None:
    """A later state of the alert that judges an item of any type otherwise means the same item."""
    before, after = ids(golden(kind), golden(kind) | SAID)
    assert before == after


def test_identity_survives_what_is_said_of_a_nested_item() -> None:
    """What is said of a session's host does not make it another session."""
    session = golden("hostLogonSessionEvidence")
    host = session["host"] | {"verdict": "malicious", "healthStatus": "inactive"}
    before, after = ids(session, session | {"host": host, "endUtcDateTime": AT})
    assert before == after


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 2**31),
    st.integers(ticks.UNIX_EPOCH + ticks.PER_DAY, ticks.from_text("2100-01-01T00:00:00Z")),
    NAMES,
    st.sampled_from([str.upper, str.lower, str.title]),
)
def test_spelling_of_a_process_does_not_matter(
    pid: int, created: int, name: str, case: Callable[[str], str]
) -> None:
    """A pid in digits, trimmed zeros, an offset and letter case of hashes are one process."""
    told = ticks.to_text(created)
    file = {"fileName": name, "filePath": "/opt", "sha1": "ab1f"}
    plain = process(processId=pid, processCreationDateTime=told, imageFile=file)
    other = process(
        processId=str(pid),
        processCreationDateTime=told.removesuffix("Z").rstrip("0").rstrip(".") + "+00:00",
        imageFile={**file, "sha1": case("ab1f"), "md5": "x", "fileSize": 4},
        mdeDeviceId=case("abc"),
        parentProcessId=4,
    )
    first, second = ids(plain, other)
    assert first == second


@settings(deadline=None, max_examples=40)
@given(st.fixed_dictionaries(dict.fromkeys(("accountName", "domainName", "userSid"), NAMES)))
def test_letter_case_of_an_account_does_not_matter(account: dict[str, str]) -> None:
    """An account in capitals, with fields that identify nobody, is the same account."""
    shouted = {name: value.upper() for name, value in account.items()} | {"displayName": "A"}
    first, second = ids(
        item("userEvidence", userAccount=account), item("userEvidence", userAccount=shouted)
    )
    assert first == second


@given(st.ip_addresses(v=6))
@settings(deadline=None, max_examples=30)
def test_spelling_of_an_address_does_not_matter(address: ipaddress.IPv6Address) -> None:
    """An address written out in full and in capitals is the same address."""
    first, second = ids(
        item("ipEvidence", ipAddress=str(address)),
        item("ipEvidence", ipAddress=address.exploded.upper(), countryLetterCode="NL"),
    )
    assert first == second


FACTS = st.fixed_dictionaries(
    {},
    optional={
        "processId": st.integers(1, 9),
        "processCreationDateTime": st.sampled_from([AT, AT.replace("7Z", "8Z")]),
        "processCommandLine": st.sampled_from(["x", "X", "x "]),
        "imageFile": st.sampled_from([{"fileName": "a"}, {"filePath": "a"}, {"sha1": "a"}]),
    },
)


@settings(deadline=None, max_examples=60)
@given(FACTS, FACTS)
def test_processes_that_differ_have_different_ids(one: Record, other: Record) -> None:
    """Two processes have one id only where pid, time, command line and file are the same."""
    plain = item("processEvidence", mdeDeviceId="abc")
    names = ["ProcessId", "ProcessCreationTicks", "ProcessCommandLine", "FileName", "FolderPath",
             "SHA1"]  # fmt: skip
    found = evidence_of(alert(plain | one, id="da0"), alert(plain | other, id="da1"))
    (first, second) = found.sort("AlertId").select(names).rows()
    same_id = found["EvidenceId"].n_unique() == 1
    assert same_id == (first == second)


@pytest.mark.parametrize("kind", sorted(set(COLUMNS) - set(ENDPOINT)))
def test_other_items_that_differ_have_different_ids(kind: str) -> None:
    """An item of any other type is another one where a field of its content differs."""
    first, second = ids(golden(kind), golden(kind) | {"somethingElse": 1})
    assert first != second


@pytest.mark.parametrize("kind", ENDPOINT)
def test_an_endpoint_item_without_identity_is_told_apart_by_content(kind: str) -> None:
    """Items that say nothing of what identifies their type are the same where all else is."""
    empty = item(kind)
    first, second, third = ids(empty, empty | {"verdict": "unknown"}, empty | {"extra": 1})
    assert first == second
    assert first != third


def test_the_type_is_part_of_identity() -> None:
    """The same content under another type is another item."""
    first, second = ids(process(), process() | {"@odata.type": f"{PREFIX}otherEvidence"})
    assert first != second


def test_the_device_is_no_part_of_identity() -> None:
    """A process whose device is known, or known otherwise, has one id over all alerts."""
    assert len(set(ids(process(), process(mdeDeviceId=None), process(mdeDeviceId="xyz")))) == 1


def test_a_process_without_device_is_the_one_with_it() -> None:
    """Within an alert an item without a device is the same as the one item with a device."""
    assert evidence_of(alert(process(), process(mdeDeviceId=None))).height == 1


def test_the_same_file_on_two_devices_is_two_items() -> None:
    """Only where one alert names an entity on several devices are they told apart by device."""
    file = {"fileDetails": {"fileName": "x", "sha1": "a"}}
    here, there = (item("fileEvidence", mdeDeviceId=one, **file) for one in ("abc", "def"))
    found = evidence_of(alert(here, there, here | {"mdeDeviceId": "ABC"}))
    assert sorted(found["DeviceId"]) == ["abc", "def"]
    assert found["EvidenceId"].n_unique() == 2
    assert set(found["EvidenceId"]).isdisjoint(ids(here))


def test_equal_items_of_two_alerts_are_two_rows() -> None:
    """The same process in two alerts has the same id and a row in each."""
    found = evidence_of(alert(process()), alert(process(), id="da2"))
    assert found["EvidenceId"].n_unique() == 1
    assert found["AlertId"].to_list() == ["da1", "da2"]


def test_both_apis_mean_the_same_entities() -> None:
    """Process, file, user, address, page and key have one id, whichever API told of them."""
    file = {"fileName": "x.exe", "filePath": r"C:\Temp", "sha1": "AB", "sha256": None}
    account = {"accountName": "ann", "domainName": "CORP", "userSid": "S-1"}
    key = {"registryHive": "HKEY_LOCAL_MACHINE", "registryKey": r"SOFTWARE\Run"}
    graph = alert(
        process(imageFile=file, processCommandLine="x", userAccount=account),
        item("fileEvidence", fileDetails={**file, "fileSize": 9}, mdeDeviceId="abc"),
        item("userEvidence", userAccount={**account, "accountName": "ANN", "displayName": "Ann"}),
        item("ipEvidence", ipAddress="2001:db8::1", countryLetterCode="NL"),
        item("urlEvidence", url="https://example.com/x"),
        item("registryKeyEvidence", **key),
        item("deviceEvidence", mdeDeviceId="ABC", deviceDnsName="pc1", riskScore="high"),
    )
    told = mde.graph_shaped(
        {
            "id": "da1", "machineId": "abc", "alertCreationTime": AT, "evidence": [
                {"entityType": "Process", **file, "processId": 7, "processCreationTime": AT,
                 "processCommandLine": "x", **account},
                {"entityType": "File", **file, "sha1": "ab"},
                {"entityType": "User", **account},
                {"entityType": "Ip", "ipAddress": "2001:DB8:0::1"},
                {"entityType": "Url", "url": "https://example.com/x"},
                {"entityType": "Registry", **key},
            ],
        }
    )  # fmt: skip
    one, other = (dict(evidence_of(a).select("EvidenceId", "EvidenceType").iter_rows())
                  for a in (graph, told))  # fmt: skip
    assert one == other
    assert len(one) == 7


def test_a_machine_is_its_device_id_or_else_its_name() -> None:
    """A machine keeps its id when it is renamed; one without device id is known by its name."""
    renamed = ids(*[item("deviceEvidence", mdeDeviceId="abc", deviceDnsName=n) for n in "xy"])
    assert len(set(renamed)) == 1
    named = ids(*[item("deviceEvidence", deviceDnsName=n) for n in ("x", "X", "y")])
    assert named[0] == named[1] != named[2]
