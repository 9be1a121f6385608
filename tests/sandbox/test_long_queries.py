"""Batches of hunts: long conditions over all tables mean what their parts mean, to the tick."""

import json
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.sandbox import Tenant, moments
from etl.sandbox.engine import Engine, Scope, TooLarge, TooSlow
from etl.sandbox.tables import conform, empty, schema

EVERYTHING = Scope(-moments.UNIX_EPOCH, 10**17, 0, 1_000_000)
TABLES = (
    "DeviceProcessEvents", "DeviceNetworkEvents", "DeviceFileEvents", "DeviceRegistryEvents",
    "DeviceLogonEvents", "DeviceImageLoadEvents", "DeviceEvents",
)  # fmt: skip
UNION = f"union withsource=SourceTable {', '.join(TABLES)}"
AWKWARD = (
    "a\0b", "a", "\0", "a\u2028b", "back\\slash\\", 'x" | take 0 //', "it's", "\ufffd", "\r\n\t",
    "\U0001f600", "", "%_\\%", "ß", "SS", "e\u0301", "é", "\ufeff", "a\x1bb", "\\u0041", "{0}",
)  # fmt: skip


def ask(engine: Engine, query: str) -> list[dict[str, Any]]:
    """Run a query without limits of time."""
    rows: list[dict[str, Any]] = json.loads(engine.ask(query, EVERYTHING).rows)
    return rows


def text(value: str) -> str:
    """Write a string literal with everything but plain ASCII escaped."""
    units = value.encode("utf-16-be", "surrogatepass")
    return (
        '"' + "".join(f"\\u{units[i]:02X}{units[i + 1]:02X}" for i in range(0, len(units), 2)) + '"'
    )


def when(ticks: int) -> str:
    """Write a datetime literal."""
    return f"datetime({moments.text(ticks)})"


@pytest.fixture(scope="module")
def keys(small: Tenant) -> list[tuple[str, int, int]]:
    """Return the keys of many processes: device, pid and creation time."""
    rows = small.tables["DeviceProcessEvents"].filter(pl.col("InitiatingProcessId") > 0)
    initiators = rows.select(
        "DeviceId", "InitiatingProcessId", "InitiatingProcessCreationTime"
    ).drop_nulls()
    return initiators.unique(maintain_order=True).gather_every(7).rows()


@pytest.fixture(scope="module")
def awkward() -> Iterator[Engine]:
    """Return an engine whose only rows have awkward file names."""
    tables = {table: empty(table) for table in schema()}
    times = [moments.UNIX_EPOCH + number for number in range(len(AWKWARD))]
    rows = pl.DataFrame({"Timestamp": times, "FileName": list(AWKWARD)})
    engine = Engine(tables | {"DeviceEvents": conform(rows, "DeviceEvents")})
    yield engine
    engine.close()


def test_hundreds_of_process_keys_find_their_rows(
    engine: Engine, small: Tenant, keys: list[tuple[str, int, int]]
) -> None:
    """A branch for each key, over all tables at once, finds what a join finds."""
    chosen = keys[:300]
    branches = " or ".join(
        f"(DeviceId in~ ({text(device.upper())}) and InitiatingProcessId == {pid} "
        f"and InitiatingProcessCreationTime == {when(created)})"
        for device, pid, created in chosen
    )
    found = ask(engine, f"{UNION} | where {branches} | summarize N = count() by SourceTable")
    wanted = pl.DataFrame(
        chosen, ["DeviceId", "InitiatingProcessId", "InitiatingProcessCreationTime"], orient="row"
    )
    joined = {name: len(small.tables[name].join(wanted, on=wanted.columns)) for name in TABLES}

    assert len(chosen) > 200
    assert {row["SourceTable"]: row["N"] for row in found} == {
        name: number for name, number in joined.items() if number
    }


def test_lists_of_many_keys_find_their_rows(
    engine: Engine, small: Tenant, keys: list[tuple[str, int, int]]
) -> None:
    """`in~` of text, `in` of numbers and `in` of instants are exact, whatever their length."""
    devices, pids, times = (list(part) for part in zip(*keys, strict=True))
    query = (
        f"{UNION} | where DeviceId in~ ({', '.join(map(text, devices))}) "
        f"and InitiatingProcessId in ({', '.join(map(str, pids))}) "
        f"and InitiatingProcessCreationTime in ({', '.join(map(when, times))}) | count"
    )
    wanted = (
        pl.col("DeviceId").is_in(devices),
        pl.col("InitiatingProcessId").is_in(pids),
        pl.col("InitiatingProcessCreationTime").is_in(times),
    )

    assert ask(engine, query)[0]["Count"] == sum(
        len(small.tables[name].filter(*wanted)) for name in TABLES
    )


BRANCHES = st.one_of(
    st.tuples(
        st.sampled_from(["FileName == {0}", "FileName =~ {0}", "FileName in~ ({0}, {1})",
                         "not(FileName == {0}) and ProcessId == {2}",
                         "tolower(FileName) == {0}", "bin(ProcessId, 4) in ({2}, 8)",
                         "FileName == {0} and ProcessId > {2}",
                         "FileName == {0} and (ProcessId == {2} or AccountName == 'root')",
                         "FileName has {0} and ProcessId in ({2}, 412)",
                         "FileName != {0} and ProcessId == {2}",
                         "FileName in ({0}) or ProcessId == {2}"]),
        st.sampled_from(["cmd.exe", "CMD.EXE", "bash", "ls", "svchost.exe", "none"]),
        st.sampled_from(["zsh", "curl", "Chrome.exe"]),
        st.sampled_from([400, 404, 1200, 600, 900, 12, -5]),
    ),
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(BRANCHES, min_size=8, max_size=14))
def test_a_long_disjunction_is_the_union_of_its_branches(
    engine: Engine, branches: list[tuple[str, str, str, int]]
) -> None:
    """Rows that one branch or another finds alone are the rows that all find together."""
    conditions = [form.format(text(a), text(b), pid) for form, a, b, pid in branches]
    shown = "project Timestamp, DeviceId, ReportId"

    def found(condition: str) -> set[tuple[object, ...]]:
        rows = ask(engine, f"DeviceProcessEvents | where {condition} | {shown}")
        return {(row["Timestamp"], row["DeviceId"], row["ReportId"]) for row in rows}

    together = found(" or ".join(f"({one})" for one in conditions))
    assert together == set().union(*map(found, set(conditions)))


