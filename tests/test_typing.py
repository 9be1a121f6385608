"""Typing raw telemetry: all of a day, or only what came to it; the tables are the same."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from etl.contracts import raw
from etl.contracts.hunting import hunting
from etl.contracts.judge import judge
from etl.contracts.ops import QUARANTINE, SCHEMA_DRIFT
from etl.lake.lake import Lake
from etl.stages import events
from etl.stages.report import Report

DAY = date(2026, 1, 2)
NOW = datetime(2026, 1, 3, tzinfo=UTC)
AT = "2026-01-02T03:04:05.1234567Z"
TABLE = "DeviceFileEvents"
BASE = {"Timestamp": AT, "DeviceId": "abc", "FileName": "a.exe", "ReportId": 1, "FileSize": 5}

Record = dict[str, Any]
Rows = Sequence[Record | str]


def frame(records: Rows, pull: int = 0, table: str = TABLE) -> pl.DataFrame:
    """Return raw rows, taken in by one pull; text is a record as it stands."""
    return raw.telemetry(table).frame(
        [
            {
                "TenantId": "t",
                "Record": one if isinstance(one, str) else json.dumps(one),
                "IngestedAt": NOW + timedelta(hours=pull),
                "SourceRequestId": f"r{pull}",
            }
            for one in records
        ]
    )


def pulled(root: Path, pulls: Sequence[Rows], table: str = TABLE) -> tuple[Lake, list[Report]]:
    """Type what each pull adds, as the pulls come; the first is the whole partition."""
    lake, reports, held = Lake(root, "t"), [], frame([], table=table)
    for number, records in enumerate(pulls):
        new = frame(records, number, table)
        held = pl.concat([held, new]).unique("Record", keep="first", maintain_order=True)
        lake.publish(raw.telemetry(table), DAY, held)
        added = root / "added.parquet"
        new.write_parquet(added)
        reports.append(events.publish(lake, DAY, table, added if number else None))
    return lake, reports


def at_once(root: Path, pulls: Sequence[Rows], table: str = TABLE) -> tuple[Lake, Report]:
    """Type all pulls' records at once."""
    lake = Lake(root, "t")
    held = pl.concat([frame(records, number, table) for number, records in enumerate(pulls)])
    held = held.unique("Record", keep="first", maintain_order=True)
    lake.publish(raw.telemetry(table), DAY, held)
    return lake, events.publish(lake, DAY, table)


def tables(lake: Lake, table: str = TABLE) -> dict[str, pl.DataFrame]:
    """Return everything that typing publishes."""
    return {
        "rows": lake.read(hunting(table), DAY),
        "quarantine": lake.read(QUARANTINE, DAY, table),
        "drift": lake.read(SCHEMA_DRIFT, DAY, events.drift_part(table)),
    }


def agree(pulls: Sequence[Rows], table: str = TABLE) -> tuple[dict[str, pl.DataFrame], Any]:
    """Hold both ways against each other; return the tables, and the reports of the pulls."""
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        by_steps, reports = pulled(Path(one), pulls, table)
        whole, report = at_once(Path(other), pulls, table)
        found = tables(by_steps, table)
        for name, expected in tables(whole, table).items():
            assert_frame_equal(found[name], expected)
        assert all(one.adds_up for one in (*reports, report))
        assert reports[-1].rows == report.rows == found["rows"].height
        assert [one.read for one in reports] == [len(records) for records in pulls]
    return found, reports


def event(number: int, **fields: object) -> Record:
    """Return an event of its own."""
    return BASE | {"ReportId": number} | fields


def test_what_is_added_is_united_with_what_is_there() -> None:
    """Rows that came later stand among the others, sorted, and are counted as published."""
    pulls = [[event(n) for n in (1, 5, 9)], [event(n) for n in (2, 7)]]
    found, reports = agree(pulls)

    assert sorted(found["rows"]["ReportId"]) == [1, 2, 5, 7, 9]
    assert [(r.published, r.duplicates, r.rows) for r in reports] == [(3, 0, 3), (2, 0, 5)]


def test_nothing_added_changes_nothing() -> None:
    """A file without rows leaves all tables as they are, and the report says so."""
    found, reports = agree([[event(1, New="x"), event(2, FileSize="many")], []])

    assert (reports[1].read, reports[1].rows, reports[1].changed) == (0, 1, False)
    assert reports[1].doubts == ()
    assert (found["quarantine"].height, found["drift"].height) == (1, 2)


