"""Relations of an engine: tables and frames offered to the model, and its SQL run step by step.

Which steps make what belongs to `etl.models.correlation`; the rules are in `sql`.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import polars as pl

from etl.contracts.contract import Contract
from etl.contracts.hunting import EVENT_TABLES, hunting
from etl.lake import engine
from etl.lake.engine import Engine

Source = Path | Sequence[Path] | pl.DataFrame
Inputs = Mapping[str, Source]
Steps = Sequence[tuple[str, str, str]]
"""What to run, in order: the file, the relation that it makes, and what that is."""

_SCOPE: Final[Steps] = (
    ("device_aliases", "DeviceAliases", "table"),
    ("named_devices", "NamedDevices", "table"),
)

_PLACE: Final = "file_index::bigint as FileNumber, file_row_number as RowNumber"
_GIVEN: Final = """
select *, 0::bigint as FileNumber, row_number() over () - 1 as RowNumber from Given
"""
_ANYWHERE: Final = """
select count(*) > 0 from Alerts anti join AlertDevices using (AlertId)
"""


@cache
def sql(file: str) -> str:
    """Return the select of one file of `sql`."""
    return resources.files(__package__).joinpath("sql", f"{file}.sql").read_text()


def texts() -> str:
    """Return all of `sql`, file by file."""
    folder = resources.files(__package__) / "sql"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return "\n".join(file.read_text() for file in files if file.name.endswith(".sql"))


def offer(duck: Engine, inputs: Inputs) -> None:
    """Make inputs relations by their names, and all event tables together.

    `AllEvents` are those of NamedDevices, so that of files sorted by device only those parts are
    read; more only where an alert names no device.
    """
    for name, source in inputs.items():
        relate(duck, name, source)
    run(duck, _SCOPE)
    anywhere = duck.execute(_ANYWHERE).fetchall() == [(True,)]
    scope = "" if anywhere else "semi join NamedDevices using (DeviceId)"
    events = f"from ({sql('all_events')}) as EveryEvent {scope}"
    duck.execute(f"create or replace temp view AllEvents as {events}")


def aliases(duck: Engine, info: Source) -> dict[str, list[str]]:
    """Return the other ids of the machine behind each device id, sorted; `info` is DeviceInfo."""
    relate(duck, "DeviceInfo", info)
    run(duck, _SCOPE[:1])
    others: dict[str, list[str]] = {}
    for device, other in duck.sql("from DeviceAliases order by all").fetchall():
        others.setdefault(device, []).append(other)
    return others


def relate(duck: Engine, name: str, source: Source) -> None:
    """Make a source a relation; of events the declared columns, as others may clash by type.

    An event is known by its place: FileNumber among the files of its table, RowNumber in the file.
    """
    columns = list(hunting(name).types) if name in EVENT_TABLES else []
    if columns:
        duck.execute(f"drop table if exists temp.{name}")
    if isinstance(source, pl.DataFrame) and columns:
        duck.register("Given", source[columns].to_arrow())
        duck.execute(f"create temp table {name} as {_GIVEN}")  # binds faster than a view
    elif isinstance(source, pl.DataFrame):
        duck.from_arrow(source.to_arrow()).create_view(name)
    else:
        paths = [source] if isinstance(source, Path) else source
        listed = ", ".join([*columns, _PLACE] if columns else "*")
        rows = f"select {listed} from {engine.parquet(paths)}"  # noqa: S608
        duck.execute(f"create or replace view {name} as {rows}")


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
