"""Paths: readers of the value at a dotted path of a record, whatever stands there.

A path goes through objects and lists; where it leads nowhere the reader gives None. Which column is
read from which path is told in `etl.normalise.entities`.
"""

from collections.abc import Callable, Iterator

from etl.values import Record, integer, part, text

Read = Callable[[Record], object]


def values(record: Record, path: str) -> Iterator[object]:
    """Yield what is found at a dotted path; a list on the way is gone into."""
    name, _, rest = path.partition(".")
    found = part(record).get(name)
    if not rest:
        yield found
        return
    for inner in found if isinstance(found, list) else [found]:
        yield from values(part(inner), rest)


def at(*paths: str) -> Read:
    """Return a reader of the first text at any of the paths."""

    def read(record: Record) -> str | None:
        found = (text(value) for path in paths for value in values(record, path))
        return next((value for value in found if value), None)

    return read


def whole(path: str) -> Read:
    """Return a reader of the whole number at a path."""
    return lambda record: next(map(integer, values(record, path)), None)


def always(word: str) -> Read:
    """Return a reader that gives one word for every record."""
    return lambda _: word


def hashed(path: str, algorithm: str) -> Read:
    """Return a reader of the hash of an algorithm, from one object or a list of them."""

    def read(record: Record) -> str | None:
        holder = part(record).get(path) if path else record
        for found in holder if isinstance(holder, list) else [holder]:
            item = part(found)
            if (text(item.get("algorithm")) or "").lower() == algorithm:
                return text(item.get("value"))
        return None

    return read
