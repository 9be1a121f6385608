"""Relations of an engine: tables and frames offered to the model, and its SQL run step by step.

Which steps make what belongs to `etl.models.correlation`; the rules are in `sql`.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from etl.contracts.contract import Contract
from etl.contracts.hunting import EVENT_TABLES, hunting
from etl.lake import engine
from etl.lake.engine import Engine

Source = Path | Sequence[Path] | pl.DataFrame
Inputs = Mapping[str, Source]
Steps = Sequence[tuple[str, str, str]]
"""What to run, in order: the file, the relation that it makes, and what that is."""

_ALIASES: Final[Steps] = (("device_aliases", "DeviceAliases", "table"),)

_DEVICES: Final = """
select DeviceId from AlertDevices where DeviceId is not null
union
select DeviceId from AlertEvidence where DeviceId is not null
union
select DeviceAliases.OtherId as DeviceId
from DeviceAliases
where
    DeviceAliases.DeviceId in (select AlertDevices.DeviceId from AlertDevices)
    or DeviceAliases.DeviceId in (select AlertEvidence.DeviceId from AlertEvidence)
order by DeviceId
"""
_ANYWHERE: Final = """
select count(*) > 0 from Alerts anti join AlertDevices using (AlertId)
"""


@cache
def sql(file: str) -> str:
    """Return the select of one file of `sql`."""
    return resources.files(__package__).joinpath("sql", f"{file}.sql").read_text()


def offer(duck: Engine, inputs: Inputs) -> None:
    """Make inputs relations by their names, and all event tables together.

    `ScopedEvents` are the events of the devices that alerts name and of those merged with them: the
    list is a literal, so that of files sorted by device only those parts are read. `AllEvents` are
    more only where an alert names no device.
    """
    for name, source in inputs.items():
        relate(duck, name, source)
    run(duck, _ALIASES)
    duck.execute(f"create or replace temp view EveryEvent as {sql('all_events')}")
    every = duck.view("EveryEvent")
    nobody = duckdb.ConstantExpression(None)
    devices = [duckdb.ConstantExpression(row[0]) for row in duck.execute(_DEVICES).fetchall()]
    scoped = every.filter(duckdb.ColumnExpression("DeviceId").isin(nobody, *devices))
    scoped.create_view("ScopedEvents")
    anywhere = duck.execute(_ANYWHERE).fetchall() == [(True,)]
    (every if anywhere else scoped).create_view("AllEvents")


def aliases(duck: Engine, info: Source) -> dict[str, list[str]]:
    """Return the other ids of the machine behind each device id, sorted; `info` is DeviceInfo."""
    relate(duck, "DeviceInfo", info)
    run(duck, _ALIASES)
    others: dict[str, list[str]] = {}
    for device, other in duck.sql("from DeviceAliases order by all").fetchall():
        others.setdefault(device, []).append(other)
    return others


def relate(duck: Engine, name: str, source: Source) -> None:
    """Make a source a relation; of events the declared columns, as others may clash by type."""
    columns = ", ".join(hunting(name).types) if name in EVENT_TABLES else "*"
    if isinstance(source, pl.DataFrame):
        rows = duck.from_arrow(source.to_arrow())
    else:
        paths = [source] if isinstance(source, Path) else source
        files = [engine.literal(path) for path in paths]
        rows = duck.read_parquet(files, hive_partitioning=False)
    rows.project(columns).create_view(name)


def run(duck: Engine, steps: Steps) -> None:
    """Make the relations of some steps: a view, a table, or a macro over relations by name."""
    for file, name, kind in steps:
        if kind == "macro":
            head = f"create or replace temp macro {name} as table"
        else:
            head = f"create or replace temp {kind} {name} as"
        duck.execute(f"{head} {sql(file)}")


def write(duck: Engine, contract: Contract, select: str, target: Path) -> None:
    """Write the columns of a contract from a select, as a staged file."""
    columns = ", ".join(contract.types)
    engine.write(duck, f"select {columns} from ({select}\n)", target)  # noqa: S608
