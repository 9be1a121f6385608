import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl import ticks
from etl.contracts import raw
from etl.contracts.hunting import EVENT_TABLES, TABLES, hunting
from etl.contracts.judge import judge
from etl.normalise.telemetry import Events, events

NOW = datetime(2026, 1, 2, tzinfo=UTC)
AT = "2026-01-02T03:04:05.1234567Z"
TABLE = "DeviceProcessEvents"
BASE = {
    "Timestamp": AT,
    "DeviceId": "abc",
    "ActionType": "ProcessCreated",
    "ProcessId": 7,
    "ProcessCreationTime": AT,
    "ProcessCommandLine": "cmd /c dir",
    "ReportId": 11,
}

Record = dict[str, Any]


def read(*records: object, table: str = TABLE) -> Events:
    """Read records as hunting sends them."""
    frame = raw.telemetry(table).frame([
        {"TenantId": "t", "Record": json.dumps(record), "IngestedAt": NOW, "SourceRequestId": "r"}
        for record in records
    ])  # fmt: skip
    return events(table, frame)


def row(record: Record, table: str = TABLE) -> Record:
    """Read one record that has no fault."""
    found = read(record, table=table)
    assert found.faults.to_list() == [None]
    return found.rows.row(0, named=True)


def event_id(record: Record) -> str:
    """Return the event id of a record."""
    return str(row(record)["EventId"])


@pytest.mark.parametrize("table", EVENT_TABLES)
def test_every_table_keeps_its_contract(table: str) -> None:
    """A row of any table has the contract's columns and types and is accepted."""
    record = {"Timestamp": AT, "DeviceId": "abc", "ReportId": 1}
    found = read(record, table=table)
    verdict = judge(found.rows, hunting(table), source="x", raw=found.rows["EventId"])
    assert verdict.accepted.height == 1
    assert found.rows.schema == hunting(table).empty().schema


def test_no_records_make_an_empty_table() -> None:
    """No record is a table without rows, with all its columns."""
    assert read().rows.schema == hunting(TABLE).empty().schema


def test_instants_have_twins_to_the_last_digit() -> None:
    """A key's instant is kept in ticks to 100 ns beside the instant for people."""
    found = row(BASE)
    assert found["ProcessCreationTicks"] == found["TimestampTicks"] == ticks.from_text(AT)
    assert found["Timestamp"] == datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)


def test_annotations_are_no_columns() -> None:
    """Annotation keys beside the values are passed over."""
    annotated = BASE | {"ProcessId@odata.type": "#Int64", "@odata.id": "x", "Odd@odata.type": "#x"}
    found = read(annotated)
    assert found.rows.columns == list(hunting(TABLE).types)
    assert event_id(annotated) == event_id(BASE)


def test_names_have_any_case() -> None:
    """Columns are known whatever the case of their names."""
    assert row({key.upper(): value for key, value in BASE.items()}) == row(BASE)
    assert row({key.lower(): value for key, value in BASE.items()}) == row(BASE)


def test_unknown_columns_are_kept_as_text() -> None:
    """A column that the service adds is kept, in rows that have it and null in the others."""
    found = read(BASE | {"NewThing": {"a": 1}, "DeviceId1": "x"}, BASE, BASE | {"newthing": 5})
    assert found.rows["NewThing"].to_list() == ['{"a": 1}', None, "5"]
    assert found.rows["DeviceId1"].to_list() == ["x", None, None]
    assert found.faults.null_count() == 3


@pytest.mark.parametrize(
    "name", ["TenantId", "EventId", "IngestedAt", "sourcerequestid", "FooTicks"]
)
def test_unknown_columns_do_not_take_our_names(name: str) -> None:
    """A column of the service that is named as one of ours is kept beside it."""
    found = row(BASE | {name: "theirs"})
    assert found[f"{name}_"] == "theirs"
    assert (found["TenantId"], found["SourceRequestId"]) == ("t", "r")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("ProcessId", "seven"),
        ("ProcessId", 7.5),
        ("ProcessId", True),
        ("ProcessId", [7]),
        ("ReportId", 2**63),
        ("Timestamp", "yesterday"),
        ("Timestamp", 5),
        ("ProcessCreationTime", "2026-02-30T00:00:00Z"),
        ("IsInitiatingProcessRemoteSession", "perhaps"),
    ],
)
def test_a_value_of_another_type_is_a_fault(column: str, value: object) -> None:
    """A value that is not of its column's type makes the row a fault that names both."""
    found = read(BASE, BASE | {column: value})
    assert found.faults[0] is None
    assert str(found.faults[1]).startswith(f"{column} is ")
    assert found.rows.height == 2