def test_columns_may_come_with_what_is_added() -> None:
    """A column that only the added rows have is null in the others."""
    found, _ = agree([[event(1)], [event(2, Zebra="z", Future=[1])], [event(3, Apple=1)]])
    rows = found["rows"].sort("ReportId")

    assert rows.columns == [*hunting(TABLE).types, "Apple", "Future", "Zebra"]
    assert rows["Future"].to_list() == [None, "[1]", None]
    assert rows["Apple"].to_list() == [None, None, "1"]


@pytest.mark.parametrize(
    ("one", "other"), [("NewThing", "newthing"), ("newthing", "NewThing"), ("äB", "äb")]
)
def test_a_new_column_is_one_however_it_is_spelled(one: str, other: str) -> None:
    """Spellings that differ in case are one column, the same whichever came first."""
    found, _ = agree([[event(1, **{one: "x"})], [event(2, **{other: "y"})]])
    rows = found["rows"].sort("ReportId")

    assert rows.columns[len(hunting(TABLE).types) :] == [min(one, other)]
    assert rows[min(one, other)].to_list() == ["x", "y"]


def test_an_event_in_another_spelling_is_no_second_row() -> None:
    """The first record of an event stays, whatever its later ones add."""
    again = event(1, ReportId="1", Timestamp=AT.replace("T", " "), Future="late")
    found, reports = agree([[event(1)], [again, event(2)]])

    assert found["rows"].sort("ReportId")["Future"].to_list() == [None, None]
    assert (reports[1].published, reports[1].duplicates) == (1, 1)


def test_of_equals_in_one_answer_the_same_one_is_kept() -> None:
    """Records of one event that came together are told apart by their columns, not by chance."""
    twins = [event(1, Future=word, Other="x") for word in ("b", "a", "c")]
    found, _ = agree([twins, [event(2, Aardvark="1")]])
    back, _ = agree([twins[::-1], [event(2, Aardvark="1")]])

    assert found["rows"].filter(ReportId=1)["Future"].to_list() == ["a"]
    assert_frame_equal(found["rows"], back["rows"])


def test_what_is_turned_away_is_there_once() -> None:
    """The quarantine keeps what it has, and takes a record that comes again only once."""
    bad, worse = event(1, FileSize="many"), event(2, Timestamp="soon")
    found, reports = agree([[bad, event(3)], [worse, event(4)]])
    with TemporaryDirectory() as folder:
        lake, _ = pulled(Path(folder), [[bad], [bad, worse, worse]])
        again = lake.read(QUARANTINE, DAY, TABLE)

    assert [report.quarantined for report in reports] == [1, 1]
    assert sorted(found["quarantine"]["Raw"]) == sorted(map(json.dumps, (bad, worse)))
    assert sorted(again["Raw"]) == sorted(map(json.dumps, (bad, worse)))
    assert set(again.filter(Raw=json.dumps(bad))["IngestedAt"]) == {NOW}


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"a": ' * 5000, "[" * 5000])
def test_what_is_no_record_is_turned_away(text: str) -> None:
    """A record that cannot be read is quarantined as it came, and stops nothing."""
    found, reports = agree([[event(1)], [text, event(2)]])

    assert found["quarantine"]["Raw"].to_list() == [text]
    assert (reports[1].published, reports[1].quarantined) == (1, 1)


@pytest.mark.parametrize("lost", ["rows", "drift", "older", "wider"])
def test_without_a_table_that_fits_all_is_read(lost: str, tmp_path: Path) -> None:
    """Where what was published is gone, or of another contract, added rows are not enough."""
    lake, _ = pulled(tmp_path, [[event(1, New="x")], [event(2)]])
    expected = tables(lake)
    known = lake.path(hunting(TABLE), DAY)
    rows = pl.read_parquet(known)
    if lost == "rows":
        known.unlink()
    elif lost == "drift":
        lake.path(SCHEMA_DRIFT, DAY, events.drift_part(TABLE)).unlink()
    elif lost == "older":
        rows.drop("SHA1").write_parquet(known)
    else:
        rows.with_columns(Wide=pl.lit(1)).write_parquet(known)
    report = events.publish(lake, DAY, TABLE, tmp_path / "added.parquet")

    assert report.adds_up
    assert report.read == 2
    for name, frame in tables(lake).items():
        assert_frame_equal(frame, expected[name])


