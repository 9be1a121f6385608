"""DuckDB as an engine: in-memory connections over Parquet, bounded in memory.

No database file is shared between steps; the catalog is a file for readers only.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

import duckdb

Engine = duckdb.DuckDBPyConnection
Unreadable = duckdb.Error

ROW_GROUP: Final = 32_768
"""Rows in a Parquet row group: small enough that a few devices touch a few groups."""

PAGE: Final = 65_536
"""Bytes in a page of a column before it is compressed: pages without wanted rows stay so."""

LAYOUT: Final = (
    f"format parquet, compression zstd, row_group_size {ROW_GROUP}, data_page_size_limit {PAGE}"
)
"""How DuckDB writes a file of the lake."""

LOOKED_UP: Final = 100_000
"""Values of a join's smaller side up to which row groups without any of them are passed over."""

_STATISTICAL: Final = "join_order,statistics_propagation"
"""Optimizers that gather, for every plan, what footers say of each row group and column."""

_NUMBERS: Final = count()
_limit = 1024


def limit(megabytes: int) -> None:
    """Bound the memory of the engines that this process opens from now on, each."""
    global _limit  # noqa: PLW0603 - memory is the process's, whoever opens an engine
    _limit = megabytes


@contextmanager
def connection(spill: Path, *, again: bool = False) -> Iterator[Engine]:
    """Open an engine that spills beside the folder `spill` when it passes its memory.

    `again` is for reading the same files several times: what their footers say is kept until the
    engine closes, some 100 MB for each 20 million rows of a wide table, but not gathered for every
    plan, as that takes time by the telemetry's size: joins are done in the order of the SQL.
    """
    spilled = spill.parent / f"duckdb-{os.getpid()}-{next(_NUMBERS)}"
    with duckdb.connect(
        config={"memory_limit": f"{_limit}MB", "temp_directory": str(spilled)}
    ) as engine:
        engine.execute("set timezone = 'UTC'")
        engine.execute("set enable_progress_bar = false")
        engine.execute(f"set dynamic_or_filter_threshold = {LOOKED_UP}")
        engine.execute(f"set parquet_metadata_cache = {again}")
        engine.execute(f"set disabled_optimizers = '{_STATISTICAL if again else ''}'")
        yield engine


def write(
    engine: Engine, select: str, target: Path, values: Mapping[str, object] | None = None
) -> int:
    """Write the rows of `select` as one zstd Parquet file; return how many."""
    copy = f"copy ({select}) to '{quoted(target)}' ({LAYOUT})"
    row = engine.execute(copy, dict(values or {})).fetchone()
    return int(row[0]) if row else 0


def repeated(engine: Engine, key: str, paths: Sequence[Path]) -> int:
    """Return how many rows of some Parquet files repeat the `key` of another."""
    query = (
        f"select count(*) - count(distinct {key}) "  # noqa: S608
        "from read_parquet($paths, union_by_name = true, hive_partitioning = false)"
    )
    row = engine.execute(query, {"paths": [literal(path) for path in paths]}).fetchone()
    return int(row[0]) if row else 0


def describe(engine: Engine, path: Path) -> list[tuple[str, str]]:
    """Return the names and types of a Parquet file's columns."""
    query = "describe select * from read_parquet($path, hive_partitioning = false)"
    rows = engine.execute(query, {"path": literal(path)})
    return [(str(row[0]), str(row[1])) for row in rows.fetchall()]


def literal(path: Path) -> str:
    """Return a path for reading one file: what DuckDB would take for a wildcard is bracketed."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in str(path))


def parquet(paths: Sequence[Path]) -> str:
    """Return Parquet files as a relation, for a view, which takes no bound values."""
    files = ", ".join(f"'{quoted(literal(path))}'" for path in paths)
    return f"read_parquet([{files}], hive_partitioning = false)"


def quoted(path: Path | str) -> str:
    """Return a path for where SQL takes no bound value, with its quotes doubled."""
    return str(path).replace("'", "''")
