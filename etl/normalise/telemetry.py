"""Raw hunting rows as rows of a hunting table: typed, tick twins added, each with its event id.

Names are matched whatever their case, annotation keys are passed over, columns that nobody has
declared are kept as text. A value of another type than declared makes the row a fault.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import polars as pl

from etl import ticks
from etl.contracts.contract import PROVENANCE
from etl.contracts.hunting import TABLES, TICKS, hunting
from etl.values import Record, boolean, integer, part, text

_OURS: Final = frozenset({"tenantid", "eventid", *(name.lower() for name in PROVENANCE)})
_READERS: Final[dict[str, Callable[[object], object]]] = {
    "string": text,
    "datetime": text,
    "long": integer,
    "int": integer,
    "bool": boolean,
}
_TYPES: Final = {
    "string": pl.String,
    "datetime": pl.String,
    "long": pl.Int64,
    "int": pl.Int64,
    "bool": pl.Boolean,
}
_FAULT: Final = "__fault"
_SEPARATOR: Final = "\x1f"


@dataclass(frozen=True, slots=True)
class Events:
    """The rows of a hunting table, and why some of them cannot be believed.

    `faults` has, row by row, null or the name and value of the first column of the wrong type.
    """

    rows: pl.DataFrame
    faults: pl.Series


def events(table: str, raw: pl.DataFrame) -> Events:
    """Read raw records of `table`; the rows come in the records' order, not yet judged.

    `raw` is of contract raw/<table>; the result of hunting/<table>.
    """
    declared = TABLES[table]
    records = [part(json.loads(record)) for record in raw["Record"]]
    columns, unknown, faults = _columns(declared, records)
    instants = [name for name, kind in declared.items() if kind == "datetime"]
    frame = pl.DataFrame(
        {name: pl.Series(columns[name], dtype=_TYPES[kind]) for name, kind in declared.items()}
        | {name: pl.Series(values, dtype=pl.String) for name, values in sorted(unknown.items())}
        | {_FAULT: pl.Series(faults, dtype=pl.String)}
    )
    frame = frame.with_columns(pl.col("^DeviceId$").str.to_lowercase())
    frame = frame.with_columns(ticks.parse(pl.col(n)).alias(_read(n)) for n in instants)
    frame = frame.with_columns(pl.coalesce(_FAULT, *[_no_instant(n) for n in instants]))
    frame = frame.with_columns(ticks.without_sentinels(pl.col(_read(n))) for n in instants)
    frame = frame.with_columns(
        *[ticks.instant(pl.col(_read(n))).alias(n) for n in instants],
        *[pl.col(_read(n)).alias(TICKS[n]) for n in instants if n in TICKS],
    )
    rows = frame.with_columns(
        raw["TenantId"], raw["IngestedAt"], raw["SourceRequestId"], EventId=_ids(table, frame)
    ).select(*hunting(table).types, *sorted(unknown))
    return Events(rows, frame[_FAULT])


def _columns(
    declared: dict[str, str], records: list[Record]
) -> tuple[dict[str, list[object]], dict[str, list[str | None]], list[str | None]]:
    """Turn records into columns: the declared ones, the unknown ones as text, and the faults."""
    known = {name.lower(): name for name in declared}
    columns: dict[str, list[object]] = {name: [None] * len(records) for name in declared}
    unknown: dict[str, list[str | None]] = {}
    faults: list[str | None] = [None] * len(records)
    for number, record in enumerate(records):
        for key, value in record.items():
            if value is None or value == "" or "@odata." in key:
                continue
            name = known.get(key.lower())
            if name is None:
                unknown.setdefault(_kept(key, unknown), [None] * len(records))[number] = text(value)
                continue
            found = _READERS[declared[name]](value)
            columns[name][number] = found
            if found is None and faults[number] is None:
                faults[number] = f"{name} is {(text(value) or '')[:200]}"
    return columns, unknown, faults


def _kept(key: str, unknown: dict[str, list[str | None]]) -> str:
    """Return the name under which an undeclared column is kept, one per name whatever its case."""
    lowered = key.lower()
    if lowered in _OURS or lowered.endswith("ticks"):
        return f"{key}_"
    return next((name for name in unknown if name.lower() == lowered), key)


def _read(name: str) -> str:
    """Return the working column that holds an instant's ticks."""
    return f"__ticks_{name}"


def _no_instant(name: str) -> pl.Expr:
    value = pl.col(name)
    return pl.when(value.is_not_null() & pl.col(_read(name)).is_null()).then(
        pl.format("{} is {}", pl.lit(name), value.str.slice(0, 200))
    )


def _ids(table: str, frame: pl.DataFrame) -> pl.Series:
    """Hash what is filled, with names and lengths: a column added later changes no id."""
    declared = sorted(TABLES[table])
    parts = [
        pl.format(
            "{}:{}:{}",
            pl.lit(name),
            pl.col(name).cast(pl.String).str.len_bytes(),
            pl.col(name).cast(pl.String),
        )
        for name in (TICKS.get(n, n) for n in declared)
    ]
    content = frame.select(
        pl.concat_str(pl.lit(table), *parts, separator=_SEPARATOR, ignore_nulls=True)
    )
    return pl.Series(
        [hashlib.sha256(row.encode()).hexdigest()[:32] for row in content.to_series()],
        dtype=pl.String,
    )
