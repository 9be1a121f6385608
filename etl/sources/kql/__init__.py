"""Hunting queries: files with named places, and the only way for a value to get into one.

Values are written by attackers. Each enters as a typed literal: text escaped, instants in ticks,
tables from the known schema. A query file is the text after its `//` comments.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from etl import ticks
from etl.contracts.hunting import TABLES

_PLAIN_END = 0x7E
_ESCAPED = {'"': '\\"', "\\": "\\\\"}


@dataclass(frozen=True, slots=True)
class Literal:
    """A piece of KQL that is safe to stand in a query; made by the functions of this module."""

    kql: str


def instant(value: int) -> Literal:
    """Return ticks as a datetime literal, to the last digit."""
    return Literal(f"datetime({ticks.to_text(value)})")


def hours(number: int) -> Literal:
    """Return a span of whole hours."""
    return Literal(f"{number:d}h")


def text(value: str) -> Literal:
    """Return any text as a string literal; whatever is not plain ASCII is escaped."""
    return Literal('"' + "".join(_escaped(character) for character in value) + '"')


def texts(values: Iterable[str]) -> Literal:
    """Return texts as the inside of a list."""
    return Literal(", ".join(text(value).kql for value in values))


def tables(names: Iterable[str]) -> Literal:
    """Return names of hunting tables.

    Raises ValueError for a name that the schema does not have.
    """
    listed = list(names)
    for name in listed:
        if name not in TABLES:
            raise ValueError(f"{name!r} is no hunting table")
    return Literal(", ".join(listed))


def either(conditions: Iterable[Literal]) -> Literal:
    """Return a condition that holds where one of the given does."""
    return Literal("(" + "\n    or ".join(condition.kql for condition in conditions) + ")")


def bind(query: str, **values: Literal) -> Literal:
    """Fill the places of the query file named `query`.

    Raises KeyError where a place has no value.
    """
    return Literal(_load(query).format_map({name: value.kql for name, value in values.items()}))


@cache
def _load(query: str) -> str:
    lines = resources.files(__name__).joinpath(f"{query}.kql").read_text().splitlines()
    return "\n".join(line for line in lines if not line.startswith("//"))


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _ESCAPED:
        return _ESCAPED[character]
    if character >= " " and code <= _PLAIN_END:
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02X}{units[i + 1]:02X}" for i in range(0, len(units), 2))
