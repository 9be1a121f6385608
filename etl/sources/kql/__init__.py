"""Hunting queries: files with named places, and the only way for a value to get into one.

Values are written by attackers. Each enters as a typed literal: text escaped, instants in ticks,
tables and columns from the known schema. The `//` lines of a query file declare the kind of each of
its places; the query is the rest. A file in parentheses is a condition.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import Formatter

from etl import ticks
from etl.contracts.hunting import TABLES

_MILLISECOND = 1_000 * ticks.PER_MICROSECOND
_PLAIN_END = 0x7E
_ESCAPED = {'"': '\\"', "\\": "\\\\"}
_PLACES = re.compile(r"// (\{\w+\}(?:, \{\w+\})*): (\w+)")
_COLUMNS = frozenset(column for columns in TABLES.values() for column in columns)


@dataclass(frozen=True, slots=True)
class Literal:
    """A piece of KQL that is safe to stand in a query; made by the functions of this module."""

    kql: str
    kind: str = "condition"


@dataclass(frozen=True, slots=True)
class _File:
    body: str
    places: dict[str, str]


def instant(value: int) -> Literal:
    """Return ticks as a datetime literal, to the last digit."""
    return Literal(f"datetime({ticks.to_text(value)})", "instant")


def instants(values: Iterable[int]) -> Literal:
    """Return ticks as the inside of a list of datetimes."""
    return Literal(", ".join(instant(value).kql for value in values), "instants")


def span(value: int) -> Literal:
    """Return a number of ticks as a timespan literal."""
    whole = value % _MILLISECOND == 0
    return Literal(f"{value // _MILLISECOND:d}ms" if whole else f"{value:d}tick", "span")


def numbers(values: Iterable[int]) -> Literal:
    """Return whole numbers as the inside of a list."""
    return Literal(", ".join(f"{value:d}" for value in values), "numbers")


def text(value: str) -> Literal:
    """Return any text as a string literal; whatever is not plain ASCII is escaped."""
    return Literal('"' + "".join(_escaped(character) for character in value) + '"', "text")


def texts(values: Iterable[str]) -> Literal:
    """Return texts as the inside of a list."""
    return Literal(", ".join(text(value).kql for value in values), "texts")


def tables(names: Iterable[str]) -> Literal:
    """Return names of hunting tables.

    Raises ValueError for a name that the schema does not have.
    """
    listed = list(names)
    for name in listed:
        if name not in TABLES:
            raise ValueError(f"{name!r} is no hunting table")
    return Literal(", ".join(listed), "tables")


def column(name: str) -> Literal:
    """Return the name of a column.

    Raises ValueError for a name that no table of the schema has.
    """
    if name not in _COLUMNS:
        raise ValueError(f"{name!r} is no column of a hunting table")
    return Literal(name, "column")


def either(conditions: Iterable[Literal]) -> Literal:
    """Return a condition that holds where one of the given does."""
    return _joined(conditions, "\n    or ")


def every(conditions: Iterable[Literal]) -> Literal:
    """Return a condition that holds where all of the given do."""
    return _joined(conditions, " and ")


def bind(query: str, **values: Literal) -> Literal:
    """Fill the places of the query file named `query`.

    Raises KeyError where a place has no value or a value no place, and TypeError where a value is
    of another kind than its place.
    """
    file = _load(query)
    for name in sorted(file.places.keys() ^ values.keys()):
        missing = "value" if name in file.places else "place"
        raise KeyError(f"{query}.kql: {name} has no {missing}")
    for name, kind in file.places.items():
        if values[name].kind != kind:
            raise TypeError(f"{query}.kql: {name} must be {kind}, not {values[name].kind}")
    body = file.body.format_map({name: value.kql for name, value in values.items()})
    return Literal(body, "condition" if body.startswith("(") else "query")


@cache
def _load(query: str) -> _File:
    """Read a query file; a place that is not declared, or declared in vain, is a mistake in it."""
    lines = resources.files(__name__).joinpath(f"{query}.kql").read_text().splitlines()
    places: dict[str, str] = {}
    for line in lines:
        declared = _PLACES.fullmatch(line)
        if declared:
            names = re.findall(r"\w+", declared.group(1))
            places |= dict.fromkeys(names, declared.group(2))
    body = "\n".join(line for line in lines if not line.startswith("//"))
    found = {name for _, name, _, _ in Formatter().parse(body) if name is not None}
    if found != places.keys():
        raise KeyError(f"{query}.kql declares {sorted(places)} and uses {sorted(found)}")
    return _File(body, places)


def _joined(conditions: Iterable[Literal], word: str) -> Literal:
    several = list(conditions)
    if len(several) == 1:
        return several[0]
    return Literal("(" + word.join(condition.kql for condition in several) + ")")


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _ESCAPED:
        return _ESCAPED[character]
    if character >= " " and code <= _PLAIN_END:
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02X}{units[i + 1]:02X}" for i in range(0, len(units), 2))
