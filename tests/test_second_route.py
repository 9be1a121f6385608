import json
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import AT, NOW, Record, alert, evidence_of, item, process

from etl import ticks
from etl.contracts.core import ALERT_EVIDENCE
from etl.contracts.hunting import hunting
from etl.normalise.second_route import filled

TICKS = ticks.from_text(AT)
LINE = "evil.exe -x"


def told(pid: object = "1960", time: object = AT, **more: object) -> Record:
    """Return AdditionalFields as hunting writes them of a process."""
    return {"$id": "1", "ProcessId": pid, "CreationTimeUtc": time, "Type": "process", **more}


def row(fields: object, **columns: object) -> Record:
    """Return a row of hunting.AlertEvidence."""
    text = fields if isinstance(fields, str | None) else json.dumps(fields)
    return {
        "TenantId": "t", "EventId": "e", "Timestamp": NOW, "TimestampTicks": 1, "AlertId": "da1",
        "EntityType": "Process", "ProcessCommandLine": LINE, "FileName": "EVIL.exe",
        "AdditionalFields": text, "IngestedAt": NOW, **columns,
    }  # fmt: skip


MACHINE = row(None, EntityType="Machine", DeviceId="abc", ProcessCommandLine=None, FileName=None)


def suspect(**fields: object) -> Record:
    """Return process evidence without a key."""
    plain = item(
        "processEvidence", processCommandLine=LINE, imageFile={"fileName": "evil.exe", "sha1": "AA"}
    )
    return plain | fields


def after(*rows: Record, **fields: object) -> Record:
    """Return the one item's row after the second route."""
    found = filled(evidence_of(alert(suspect(**fields))), hunting("AlertEvidence").frame(rows))
    assert dict(found.schema) == ALERT_EVIDENCE.types
    return found.row(0, named=True)


def key(found: Record) -> tuple[object, ...]:
    """Return the key of a row, and who told it."""
    return (
        found["DeviceId"], found["ProcessId"], found["ProcessCreationTicks"], found["KeySource"],
    )  # fmt: skip


def test_a_key_is_filled() -> None:
    """Pid, time to 100 ns and host come out of the text; the id of the item stays."""
    found = after(row(told(Host={"$id": "2", "MachineId": "ABC"})))
    assert key(found) == ("abc", 1960, TICKS, "hunting")
    assert found["ProcessCreationTime"] == datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)
    assert found["EvidenceId"] == after()["EvidenceId"]


@pytest.mark.parametrize(
    "fields",
    [
        {"Host": {"$id": "3", "MachineId": "abc"}},
        {
            "Host": {"$ref": "3"},
            "ImageFile": {"$id": "2", "Host": {"$id": "3", "MachineId": "abc"}},
        },
        {"Other": [{"$id": "3", "MachineId": "abc"}], "Host": {"$ref": "3"}},
        {"Host": {"$ref": "3"}, "Other": [{"$id": 3, "MachineId": "abc"}]},
        {
            "Host": {"$ref": "2"},
            "A": {"$id": "2", "$ref": "3"},
            "B": {"$id": "3", "MachineId": "abc"},
        },
        {"ImageFile": {"Host": {"MachineId": "abc"}}},
    ],
)
def test_the_host_is_found_wherever_it_is_written(fields: Record) -> None:
    """A reference is resolved inside the same text, backward, forward and over another one."""
    assert key(after(row(told(**fields))))[0] == "abc"


@pytest.mark.parametrize(
    "fields",
    [
        {"Host": {"$ref": "9"}},
        {"Host": {"$ref": "2"}, "A": {"$id": "2", "$ref": "2"}},
        {"Host": {"$ref": "2"}, "A": {"$id": "2", "$ref": "3"}, "B": {"$id": "3", "$ref": "2"}},
        {"Host": "abc"},
        {},
    ],
)
def test_without_a_host_the_alerts_only_machine_is_it(fields: Record) -> None:
    """A reference that leads nowhere, or in a circle, leaves the alert's one device."""
    assert key(after(row(told(**fields)), MACHINE)) == ("abc", 1960, TICKS, "hunting")
    two = (MACHINE, MACHINE | {"DeviceId": "def"})
    assert key(after(row(told(**fields)), *two)) == (None, 1960, TICKS, "hunting")


def test_a_file_row_may_tell_of_a_process() -> None:
    """A row of another entity counts where its text has a pid."""
    found = after(row(told(), EntityType="File"))
    assert key(found)[1:] == (1960, TICKS, "hunting")


