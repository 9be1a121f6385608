"""Counting before pulling: how many rows each table holds for a scope, by hours.

A count makes a cut result visible, since the service does not mark one, and lets slices be packed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from etl import ticks
from etl.errors import RequestRefused, ServiceFailed, TableUnknown
from etl.sources import kql
from etl.sources.hunting import Hunting
from etl.sources.kql import Literal
from etl.sources.scope import Scope
from etl.values import integer
from etl.windows import Window

BINS = 48
"""Bins of time that a count asks for at most: its own answer must not be one that is cut."""


@dataclass(slots=True)
class Counts:
    """Rows by table and bin, and what it took to learn them.

    A table in `unknown` does not resolve in this tenant; one that is in neither could not be
    counted, though it may be pulled.
    """

    hours: dict[str, dict[int, int]] = field(default_factory=dict)
    unknown: dict[str, TableUnknown] = field(default_factory=dict)
    request_id: str = ""
    calls: int = 0
    throttled: int = 0
    size: int = 0
    query: str = ""
    partial: bool = False
    """Whether the service said of an answer that something was missing from it."""

    def total(self, table: str) -> int | None:
        """Return the rows of a table, or None where they could not be counted."""
        return sum(self.hours[table].values()) if table in self.hours else None


def count(hunting: Hunting, tables: Sequence[str], scope: Scope, max_rows: int) -> Counts:
    """Count the rows of `tables` in `scope`, all in one query where the service allows it.

    Raises an AccessError other than a refusal of the query.
    """
    counts = Counts()
    try:
        _count(hunting, tables, scope, max_rows, counts)
    except RequestRefused:
        counts.calls += 1
        counts.hours.clear()  # of a count that was split and refused half-way
        for table in tables:
            _count_alone(hunting, table, scope, max_rows, counts)
    if counts.partial:
        counts.hours.clear()  # a count that may lack something counts for nothing
    return counts


def _count_alone(hunting: Hunting, table: str, scope: Scope, max_rows: int, counts: Counts) -> None:
    """Count one table; a refusal says either that it is unknown or that it cannot be counted."""
    try:
        _count(hunting, [table], scope, max_rows, counts)
    except TableUnknown as error:
        counts.calls += 1
        counts.hours.pop(table, None)
        counts.unknown[table] = error
    except RequestRefused:
        counts.calls += 1
        counts.hours.pop(table, None)


def _count(
    hunting: Hunting, tables: Sequence[str], scope: Scope, max_rows: int, counts: Counts
) -> None:
    for table in tables:
        counts.hours.setdefault(table, {})
    if not scope.groups:
        return
    span, query = scope.span, _query(tables, scope)
    result = hunting.run(query, f"count {', '.join(tables)}")
    counts.calls += result.calls
    counts.throttled += result.throttled
    counts.size += result.size
    counts.partial |= bool(result.doubts)
    counts.request_id, counts.query = result.request_id, query.kql
    if len(result.records) >= max_rows and span.length > ticks.PER_HOUR:
        for part in _on_the_hour(span):
            _count(hunting, tables, scope.within(part), max_rows, counts)
        return
    for row in result.records:
        named = {key.lower(): value for key, value in row.items()}
        _add(counts, {"sourcetable": tables[0], **named} if len(tables) == 1 else named)


def _query(tables: Sequence[str], scope: Scope) -> Literal:
    span = scope.span
    values = {
        "bin": kql.hours(-(-span.length // (BINS * ticks.PER_HOUR))),
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


def _add(counts: Counts, row: Mapping[str, object]) -> None:
    table, events = row.get("sourcetable"), integer(row.get("events"))
    try:
        hour = ticks.from_text(str(row.get("hour")))
    except ValueError:
        events = None
    if not isinstance(table, str) or table not in counts.hours or events is None:
        raise ServiceFailed("count telemetry", f"cannot read the count {dict(row)!r}"[:200])
    counts.hours[table][hour] = counts.hours[table].get(hour, 0) + events
