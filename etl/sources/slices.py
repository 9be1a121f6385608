"""Telemetry around alerts: slices of a scope that stay under the service's limits, and their rows.

The service cuts a result at its row limit and says nothing. So every slice is held against a count
made beforehand; one that comes back full, short or refused for its size is halved, by time first,
then by device, and what cannot be halved any more is called truncated.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from etl.errors import RequestRefused, ResultTooLarge, ServiceFailed, TableUnknown
from etl.sources import kql
from etl.sources.counts import Counts, count
from etl.sources.hunting import Hunting, Result
from etl.sources.scope import Scope
from etl.windows import Window

log = logging.getLogger(__name__)

RESULT_BYTES = 50_000_000
"""The service's limit on the size of one result."""

ROW_BYTES = 3_000
"""What a row of the widest table takes as JSON, with a margin."""

COUNT = "count"
"""The part of a window that is a count, not a slice."""

MARGIN = 0.8
"""The share of a limit that a slice is planned to fill: rows keep arriving after the count."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One request to make: a table, the part of the scope, and the rows to expect, if known."""

    table: str
    scope: Scope
    window: Window
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Pulled:
    """How one slice, or one count, ended, and the rows that it brought."""

    table: str
    window: Window
    part: str
    status: str
    detail: str | None
    expected: int | None
    records: list[dict[str, Any]]
    started: datetime
    ended: datetime
    request_id: str = ""
    size: int = 0
    calls: int = 0
    throttled: int = 0
    query: str = ""

    rows: int = 0

    @classmethod
    def stopped(cls, window: Window, problem: str) -> "Pulled":
        """Return the outcome of a pull that could not go on."""
        now = datetime.now(UTC)
        return cls("*", window, "the rest", "failed", problem, None, [], now, now)

    def without_records(self) -> "Pulled":
        """Return the outcome alone, for the ledger; the records may be large."""
        return replace(self, records=[])

    @property
    def query_hash(self) -> str | None:
        """The first 32 digits of the query's SHA-256."""
        return hashlib.sha256(self.query.encode()).hexdigest()[:32] if self.query else None


@dataclass(slots=True)
class _Spent:
    """Calls that brought no rows and are owed to the next slice that does."""

    calls: int = 0
    throttled: int = 0
    size: int = 0


def pull(hunting: Hunting, tables: Sequence[str], scope: Scope, max_rows: int) -> Iterator[Pulled]:
    """Yield the count and then every slice of `tables` in `scope`, each with its outcome.

    Raises an AccessError that asking for less does not cure.
    """
    if not scope.groups:
        return
    started = datetime.now(UTC)
    counts = count(hunting, tables, scope, max_rows)
    if len(counts.unknown) == len(tables):  # how a missing permission has been seen to answer
        raise counts.unknown[tables[0]]
    yield _counted(counts, scope, started)
    puller = _Puller(hunting, max_rows)
    for table in tables:
        if table in counts.unknown:
            yield _unknown(table, scope, counts.unknown[table], started)
            continue
        planned = list(plan(table, scope, counts, max_rows))
        if not planned:
            yield _nothing(table, scope, counts, started)
        for piece in planned:
            yield from puller.pull(piece)


