"""Columns: the values of hunting records, each read as its column's type says, column by column.

Names are matched whatever their case, annotation keys are passed over, columns that nobody has
declared are kept as text. What a value should have been and is not is noted beside the values;
what becomes of that belongs to `etl.normalise.telemetry` and `etl.normalise.column_drift`.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from etl.contracts.contract import PROVENANCE
from etl.contracts.hunting import TABLES
from etl.contracts.ops import QUARANTINE
from etl.values import Record, boolean, integer, part, text

_PARTITION: Final = ("tenant", "day", "source")
_OURS: Final = frozenset(
    name.lower() for name in ("EventId", *QUARANTINE.types, *PROVENANCE, *_PARTITION)
)
"""Names that tables of ours, or the partitions they lie in, give to something else."""

_READERS: Final[dict[str, Callable[[object], object]]] = {
    "string": text,
    "datetime": text,
    "long": integer,
    "int": integer,
    "bool": boolean,
}
_PROPER: Final[dict[str, type]] = {
    "string": str,
    "datetime": str,
    "long": int,
    "int": int,
    "bool": bool,
}
_JSON_TEXTS: Final = frozenset({"AdditionalFields", "AttackTechniques"})
"""Text columns that hold JSON, and come as text by one way and as what it says by another."""

_INT64: Final = 2**63
_LONGEST_NAME: Final = 120
_LONGEST_VALUE: Final = 200


class Odd(NamedTuple):
    """A value that came in another shape than its column has, readable or not."""

    row: int
    column: str
    shape: str
    value: str


@dataclass(slots=True)
class _Column:
    """Where the values of one name go; `kind` is None for a column that nobody has declared."""

    name: str
    kind: str | None
    values: list[object]
    proper: type | None = None
    """What a value is in Python where it needs no reading."""


@dataclass(slots=True)
class Columns:
    """What `read` found; all lists are as long as there were records."""

    declared: dict[str, list[object]]
    unknown: dict[str, list[object]]
    """By the name that each is kept under, texts."""

    faults: list[str | None]
    odd: list[Odd]
    named: set[str]
    """Declared columns that any record names, if only to say null."""

    explicit: int
    """Records that name a column to say that it is null: nobody left the nulls out of these."""


def read(table: str, texts: Sequence[str]) -> Columns:
    """Read the JSON texts of records of hunting's `table`."""
    reading = _Reading(TABLES[table], len(texts))
    for row, given in enumerate(texts):
        try:
            reading.add(row, part(json.loads(given)))
        except (ValueError, RecursionError):
            reading.faults[row] = "the record is no JSON, or is nested too deep"
    return reading.columns


@dataclass(slots=True)
class _Reading:
    """Records on their way into columns."""

    types: dict[str, str]
    rows: int
    faults: list[str | None] = field(init=False)
    odd: list[Odd] = field(default_factory=list)
    explicit: int = 0
    _known: dict[str, _Column] = field(init=False)
    _strange: dict[str, _Column] = field(default_factory=dict)
    _places: dict[str, _Column | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make room for the declared columns."""
        self.faults = [None] * self.rows
        self._known = {
            name.lower(): _Column(name, kind, [None] * self.rows, _PROPER[kind])
            for name, kind in self.types.items()
        }

    @property
    def columns(self) -> Columns:
        """What was read so far."""
        strange = sorted(self._strange.items())
        named = {place.name for place in self._places.values() if place and place.kind}
        return Columns(
            {column.name: column.values for column in self._known.values()},
            {column.name: column.values for _, column in strange if any(column.values)},
            self.faults,
            self.odd,
            named,
            self.explicit,
        )

    def add(self, row: int, record: Record) -> None:
        """Put a record's values where they belong.

        Raises RecursionError for a value that is nested too deep to be written as text.
        """
        places = self._places
        self.explicit += None in record.values()
        for key, value in record.items():
            if key not in places:
                places[key] = self._place(key)
            column = places[key]
            if column is None or value is None or value == "":
                continue
            if column.kind is None:
                column.values[row] = text(value)
            elif value.__class__ is not column.proper:
                self._improper(column, row, value)
            elif value.__class__ is str:
                column.values[row] = value if value.isascii() else text(value)
            elif isinstance(value, int) and -_INT64 <= value < _INT64:
                column.values[row] = value
            else:
                self._improper(column, row, value)

    def _improper(self, column: _Column, row: int, value: object) -> None:
        """Put a value that is of another JSON type, if it can be read all the same."""
        found = _READERS[column.kind or "string"](value)
        column.values[row] = found
        shown = (text(value) or "")[:_LONGEST_VALUE]
        if found is None and self.faults[row] is None:
            self.faults[row] = f"{column.name} is {shown}"
        if found is None or not _foretold(column, value):
            self.odd.append(Odd(row, column.name, _shape(value), shown))

    def _place(self, key: str) -> _Column | None:
        """Return the column of a name; None for an annotation of another."""
        if "@odata." in key:
            return None
        lowered = key.lower()
        if lowered in self._known:
            return self._known[lowered]
        kept = _kept(key)
        column = self._strange.setdefault(folded(kept), _Column(kept, None, [None] * self.rows))
        column.name = min(column.name, kept)
        return column


def folded(name: str) -> str:
    """Return what names of columns have in common that SQL takes for the same."""
    return name.encode().lower().decode()  # of bytes, only the letters of ASCII


def _kept(key: str) -> str:
    """Return the name under which an undeclared column is kept, none that something else has.

    Of several that differ in case only, the first by the alphabet is taken.
    """
    name = "".join(c if c.isprintable() else "\ufffd" for c in key[:_LONGEST_NAME]) or "_"
    lowered = name.lower()
    taken = lowered in _OURS or lowered.endswith("ticks") or name.startswith("__")
    return f"{name}_" if taken else name


def _foretold(column: _Column, value: object) -> bool:
    """Return whether a readable value of another JSON type is what one of the ways sends."""
    if column.kind == "bool":
        return isinstance(value, int)
    return column.name in _JSON_TEXTS and isinstance(value, dict | list)


def _shape(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "number"
    if isinstance(value, float):
        return "fraction"
    return "text" if isinstance(value, str) else "list" if isinstance(value, list) else "object"
