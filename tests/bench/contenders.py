"""Contenders: ways to tie evidence to process rows, each in its best reasonable form.

Each takes the files and the alerts, and returns how many of the evidence's own rows it found; all
must agree. The floor finds nothing: it reads the key columns of all rows, which no join does
without that knows nothing of the files.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import polars as pl
import pyarrow.parquet as pq

from etl import ticks
from etl.contracts.hunting import EVENT_TABLES
from etl.lake import engine
from etl.lake.engine import Engine
from etl.models.correlation import correlate, match

KEY: Final = ["DeviceId", "ProcessId", "ProcessCreationTicks"]
TOLERANCE: Final = 10 * 1000 * ticks.PER_MICROSECOND
PEERS_MEMORY: Final = "1GB"
"""As much as ours has by default."""

_TELLING: Final = "8GB"
PACKAGES: Final = Path(sys.prefix) / "bench"
"""Where packages are that only contenders need; pandera would read pandas wherever it finds it."""

_OPENED: Final = """
select
    info['file'],
    info['row_group_id']::integer,
    count(*)
from duckdb_logs_parsed('PhysicalOperator')
where event = 'ReadRowGroup'
group by all
"""

Frames = Mapping[str, pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Given:
    """What a contender works on."""

    files: Sequence[Path]
    alerts: Frames
    folder: Path
    """Where to write."""

    tells: bool = False
    """Whether to count the rows that are read, which costs time."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a contender found."""

    rows: int | pl.LazyFrame | None
    """The evidence's own rows: how many, or where they are, to be counted when time is taken."""

    read: int | None = None
    """Rows of all row groups that were opened, as often as they were; where DuckDB tells."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A way of doing it, and which order of rows it is given."""

    name: str
    order: str
    run: Callable[[Given], Found]
    tells: bool = True
    """Whether it can say which rows it reads, as DuckDB logs."""

    needs: str | None = None
    """A package that only this contender needs, in an environment of the benchmark's own."""

    most: int | None = None
    """Above so many rows it is not asked: it would not end, or be killed for its memory."""


def keys(given: Given) -> Found:
    """Match keys only, as this project does."""
    with engine.connection(given.folder, again=True) as duck:
        _watch(duck, given)
        match(duck, {**given.alerts, EVENT_TABLES[0]: given.files}, TOLERANCE)
        found = duck.sql("select count(*) from Matches where MatchTier = 'exact'").fetchall()
        return Found(int(found[0][0]), _read(duck, given))


def whole(given: Given) -> Found:
    """Correlate whole rows, as this project does: three marts, with all that a process caused."""
    with engine.connection(given.folder, again=True) as duck:
        _watch(duck, given)
        events = {**given.alerts, EVENT_TABLES[0]: given.files}
        marts = correlate(duck, events, TOLERANCE, given.folder)
        read = _read(duck, given)
    return Found(pl.scan_parquet(marts.correlated).filter(MatchRole="subject"), read)


def _floor(given: Given) -> Found:
    """Read the three key columns of every row."""
    with _peer(given) as duck:
        _watch(duck, given)
        rows = duck.read_parquet([str(file) for file in given.files])
        rows.aggregate(", ".join(f"bit_xor(hash({name}))" for name in KEY)).fetchall()
        return Found(None, _read(duck, given))


def _plain(given: Given) -> Found:
    """Join whole rows in DuckDB, on files in the order of arrival."""
    with _peer(given) as duck:
        _watch(duck, given)
        duck.register("Named", given.alerts["AlertEvidence"].select(*KEY, "AlertId").to_arrow())
        duck.read_parquet([str(file) for file in given.files]).create_view("Events")
        query = f"from Events inner join Named using ({', '.join(KEY)})"
        return Found(engine.write(duck, query, given.folder / "plain.parquet"), _read(duck, given))


def _polars(given: Given) -> Found:
    """Join whole rows by polars' streaming engine, on files in the order of arrival."""
    named = given.alerts["AlertEvidence"].lazy().select(*KEY, "AlertId")
    target = given.folder / "polars.parquet"
    joined = pl.scan_parquet([str(file) for file in given.files]).join(named, on=KEY)
    joined.sink_parquet(target, engine="streaming")
    return Found(pl.scan_parquet(target))


def _pandas(given: Given) -> Found:
    """Merge keys by pandas, a file at a time, and read whole rows only where some match."""
    import pandas as pd  # noqa: PLC0415 - only this contender needs it

    evidence = given.alerts["AlertEvidence"].select(*KEY, "AlertId")
    named = pd.DataFrame(evidence.to_dict(as_series=False))
    whole = pd.concat(
        pd.read_parquet(file).merge(named, on=KEY)
        for file in given.files
        if len(pd.read_parquet(file, columns=KEY).merge(named, on=KEY))
    )
    whole.to_parquet(given.folder / "pandas.parquet")
    return Found(len(whole))


def _peer(given: Given) -> Engine:
    """Return an engine with DuckDB's own settings, and as much memory as ours has."""
    spilled = str(given.folder / "spilled")
    return duckdb.connect(config={"memory_limit": PEERS_MEMORY, "temp_directory": spilled})


def _watch(duck: Engine, given: Given) -> None:
    """Log what is read, which takes memory that is not the contender's."""
    if given.tells:
        duck.execute(f"set memory_limit = '{_TELLING}'")
        duck.execute("call enable_logging('PhysicalOperator')")


def _read(duck: Engine, given: Given) -> int | None:
    if not given.tells:
        return None
    duck.execute("call disable_logging()")
    footers = {str(file): pq.read_metadata(file) for file in given.files}
    opened = duck.execute(_OPENED).fetchall()
    return sum(footers[file].row_group(number).num_rows * times for file, number, times in opened)


FLOOR: Final = Contender("three key columns, read", "sorted", _floor)
KEYS: Final = Contender("defender-etl, keys", "sorted", keys)
WHOLE: Final = Contender("defender-etl, whole rows", "sorted", whole)
PLAIN: Final = Contender("DuckDB, plain join", "mixed", _plain)
POLARS: Final = Contender("polars, streaming join", "mixed", _polars, tells=False, most=20_000_000)
PANDAS: Final = Contender("pandas, merge", "mixed", _pandas, False, "pandas", 20_000_000)  # noqa: FBT003
CONTENDERS: Final = (FLOOR, KEYS, WHOLE, PLAIN, POLARS, PANDAS)
VERSIONS: Final = f"DuckDB {duckdb.__version__}, polars {pl.__version__}"


def available(rows: int) -> list[Contender]:
    """Return who can be asked at a size, by what is installed."""
    return [
        one
        for one in CONTENDERS
        if (one.most is None or rows <= one.most)
        and (one.needs is None or (PACKAGES / one.needs).is_dir())
    ]
