"""Counting before pulling: how many rows each table holds for a scope, by device and hour.

A count makes a cut result visible, since the service does not mark one, lets slices be packed, and
tells which hours of which devices have more rows than were pulled before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import polars as pl

from etl import ticks
from etl.errors import RequestRefused, ServiceFailed, TableUnknown
from etl.sources import kql
from etl.sources.hunting import Runs
from etl.sources.kql import Literal
from etl.sources.scope import Scope
from etl.values import Record, integer
from etl.windows import Window

Cells = dict[tuple[str, int], int]
"""Rows by device, lower-cased, and by the first tick of an hour."""


@dataclass(slots=True)
class Counts:
    """Rows by table, device and hour, and what it took to learn them.

    A table in `unknown` does not resolve in this tenant; one that is in neither could not be
    counted, though it may be pulled.
    """

    cells: dict[str, Cells] = field(default_factory=dict)
    unknown: dict[str, TableUnknown] = field(default_factory=dict)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When the first query was sent: what is here by then is counted."""

    ended: datetime = field(default_factory=lambda: datetime.now(UTC))
    request_id: str = ""
    calls: int = 0
    throttled: int = 0
    size: int = 0
    query: str = ""
    partial: bool = False
    """Whether an answer may lack something, by what the service or the numbers themselves say."""

    def total(self, table: str) -> int | None:
        """Return the rows of a table, or None where they could not be counted."""
        return sum(self.cells[table].values()) if table in self.cells else None


def count(hunting: Runs, tables: Sequence[str], scope: Scope, max_rows: int) -> Counts:
    """Count the rows of `tables` in `scope`, all in one query where the service allows it.

    Raises an AccessError other than a refusal of the query.
    """
    counts = Counts()
    try:
        _count(hunting, tables, scope, max_rows, counts)
    except RequestRefused:
        counts.calls += 1
        counts.cells.clear()  # of a count that was split and refused half-way
        for table in tables:
            _count_alone(hunting, table, scope, max_rows, counts)
    if counts.partial:
        counts.cells.clear()  # a count that may lack something counts for nothing
    return counts


def _count_alone(hunting: Runs, table: str, scope: Scope, max_rows: int, counts: Counts) -> None:
    """Count one table; a refusal says either that it is unknown or that it cannot be counted."""
    try:
        _count(hunting, [table], scope, max_rows, counts)
    except TableUnknown as error:
        counts.calls += 1
        counts.cells.pop(table, None)
        counts.unknown[table] = error
    except RequestRefused:
        counts.calls += 1
        counts.cells.pop(table, None)


def _count(
    hunting: Runs, tables: Sequence[str], scope: Scope, max_rows: int, counts: Counts
) -> None:
    for table in tables:
        counts.cells.setdefault(table, {})
    for part in _fitting(scope, max_rows // len(tables)):
        _count_part(hunting, tables, part, counts)


def _fitting(scope: Scope, cells: int) -> Iterator[Scope]:
    """Yield parts of a scope that have so many device-hours at most, as far as it has parts."""
    halves = scope.halves() if scope.hours > cells else None
    if halves:
        for half in halves:
            yield from _fitting(half, cells)
    elif scope.groups:
        yield scope


def _count_part(hunting: Runs, tables: Sequence[str], scope: Scope, counts: Counts) -> None:
    query = _query(tables, scope)
    result = hunting.run(query, f"count {', '.join(tables)}")
    if not counts.calls:
        counts.started = result.started
    counts.ended = result.ended
    counts.calls += result.calls
    counts.throttled += result.throttled
    counts.size += result.size
    counts.partial |= bool(result.doubts)
    counts.request_id, counts.query = result.request_id, query.kql
    rows = [{key.lower(): value for key, value in row.items()} for row in result.records]
    if not _adds_up(rows):  # it was cut, whatever the limit was said to be
        parts = _parts(scope)
        for part in parts:
            _count_part(hunting, tables, part, counts)
        counts.partial |= not parts
        return
    if len(tables) == 1:
        rows = [{"sourcetable": tables[0], **row} for row in rows]
    _add(counts, [row for row in rows if not _is_total(row)])


def _is_total(row: Record) -> bool:
    """Return whether a row of a count is the one that says how many there are in all."""
    return not row.get("deviceid") and row.get("hour") is None


def _adds_up(rows: Sequence[Record]) -> bool:
    """Return whether a count has its total, and nothing short of it."""
    totals = [integer(row.get("events")) or 0 for row in rows if _is_total(row)]
    cells = [integer(row.get("events")) or 0 for row in rows if not _is_total(row)]
    return len(totals) == 1 and totals[0] == sum(cells)


def _parts(scope: Scope) -> Sequence[Scope]:
    """Return the halves of a scope, by device or, of a single one, by whole hours."""
    halves: Sequence[Scope] = scope.halves() or ()
    if not halves and scope.span.length > ticks.PER_HOUR:
        halves = [scope.within(part) for part in _on_the_hour(scope.span)]
    return [half for half in halves if half.groups]


def _query(tables: Sequence[str], scope: Scope) -> Literal:
    span = scope.span
    values = {
        "start": kql.instant(span.start),
        "end": kql.instant(span.end),
        "scope": scope.condition(),
    }
    if len(tables) == 1:
        return kql.bind("count_one", table=kql.tables(tables), **values)
    return kql.bind("count", tables=kql.tables(tables), **values)


def _on_the_hour(span: Window) -> tuple[Window, Window]:
    """Split a window of more than an hour so that no hour is counted in two parts."""
    first = span.start // ticks.PER_HOUR + 1
    middle = max(first, (span.start + span.length // 2) // ticks.PER_HOUR) * ticks.PER_HOUR
    return Window(span.start, middle), Window(middle, span.end)


def _add(counts: Counts, rows: Sequence[Record]) -> None:
    texts = pl.Series([str(row.get("hour")) for row in rows], dtype=pl.String)
    hours = pl.select(ticks.parse(pl.lit(texts))).to_series()
    for row, hour in zip(rows, hours, strict=True):
        table, device = row.get("sourcetable"), row.get("deviceid")
        events = integer(row.get("events"))
        known = isinstance(table, str) and table in counts.cells and isinstance(device, str)
        if not known or events is None or hour is None:
            raise ServiceFailed("count telemetry", f"cannot read the count {row!r}"[:200])
        cells, cell = counts.cells[str(table)], (str(device).lower(), int(hour))
        cells[cell] = cells.get(cell, 0) + events
