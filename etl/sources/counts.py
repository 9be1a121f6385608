"""Counting before pulling: how many rows each table holds for a scope, hour by hour.

A count makes a cut result visible, since the service does not mark one, and lets slices be packed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from etl import ticks
from etl.access.client import Client
from etl.errors import RequestRefused, ServiceFailed
from etl.sources import hunting, kql
from etl.sources.scope import Scope
from etl.values import integer
from etl.windows import Window


@dataclass(slots=True)
class Counts:
    """Rows by table and hour, what it took to learn them, and the tables that cannot be asked."""

    hours: dict[str, dict[int, int]] = field(default_factory=dict)
    refused: dict[str, RequestRefused] = field(default_factory=dict)
    request_id: str = ""
    calls: int = 0
    throttled: int = 0
    size: int = 0
    query: str = ""

    def total(self, table: str) -> int:
        """Return the rows of a table."""
        return sum(self.hours[table].values())


def count(client: Client, tables: Sequence[str], scope: Scope, max_rows: int) -> Counts:
    """Count the rows of `tables` in `scope`, all in one query where the service allows it.

    Raises an AccessError other than a refusal, which is kept by table.
    """
    counts = Counts(hours={table: {} for table in tables})
    _count(client, tables, scope, max_rows, counts)
    return counts


def _count(
    client: Client, tables: Sequence[str], scope: Scope, max_rows: int, counts: Counts
) -> None:
    if not scope.groups:
        return
    span = scope.span
    query = kql.bind(
        "count",
        tables=kql.tables(tables),
        start=kql.instant(span.start),
        end=kql.instant(span.end),
        scope=scope.condition(),
    )
    try:
        result = hunting.run(client, query, f"count {', '.join(tables)}")
    except RequestRefused as refusal:
        counts.calls += 1
        if len(tables) == 1:
            counts.refused[tables[0]] = refusal
            return
        for table in tables:
            _count(client, [table], scope, max_rows, counts)
        return
    counts.calls += result.calls
    counts.throttled += result.throttled
    counts.size += result.size
    counts.request_id, counts.query = result.request_id, query.kql
    if len(result.records) >= max_rows and span.length > ticks.PER_HOUR:
        for part in _on_the_hour(span):
            _count(client, tables, scope.within(part), max_rows, counts)
        return
    for row in result.records:
        _add(counts, {key.lower(): value for key, value in row.items()})


def _on_the_hour(span: Window) -> tuple[Window, Window]:
    """Split a window of more than an hour so that no hour is counted in two parts."""
    first = span.start // ticks.PER_HOUR + 1
    middle = max(first, (span.start + span.length // 2) // ticks.PER_HOUR) * ticks.PER_HOUR
    return Window(span.start, middle), Window(middle, span.end)


def _add(counts: Counts, row: Mapping[str, object]) -> None:
    table, events = row.get("sourcetable"), integer(row.get("events"))
    if not isinstance(table, str) or table not in counts.hours or events is None:
        raise ServiceFailed("count telemetry", f"cannot read the count {dict(row)!r}"[:200])
    hour = ticks.from_text(str(row.get("hour")))
    counts.hours[table][hour] = counts.hours[table].get(hour, 0) + events
