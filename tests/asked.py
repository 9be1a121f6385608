"""One select of the models by itself: small relations by hand, and the rows that it returns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import polars as pl
from days import Row, frame

from etl.contracts.core import ALERT_DEVICES, ALERT_EVIDENCE, ALERTS
from etl.contracts.hunting import DEVICE_INFO, EVENT_TABLES, hunting
from etl.contracts.mart import ALERT_HUNTS
from etl.contracts.marts import MART
from etl.contracts.ops import LEDGER
from etl.contracts.story import PROCESS_TREE
from etl.lake import engine
from etl.lake.engine import Engine
from etl.models import relations

CONTRACTS: Final = {
    **{contract.table: contract for contract in MART},
    **{contract.table: contract for contract in (ALERTS, ALERT_EVIDENCE, ALERT_DEVICES)},
    **{table: hunting(table) for table in (*EVENT_TABLES, DEVICE_INFO)},
    "LakeEvidence": ALERT_EVIDENCE,
    "LakeDevices": ALERT_DEVICES,
    "Tree": PROCESS_TREE,
    "Hunts": ALERT_HUNTS,
    "Ledger": LEDGER,
}


Given = Sequence[Row] | pl.DataFrame
"""Rows by hand, or what another select returned."""


def framed(name: str, given: Given) -> pl.DataFrame:
    """Return a frame: with a contract's types where it is that of a table."""
    if isinstance(given, pl.DataFrame):
        return given
    return frame(CONTRACTS[name], given) if name in CONTRACTS else pl.DataFrame(given)


def offered(duck: Engine, tables: Mapping[str, Given]) -> None:
    """Make tables relations, and the events of all tables one."""
    frames = {name: framed(name, given) for name, given in tables.items()}
    events = {table: hunting(table).empty() for table in EVENT_TABLES}
    for name, given in (events | frames).items():
        relations.relate(duck, name, given)
    relations.run(duck, [("all_events", "AllEvents", "view")])


def ask(file: str, **tables: Given) -> pl.DataFrame:
    """Return what a select of `sql` makes of some relations."""
    with TemporaryDirectory() as name, engine.connection(Path(name)) as duck:
        offered(duck, tables)
        return duck.sql(relations.sql(file)).pl()


def rows(file: str, columns: str, **tables: Given) -> list[tuple[object, ...]]:
    """Return some columns of what a select makes of some relations, in order of the rows."""
    found = ask(file, **tables).select(columns.split())
    return sorted(found.iter_rows(), key=repr)
