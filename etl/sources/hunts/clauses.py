"""Clauses: facets that one row of some tables must all have, within a window.

Clauses of the same shape become one with longer lists. Its lists may then hold combinations that
nobody asked for, so what is no rarity, such as the name of a shell, is not joined with others of
other devices. Which rows answer a single hunt is told by `etl.sources.hunts.credit`.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from etl.contracts.hunting import EVENT_TABLES, TABLES
from etl.sources import kql
from etl.sources.hunts.facets import Facet
from etl.sources.kql import Literal
from etl.windows import Window

DEVICE = "DeviceId"


@dataclass(frozen=True, slots=True)
class Clause:
    """What one row must have."""

    tables: frozenset[str]
    window: Window
    facets: tuple[Facet, ...]
    rare: bool
    """Whether rows that have the facets are rare on other devices than those asked for."""

    def within(self, known: Collection[str]) -> "Clause":
        """Return the clause about those of its tables that are known."""
        return replace(self, tables=self.tables & frozenset(known))

    def condition(self, tables: frozenset[str]) -> Literal:
        """Return the clause in KQL, its window aside, for a query over `tables`."""
        parts = [facet.condition() for facet in self.facets]
        if any(self._confuses(table) for table in tables - self.tables):
            parts.append(kql.bind("is_any_of_tables", names=kql.texts(sorted(self.tables))))
        return kql.every(parts)

    def _confuses(self, table: str) -> bool:
        """Return whether the rows of another table have all that the facets cannot do without."""
        needed = {facet.shape.column for facet in self.facets if not facet.shape.optional}
        return needed <= TABLES[table].keys()


def having(facets: Iterable[Facet]) -> frozenset[str]:
    """Return the event tables that have the columns of all the facets."""
    columns = {facet.shape.column for facet in facets}
    return frozenset(table for table in EVENT_TABLES if columns <= TABLES[table].keys())


def joined(clauses: Iterable[Clause]) -> list[Clause]:
    """Return fewer clauses that hold at least where the given do, in the order of the given."""
    several = list(clauses)
    rare = _join((clause for clause in several if clause.rare), lambda _: None)
    common = _join((clause for clause in several if not clause.rare), _but_devices)
    return rare + _join(common, _devices)


def _join(clauses: Iterable[Clause], besides: Callable[[Clause], Hashable]) -> list[Clause]:
    """Join the clauses that share tables, window, shapes of facets, and one thing besides."""
    groups: dict[Hashable, list[Clause]] = {}
    for clause in clauses:
        shapes = tuple(facet.shape for facet in clause.facets)
        same = (clause.tables, clause.window, shapes, besides(clause))
        groups.setdefault(same, []).append(clause)
    return [_one(group) for group in groups.values()]


def _one(group: Sequence[Clause]) -> Clause:
    alike = zip(*(clause.facets for clause in group), strict=True)
    return replace(group[0], facets=tuple(facets[0].joined(facets[1:]) for facets in alike))


def _devices(clause: Clause) -> Hashable:
    return frozenset(facet for facet in clause.facets if facet.shape.column == DEVICE)


def _but_devices(clause: Clause) -> Hashable:
    return frozenset(facet for facet in clause.facets if facet.shape.column != DEVICE)