def test_thousands_of_branches_are_answered(engine: Engine, small: Tenant) -> None:
    """A query of a hundred thousand characters is neither too deep nor too long."""
    branches = " or ".join(f'RegistryKey endswith "\\\\key number {n:05d}"' for n in range(2500))
    query = f"DeviceRegistryEvents | where {branches} or RegistryKey endswith @'\\run' | count"
    keys = small.tables["DeviceRegistryEvents"]["RegistryKey"]

    assert len(query) > 100_000
    assert ask(engine, query)[0]["Count"] == keys.str.ends_with("\\Run").sum() > 0


def test_counts_by_table_device_and_hour_are_exact(engine: Engine, small: Tenant) -> None:
    """A union of seven tables is counted as each table is."""
    start = moments.midnight(small.days[0])
    end = start + moments.DAY
    rows = ask(
        engine,
        f"{UNION} | where Timestamp >= {when(start)} and Timestamp < {when(end)} "
        "| summarize N = count() by SourceTable, DeviceId, Hour = bin(Timestamp, 1h)",
    )
    wanted: dict[tuple[str, str, str], int] = {}
    for name in TABLES:
        hours = small.tables[name].filter(
            pl.col("Timestamp").is_between(start, end, closed="left")
        ).select("DeviceId", pl.col("Timestamp") // moments.HOUR * moments.HOUR)  # fmt: skip
        for device, hour, number in hours.group_by("DeviceId", "Timestamp").len().rows():
            wanted[name, device, moments.text(hour)] = number

    assert {(row["SourceTable"], row["DeviceId"], row["Hour"]): row["N"] for row in rows} == wanted
    assert len(wanted) > 500


@pytest.mark.parametrize("nudge", [-1, 0, 1])
def test_ends_of_a_window_are_exact_to_the_tick(engine: Engine, small: Tenant, nudge: int) -> None:
    """`between` takes both ends, and one tick less leaves a row out."""
    times = small.tables["DeviceFileEvents"]["Timestamp"].sort()
    low, high = int(times[100]), int(times[5000]) + nudge
    query = f"DeviceFileEvents | where Timestamp between ({when(low)} .. {when(high)}) | count"

    assert ask(engine, query)[0]["Count"] == times.is_between(low, high).sum()


def test_bins_of_ten_milliseconds_are_exact(engine: Engine, small: Tenant) -> None:
    """`bin(…, 10ms)` cuts as Linux sensors do."""
    created = small.tables["DeviceProcessEvents"]["ProcessCreationTime"]
    ticks = int(created.filter(created % moments.CENTISECOND > 0)[0])
    cut = ticks // moments.CENTISECOND * moments.CENTISECOND
    query = (
        f"DeviceProcessEvents | where bin(ProcessCreationTime, 10ms) == {when(cut)} "
        "| project ProcessCreationTime"
    )
    wanted = created.filter(created // moments.CENTISECOND * moments.CENTISECOND == cut)

    assert sorted(row["ProcessCreationTime"] for row in ask(engine, query)) == sorted(
        moments.text(int(one)) for one in wanted
    )


@pytest.mark.parametrize("value", AWKWARD)
@pytest.mark.parametrize("operator", ["== {0}", "in ({0}, 'zz')", "in~ ({0})", "=~ {0}"])
def test_awkward_text_is_compared_as_it_is(awkward: Engine, value: str, operator: str) -> None:
    """NUL, line separators, backslashes and quotes survive the literal, the engine and JSON."""
    rows = ask(awkward, f"DeviceEvents | where FileName {operator.format(text(value))}")
    either = "~" in operator
    wanted = [one for one in AWKWARD if one == value or (either and one.lower() == value.lower())]

    assert [row["FileName"] for row in rows] == wanted


def test_half_of_a_surrogate_pair_becomes_the_replacement(awkward: Engine) -> None:
    """What is no character is answered as U+FFFD, and compared as it."""
    assert ask(awkward, 'print A = "\\uD800"') == [{"A": "\ufffd"}]
    assert [row["FileName"] for row in ask(awkward, 'DeviceEvents | where FileName == "\\uDC00"')] \
        == ["\ufffd"]  # fmt: skip


def test_a_result_that_is_too_large_is_noticed_before_it_is_whole(engine: Engine) -> None:
    """The engine stops at the limit of bytes, and at the limit of rows that take too long."""
    small = Scope(-moments.UNIX_EPOCH, 10**17, 0, 100_000, size=1_000_000)
    slow = Scope(-moments.UNIX_EPOCH, 10**17, 0, 10, most=20)

    assert engine.ask("DeviceFileEvents | take 100", small).number == 100
    with pytest.raises(TooLarge):
        engine.ask("DeviceFileEvents", small)
    assert engine.ask("DeviceFileEvents | take 20", slow).number == 10
    with pytest.raises(TooSlow):
        engine.ask("DeviceFileEvents | take 21", slow)
