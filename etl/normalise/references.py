"""References: the JSON text of hunting's AdditionalFields, with its `$id` and `$ref` resolved.

.NET writes an object once, with an `$id`, and refers to it elsewhere by `{"$ref": "3"}`, maybe
before it is written. The text may be cut off or hostile: then there is nothing in it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from etl.values import Record, part, text

_HOPS = 8


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed text: its outermost objects, and every object that has an `$id`."""

    roots: tuple[Record, ...]
    known: dict[str, Record]

    @classmethod
    def read(cls, value: object) -> "Document":
        """Parse a text; a list is several outermost objects."""
        try:
            parsed = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            parsed = None
        roots = parsed if isinstance(parsed, list) else [parsed]
        known: dict[str, Record] = {}
        for found in _objects(parsed):
            name = word(found.get("$id"))
            if name is not None:
                known.setdefault(name, found)
        return cls(tuple(root for root in roots if isinstance(root, dict)), known)

    def part(self, holder: Record, name: str) -> Record:
        """Return the object in a field, wherever it is written; an empty one where there is none.

        References to references are followed a few times, so a circle of them ends.
        """
        found = part(holder.get(name))
        for _ in range(_HOPS):
            target = word(found.get("$ref"))
            if target is None:
                return found
            found = self.known.get(target, {})
        return {}


def word(value: object) -> str | None:
    """Return a text or a number as text; structures are nothing, whatever their depth."""
    return None if isinstance(value, dict | list) else text(value)


def _objects(value: object) -> Iterator[Record]:
    """Yield all objects in a value, in the order they are written."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield found
            waiting.extend(reversed(found.values()))
        elif isinstance(found, list):
            waiting.extend(reversed(found))
