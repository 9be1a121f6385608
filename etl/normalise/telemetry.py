"""Raw hunting rows as rows of a hunting table: typed, tick twins added, each with its event id.

A value of another type than declared makes the row a fault. What of the columns is new is noted,
for `etl.normalise.column_drift`; how single values are read belongs to `etl.normalise.columns`.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import polars as pl

from etl import ticks
from etl.contracts.hunting import TABLES, TICKS, hunting
from etl.normalise import columns
from etl.normalise.columns import Columns, Odd

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
    `columns` has the values before any of them was read as an instant.
    """

    rows: pl.DataFrame
    faults: pl.Series
    columns: Columns


def events(table: str, raw: pl.DataFrame) -> Events:
    """Read raw records of `table`; the rows come in the records' order, not yet judged.

    `raw` is of contract raw/<table>; the result of hunting/<table>, with the columns that nobody
    has declared behind it.
    """
    declared = TABLES[table]
    read = columns.read(table, raw["Record"].to_list())
    instants = [name for name, kind in declared.items() if kind == "datetime"]
    frame = pl.DataFrame(
        {
            name: pl.Series(read.declared[name], dtype=_TYPES[kind])
            for name, kind in declared.items()
        }
        | {_FAULT: pl.Series(read.faults, dtype=pl.String)}
    )
    frame = frame.with_columns(pl.col("^DeviceId$").str.to_lowercase())
    frame = frame.with_columns(ticks.parse(pl.col(n)).alias(_read(n)) for n in instants)
    for name in instants:
        read.odd.extend(_unreadable(frame, name, read))
    frame = frame.with_columns(pl.coalesce(_FAULT, *[_no_instant(n) for n in instants]))
    frame = frame.with_columns(ticks.without_sentinels(pl.col(_read(n))) for n in instants)
    frame = frame.with_columns(
        *[ticks.instant(pl.col(_read(n))).alias(n) for n in instants],
        *[pl.col(_read(n)).alias(TICKS[n]) for n in instants if n in TICKS],
    )
    rows = frame.with_columns(
        raw["TenantId"], raw["IngestedAt"], raw["SourceRequestId"], EventId=_ids(table, frame)
    ).select(*hunting(table).types)
    rows = rows.with_columns(
        pl.Series(name, values, dtype=pl.String) for name, values in read.unknown.items()
    )
    return Events(rows, frame[_FAULT], read)


def _read(name: str) -> str:
    """Return the working column that holds an instant's ticks."""
    return f"__ticks_{name}"


def _is_none(name: str) -> pl.Expr:
    return pl.col(name).is_not_null() & pl.col(_read(name)).is_null()


def _no_instant(name: str) -> pl.Expr:
    value = pl.col(name)
    return pl.when(_is_none(name)).then(
        pl.format("{} is {}", pl.lit(name), value.str.slice(0, 200))
    )


def _unreadable(frame: pl.DataFrame, name: str, read: Columns) -> list[Odd]:
    """Return the texts of a column that are no instants; what is no text is noted already."""
    noted = {odd.row for odd in read.odd if odd.column == name}
    found = frame.select(pl.arg_where(_is_none(name))).to_series()
    texts = frame[name].gather(found).str.slice(0, 200)
    return [
        Odd(row, name, "text", value)
        for row, value in zip(found, texts, strict=True)
        if row not in noted
    ]


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
