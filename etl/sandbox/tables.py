"""Tables: the hunting schema as the tenant serves it, and frames made to fit it.

Columns and types come from the contract; rows do not belong here.
"""

import csv
from functools import cache
from importlib.resources import files

import polars as pl

TICKS = pl.Int64
"""How a datetime column is held in a frame: .NET ticks."""

_KINDS: dict[str, pl.DataType] = {
    "datetime": TICKS(),
    "long": pl.Int64(),
    "int": pl.Int32(),
    "bool": pl.Boolean(),
    "string": pl.String(),
    "dynamic": pl.String(),
}


@cache
def schema() -> dict[str, dict[str, str]]:
    """Return the type of every column by table, in the contract's order."""
    text = files("etl.contracts").joinpath("hunting_schema.csv").read_text(encoding="utf-8")
    tables: dict[str, dict[str, str]] = {}
    for row in csv.DictReader(text.splitlines()):
        tables.setdefault(row["table"], {})[row["column"]] = row["type"]
    return tables


def conform(rows: pl.DataFrame, table: str, *, keep: tuple[str, ...] = ()) -> pl.DataFrame:
    """Give rows the columns, order and types of a table; missing columns are null.

    Columns in `keep` stay at the end although the table has none such.
    """
    have = set(rows.columns)
    columns = [
        (pl.col(name) if name in have else pl.lit(None)).cast(_KINDS[kind]).alias(name)
        for name, kind in schema()[table].items()
    ]
    return rows.select(*columns, *keep)


def empty(table: str) -> pl.DataFrame:
    """Return a table without rows."""
    return pl.DataFrame(schema={name: _KINDS[kind] for name, kind in schema()[table].items()})
