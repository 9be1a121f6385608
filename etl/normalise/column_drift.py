"""Column drift: what telemetry holds that its table's schema does not foretell, column by column.

A field is a column that nobody has declared and that some record fills; a shape is a declared
column whose value came as something else, read all the same or not. Missing is a declared column
that no record names. Rows may come without their nulls, so that alone says nothing: only records
that spell out a null tell that nobody took nulls out, and it takes a number of them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import polars as pl

from etl.contracts.hunting import TABLES
from etl.contracts.ops import SCHEMA_DRIFT
from etl.normalise.columns import folded
from etl.normalise.drift import LONGEST_EXAMPLE, LONGEST_NAME, REST, printable, united
from etl.normalise.telemetry import Events

SOURCE: Final = "hunting"
ENOUGH: Final = 200
"""Records with a null spelled out, from which a column that no record names is missing."""

_MISSING: Final = "missing"
_FOUND: Final = {"Row": pl.UInt32, "Kind": pl.String, "Name": pl.String, "Example": pl.String}
_MEANINGS: Final = {
    "field": "is a column that nobody has declared",
    "shape": "is another shape than its column has",
    _MISSING: "is named by no record",
}


@dataclass(slots=True)
class ColumnDrift:
    """The drift of one table's records, gathered batch by batch."""

    table: str
    _found: list[pl.DataFrame] = field(default_factory=list)
    _named: set[str] = field(default_factory=set)
    _explicit: int = 0
    _records: int = 0
    _seen: list[tuple[str, datetime, str | None]] = field(default_factory=list)
    """The first and the last record of each batch: tenant, when it was taken in, by what."""

    def add(self, raw: pl.DataFrame, found: Events) -> None:
        """Take note of some raw records and of how they were read."""
        columns = found.columns
        rows = [
            self._rows(
                "shape",
                [odd.row for odd in columns.odd],
                [f"{odd.column}:{odd.shape}" for odd in columns.odd],
                [odd.value for odd in columns.odd],
            )
        ]
        for name, values in columns.unknown.items():
            filled = [row for row, value in enumerate(values) if value is not None]
            shown = [str(values[row])[:LONGEST_EXAMPLE] for row in filled]
            rows.append(self._rows("field", filled, [name] * len(filled), shown))
        self._found.append(_counted(self.table, raw, pl.concat(rows)))
        self._named |= columns.named
        self._explicit += columns.explicit
        self._records += raw.height
        if raw.height:
            ends = raw.sort("IngestedAt", "SourceRequestId")[[0, -1]]
            self._seen.extend(ends.select("TenantId", "IngestedAt", "SourceRequestId").iter_rows())

    def told(self, before: pl.DataFrame | None) -> pl.DataFrame:
        """Return the drift as ops/SchemaDrift, united with that of the records `before` these.

        None for `before` says that these are all the records, and so that a column may be missing.
        More records can only show that it is not.
        """
        missing = set(TABLES[self.table]) - self._named if self._explicit >= ENOUGH else set()
        names = {f"{self.table}.{column}" for column in missing}
        drifts = list(self._found)
        if before is not None:
            seen = {f"{self.table}.{column}" for column in self._named}
            kept = before.filter((pl.col("Kind") != _MISSING) | ~pl.col("Name").is_in(seen))
            names = set(kept.filter(Kind=_MISSING)["Name"]) - {REST}
            drifts.append(kept)
        if self._seen and names:
            drifts.append(self._missing(names))
        spelled = pl.col("Name").map_elements(folded, return_dtype=pl.String)
        rows = pl.concat([SCHEMA_DRIFT.empty(), *drifts]).with_columns(
            pl.col("Name").min().over("TenantId", "Kind", spelled)
        )
        return united([rows.sort("FirstSeenAt", "Example", "SourceRequestId")])

    def _rows(self, kind: str, rows: list[int], names: list[str], shown: list[str]) -> pl.DataFrame:
        told = [f"{self.table}.{name}" for name in names]
        return pl.DataFrame([rows, [kind] * len(rows), told, shown], schema=_FOUND)

    def _missing(self, names: set[str]) -> pl.DataFrame:
        """Return a row for each missing column: all the records that do not name it."""
        tenant, first, request = min(self._seen, key=lambda seen: (seen[1], seen[2] or ""))
        return SCHEMA_DRIFT.frame(
            [
                {
                    "TenantId": tenant,
                    "Source": SOURCE,
                    "Table": self.table,
                    "Kind": _MISSING,
                    "Name": name,
                    "Example": "null",
                    "FirstSeenAt": first,
                    "LastSeenAt": max(seen[1] for seen in self._seen),
                    "Count": self._records,
                    "IngestedAt": first,
                    "SourceRequestId": request,
                }
                for name in sorted(names)
            ]
        )


def doubts(drift: pl.DataFrame) -> tuple[str, ...]:
    """Return drift as lines for a person, new columns and types by name."""
    lines = []
    for row in drift.sort("Kind", "Name").iter_rows(named=True):
        example = "" if row["Kind"] == _MISSING else f", the first with {row['Example']}"
        lines.append(f"{row['Name']} {_MEANINGS[row['Kind']]}: {row['Count']} records{example}")
    return tuple(lines)


def _counted(table: str, raw: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return what was found as ops/SchemaDrift: one row a name, with its first example."""
    keys = raw.select("TenantId", "IngestedAt", "SourceRequestId")[found["Row"]]
    drift = (
        pl.concat([found, keys], how="horizontal")
        .sort("IngestedAt", "Example", "SourceRequestId")
        .group_by("TenantId", "Kind", "Name", maintain_order=True)
        .agg(
            pl.col("Example", "IngestedAt", "SourceRequestId").first(),
            FirstSeenAt=pl.col("IngestedAt").min(),
            LastSeenAt=pl.col("IngestedAt").max(),
            Count=pl.len().cast(pl.Int64),
        )
        .with_columns(
            Source=pl.lit(SOURCE),
            Table=pl.lit(table),
            Name=_shown("Name", LONGEST_NAME),
            Example=_shown("Example", LONGEST_EXAMPLE),
        )
        .select(*SCHEMA_DRIFT.types)
    )
    return united([drift])


def _shown(column: str, longest: int) -> pl.Expr:
    return pl.col(column).map_elements(
        lambda value: printable(value, longest), return_dtype=pl.String
    )
