"""The tables in which hunting tells of alerts: rows of a stretch of time and of alerts by id.

They hold a row a change of an alert, dated by its activity, not by when the row came. A result that
reaches the limit is asked for again in parts, down to one alert or one instant.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from etl.errors import AccessError, ResultTooLarge, Throttled
from etl.sources import kql
from etl.sources.hunting import Runs
from etl.sources.kql import Literal
from etl.sources.outcomes import Pulled
from etl.windows import Window

AT_ONCE = 1000
"""Alerts named in one query: an id takes some 35 characters, a query some ten thousand and more."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """One request: the rows of a stretch of time, those of some alerts, or both."""

    table: str
    span: Window
    window: Window | None
    ids: tuple[str, ...]

    @property
    def part(self) -> str:
        """What part of the span it is, in the ledger's words."""
        named = f"{len(self.ids)} alerts from {self.ids[0]}" if self.ids else ""
        timed = str(self.window) if self.window else ""
        return " and ".join(filter(None, (timed, named)))

    def halves(self) -> "tuple[_Piece, ...]":
        """Return the parts of a piece; none where it has no parts."""
        if self.window and self.ids:
            return (_Piece(self.table, self.span, self.window, ()),
                    _Piece(self.table, self.span, None, self.ids))  # fmt: skip
        if self.window:
            return tuple(
                _Piece(self.table, self.span, window, ()) for window in self.window.halves() or ()
            )
        middle = len(self.ids) // 2
        parts = (self.ids[:middle], self.ids[middle:]) if middle else ()
        return tuple(_Piece(self.table, self.span, None, ids) for ids in parts)


def pull(
    hunting: Runs, table: str, window: Window, ids: Sequence[str], max_rows: int
) -> Iterator[Pulled]:
    """Yield the outcomes of asking `table` for the rows dated in `window` and those of `ids`.

    A failure is an outcome, too, and the last one. Raises Throttled.
    """
    batches = [tuple(ids[start : start + AT_ONCE]) for start in range(0, len(ids), AT_ONCE)]
    first, *others = batches or [()]
    pieces = [_Piece(table, window, window, first)]
    pieces += [_Piece(table, window, None, batch) for batch in others]
    for piece in pieces:
        for pulled in _pull(hunting, piece, max_rows):
            yield pulled
            if pulled.status == "failed":
                return


def _pull(hunting: Runs, piece: _Piece, max_rows: int) -> Iterator[Pulled]:
    started, query = datetime.now(UTC), _query(piece)
    try:
        result = hunting.run(query, f"read {piece.table}")
    except Throttled:
        raise
    except AccessError as error:
        halves = piece.halves() if isinstance(error, ResultTooLarge) else ()
        if not halves:
            status = "truncated" if isinstance(error, ResultTooLarge) else "failed"
            yield _outcome(piece, status, str(error), started)
        for half in halves:
            yield from _pull(hunting, half, max_rows)
        return
    rows = len(result.texts)
    halves = piece.halves() if rows >= max_rows else ()
    cut = rows >= max_rows and not halves
    doubt = "; ".join(result.doubts) or None
    detail = f"cut at {rows} rows and cannot be halved" if cut else doubt
    status = "truncated" if cut else "partial" if doubt else "complete"
    yield Pulled(
        piece.table, piece.span, piece.part, status, detail, None,
        [] if halves else result.texts, result.started, result.ended, result.request_id,
        result.size, result.calls, result.throttled, query.kql, 0 if halves else rows,
    )  # fmt: skip
    for half in halves:
        yield from _pull(hunting, half, max_rows)


def _query(piece: _Piece) -> Literal:
    conditions = []
    if piece.window:
        start, end = kql.instant(piece.window.start), kql.instant(piece.window.end)
        conditions.append(kql.bind("alerts_window", start=start, end=end))
    if piece.ids:
        conditions.append(kql.bind("alerts_named", ids=kql.texts(piece.ids)))
    return kql.bind("alerts", table=kql.tables([piece.table]), condition=kql.either(conditions))


def _outcome(piece: _Piece, status: str, detail: str, started: datetime) -> Pulled:
    return Pulled(
        piece.table, piece.span, piece.part, status, detail, None, [], started, datetime.now(UTC),
        calls=1,
    )  # fmt: skip
