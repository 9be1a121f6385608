"""Drift: what alerts hold that the schema does not know, by name, with an example and a count.

What is compared with is told by `etl.normalise.schema`. Nothing here changes or rejects a record;
drift is for people, who learn from it that the service has moved on.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from etl.contracts.ops import SCHEMA_DRIFT
from etl.normalise.nesting import items, type_of
from etl.normalise.schema import ENUMERATIONS, EVIDENCE_TYPES, TYPES, Field
from etl.values import Record, text

REST: Final = "…"
"""The name under which everything is summed that has no place of its own."""

_ROOTS: Final = {"graph": "alert", "mde": "mdeAlert"}
_MOST: Final = 100
"""Names of one kind, source and tenant that are told apart."""

LONGEST_NAME: Final = 120
LONGEST_EXAMPLE: Final = 200
_DEEPEST: Final = 40
_WITHHELD: Final = "unknownFutureValue"
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?$", re.DOTALL)
_OF_ALERT: Final = "alert."
_PATHS: Final = {"alert": "alert", "mdeAlert": "alert", "mdeEvidence": "evidence"}


@dataclass(frozen=True, slots=True)
class _Finding:
    """One thing that the schema does not know."""

    kind: str
    name: str
    example: object
    count: int = 1

    @property
    def table(self) -> str:
        """The table whose rows it is about; names of the alert itself begin with it."""
        is_alerts = self.kind != "type" and self.name.startswith(_OF_ALERT)
        return "Alerts" if is_alerts else "AlertEvidence"


@dataclass(slots=True)
class _Entry:
    """All findings of one name: the first of them, and how many."""

    kind: str
    example: str | None
    first: Record
    last: Record
    count: int = 0


def drift(records: Iterable[tuple[Record, Record]], source: str) -> pl.DataFrame:
    """Name what the schema of `source` does not know in `records`, as ops/SchemaDrift.

    Each record comes with its row of core/AlertVersions and as that source sent it.
    """
    entries: dict[tuple[str, str, str], _Entry] = {}
    for state, record in records:
        for found in _findings(record, source):
            name = printable(found.name, LONGEST_NAME)
            key = (state["TenantId"], found.table, name)
            example = _example(found.example)
            entry = entries.setdefault(key, _Entry(found.kind, example, state, state))
            entry.count += found.count
            if state["SeenAt"] < entry.first["SeenAt"]:
                entry.first, entry.example = state, example
            if state["SeenAt"] > entry.last["SeenAt"]:
                entry.last = state
    rows = [_row(source, key, entry) for key, entry in sorted(entries.items())]
    return united([SCHEMA_DRIFT.frame(rows)])


def united(drifts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Sum frames of ops/SchemaDrift: one row a name, the most frequent ones, and the rest."""
    place = pl.int_range(pl.len()).over("TenantId", "Source", "Kind")
    summed = _summed(pl.concat([SCHEMA_DRIFT.empty(), *drifts]))
    kept = (
        summed.sort("Count", "Name", descending=[True, False])
        .with_columns(Name=pl.when(place < _MOST).then("Name").otherwise(pl.lit(REST)))
        .sort("FirstSeenAt", "Kind", "Example")
    )
    return _summed(kept).sort(*SCHEMA_DRIFT.grain)


def printable(value: str, longest: int) -> str:
    """Return the beginning of a text, without what no terminal should be sent."""
    return "".join(c if c.isprintable() else "\ufffd" for c in value[:longest])


def _summed(rows: pl.DataFrame) -> pl.DataFrame:
    first = [pl.col(name).first() for name in ("Kind", "Example", "IngestedAt", "SourceRequestId")]
    return (
        rows.sort("FirstSeenAt", maintain_order=True)
        .group_by(SCHEMA_DRIFT.grain, maintain_order=True)
        .agg(
            *first,
            pl.col("FirstSeenAt").min(),
            pl.col("LastSeenAt").max(),
            pl.col("Count").sum(),
        )
        .select(*SCHEMA_DRIFT.types)
    )


def _row(source: str, key: tuple[str, str, str], entry: _Entry) -> Record:
    tenant, table, name = key
    return {
        "TenantId": tenant,
        "Source": source,
        "Table": table,
        "Kind": entry.kind,
        "Name": name,
        "Example": entry.example,
        "FirstSeenAt": entry.first["SeenAt"],
        "LastSeenAt": entry.last["SeenAt"],
        "Count": entry.count,
        "IngestedAt": entry.first["IngestedAt"],
        "SourceRequestId": entry.first["SourceRequestId"],
    }


def _example(value: object) -> str:
    try:
        shown = text(value) or "null"
    except RecursionError:
        shown = REST
    return printable(shown, LONGEST_EXAMPLE)


def _findings(record: Record, source: str) -> Iterator[_Finding]:
    root = _ROOTS[source]
    yield from _object(record, root, _PATHS[root], 0)
    if source == "graph":
        for reason, count in items(record).cut.items():
            yield _Finding("shape", f"evidence: {reason}", reason, count)


def _object(record: Record, kind: str, path: str, depth: int) -> Iterator[_Finding]:
    """Compare an object with its type; `depth` counts the objects around it."""
    fields = TYPES[kind]
    for name, value in record.items():
        if "@odata." in name:
            continue
        if name not in fields:
            yield _Finding("field", f"{path}.{name}", value)
            continue
        yield from _field(value, fields[name], f"{path}.{name}", depth)
    for name, held in fields.items():
        if held.required and held.structured and name not in record:
            yield _Finding("missing", f"{path}.{name}", None)


def _field(value: object, held: Field, path: str, depth: int) -> Iterator[_Finding]:
    if value is None:
        if held.required:
            yield _Finding("missing", path, value)
    elif not held.listed:
        yield from _value(value, held, path, depth)
    else:
        if not isinstance(value, list):
            yield _Finding("shape", f"{path}:{_shape(value)}", value)
        for inner in value if isinstance(value, list) else [value]:
            if inner is None:
                yield _Finding("shape", f"{path}[]:null", value)
            else:
                yield from _value(inner, held, path, depth)


def _value(value: object, held: Field, path: str, depth: int) -> Iterator[_Finding]:
    wrong = _Finding("shape", f"{path}:{_shape(value)}", value)
    if held.structured:
        if not isinstance(value, dict):
            yield wrong
        elif depth < _DEEPEST:
            yield from _inner(value, held, path, depth + 1)
    elif held.kind in ENUMERATIONS:
        if not isinstance(value, str):
            yield wrong
        elif value not in ENUMERATIONS[held.kind] or value == _WITHHELD:
            named = held.kind == "mdeEntityType"
            name = value if named else f"{path}={value}"
            yield _Finding("type" if named else "value", name, value)
    elif not _fits(value, held.kind):
        yield wrong


def _inner(value: Record, held: Field, path: str, depth: int) -> Iterator[_Finding]:
    """Compare an object inside another; evidence says itself what type it is of."""
    if not held.kind.endswith("Evidence") or held.kind in _PATHS:
        yield from _object(value, held.kind, _PATHS.get(held.kind, path), depth)
        return
    kind = type_of(value, held.kind if held.kind in EVIDENCE_TYPES else "unknown")
    if kind in EVIDENCE_TYPES:
        yield from _object(value, kind, kind, depth)
    else:
        yield _Finding("type", kind, value)


def _fits(value: object, kind: str) -> bool:
    if kind == "open":
        return isinstance(value, dict)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "identifier":
        return _shape(value) in {"text", "number"}
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) and (kind == "text" or bool(_INSTANT.match(value)))


def _shape(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "list" if isinstance(value, list) else "object"
