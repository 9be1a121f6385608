"""DuckDB as an engine: one in-memory connection a step, over Parquet, bounded in memory.

No database file is shared between steps; the catalog is a file for readers only.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

Engine = duckdb.DuckDBPyConnection
Unreadable = duckdb.Error

MEMORY = "1GB"
ROW_GROUP = 16_384
"""Rows in a Parquet row group: small enough that a few devices touch a few groups."""


@contextmanager
def connection(spill: Path) -> Iterator[Engine]:
    """Open an engine that spills into the folder `spill` when it passes its memory."""
    with duckdb.connect() as engine:
        engine.execute("set timezone = 'UTC'")
        engine.execute(f"set memory_limit = '{MEMORY}'")
        engine.execute(f"set temp_directory = '{quoted(spill)}'")
        engine.execute("set enable_progress_bar = false")
        yield engine


def write(
    engine: Engine, select: str, target: Path, values: Mapping[str, object] | None = None
) -> int:
    """Write the rows of `select` as one zstd Parquet file; return how many."""
    copy = (
        f"copy ({select}) to '{quoted(target)}' "
        f"(format parquet, compression zstd, row_group_size {ROW_GROUP})"
    )
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


def quoted(path: Path) -> str:
    """Return a path for where SQL takes no bound value, with its quotes doubled."""
    return str(path).replace("'", "''")
