"""Relations of an engine: sources offered under a name, selects run in order, marts written.

Values never become SQL text; a select is a file of `sql`.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

import polars as pl

from etl.contracts.contract import Contract
from etl.contracts.hunting import EVENT_TABLES, hunting
from etl.lake import engine
from etl.lake.engine import Engine

Source = Path | Sequence[Path] | pl.DataFrame
"""One Parquet file, several of one table, or a frame."""

Sources = Mapping[str, Source]
Steps = Sequence[tuple[str, str, str]]
"""What to run in order: file of `sql`, relation, and whether it is a view or a table."""


@cache
def sql(file: str) -> str:
    """Return the select of one file of `sql`."""
    return resources.files(__package__).joinpath("sql", f"{file}.sql").read_text()


def offer(duck: Engine, sources: Sources) -> None:
    """Make each source a relation; of events the declared columns, as others may clash by type."""
    for name, source in sources.items():
        columns = ", ".join(hunting(name).types) if name in EVENT_TABLES else "*"
        if isinstance(source, pl.DataFrame):
            rows = duck.from_arrow(source.to_arrow())
        else:
            paths = [source] if isinstance(source, Path) else source
            files = [engine.literal(path) for path in paths]
            rows = duck.read_parquet(files, hive_partitioning=False, union_by_name=True)
        rows.project(columns).create_view(name)


def run(duck: Engine, steps: Steps) -> None:
    """Make the relations of some selects, each of which may read those before it."""
    for file, name, kind in steps:
        duck.execute(f"create or replace temp {kind} {name} as {sql(file)}")


def write(duck: Engine, contract: Contract, file: str, target: Path) -> None:
    """Write what a select returns as a table of the lake: the contract's columns, in its order."""
    columns = ", ".join(contract.types)
    engine.write(duck, f"select {columns} from ({sql(file)}\n)", target)  # noqa: S608
