"""DuckDB as an engine: in-memory connections over Parquet, bounded in memory.

No database file is shared between steps; the catalog is a file for readers only.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Final

import duckdb

Engine = duckdb.DuckDBPyConnection
Unreadable = duckdb.Error

MEMORY = "1GB"
ROW_GROUP = 8_192
"""Rows in a Parquet row group: small enough that a few devices touch a few groups."""


LOOKED_UP: Final = 100_000
"""Values of a join's smaller side up to which row groups without any of them are passed over."""

_NUMBERS: Final = count()


@contextmanager
def connection(spill: Path) -> Iterator[Engine]:
    """Open an engine that spills beside the folder `spill` when it passes its memory.

    Connections have nothing in common but the memory that they share; each has its own catalog.
    """
    name = f"work{next(_NUMBERS)}"
    with _database(spill.parent).cursor() as engine:
        engine.execute(f"attach ':memory:' as {name}")
        engine.execute(f"use {name}")
        engine.execute("set timezone = 'UTC'")
        engine.execute("set enable_progress_bar = false")
        engine.execute("set parquet_metadata_cache = true")
        engine.execute(f"set dynamic_or_filter_threshold = {LOOKED_UP}")
        try:
            yield engine
        finally:
            with suppress(duckdb.Error):
                engine.execute("use memory")
                engine.execute(f"detach {name}")


@lru_cache(maxsize=2)
def _database(folder: Path) -> Engine:
    """Return the process's database for work beside a folder; opening one takes a while."""
    spilled = folder / f"duckdb-{os.getpid()}"
    return duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(spilled)})


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