@pytest.mark.parametrize("record", [None, 5, "x", [], {}])
def test_what_is_no_row_is_turned_away(record: object) -> None:
    """A record without content breaks the contract, and its neighbours do not."""
    found = read(BASE, record)
    verdict = judge(
        found.rows, hunting(TABLE), source="x", raw=found.rows["EventId"], faults=found.faults
    )
    assert (verdict.accepted.height, verdict.rejected.height) == (1, 1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, True), (0, False), (True, True), ("true", True), ("0", False), (None, None), ("", None)],
)
def test_booleans_come_as_sbyte(value: object, expected: object) -> None:
    """Hunting's SByte and its other spellings of a boolean are read."""
    found = row(BASE | {"IsLocalAdmin": value}, table="DeviceLogonEvents")
    assert found["IsLocalAdmin"] is expected


def test_device_ids_are_lower_cased() -> None:
    """Device ids that come upper-cased are lower-cased, and the event is the same."""
    assert row(BASE | {"DeviceId": "ABC"}) == row(BASE)


def test_large_integers_are_exact() -> None:
    """A number above 2^53 keeps its last digit, as a number and as text."""
    assert row(BASE | {"ReportId": 2**53 + 1})["ReportId"] == 2**53 + 1
    assert row(BASE | {"ReportId": str(2**63 - 1)})["ReportId"] == 2**63 - 1


@pytest.mark.parametrize("value", [{"a": [1]}, '{"a": [1]}'])
def test_additional_fields_are_text(value: object) -> None:
    """AdditionalFields is text, whether the route sends text or an object."""
    assert row(BASE | {"AdditionalFields": value})["AdditionalFields"] == '{"a": [1]}'


def test_cut_json_stays_as_it_is() -> None:
    """Text that holds JSON cut off in the middle is no fault."""
    assert row(BASE | {"AdditionalFields": '{"a": [1'})["AdditionalFields"] == '{"a": [1'


@pytest.mark.parametrize("year", ["0001", "1601", "1970"])
def test_sentinel_times_are_null(year: str) -> None:
    """A time that stands for none is null in both columns and no fault."""
    found = row(BASE | {"ProcessCreationTime": f"{year}-01-01T00:00:00Z"})
    assert found["ProcessCreationTime"] is found["ProcessCreationTicks"] is None


@pytest.mark.parametrize(
    "same",
    [
        BASE | {"SHA1": None},
        BASE | {"SHA1": ""},
        BASE | {"NewThing": "x"},
        BASE | {"NewThing": None},
        BASE | {"ProcessId@odata.type": "#Int64"},
        BASE | {"ProcessId": "7"},
        BASE | {"Timestamp": AT.replace("T", " ").replace("Z", "+00:00")},
        dict(reversed(BASE.items())),
    ],
    ids=["null", "empty", "unknown", "unknown null", "annotation", "digits", "spelling", "order"],
)
def test_the_same_event_has_the_same_id(same: Record) -> None:
    """What says nothing about the event does not change its id."""
    assert event_id(same) == event_id(BASE)


@pytest.mark.parametrize(
    "change",
    [
        {"ProcessId": 8},
        {"ReportId": 12},
        {"DeviceId": "abd"},
        {"Timestamp": AT.replace("4567Z", "4568Z")},
        {"ProcessCreationTime": None},
        {"ProcessCommandLine": "cmd /c dir "},
        {"FileName": "cmd.exe"},
        {"AdditionalFields": "{}"},
        {"ProcessCommandLine": None, "FileName": "cmd /c dir"},
    ],
)
def test_another_event_has_another_id(change: Record) -> None:
    """Every declared column counts, to the last digit, and so does where a value stands."""
    assert event_id(BASE | change) != event_id(BASE)


def test_separators_in_values_make_no_equal_ids() -> None:
    """Values that imitate the separators between columns do not collide."""
    one = BASE | {"FileName": "a\x1fFolderPath:1:b"}
    other = BASE | {"FileName": "a", "FolderPath": "b"}
    assert event_id(one) != event_id(other)


def test_ids_differ_between_tables() -> None:
    """The same content in two tables is two events."""
    record = {"Timestamp": AT, "DeviceId": "abc", "ReportId": 1}
    assert len({row(record, table=table)["EventId"] for table in EVENT_TABLES}) == len(EVENT_TABLES)


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from([*TABLES[TABLE], "Unknown", "unknown", "@odata.x"]), VALUES, max_size=6
        ),
        max_size=5,
    )
)
def test_no_record_makes_reading_fail(records: list[Record]) -> None:
    """Whatever the values, every record is one row, which keeps its contract or has a reason."""
    found = read(*[BASE | record for record in records])
    raw_rows = found.rows["EventId"]
    verdict = judge(found.rows, hunting(TABLE), source="x", raw=raw_rows, faults=found.faults)
    assert found.rows.height == found.faults.len() == len(records)
    assert verdict.accepted.height + verdict.rejected.height == len(records)
