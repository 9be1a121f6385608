"""Drift of telemetry: which columns are new, gone or of another type, and what is none of these."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from etl.contracts import raw
from etl.contracts.hunting import ALERT_TABLES, EVENT_TABLES, TABLES, hunting
from etl.contracts.judge import judge
from etl.contracts.ops import QUARANTINE, SCHEMA_DRIFT
from etl.lake.lake import Lake
from etl.normalise.column_drift import ENOUGH, SOURCE
from etl.normalise.drift import REST
from etl.stages import events
from etl.stages.report import Report

DAY = date(2026, 1, 2)
NOW = datetime(2026, 1, 3, tzinfo=UTC)
AT = "2026-01-02T03:04:05.1234567Z"
TABLE = "DeviceFileEvents"
BASE = {"Timestamp": AT, "DeviceId": "abc", "FileName": "a.exe", "ReportId": 1, "FileSize": 5}

Record = dict[str, Any]


def typed(
    root: Path, records: Sequence[Record], *, table: str = TABLE, pull: int = 0, part: str = "data"
) -> tuple[pl.DataFrame, Report]:
    """Type records that one pull brought; the first pull's are all that there are."""
    lake, contract = Lake(root, "t"), raw.telemetry(table)
    moment = NOW + timedelta(hours=pull)
    rows = contract.frame([
        {"TenantId": "t", "Record": json.dumps(record), "IngestedAt": moment,
         "SourceRequestId": f"r{pull}"}
        for record in records
    ])  # fmt: skip
    added = root / "added.parquet"
    rows.write_parquet(added)
    lake.publish(contract, DAY, pl.concat([lake.read(contract, DAY, part), rows]), part)
    report = events.publish(lake, DAY, table, added if pull else None)
    drift = lake.read(SCHEMA_DRIFT, DAY, events.drift_part(table))
    verdict = judge(drift, SCHEMA_DRIFT, source="x", raw=drift["Name"])
    assert verdict.rejected.is_empty()
    assert set(drift["Source"]) <= {SOURCE}
    assert set(drift["Table"]) <= {table}
    return drift, report


def named(root: Path, *records: Record, table: str = TABLE) -> set[tuple[str, str]]:
    """Return kind and name, without the table's, of each row of drift."""
    drift, report = typed(root, records, table=table)
    assert report.figures == {"drifting_columns": drift.height}
    return {(kind, name.split(".", 1)[1]) for kind, name in drift.select("Kind", "Name").rows()}


def full(number: int, table: str = TABLE, **fields: object) -> Record:
    """Return a record as hunting answers it: every column is named, most of them are null."""
    return dict.fromkeys(TABLES[table]) | BASE | {"ReportId": number} | fields


