"""Nesting: the items of an alert's evidence, those inside other items included.

A malware item holds processes, a session its host, a pod its containers: each is an entity in its
own right and becomes an item of its own. What an item merely belongs to does not (the namespace and
cluster of a pod, the registry of an image), nor does a link to a page.

Nesting is bounded, as records may be hostile: the items that an alert lists are all read, what lies
deeper than `DEPTH` or comes after `MOST` nested items is not, and `Listed.cut` counts it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from etl.normalise.schema import EVIDENCE_TYPES, TYPES
from etl.values import Record, part, text

DEPTH: Final = 8
"""How many items deep an item may be nested."""

MOST: Final = 1000
"""How many nested items are read of one alert."""

SENT: Final = "\0sent"
"""Key under which a translated item carries the item as its service sent it."""

_LEVELS: Final = 64
"""How many levels of JSON of one item are kept; json itself gives up below 1,000."""

_PREFIX: Final = "microsoft.graph.security."
_BELONGS_TO: Final = frozenset(
    {"namespace", "cluster", "controller", "registry", "digestImage", "sourceRef"}
)
_NESTED: Final = {
    kind: {
        name: held.kind if held.kind in EVIDENCE_TYPES else "unknown"
        for name, held in TYPES[kind].items()
        if held.kind.endswith("Evidence") and name not in _BELONGS_TO
    }
    for kind in sorted(EVIDENCE_TYPES)
}
"""Evidence type → field that holds items → the type they are of unless they say otherwise."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of evidence: its type, its fields, and the item that it is nested in."""

    kind: str
    record: Record
    parent: int | None = None
    field: str = ""
    depth: int = 0
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """The items of one alert, the listed ones first, and what was left out and why."""

    items: list[Item]
    cut: Counter[str] = field(default_factory=Counter)


def items(alert: Record) -> Listed:
    """Read an alert's evidence; one object for a list is a list of one."""
    cut: Counter[str] = Counter()
    found = [_direct(value, cut) for value in _each(alert.get("evidence"), nulls=True)]
    listed = len(found)
    for number, item in enumerate(found):
        for name, kind in _NESTED.get(item.kind, {}).items():
            for value in _each(item.record.get(name)):
                if not isinstance(value, dict):
                    continue
                if item.depth == DEPTH:
                    cut[f"nested deeper than {DEPTH}"] += 1
                elif len(found) - listed == MOST:
                    cut[f"more than {MOST} nested"] += 1
                else:
                    inner = Item(type_of(value, kind), value, number, name, item.depth + 1)
                    found.append(inner)
    return Listed(found, cut)


def type_of(item: Record, declared: str = "unknown") -> str:
    """Return the service's type without prefix, or the declared one."""
    sent = item.get("@odata.type")
    name = text(sent) if isinstance(sent, str) else None
    return (name or "").removeprefix("#").removeprefix(_PREFIX) or declared


def _each(value: object, *, nulls: bool = False) -> Iterator[object]:
    if isinstance(value, list):
        yield from (found for found in value if nulls or found is not None)
    elif value is not None:
        yield value


def _direct(value: object, cut: Counter[str]) -> Item:
    if isinstance(value, dict):
        record = part(_shallow(value, _LEVELS, cut))
        return Item(type_of(record), record)
    fault = "an item of evidence is null" if value is None else None
    return Item("unknown", {"value": _shallow(value, _LEVELS, cut)}, fault=fault)


def _shallow(value: object, levels: int, cut: Counter[str]) -> object:
    """Return a value without what lies too many levels of JSON deep."""
    if not isinstance(value, dict | list):
        return value
    if not levels:
        cut[f"more than {_LEVELS} levels of JSON"] += 1
        return None
    if isinstance(value, list):
        return [_shallow(inner, levels - 1, cut) for inner in value]
    return {key: _shallow(inner, levels - 1, cut) for key, inner in value.items()}
