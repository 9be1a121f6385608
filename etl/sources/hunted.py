"""Hunts, asked for many in one query; a query whose answer is not whole is divided.

A batch is halved by its hunts, a single hunt by time. How hunts read as KQL belongs to
`etl.sources.hunts`.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from etl import ticks
from etl.contracts.hunting import EVENT_TABLES
from etl.errors import RequestRefused, ResultTooLarge, ServiceFailed
from etl.sources import hunts
from etl.sources.hunting import Result, Runs
from etl.sources.hunts import Hunt
from etl.sources.outcomes import Pulled, hash_of
from etl.sources.patience import Patience
from etl.sources.slices import Limit
from etl.sources.workers import work
from etl.values import Record
from etl.windows import Window

MOST_TEXT: Final = 100_000
"""Characters of one query; a longer one is refused by the service sooner or later."""

MOST_PARTS: Final = 200
"""Requests that a single hunt may be cut into; one that is broader still counts as truncated."""

Batch = tuple[Hunt, ...]
Take = Callable[[Batch, Pulled, list[Record]], None]
"""Takes a query's hunts, how it ended and its rows; called from several threads."""


@dataclass(frozen=True, slots=True)
class Way:
    """How to ask: the row limit, requests at once, and the tables that the tenant has."""

    max_rows: int
    parallel: int = 1
    known: tuple[str, ...] = EVENT_TABLES


def pull(hunting: Runs, wanted: Sequence[Hunt], way: Way, take: Take) -> None:
    """Ask for some hunts in as few queries as they fit into.

    Raises an AccessError that asking for less does not cure; what came before it was handed over.
    """
    asker = _Asker(hunting, way.known, Limit(way.max_rows), take)
    batches = hunts.batches(wanted, MOST_TEXT, way.known)
    work([partial(asker.ask, batch, Patience()) for batch in batches], way.parallel)


@dataclass(frozen=True, slots=True)
class _Asker:
    hunting: Runs
    known: tuple[str, ...]
    limit: Limit
    take: Take
    parsing: threading.Lock = field(default_factory=threading.Lock)
    """One answer at a time is held as objects, however many come at once."""

    def ask(self, batch: Batch, patience: Patience, parts: int = 1) -> None:
        """Ask for a batch; `parts` is into how many its only hunt was cut to come here."""
        query, started = hunts.query(batch, self.known), datetime.now(UTC)
        try:
            result = self.hunting.run(query, f"hunt for {len(batch)} leads")
        except ResultTooLarge as error:
            if not patience.lasts(error):
                self.take(batch, _failure(batch, query.kql, "failed", error, started), [])
                return
            refused = _failure(batch, query.kql, "truncated", error, started)
            self._divide(batch, patience, parts, refused)
            return
        except (ServiceFailed, RequestRefused) as error:
            self.take(batch, _failure(batch, query.kql, "failed", error, started), [])
            return
        patience.answered()
        outcome = _outcome(batch, query.kql, result)
        if len(result.texts) < self.limit.rows:
            self._take(batch, outcome, result)
            return
        self.limit.seen(len(result.texts))
        detail = f"cut at {outcome.rows} rows and cannot be divided"
        cut = replace(outcome, status="truncated", detail=detail)
        self._divide(batch, patience, parts, cut, result)

    def _divide(
        self,
        batch: Batch,
        patience: Patience,
        parts: int,
        outcome: Pulled,
        result: Result | None = None,
    ) -> None:
        """Ask for the halves of a batch, of a single hunt by time; else keep what came of it."""
        halves = _halves(batch) if len(batch) > 1 or parts < MOST_PARTS else ()
        if not halves:
            self._take(batch, outcome, result)
            return
        self.take((), replace(outcome, status="complete", detail="divided", rows=0), [])
        for half in halves:
            self.ask(half, patience, parts * 2 if len(batch) == 1 else 1)

    def _take(self, batch: Batch, outcome: Pulled, result: Result | None) -> None:
        with self.parsing:
            self.take(batch, outcome, result.records if result else [])


def _halves(batch: Batch) -> tuple[Batch, ...]:
    if len(batch) > 1:
        middle = len(batch) // 2
        return batch[:middle], batch[middle:]
    (hunt,) = batch
    window = hunt.window.widened(ticks.PER_HOUR)
    hours = window.length // ticks.PER_HOUR
    if hours < 2:  # noqa: PLR2004 - queries ask for whole hours
        return ()
    at = window.start + hours // 2 * ticks.PER_HOUR
    parts = Window(window.start, at), Window(at, window.end)
    return tuple((replace(hunt, window=part),) for part in parts)


def _span(batch: Batch) -> Window:
    return Window(min(hunt.window.start for hunt in batch), max(hunt.window.end for hunt in batch))


def _part(batch: Batch, query: str) -> str:
    kinds = ", ".join(sorted({hunt.lead.kind for hunt in batch}))
    return f"{len(batch)} hunts by {kinds} {hash_of(query)[:8]}"


def _outcome(batch: Batch, query: str, result: Result) -> Pulled:
    return Pulled(
        "*", _span(batch), _part(batch, query), "partial" if result.doubts else "complete",
        "; ".join(result.doubts) or None, None, [], result.started, result.ended,
        result.request_id, result.size, result.calls, result.throttled, query, len(result.texts),
    )  # fmt: skip


def _failure(batch: Batch, query: str, status: str, error: Exception, started: datetime) -> Pulled:
    return Pulled(
        "*", _span(batch), _part(batch, query), status, str(error), None, [],
        started, datetime.now(UTC), query=query, calls=1,
    )  # fmt: skip
