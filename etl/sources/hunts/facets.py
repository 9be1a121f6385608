"""Facets: one test of one column against some values, in KQL and, for counting, here.

This is where it is decided what counts as equal. Upper and lower case are the same, letter by
letter, in everything that hunting itself writes in either: device ids, hashes, names and paths of
files, addresses, accounts, registry values. To the letter: command lines. Registry keys: see
`etl.sources.hunts.registry`. Instants: once both sides are cut to a precision.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from etl.sources import kql
from etl.sources.hunts import registry
from etl.sources.kql import Literal
from etl.values import integer, text

Value = str | int


class Way(Enum):
    """How a column is compared; the value names the query file."""

    EITHER_CASE = "is_text_in_either_case"
    OR_EMPTY = "is_text_or_empty"
    TO_THE_LETTER = "is_text"
    KEY = "is_registry_key"
    NUMBER = "is_number"
    TIME = "is_time"


@dataclass(frozen=True, slots=True)
class Shape:
    """What facets have in common whose values can stand in one list."""

    column: str
    way: Way
    precision: int = 1
    """Of instants, in ticks."""

    @property
    def optional(self) -> bool:
        """Whether a row without a value will do."""
        return self.way is Way.OR_EMPTY

    def read(self, value: object) -> Value | None:
        """Return a value as it is compared; instants are given in ticks. None where there is none.

        An empty text is none.
        """
        if self.way in (Way.NUMBER, Way.TIME):
            number = integer(value)
            return None if number is None else number // self.precision * self.precision
        written = text(value)
        if written is None or self.way is Way.TO_THE_LETTER:
            return written
        return registry.spelled(folded(written)) if self.way is Way.KEY else folded(written)


@dataclass(frozen=True, slots=True)
class Facet:
    """A column that must hold one of some values, each as the shape reads it."""

    shape: Shape
    values: frozenset[Value]

    def holds(self, value: Value | None) -> bool:
        """Return whether a value, as the shape reads it, is one of these."""
        return value in self.values or (value is None and self.shape.optional)

    def joined(self, others: Iterable["Facet"]) -> "Facet":
        """Return a facet that holds where this one or one of the others does."""
        return replace(self, values=self.values.union(*(other.values for other in others)))

    def condition(self) -> Literal:
        """Return the facet in KQL."""
        shape = self.shape
        if not self.values:
            return kql.bind("is_empty", column=kql.column(shape.column))
        given = {"column": kql.column(shape.column), "values": self._listed()}
        if shape.way is Way.TIME and shape.precision > 1:
            return kql.bind("is_time_cut", precision=kql.span(shape.precision), **given)
        if shape.way is Way.KEY:
            for name, (pattern, by) in registry.REPLACEMENTS.items():
                given |= {name: kql.text(pattern), f"{name}_by": kql.text(by)}
        return kql.bind(shape.way.value, **given)

    def _listed(self) -> Literal:
        numbers = sorted(value for value in self.values if isinstance(value, int))
        if self.shape.way is Way.NUMBER:
            return kql.numbers(numbers)
        if self.shape.way is Way.TIME:
            return kql.instants(numbers)
        return kql.texts(sorted(value for value in self.values if isinstance(value, str)))


def either_case(column: str, *values: object) -> Facet | None:
    """Return the facet that a column is one of some texts; None where no text is given."""
    return _of(Shape(column, Way.EITHER_CASE), values)


def or_empty(column: str, *values: object) -> Facet:
    """Return the facet that a column is empty or one of some texts, if any is given."""
    shape = Shape(column, Way.OR_EMPTY)
    return _of(shape, values) or Facet(shape, frozenset())


def to_the_letter(column: str, *values: object) -> Facet | None:
    """Return the facet that a column is just one of some texts; None where no text is given."""
    return _of(Shape(column, Way.TO_THE_LETTER), values)


def key(column: str, name: str | None) -> Facet | None:
    """Return the facet that a column is a registry key; None where no key is given."""
    return _of(Shape(column, Way.KEY), registry.spellings(text(name) or ""))


def number(column: str, value: object) -> Facet | None:
    """Return the facet that a column is a number; None where no number is given."""
    return _of(Shape(column, Way.NUMBER), (value,))


def time(column: str, value: object, precision: int) -> Facet | None:
    """Return the facet that a column is an instant, both cut; None where no instant is given."""
    return _of(Shape(column, Way.TIME, precision), (value,))


def folded(value: str) -> str:
    """Return text as it is compared where its case does not count: letter by letter."""
    return value.lower() if value.isascii() else "".join(letter.lower()[0] for letter in value)


def _of(shape: Shape, values: Iterable[object]) -> Facet | None:
    read = frozenset(value for value in map(shape.read, values) if value is not None)
    return Facet(shape, read) if read else None
