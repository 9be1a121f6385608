"""Contenders: ways to tie evidence to process rows, each in its best reasonable form.

Each takes the files and the evidence, and returns how many of the evidence's own rows it found; all
must agree. `floor` finds nothing: it reads the key columns of all rows, which no join does without.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from etl import ticks
from etl.contracts.hunting import EVENT_TABLES
from etl.lake import engine
from etl.models.correlation import correlate, match

KEY: Final = ["DeviceId", "ProcessId", "ProcessCreationTicks"]
TOLERANCE: Final = 10 * 1000 * ticks.PER_MICROSECOND

Frames = Mapping[str, pl.DataFrame]
Run = Callable[[Sequence[Path], Frames, Path], int | None]
"""Takes files of process rows, the alerts, and a folder to write to."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A way of doing it, and which order of rows it is given."""

    name: str
    order: str
    run: Run


def _keys(files: Sequence[Path], alerts: Frames, folder: Path) -> int:
    """Match keys only, as this project does."""
    with engine.connection(folder, again=True) as duck:
        match(duck, {**alerts, EVENT_TABLES[0]: files}, TOLERANCE)
        found = duck.sql("select count(*) from Matches where MatchTier = 'exact'").fetchall()
    return int(found[0][0])


def _whole(files: Sequence[Path], alerts: Frames, folder: Path) -> int:
    """Correlate whole rows, as this project does: those that a process caused as well."""
    with engine.connection(folder, again=True) as duck:
        marts = correlate(duck, {**alerts, EVENT_TABLES[0]: files}, TOLERANCE, folder)
    return pl.scan_parquet(marts.correlated).filter(MatchRole="subject").collect().height


def _floor(files: Sequence[Path], _: Frames, folder: Path) -> None:
    """Read the three key columns of every row."""
    with duckdb.connect(config={"temp_directory": str(folder)}) as duck:
        rows = duck.read_parquet([str(file) for file in files])
        rows.aggregate(", ".join(f"bit_xor(hash({name}))" for name in KEY)).fetchall()


def _plain(files: Sequence[Path], alerts: Frames, folder: Path) -> int:
    """Join whole rows in DuckDB, on files in the order of arrival."""
    with duckdb.connect(config={"memory_limit": "1024MB"}) as duck:
        duck.register("Named", alerts["AlertEvidence"].select(*KEY, "AlertId").to_arrow())
        duck.read_parquet([str(file) for file in files]).create_view("Events")
        query = f"from Events inner join Named using ({', '.join(KEY)})"
        return engine.write(duck, query, folder / "plain.parquet")


def _polars(files: Sequence[Path], alerts: Frames, folder: Path) -> int:
    """Join whole rows by polars' streaming engine, on files in the order of arrival."""
    named = alerts["AlertEvidence"].lazy().select(*KEY, "AlertId")
    target = folder / "polars.parquet"
    joined = pl.scan_parquet([str(file) for file in files]).join(named, on=KEY)
    joined.sink_parquet(target, engine="streaming")
    return pl.scan_parquet(target).select(pl.len()).collect().item()


def _pandas(files: Sequence[Path], alerts: Frames, folder: Path) -> int:
    """Merge keys by pandas, a file at a time, and read whole rows only where some match."""
    import pandas as pd  # noqa: PLC0415 - only this contender needs it

    named = pd.DataFrame(alerts["AlertEvidence"].select(*KEY, "AlertId").to_dict(as_series=False))
    whole = pd.concat(
        pd.read_parquet(file).merge(named, on=KEY)
        for file in files
        if len(pd.read_parquet(file, columns=KEY).merge(named, on=KEY))
    )
    whole.to_parquet(folder / "pandas.parquet")
    return len(whole)


FLOOR: Final = Contender("three key columns, read", "sorted", _floor)
CONTENDERS: Final = (
    FLOOR,
    Contender("defender-etl, keys", "sorted", _keys),
    Contender("defender-etl, whole rows", "sorted", _whole),
    Contender("DuckDB, plain join", "mixed", _plain),
    Contender("polars, streaming join", "mixed", _polars),
    Contender("pandas, merge", "mixed", _pandas),
)
VERSIONS: Final = f"DuckDB {duckdb.__version__}, polars {pl.__version__}"
