"""Hunts: targeted questions about what alerts name, many of them in one query.

A query is the union of the tables that may answer, bounded in time, with a condition in which hunts
that ask alike share their lists. It returns the rows of all of its hunts, and few others; which are
whose is counted afterwards. Which rows are evidence of what belongs to `etl.models`.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence

from etl.contracts.hunting import EVENT_TABLES
from etl.sources import kql
from etl.sources.hunts.clauses import Clause, joined
from etl.sources.hunts.credit import credit
from etl.sources.hunts.lead import KINDS, Hunt, Lead
from etl.sources.hunts.questions import clauses
from etl.sources.kql import Literal
from etl.windows import Window

__all__ = ["KINDS", "Hunt", "Lead", "batches", "credit", "query"]


def query(hunts: Sequence[Hunt], known: Collection[str] = EVENT_TABLES) -> Literal:
    """Return one query for the rows of all the hunts, with a column SourceTable.

    `known` are the tables that the tenant has: a query that names another is refused whole. Hunts
    for nothing that can be looked for have a query that no row answers.
    """
    return _query([_asked(hunt, known) for hunt in hunts])


def batches(
    hunts: Sequence[Hunt], most: int, known: Collection[str] = EVENT_TABLES
) -> list[tuple[Hunt, ...]]:
    """Return the hunts in few batches whose queries stay under `most` characters.

    Hunts that ask alike come together. A hunt whose query alone is longer has a batch of its own.
    """
    rest = sorted(hunts, key=lambda hunt: (hunt.hours, hunt.lead.kind, hunt.lead.devices))
    asked = [_asked(hunt, known) for hunt in rest]
    packed: list[tuple[Hunt, ...]] = []
    start = 0
    while start < len(rest):
        size = max(1, _fitting(asked[start:], most))
        packed.append(tuple(rest[start : start + size]))
        start += size
    return packed


def _asked(hunt: Hunt, known: Collection[str]) -> list[Clause]:
    """Return what a hunt asks of the tables that are known."""
    asked = (clause.within(known) for clause in clauses(hunt))
    return [clause for clause in asked if clause.tables]


def _query(asked: Sequence[Sequence[Clause]]) -> Literal:
    found = joined(clause for several in asked for clause in several)
    tables = frozenset[str]().union(*(clause.tables for clause in found))
    condition = kql.either(_windows(found, tables)) if found else kql.bind("nothing")
    names = [table for table in EVENT_TABLES if table in tables] or EVENT_TABLES[:1]
    if len(names) == 1:
        name = kql.text(names[0])
        return kql.bind("hunt_one", table=kql.tables(names), name=name, condition=condition)
    return kql.bind("hunt", tables=kql.tables(names), condition=condition)


def _fitting(asked: Sequence[Sequence[Clause]], most: int) -> int:
    """Return how many of the first hunts fit in one query."""
    if len(_query(asked).kql) < most:
        return len(asked)
    sizes = range(1, len(asked))
    return bisect_right(sizes, most, key=lambda size: len(_query(asked[:size]).kql) + 1)


def _windows(found: Sequence[Clause], tables: frozenset[str]) -> Iterator[Literal]:
    windows: dict[Window, list[Clause]] = {}
    for clause in found:
        windows.setdefault(clause.window, []).append(clause)
    for window in sorted(windows):
        yield kql.bind(
            "hunt_window",
            start=kql.instant(window.start),
            end=kql.instant(window.end),
            condition=kql.either(clause.condition(tables) for clause in windows[window]),
        )