@pytest.mark.parametrize(
    ("table", "fields"),
    [
        (TABLE, {"FileSize@odata.type": "#Int64", "@odata.id": "x", "Moon@odata.type": "#SByte"}),
        (TABLE, {"IsAzureInfoProtectionApplied": True}),
        (TABLE, {"IsAzureInfoProtectionApplied": 0}),
        (
            "DeviceLogonEvents",
            {"IsLocalAdmin": 1, "IsLocalAdmin@odata.type": "#SByte"},
        ),
        (TABLE, {"Timestamp": "2026-01-02 03:04:05.1234567"}),
        (TABLE, {"Timestamp": "2026-01-02T03:04:05"}),
        (TABLE, {"Timestamp": "2026-01-02 03:04:05+00:00"}),
        (TABLE, {"InitiatingProcessCreationTime": "0001-01-01T00:00:00Z"}),
        (TABLE, {"AdditionalFields": {"a": [1]}}),
        (TABLE, {"AdditionalFields": '{"a": [1]}'}),
        (TABLE, {"AdditionalFields": None}),
        (TABLE, {"ReportId": 2**53 + 1}),
        (TABLE, {"Future": None, "Other": ""}),
        (TABLE, {"FILENAME": "b.exe"}),
    ],
)
def test_what_the_ways_of_hunting_send_is_no_drift(
    tmp_path: Path, table: str, fields: Record
) -> None:
    """Annotations, booleans of any spelling but text, instants and open fields are as foretold."""
    fields = {k: v for k, v in fields.items() if k.split("@")[0] in {*TABLES[table], *fields}}

    assert named(tmp_path, {k: v for k, v in BASE.items() if k in TABLES[table]} | fields,
                 table=table) == set()  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "name", "readable"),
    [
        ({"FileSize": "5"}, "FileSize:text", True),
        ({"FileSize": "many"}, "FileSize:text", False),
        ({"FileSize": 5.0}, "FileSize:fraction", True),
        ({"FileSize": 5.5}, "FileSize:fraction", False),
        ({"FileSize": True}, "FileSize:boolean", False),
        ({"FileSize": [5]}, "FileSize:list", False),
        ({"ReportId": 2**63}, "ReportId:number", False),
        ({"IsAzureInfoProtectionApplied": "True"}, "IsAzureInfoProtectionApplied:text", True),
        ({"IsAzureInfoProtectionApplied": 7}, "IsAzureInfoProtectionApplied:number", False),
        ({"Timestamp": "yesterday"}, "Timestamp:text", False),
        ({"InitiatingProcessCreationTime": 5}, "InitiatingProcessCreationTime:number", False),
        ({"FileName": 5}, "FileName:number", True),
        ({"FileName": {"a": 1}}, "FileName:object", True),
        ({"AdditionalFields": 5}, "AdditionalFields:number", True),
    ],
)
def test_a_changed_type_is_named(
    tmp_path: Path, fields: Record, name: str, *, readable: bool
) -> None:
    """A value of another type is drift, whether it can be read or is quarantined as well."""
    assert named(tmp_path, BASE | fields, BASE) == {("shape", name)}
    assert Lake(tmp_path, "t").read(QUARANTINE, DAY, TABLE).height == (not readable)


def test_a_new_column_is_named_with_an_example(tmp_path: Path) -> None:
    """A column that nobody has declared is one row: how often, and the first of its values."""
    records = [BASE | {"ReportId": n, "FutureColumn": {"n": n}} for n in range(3)]
    drift, report = typed(tmp_path, [*records, BASE | {"ReportId": 9}])
    (row,) = drift.iter_rows(named=True)

    assert (row["Table"], row["Kind"], row["Name"]) == (TABLE, "field", f"{TABLE}.FutureColumn")
    assert (row["Count"], row["Example"]) == (3, '{"n": 0}')
    assert (row["FirstSeenAt"], row["LastSeenAt"], row["SourceRequestId"]) == (NOW, NOW, "r0")
    (line,) = report.doubts
    assert line.startswith(f"{TABLE}.FutureColumn is a column that nobody has declared: 3 records")
    assert line.endswith('{"n": 0}')


@pytest.mark.parametrize("table", [*ALERT_TABLES, *EVENT_TABLES])
def test_each_table_has_its_own_part(tmp_path: Path, table: str) -> None:
    """The drift of each hunting table stands beside that of the others."""
    record = {"Timestamp": AT, "DeviceId": "abc", "AlertId": "a", "Future": 1}
    known = {name: value for name, value in record.items() if name in {*TABLES[table], "Future"}}
    other = "DeviceInfo"
    typed(tmp_path, [BASE | {"Other": 1}], table=other)

    assert named(tmp_path, known, table=table) == {("field", "Future")}
    folder = Lake(tmp_path, "t").path(SCHEMA_DRIFT, DAY).parent
    assert {path.stem for path in folder.iterdir()} == {f"hunting_{other}", f"hunting_{table}"}


def test_later_records_add_to_what_is_known(tmp_path: Path) -> None:
    """Counts grow and the first example stays; only what is new is told of again."""
    typed(tmp_path, [BASE | {"Future": "b", "FileSize": "5"}])
    drift, report = typed(
        tmp_path,
        [BASE | {"Future": "a", "Moon": 1, "ReportId": 2}, BASE | {"Future": "c", "ReportId": 3}],
        pull=2,
    )
    told = {row["Name"]: row for row in drift.iter_rows(named=True)}
    future = told[f"{TABLE}.Future"]

    assert (future["Count"], future["Example"]) == (3, "b")
    assert (future["FirstSeenAt"], future["LastSeenAt"]) == (NOW, NOW + timedelta(hours=2))
    assert told[f"{TABLE}.FileSize:text"]["Count"] == 1
    assert report.figures == {"drifting_columns": 1}
    assert [f"{TABLE}.Moon" in line for line in report.doubts] == [True]


