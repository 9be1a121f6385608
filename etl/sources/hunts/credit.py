"""Credit: which rows of a batch answer each of its hunts.

A batch holds rows that no hunt asked for, and rows that answer several. What is counted for a hunt
is what its query alone would have returned.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from etl import ticks
from etl.contracts.hunting import EVENT_TABLES, TABLES
from etl.sources.hunts.clauses import Clause
from etl.sources.hunts.facets import Facet, Shape, Value, Way
from etl.sources.hunts.lead import Hunt
from etl.sources.hunts.questions import clauses
from etl.values import text

SOURCE: Final = "SourceTable"
"""The column that tells which table a row is from."""

_SPELLED: Final = {
    name.lower(): name
    for name in (SOURCE, *(column for table in EVENT_TABLES for column in TABLES[table]))
}


def credit(hunts: Sequence[Hunt], records: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return how many of the rows of a batch of hunts answer each of them."""
    rows = _Rows(records)
    return [len(set().union(*map(rows.answering, clauses(hunt)))) for hunt in hunts]


class _Rows:
    """Rows of a batch; what has been read of a column is kept, and which rows have which value."""

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        self._records = [_spelled(record) for record in records]
        self._tables = [record.get(SOURCE) for record in self._records]
        self._times = self._instants("Timestamp")
        self._read: dict[Shape, list[Value | None]] = {}
        self._holding: dict[Shape, dict[Value | None, list[int]]] = {}

    def answering(self, clause: Clause) -> set[int]:
        """Return the numbers of the rows for which a clause holds."""
        candidates, rest = self._narrowest(clause.facets)
        others = [(facet, self._column(facet.shape)) for facet in rest]
        return {
            row
            for row in candidates
            if self._tables[row] in clause.tables
            and self._within(clause, row)
            and all(facet.holds(values[row]) for facet, values in others)
        }

    def _within(self, clause: Clause, row: int) -> bool:
        time = self._times[row]
        return time is not None and clause.window.start <= time < clause.window.end

    def _narrowest(self, facets: Sequence[Facet]) -> tuple[list[int], list[Facet]]:
        """Return the rows for which one of the facets holds, the fewest, and the other facets."""
        found = [(self._rows(facet), facet) for facet in facets if not facet.shape.optional]
        rows, best = min(found, key=lambda one: len(one[0]))
        return rows, [facet for facet in facets if facet is not best]

    def _rows(self, facet: Facet) -> list[int]:
        if facet.shape not in self._holding:
            holding: dict[Value | None, list[int]] = {}
            for row, value in enumerate(self._column(facet.shape)):
                holding.setdefault(value, []).append(row)
            self._holding[facet.shape] = holding
        rows = self._holding[facet.shape]
        return [row for value in facet.values for row in rows.get(value, ())]

    def _column(self, shape: Shape) -> list[Value | None]:
        if shape not in self._read:
            if shape.way is Way.TIME:
                sent: Sequence[object] = self._instants(shape.column)
            else:
                sent = [record.get(shape.column) for record in self._records]
            self._read[shape] = [shape.read(value) for value in sent]
        return self._read[shape]

    def _instants(self, column: str) -> list[int | None]:
        sent = [text(record.get(column)) for record in self._records]
        parsed = pl.select(ticks.parse(pl.lit(pl.Series(sent, dtype=pl.String))))
        return parsed.to_series().to_list()


def _spelled(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row with the names of the schema; a service has been seen to change their case."""
    if SOURCE in record:
        return record
    return {_SPELLED.get(name.lower(), name): value for name, value in record.items()}