def plan(table: str, scope: Scope, counts: Counts, max_rows: int) -> Iterator[Slice]:
    """Yield slices that tile the scope's span, each expected to stay under the limits."""
    budget = max(1, int(MARGIN * min(max_rows, RESULT_BYTES // ROW_BYTES)))
    span = scope.span
    if table not in counts.hours:
        yield Slice(table, scope, span)
        return
    hours = counts.hours[table]
    start, expected = span.start, 0
    for hour in sorted(hours):
        if expected and expected + hours[hour] > budget:
            yield _slice(table, scope, Window(start, hour), expected)
            start, expected = hour, 0
        expected += hours[hour]
    if expected:
        yield _slice(table, scope, Window(start, span.end), expected)


class _Puller:
    """Pulls slices one after the other, halving each for as long as its answer cannot be whole."""

    def __init__(self, hunting: Hunting, max_rows: int) -> None:
        self._hunting = hunting
        self._limit = max_rows
        self._confirmed = False  # whether a cut result has shown the limit; it may be lower
        self._spent = _Spent()
        self._rows = 0

    def pull(self, piece: Slice) -> Iterator[Pulled]:
        """Yield the outcome of `piece`, or those of its parts."""
        if self._confirmed and (piece.expected or 0) >= self._limit:
            yield from self._halve(piece, None)
            return
        started = datetime.now(UTC)
        query = kql.bind(
            "window",
            table=kql.tables([piece.table]),
            start=kql.instant(piece.window.start),
            end=kql.instant(piece.window.end),
            scope=piece.scope.condition(),
        )
        try:
            result = self._hunting.run(query, f"pull {piece.table}")
        except ResultTooLarge as error:
            self._spent.calls += 1
            yield from self._halve(piece, _failure(piece, "truncated", error, started))
            return
        except (ServiceFailed, RequestRefused) as error:
            yield _failure(piece, "failed", error, started)
            return
        rows = len(result.records)
        whole = rows < self._limit and self._as_expected(piece, rows)
        done = self._settled(piece, result, query.kql, started)
        if whole:
            self._rows += rows
            yield done
            return
        self._limit, self._confirmed = min(self._limit, rows or self._limit), True
        self._spent = _Spent(done.calls, done.throttled, done.size)
        detail = f"cut at {rows} rows and cannot be halved"
        yield from self._halve(piece, replace(done, status="truncated", detail=detail))

    def _halve(self, piece: Slice, truncated: Pulled | None) -> Iterator[Pulled]:
        """Pull the parts of `piece`; where it has none, `truncated` is all there is."""
        before, started = self._rows, datetime.now(UTC)
        parts = _parts(piece)
        if not parts:
            self._spent = _Spent()
            yield truncated or _failure(piece, "truncated", "cannot be halved", started)
            return
        log.info("halving table=%s window=%s", piece.table, piece.window)
        for part in parts:
            yield from self.pull(part)
        rows = self._rows - before
        if not self._as_expected(piece, rows):
            short = f"{piece.expected} counted, {rows} came"
            yield replace(_failure(piece, "partial", short, started), calls=0)

    def _as_expected(self, piece: Slice, rows: int) -> bool:
        """Tell a cut below the known limit from rows that went away since they were counted."""
        if rows >= (piece.expected or 0):
            return True
        counts = count(self._hunting, [piece.table], piece.scope, self._limit)
        self._spent.calls += counts.calls
        self._spent.throttled += counts.throttled
        counted = counts.total(piece.table)
        return counted is not None and counted <= rows

    def _settled(self, piece: Slice, result: Result, query: str, started: datetime) -> Pulled:
        spent, self._spent = self._spent, _Spent()
        return Pulled(
            piece.table, piece.window, _part(piece.scope),
            "partial" if result.doubts else "complete", "; ".join(result.doubts) or None,
            piece.expected, result.records, started, datetime.now(UTC), result.request_id,
            result.size + spent.size, result.calls + spent.calls,
            result.throttled + spent.throttled, query, len(result.records),
        )  # fmt: skip


def _slice(table: str, scope: Scope, window: Window, expected: int) -> Slice:
    return Slice(table, scope.within(window), window, expected)


def _parts(piece: Slice) -> list[Slice]:
    """Return the halves of a slice by time, else by device, without those that hold nothing."""
    windows, scopes = piece.window.halves(), piece.scope.halves()
    if windows:
        parts = [_slice(piece.table, piece.scope, window, 0) for window in windows]
    else:
        parts = [replace(piece, scope=scope) for scope in scopes or ()]
    return [replace(part, expected=None) for part in parts if part.scope.groups]


def _part(scope: Scope) -> str:
    devices = scope.devices
    name = hashlib.sha256("\n".join(devices).encode()).hexdigest()[:8]
    return f"{len(devices)} devices {name}"


def _failure(piece: Slice, status: str, error: object, started: datetime) -> Pulled:
    return Pulled(
        piece.table, piece.window, _part(piece.scope), status, str(error), piece.expected, [],
        started, datetime.now(UTC), calls=1,
    )  # fmt: skip


def _counted(counts: Counts, scope: Scope, started: datetime) -> Pulled:
    total = sum(counts.total(table) or 0 for table in counts.hours)
    return Pulled(
        "*", scope.span, COUNT, "complete", None, total, [], started, datetime.now(UTC),
        counts.request_id, counts.size, counts.calls, counts.throttled, counts.query,
    )  # fmt: skip


def _unknown(table: str, scope: Scope, error: TableUnknown, started: datetime) -> Pulled:
    return Pulled(
        table, scope.span, _part(scope), "failed", str(error), None, [], started, datetime.now(UTC)
    )


def _nothing(table: str, scope: Scope, counts: Counts, started: datetime) -> Pulled:
    return Pulled(
        table, scope.span, _part(scope), "complete", "the count found no row", 0, [], started,
        datetime.now(UTC), counts.request_id,
    )  # fmt: skip
