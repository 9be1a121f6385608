"""Time to 100 ns: no digit is lost between the tables, a query's literals and the answer."""

import json
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.sandbox import Tenant, literals, moments
from etl.sandbox.engine import Engine, Scope
from etl.sandbox.temporal import QueryRefused

LAST = moments.midnight(date.max) + moments.DAY - 1
NOW = moments.unix_ticks(datetime.now(UTC))
EVERYTHING = Scope(-moments.UNIX_EPOCH, LAST - moments.UNIX_EPOCH, NOW, 100_000)

any_ticks = st.integers(0, LAST)
units = st.sampled_from(
    [("1tick", 1), ("1ms", 10_000), ("1s", 10**7), ("1m", 60 * 10**7), ("1h", 3600 * 10**7),
     ("1d", 86_400 * 10**7)]
)  # fmt: skip


def ask(engine: Engine, query: str) -> list[dict[str, Any]]:
    """Run a query without limits of time."""
    rows: list[dict[str, Any]] = json.loads(engine.ask(query, EVERYTHING)[1])
    return rows


@given(any_ticks)
def test_text_and_ticks_are_the_same_instant(ticks: int) -> None:
    """Writing ticks and reading them again changes nothing, one by one or by the column."""
    text = moments.text(ticks)

    assert literals.instant(text) + moments.UNIX_EPOCH == ticks
    assert pl.select(moments.texts(pl.lit(ticks, dtype=pl.Int64))).item() == text


@settings(max_examples=40, deadline=None)
@given(data=st.data(), nudge=st.integers(-2, 2))
def test_a_literal_finds_exactly_the_rows_with_its_ticks(
    engine: Engine, small: Tenant, data: st.DataObject, nudge: int
) -> None:
    """Seven digits in a query select the rows of those 100 ns, and no neighbours."""
    times = small.tables["DeviceProcessEvents"]["ProcessCreationTime"]
    ticks = times[data.draw(st.integers(0, len(times) - 1))] + nudge
    rows = ask(
        engine,
        f"DeviceProcessEvents | where ProcessCreationTime == datetime({moments.text(ticks)})"
        " | project ProcessCreationTime",
    )

    assert [row["ProcessCreationTime"] for row in rows] == [moments.text(ticks)] * (
        times == ticks
    ).sum()


@settings(max_examples=40, deadline=None)
@given(any_ticks)
def test_any_instant_survives_a_query(engine: Engine, ticks: int) -> None:
    """A literal comes back as it went in, in any year, and as text and number too."""
    text = moments.text(ticks)
    row = ask(
        engine,
        f"print A = datetime({text}), B = todatetime('{text}'), C = tostring(datetime({text})), "
        f"D = tolong(datetime({text}))",
    )[0]

    assert (row["A"], row["B"]) == (text, text)
    assert literals.instant(row["C"]) + moments.UNIX_EPOCH == ticks
    assert row["D"] == ticks


