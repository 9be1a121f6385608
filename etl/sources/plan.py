"""A plan: which slices to ask for, made from a count before anything is pulled.

A slice is one table, some devices and a stretch of time, packed so that its answer is expected to
stay under the service's limits on rows, bytes and time. Pulling belongs to `etl.sources.slices`.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from etl import ticks
from etl.sources.counts import Cells, Counts, count
from etl.sources.hunting import Runs
from etl.sources.outcomes import Pulled
from etl.sources.pace import Pace
from etl.sources.scope import Scope
from etl.windows import Window

COUNT = "count"
"""The part of a window that is a count, not a slice."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One request to make: a table, the part of the scope, and the rows to expect, if known."""

    table: str
    scope: Scope
    window: Window
    expected: int | None = None

    @property
    def part(self) -> str:
        """Which devices it is about, in the ledger's words."""
        return _part(self.scope)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask for, and what is settled without asking."""

    scope: Scope
    counts: Counts
    slices: tuple[Slice, ...]
    settled: tuple[Pulled, ...]

    @property
    def rows(self) -> int:
        """Rows to expect, as far as they could be counted."""
        return sum(piece.expected or 0 for piece in self.slices)


def plan(
    hunting: Runs,
    tables: Sequence[str],
    scope: Scope,
    max_rows: int,
    *,
    held: Mapping[str, Cells] | None = None,
    paces: Mapping[str, Pace] | None = None,
) -> Plan:
    """Count the rows of `tables` in `scope`, and plan slices for those that are not held yet.

    Raises an AccessError that asking for less does not cure.
    """
    counts = count(hunting, tables, scope, max_rows)
    if tables and len(counts.unknown) == len(tables):  # how a missing permission has answered
        raise counts.unknown[tables[0]]
    settled = [_counted(counts, scope)]
    slices: list[Slice] = []
    for table in tables:
        if table in counts.unknown:
            settled.append(_unknown(table, scope, counts))
            continue
        pace = (paces or {}).get(table, Pace())
        known = (held or {}).get(table, {})
        planned = list(_slices(table, scope, counts, pace.rows(max_rows), known))
        if not planned:
            settled.append(_nothing(table, scope, counts))
        slices += planned
    return Plan(scope, counts, tuple(slices), tuple(settled))


def _slices(
    table: str, scope: Scope, counts: Counts, budget: int, held: Mapping[tuple[str, int], int]
) -> Iterator[Slice]:
    """Yield slices of what has more rows than are held, each expected to stay in the budget."""
    if table not in counts.cells:
        yield Slice(table, scope, scope.span)
        return
    cells = counts.cells[table]
    wanted = {cell: rows for cell, rows in cells.items() if rows > held.get(cell, 0)}
    if not wanted:
        return
    span = scope.span
    if len(wanted) < len(cells):  # not all of it: name just those hours of those devices
        hours: dict[str, list[Window]] = {}
        for device, hour in wanted:
            hours.setdefault(device, []).append(Window(hour, hour + ticks.PER_HOUR))
        scope = Scope.around(hours, span)
        span = scope.span
    by_hour: dict[int, Cells] = {}
    for (device, hour), rows in wanted.items():
        by_hour.setdefault(hour, {})[device, hour] = rows
    start, expected = span.start, 0
    for hour in sorted(by_hour):
        rows = sum(by_hour[hour].values())
        if expected and expected + rows > budget:
            yield _slice(table, scope, Window(start, hour), expected)
            start, expected = hour, 0
        if rows > budget:
            end = min(hour + ticks.PER_HOUR, span.end)
            yield from _buckets(table, scope.within(Window(start, end)), by_hour[hour], budget)
            start = end
            continue
        expected += rows
    if expected:
        yield _slice(table, scope, Window(start, span.end), expected)


def _buckets(table: str, scope: Scope, cells: Cells, budget: int) -> Iterator[Slice]:
    """Yield slices of one hour by its devices; those without rows go with the first."""
    counted = {device: rows for (device, _), rows in cells.items()}
    bucket = [device for device in scope.devices if device not in counted]
    expected = 0
    for device in sorted(counted):
        if expected and expected + counted[device] > budget:
            yield Slice(table, scope.only(bucket), scope.span, expected)
            bucket, expected = [], 0
        bucket.append(device)
        expected += counted[device]
    yield Slice(table, scope.only(bucket), scope.span, expected)


def _slice(table: str, scope: Scope, window: Window, expected: int) -> Slice:
    return Slice(table, scope.within(window), window, expected)


def _part(scope: Scope) -> str:
    devices = scope.devices
    name = hashlib.sha256("\n".join(devices).encode()).hexdigest()[:8]
    return f"{len(devices)} devices {name}"


def _counted(counts: Counts, scope: Scope) -> Pulled:
    total = sum(counts.total(table) or 0 for table in counts.cells)
    return Pulled(
        "*", scope.span, COUNT, "complete", None, total, [], counts.started, counts.ended,
        counts.request_id, counts.size, counts.calls, counts.throttled, counts.query,
    )  # fmt: skip


def _unknown(table: str, scope: Scope, counts: Counts) -> Pulled:
    return Pulled(
        table, scope.span, _part(scope), "failed", str(counts.unknown[table]), None, [],
        counts.started, counts.ended,
    )  # fmt: skip


def _nothing(table: str, scope: Scope, counts: Counts) -> Pulled:
    found = "the count found nothing new" if counts.total(table) else "the count found no row"
    return Pulled(
        table, scope.span, _part(scope), "complete", found, 0, [], counts.started, counts.ended,
        counts.request_id,
    )  # fmt: skip
