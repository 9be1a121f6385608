"""One select of the models by itself: small relations by hand, and the rows that it returns."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import polars as pl
from days import Row, frame

from etl.contracts.core import ALERT_DEVICES, ALERT_EVIDENCE, ALERTS
from etl.contracts.hunting import EVENT_TABLES, hunting
from etl.contracts.insight import INSIGHT
from etl.contracts.mart import MART
from etl.lake import engine
from etl.lake.engine import Engine
from etl.models import relations

CONTRACTS: Final = {
    **{contract.table: contract for contract in (*MART, *INSIGHT)},
    **{contract.table: contract for contract in (ALERTS, ALERT_EVIDENCE, ALERT_DEVICES)},
    **{table: hunting(table) for table in EVENT_TABLES},
    "LakeEvidence": ALERT_EVIDENCE,
    "LakeDevices": ALERT_DEVICES,
}


def offered(duck: Engine, tables: dict[str, Sequence[Row]]) -> None:
    """Make rows relations: typed where a contract tells the types, and events all together."""
    frames = {
        name: frame(CONTRACTS[name], rows) if name in CONTRACTS else pl.DataFrame(rows)
        for name, rows in tables.items()
    }
    events = {table: hunting(table).empty() for table in EVENT_TABLES}
    relations.offer(duck, events | frames)
    relations.run(duck, [("all_events", "AllEvents", "view")])


def ask(file: str, **tables: Sequence[Row]) -> pl.DataFrame:
    """Return what a select of `sql` makes of some relations."""
    with TemporaryDirectory() as name, engine.connection(Path(name)) as duck:
        offered(duck, tables)
        return duck.sql(relations.sql(file)).pl()


def rows(file: str, columns: str, **tables: Sequence[Row]) -> list[tuple[object, ...]]:
    """Return some columns of what a select makes of some relations, in order of the rows."""
    found = ask(file, **tables).select(columns.split())
    return sorted(found.iter_rows(), key=repr)