@pytest.mark.parametrize(
    ("fields", "filled_in"),
    [
        ({"processId": 1960}, True),
        ({"processId": 0}, True),
        ({"processId": 7}, False),
        ({"processCreationDateTime": AT}, True),
        ({"processCreationDateTime": AT.replace("7Z", "8Z")}, False),
        ({"processCreationDateTime": "0001-01-01T00:00:00Z"}, True),
        ({"processCommandLine": "other"}, False),
        ({"processCommandLine": None}, True),
        ({"imageFile": {"fileName": "other.exe"}}, False),
        ({"imageFile": None}, True),
        ({"imageFile": {"sha1": "bb"}}, False),
        ({"imageFile": None, "processCommandLine": None}, False),
        ({"mdeDeviceId": "ABC"}, True),
        ({"mdeDeviceId": "def"}, False),
    ],
)
def test_all_that_is_known_must_agree(fields: Record, filled_in: bool) -> None:  # noqa: FBT001
    """One fact that differs, or none that is the same, and the item stays as it is."""
    found = after(row(told(Host={"MachineId": "abc"}), SHA1="aa"), **fields)
    assert (found["KeySource"] == "hunting") == filled_in
    before = evidence_of(alert(suspect(**fields))).row(0, named=True)
    assert filled_in or found == before


@pytest.mark.parametrize(
    "rows",
    [
        [row(told()), row(told(pid="1961"))],
        [row(told()), row(told(time=AT.replace("7Z", "8Z")))],
        [row(told()), row(told(pid=None, time=None))],
        [row(told()), row(None)],
        [row(told(Host={"MachineId": "abc"})), row(told(Host={"MachineId": "def"}))],
        [row(told(pid=None))],
        [row(told(pid="0"))],
        [row(told(time="1601-01-01T00:00:00Z"))],
        [row(told(), AlertId="da2")],
        [row(told(), TenantId="u")],
        [],
    ],
)
def test_what_is_not_certain_is_not_filled(rows: list[Record]) -> None:
    """Two keys, a row without one, half a key or another alert's row fill nothing."""
    assert key(after(*rows)) == (None, None, None, None)


def test_two_rows_with_one_key_are_one() -> None:
    """A process that hunting lists twice is no doubt."""
    assert key(after(row(told()), row(told(), EntityType="File")))[1] == 1960


def test_a_whole_key_stays() -> None:
    """What the API told is never overwritten, nor is an item that is no process."""
    given_items = evidence_of(alert(process(processCommandLine=LINE), item("urlEvidence", url="x")))
    rows = hunting("AlertEvidence").frame([row(told(), FileName="x.exe")])
    assert filled(given_items, rows).equals(given_items)


@pytest.mark.parametrize(
    "text", ["", "{", '{"$id":"1","ProcessId":"19', "[" * 5000, "5", '"x"', "null", '{"a":' * 5000]
)
def test_a_text_that_is_cut_off_fills_nothing(text: str) -> None:
    """JSON that ends in the middle or nests without end is nothing, and fails nowhere."""
    assert key(after(row(text))) == (None, None, None, None)


def test_a_list_of_objects_is_read() -> None:
    """A text that is a list of objects tells by the one that has a pid."""
    assert key(after(row([{"$id": "9"}, told()])))[1] == 1960


def test_rows_without_a_tenant_are_of_the_only_one() -> None:
    """Rows that do not name their tenant are matched by the alert alone."""
    rows = hunting("AlertEvidence").frame([row(told())]).drop("TenantId")
    assert filled(evidence_of(alert(suspect())), rows)["ProcessId"].to_list() == [1960]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["$id", "$ref", "Host", "MachineId"]), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = ["ProcessId", "CreationTimeUtc", "Host", "ImageFile", "CommandLine", "$id", "$ref"]


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(NAMES), JSON), JSON)
def test_no_text_makes_it_fail(fields: Record, other: object) -> None:
    """Whatever stands in the text, the item is there after, filled with a whole key or not."""
    before = evidence_of(alert(suspect()))
    rows = hunting("AlertEvidence").frame([row(fields), row(other), row(None)])
    found = filled(before, rows)
    assert found["EvidenceId"].equals(before["EvidenceId"])
    whole = found.filter(pl.col("KeySource").is_not_null())
    assert whole["ProcessId"].null_count() == whole["ProcessCreationTicks"].null_count() == 0


def test_the_key_of_another_item_is_not_given_twice() -> None:
    """A row about a process that the alert names with its key is not about one without."""
    keyed = suspect(processId=1960, processCreationDateTime=AT)
    items = evidence_of(alert(keyed, suspect(processCommandLine=None)))
    found = filled(items, hunting("AlertEvidence").frame([row(told())]))

    assert sorted(found["KeySource"].to_list(), key=str) == [None, "api"]
