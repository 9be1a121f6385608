"""Telemetry around alerts: slices of a scope that stay under the service's limits, and their rows.

The service cuts a result at its row limit and says nothing. So every slice is held against a count
made beforehand; one that comes back full, short, refused for its size or too slow is halved, by
time first, then by device, and what cannot be halved any more is called truncated.
"""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from etl.errors import RequestRefused, ResultTooLarge, ServiceFailed
from etl.sources import kql
from etl.sources.counts import count
from etl.sources.hunting import Result, Runs
from etl.sources.outcomes import Pulled, Take
from etl.sources.patience import Patience
from etl.sources.plan import Plan, Slice
from etl.sources.workers import work

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Limit:
    """The row limit, which may turn out to be lower than was said; shared by all that pull."""

    rows: int
    _confirmed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def seen(self, rows: int) -> None:
        """Note that a result was cut at so many rows."""
        with self._lock:
            self.rows, self._confirmed = min(self.rows, rows or self.rows), True

    def forbids(self, expected: int | None) -> bool:
        """Return whether so many rows are known not to fit into one result."""
        with self._lock:
            return self._confirmed and (expected or 0) >= self.rows


def pull(hunting: Runs, planned: Plan, limit: Limit, take: Take, parallel: int = 1) -> list[Slice]:
    """Hand the outcomes of a plan's slices to `take`, `parallel` slices at once; return the whole.

    A slice is whole where all of its rows came. Raises an AccessError that asking for less does not
    cure; what came before it was handed over.
    """
    whole: list[Slice] = []

    def pull_one(piece: Slice) -> None:
        complete = True
        for outcome in _Puller(hunting, limit).pull(piece):
            take(outcome)
            complete &= outcome.status == "complete"
        if complete:
            whole.append(piece)

    work([partial(pull_one, piece) for piece in planned.slices], parallel)
    return whole


@dataclass(slots=True)
class _Spent:
    """Calls that brought no rows and are owed to the next slice that does."""

    calls: int = 0
    throttled: int = 0
    size: int = 0


class _Puller:
    """Pulls one slice, halving it for as long as its answer cannot be whole."""

    def __init__(self, hunting: Runs, limit: Limit) -> None:
        self._hunting = hunting
        self._limit = limit
        self._patience = Patience()
        self._spent = _Spent()
        self._rows = 0

    def pull(self, piece: Slice) -> Iterator[Pulled]:
        """Yield the outcome of `piece`, or those of its parts."""
        if self._limit.forbids(piece.expected):
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
            if not self._patience.lasts(error):
                yield _failure(piece, "failed", error, started)
                return
            self._spent.calls += 1
            yield from self._halve(piece, _failure(piece, "truncated", error, started))
            return
        except (ServiceFailed, RequestRefused) as error:
            yield _failure(piece, "failed", error, started)
            return
        self._patience.answered()
        rows = len(result.texts)
        whole = rows < self._limit.rows and self._as_expected(piece, rows)
        done = self._settled(piece, result, query.kql)
        if whole:
            self._rows += rows
            yield done
            return
        self._limit.seen(rows)
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
        counts = count(self._hunting, [piece.table], piece.scope, self._limit.rows)
        self._spent.calls += counts.calls
        self._spent.throttled += counts.throttled
        counted = counts.total(piece.table)
        return counted is not None and counted <= rows

    def _settled(self, piece: Slice, result: Result, query: str) -> Pulled:
        spent, self._spent = self._spent, _Spent()
        return Pulled(
            piece.table, piece.window, piece.part,
            "partial" if result.doubts else "complete", "; ".join(result.doubts) or None,
            piece.expected, result.texts, result.started, result.ended, result.request_id,
            result.size + spent.size, result.calls + spent.calls,
            result.throttled + spent.throttled, query, len(result.texts),
        )  # fmt: skip


def _parts(piece: Slice) -> list[Slice]:
    """Return the halves of a slice by time, else by device, without those that hold nothing."""
    windows, scopes = piece.window.halves(), piece.scope.halves()
    if windows:
        parts = [
            replace(piece, scope=piece.scope.within(window), window=window) for window in windows
        ]
    else:
        parts = [replace(piece, scope=scope) for scope in scopes or ()]
    return [replace(part, expected=None) for part in parts if part.scope.groups]


def _failure(piece: Slice, status: str, error: object, started: datetime) -> Pulled:
    return Pulled(
        piece.table, piece.window, piece.part, status, str(error), piece.expected, [],
        started, datetime.now(UTC), calls=1,
    )  # fmt: skip
