"""Pieces: what is asked of one table at once, and asked for in parts where that is too much.

For tables of which no count is made. A result that reaches the limit on rows may have been cut
without a word: it is asked for again in parts, down to what has none.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol, Self

from etl.errors import AccessError, ResultTooLarge, Throttled
from etl.sources.hunting import Runs
from etl.sources.kql import Literal
from etl.sources.outcomes import Pulled
from etl.windows import Window


class Piece(Protocol):
    """One request for rows of a table."""

    @property
    def table(self) -> str:
        """The table."""

    @property
    def span(self) -> Window:
        """The window that it belongs to in the ledger."""

    @property
    def part(self) -> str:
        """What part of the span it is, in the ledger's words."""

    @property
    def query(self) -> Literal:
        """What to ask."""

    def halves(self) -> Sequence[Self]:
        """Return the parts of a piece; none where it has no parts."""


def pull(hunting: Runs, pieces: Iterable[Piece], max_rows: int) -> Iterator[Pulled]:
    """Yield the outcomes of asking for pieces, one after the other.

    A failure is an outcome, too, and the last one. Raises Throttled.
    """
    for piece in pieces:
        for pulled in _pull(hunting, piece, max_rows):
            yield pulled
            if pulled.status == "failed":
                return


def _pull(hunting: Runs, piece: Piece, max_rows: int) -> Iterator[Pulled]:
    started, query = datetime.now(UTC), piece.query
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


def _outcome(piece: Piece, status: str, detail: str, started: datetime) -> Pulled:
    return Pulled(
        piece.table, piece.span, piece.part, status, detail, None, [], started, datetime.now(UTC),
        calls=1,
    )  # fmt: skip
