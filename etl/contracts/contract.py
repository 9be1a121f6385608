"""A contract: the columns, grain and rules of one table, checked by pandera before publishing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandera.polars as pa
import polars as pl

Type = pl.DataType | type[pl.DataType]

INSTANT: Final[Type] = pl.Datetime("us", "UTC")
TEXTS: Final[Type] = pl.List(pl.String)

PROVENANCE = ("IngestedAt", "SourceRequestId")
"""Columns that say when and by which request a row came; no part of its content."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its polars type, what it means, and whether it may be null."""

    name: str
    type: Type
    meaning: str
    required: bool = False
    checks: tuple[pa.Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    """What one table promises its readers."""

    layer: str
    table: str
    meaning: str
    grain: tuple[str, ...]
    columns: tuple[Column, ...]
    open: bool = False
    """Whether columns beyond the declared ones are kept, as text."""

    copies: str | None = None
    """Where several days' partitions may hold a row, the order whose first one the view shows."""

    @property
    def key(self) -> list[str]:
        """Layer and table: the asset key and the path in the lake."""
        return [self.layer, self.table]

    @property
    def types(self) -> dict[str, Type]:
        """Column names and polars types, in order."""
        return {column.name: column.type for column in self.columns}

    @property
    def schema(self) -> pa.DataFrameSchema:
        """The pandera schema; rows that break it are told apart by `etl.contracts.judge`."""
        return pa.DataFrameSchema(
            {
                column.name: pa.Column(
                    column.type,
                    checks=list(column.checks),
                    nullable=not column.required,
                    description=column.meaning,
                )
                for column in self.columns
            },
            name=self.table,
            description=self.meaning,
            strict=not self.open,
        )

    def empty(self) -> pl.DataFrame:
        """Return the table without rows."""
        return pl.DataFrame(schema=self.types)

    def frame(self, rows: Sequence[dict[str, object]]) -> pl.DataFrame:
        """Return rows as a frame with this contract's types."""
        return pl.DataFrame(rows, schema=self.types, orient="row")


def tenant() -> Column:
    """Return the column that every table begins with."""
    return Column("TenantId", pl.String, "Entra tenant the row belongs to", required=True)


def provenance() -> tuple[Column, Column]:
    """Return the columns that every table ends with."""
    return (
        Column(
            "IngestedAt", INSTANT, "When the row's content was first taken in, UTC", required=True
        ),
        Column("SourceRequestId", pl.String, "The service's id of the request that brought it"),
    )


def within(low: int, high: int) -> pa.Check:
    """Return a check that a number lies between two bounds, both included."""
    return pa.Check.in_range(low, high, error=f"between {low} and {high}")


def filled() -> pa.Check:
    """Return a check that a text is not empty."""
    return pa.Check.str_length(min_value=1, error="not empty")