def test_drift_is_gone_with_its_records(tmp_path: Path) -> None:
    """Typing all records anew says what they hold, and nothing of what was said before."""
    lake = Lake(tmp_path, "t")
    typed(tmp_path, [BASE | {"Future": 1}])
    lake.path(raw.telemetry(TABLE), DAY).unlink()
    drift, report = typed(tmp_path, [BASE])

    assert drift.is_empty()
    assert report.doubts == ()


def test_a_column_that_no_record_names_is_missing(tmp_path: Path) -> None:
    """Among records that spell out their nulls, a column that none has was taken away."""
    records = [full(number) for number in range(ENOUGH)]
    for record in records:
        del record["SHA256"]
    drift, report = typed(tmp_path, records)
    (row,) = drift.iter_rows(named=True)

    assert (row["Kind"], row["Name"]) == ("missing", f"{TABLE}.SHA256")
    assert (row["Count"], row["FirstSeenAt"], row["LastSeenAt"]) == (ENOUGH, NOW, NOW)
    assert report.doubts == (f"{TABLE}.SHA256 is named by no record: {ENOUGH} records",)


def test_columns_are_not_missing_from_records_without_nulls(tmp_path: Path) -> None:
    """Records whose nulls were left out say nothing of the columns they do not have."""
    assert named(tmp_path, *[BASE | {"ReportId": n} for n in range(2 * ENOUGH)]) == set()


def test_few_records_prove_no_column_missing(tmp_path: Path) -> None:
    """It takes a number of records to say that a column is gone, and one to say that it is not."""
    records = [full(number) for number in range(ENOUGH)]
    for record in records[1:]:
        del record["SHA256"]

    assert named(tmp_path, *records[1:]) == set()
    assert named(tmp_path, records[0]) == set()


def test_a_missing_column_may_turn_up(tmp_path: Path) -> None:
    """Later records count on, until one of them names the column, if only to say null."""
    records = [full(number) for number in range(ENOUGH)]
    for record in records:
        del record["SHA256"], record["SHA1"]
    typed(tmp_path, records)
    drift, _ = typed(tmp_path, [BASE | {"ReportId": -1}, BASE | {"SHA1": None}], pull=1)
    (row,) = drift.iter_rows(named=True)

    assert (row["Name"], row["Count"]) == (f"{TABLE}.SHA256", ENOUGH + 2)
    assert row["LastSeenAt"] == NOW + timedelta(hours=1)


def test_names_and_examples_are_tamed(tmp_path: Path) -> None:
    """Names and values come from outside: what is shown of them is short and printable."""
    hostile = {"\u202e\n\0" * 200: "\0\x1b[2J" * 200, "\ud800": "\ud800", "a\"b'c": "'; --"}
    drift, report = typed(tmp_path, [BASE | hostile])
    kept = Lake(tmp_path, "t").read(hunting(TABLE), DAY).columns

    assert drift.height == len(hostile)
    assert len(kept) == len(hunting(TABLE).types) + len(hostile)
    for shown in (*drift["Name"], *drift["Example"], *report.doubts, *kept):
        assert shown.isprintable()
        assert len(shown) <= 500


def test_the_number_of_names_is_bounded(tmp_path: Path) -> None:
    """A flood of columns is summed under one name, and hides no changed type."""
    flood = {f"Column{number}": number for number in range(300)}
    drift, _ = typed(tmp_path, [BASE | flood, BASE | {"ReportId": "2"}])

    assert drift.height <= 102
    assert f"{TABLE}.ReportId:text" in set(drift["Name"])
    assert drift.filter(Name=REST)["Count"].to_list() == [300 - 99]


def test_whatever_was_pulled_is_read(tmp_path: Path) -> None:
    """Records of all parts of the raw partition are typed: around alerts, and hunted for."""
    typed(tmp_path, [BASE | {"ReportId": 2, "Hunted": 1}], part="hunts")
    drift, report = typed(tmp_path, [BASE, BASE | {"ReportId": 3, "Pulled": 1}])

    assert (report.read, report.rows) == (3, 3)
    assert set(drift["Name"]) == {f"{TABLE}.Hunted", f"{TABLE}.Pulled"}
