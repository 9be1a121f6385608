"""The tables in which hunting tells of alerts: rows of a stretch of time and of alerts by id.

They hold a row a change of an alert, dated by its activity, not by when the row came. What is too
much is asked for in parts, down to one alert or one instant.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from etl.sources import kql, pieces
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

    @property
    def query(self) -> Literal:
        """What to ask."""
        conditions = []
        if self.window:
            start, end = kql.instant(self.window.start), kql.instant(self.window.end)
            conditions.append(kql.bind("alerts_window", start=start, end=end))
        if self.ids:
            conditions.append(kql.bind("alerts_named", ids=kql.texts(self.ids)))
        return kql.bind("alerts", table=kql.tables([self.table]), condition=kql.either(conditions))

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
    wanted = [_Piece(table, window, window, first)]
    wanted += [_Piece(table, window, None, batch) for batch in others]
    yield from pieces.pull(hunting, wanted, max_rows)