@settings(max_examples=40, deadline=None)
@given(any_ticks, units)
def test_bin_cuts_to_the_unit(engine: Engine, ticks: int, unit: tuple[str, int]) -> None:
    """`bin` gives the latest multiple of the unit that is not after the instant."""
    row = ask(engine, f"print A = bin(datetime({moments.text(ticks)}), {unit[0]})")[0]

    assert row["A"] == moments.text(ticks - ticks % unit[1])


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("datetime(2026-11-20) + 1tick", "2026-11-20T00:00:00.0000001Z"),
        ("datetime(2026-11-20 10:11)", "2026-11-20T10:11:00Z"),
        ("datetime(2026-11-20T10:11:12+02:00)", "2026-11-20T08:11:12Z"),
        ("datetime(2026, 11, 20)", "2026-11-20T00:00:00Z"),
        ("datetime(2026-11-20) - 1h", "2026-11-19T23:00:00Z"),
        ("datetime(2026-11-20) - datetime(2026-11-19T23:59:59.9999999Z)", "00:00:00.0000001"),
        ("time(1.02:03:04)", "1.02:03:04"),
        ("2 * 1h", "02:00:00"),
        ("-1h", "-01:00:00"),
        ("1h / 1m", 60.0),
        ("totimespan('01:30:00')", "01:30:00"),
        ("tolong(1ms)", 10_000),
        ("startofday(datetime(2026-11-20T10:11:12.1234567Z))", "2026-11-20T00:00:00Z"),
        ("endofday(datetime(2026-11-20T10:11:12Z))", "2026-11-20T23:59:59.9999999Z"),
        ("startofweek(datetime(2026-11-20T10:11:12Z))", "2026-11-15T00:00:00Z"),
        ("startofday(datetime(2026-11-20), -1)", "2026-11-19T00:00:00Z"),
        ("hourofday(datetime(2026-11-20T10:11:12Z))", 10),
        ("dayofweek(datetime(2026-11-20))", "5.00:00:00"),
        ("datetime_diff('hour', datetime(2026-11-20T01:00), datetime(2026-11-19T23:59))", 2),
        ("datetime_diff('week', datetime(2026-11-22), datetime(2026-11-21))", 1),
        ("datetime_add('day', 2, datetime(2026-11-20))", "2026-11-22T00:00:00Z"),
        ("strcat('at ', datetime(2026-11-20))", "at 2026-11-20T00:00:00.0000000Z"),
        ("iff(1 > 0, datetime(2026-11-20), datetime(2026-11-21))", "2026-11-20T00:00:00Z"),
        ("todatetime('no date')", None),
        ("now() - ago(36h)", "1.12:00:00"),
        ("now(1h) > now()", 1),
        ("bin(7, 5)", 5),
    ],
)
def test_functions_of_time_are_exact(engine: Engine, expression: str, expected: object) -> None:
    """Arithmetic and functions of time give the service's answers."""
    assert ask(engine, f"print A = {expression}")[0]["A"] == expected


@pytest.mark.parametrize(
    "query",
    [
        "let a = {day}; let s = 2h; DeviceFileEvents | where Timestamp between (a .. (a + s))",
        "let a = {day}; let s = 2h; DeviceFileEvents | where Timestamp between (a .. s)",
        "DeviceFileEvents | where Timestamp >= {day} and Timestamp <= {day} + 2h",
        "DeviceFileEvents | extend D = Timestamp - {day} | where D between (0h .. 2h)",
        "DeviceFileEvents | where not(Timestamp !between ({day} .. 2h))",
        "union DeviceFileEvents | where Timestamp between ({day} .. 2h)",
    ],
)
def test_windows_of_time_agree(engine: Engine, small: Tenant, query: str) -> None:
    """Every way to write a window of two hours finds the same rows."""
    start = moments.midnight(small.days[1]) + 10 * moments.HOUR
    day = f"datetime({moments.text(start)})"
    times = small.tables["DeviceFileEvents"]["Timestamp"]
    found = ask(engine, f"{query.format(day=day)} | count")[0]["Count"]

    assert found == times.is_between(start, start + 2 * moments.HOUR).sum() > 0


def test_ago_counts_back_from_the_clock(engine: Engine, small: Tenant) -> None:
    """`ago` and `now` use the time of the call."""
    times = small.tables["DeviceFileEvents"]["Timestamp"] - moments.UNIX_EPOCH
    found = ask(engine, "DeviceFileEvents | where Timestamp > ago(40h) | count")[0]["Count"]

    assert found == (times > NOW - 40 * moments.HOUR).sum()


@pytest.mark.parametrize(
    "expression",
    [
        "tostring(toscalar(DeviceInfo | take 1))",
        "make_datetime(2026, 11, getmonth(now()))",
        "bag_pack('t', now())",
        "tostring(1h)",
        "hash_md5(now())",
        "now() * 2",
        "now() + 5",
        "now() in ('2026-01-01')",
        "format_timespan(1h, 'hh')",
    ],
)
def test_what_would_be_inexact_is_refused(engine: Engine, expression: str) -> None:
    """Functions that would show the engine's own scale are refused, never answered wrongly."""
    with pytest.raises(QueryRefused):
        ask(engine, f"print A = {expression}")