def test_a_lake_may_be_anywhere(tmp_path: Path) -> None:
    """Characters that mean something in patterns or in SQL mean nothing in the lake's path."""
    root = tmp_path / "a [b]*?'c\" day=1"
    root.mkdir()
    lake, reports = pulled(root, [[event(1)], [event(2, New="x")]])

    assert [report.rows for report in reports] == [1, 2]
    assert lake.read(hunting(TABLE), DAY).columns == [*hunting(TABLE).types, "New"]


def test_batches_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many records are typed at once shows nowhere."""
    monkeypatch.setattr(events, "BATCH", 3)
    pulls = [
        [event(n % 7, Future=n % 5 or None, **{f"X{n % 4}": "x"}) for n in range(20)],
        [event(n, FileSize=str(n) if n % 2 else "odd", newThing=1, NewThing=2) for n in range(9)],
    ]
    in_parts, _ = agree(pulls)
    monkeypatch.undo()
    at_once, _ = agree(pulls)

    for name, frame in in_parts.items():
        assert_frame_equal(frame, at_once[name])


@pytest.mark.parametrize("table", ["AlertInfo", "AlertEvidence"])
def test_tables_of_alerts_are_typed_alike(table: str) -> None:
    """What hunting says of alerts is united and judged as telemetry is."""
    alert = {"Timestamp": AT, "AlertId": "a1"}
    pulls: list[Rows] = [
        [alert | {"Title": "one"}],
        [alert | {"Title": "two", "Moon": 1}, {"AlertId": "a2"}],
    ]
    found, _ = agree(pulls, table)

    assert found["rows"].height == 2
    assert found["quarantine"]["Table"].to_list() == [table]
    assert found["drift"]["Name"].to_list() == [f"{table}.Moon"]


def test_names_that_tables_of_ours_have_are_left_to_them() -> None:
    """A column of the service that is named as one of ours is kept beside it."""
    names = ["Day", "source", "Raw", "Rule", "Detail", "__row", "__fault", "TenantId", ""]
    found, _ = agree([[event(1, **dict.fromkeys(names, "x"))], [event(2, Raw="y", Rule=1, Day="")]])
    bad, _ = agree([[event(1, **dict.fromkeys(names, "x"), FileSize="many")], [event(2)]])
    kept = found["rows"].columns[len(hunting(TABLE).types) :]

    assert set(kept) == {f"{name}_" for name in names}
    assert found["rows"].sort("ReportId")["Raw_"].to_list() == ["x", "y"]
    assert bad["quarantine"]["Detail"].to_list() == ["FileSize is many"]


VALUES = (
    st.none() | st.booleans() | st.integers(-1, 3) | st.floats()
    | st.sampled_from(["", "1", "True", AT, "ä", 5.0])
    | st.text(max_size=4) | st.lists(st.text(max_size=2), max_size=2)
)  # fmt: skip
NAMES = st.sampled_from(
    ["Timestamp", "DeviceId", "FileSize", "FileName", "ReportId", "SHA1", "AdditionalFields",
     "IsInitiatingProcessRemoteSession", "Future", "TenantId", "FileSize@odata.type"]
) | st.text(max_size=3)  # fmt: skip
RECORDS = st.lists(st.dictionaries(NAMES, VALUES, max_size=5).map(lambda f: BASE | f), max_size=5)


@settings(deadline=None, max_examples=12)
@given(st.lists(RECORDS, min_size=2, max_size=3))
def test_both_ways_agree(pulls: list[list[Record]]) -> None:
    """Whatever the records, typing what was added is as good as typing all anew."""
    for number, records in enumerate(pulls):
        for one in records:
            one["Pull"] = number  # a record that is there already is not among the added
    found, _ = agree(
        [list({json.dumps(one): one for one in records}.values()) for records in pulls]
    )

    assert found["rows"]["EventId"].is_unique().all()
    for contract, name in ((SCHEMA_DRIFT, "drift"), (QUARANTINE, "quarantine")):
        verdict = judge(found[name], contract, source="x", raw=found[name]["Table"])
        assert verdict.rejected.is_empty()
