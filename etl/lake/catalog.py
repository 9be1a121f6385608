"""The SQL catalog: `catalog.duckdb`, one view a table, for readers only.

Built aside and swapped in, so that whoever has the old one open keeps it. The views name the lake's
folder; a lake that was moved gets its catalog back with the next run.
"""

import tempfile
from pathlib import Path
from typing import Final

import duckdb

from etl.contracts import core, ops, raw
from etl.contracts.contract import Contract
from etl.contracts.hunting import ALERT_TABLES, EVENT_TABLES, hunting
from etl.contracts.marts import MART
from etl.errors import LakeError
from etl.lake.engine import literal

NAME: Final = "catalog.duckdb"
SEARCH_PATH: Final = "mart,core,hunting,ops,raw"

CONTRACTS: Final[tuple[Contract, ...]] = (
    *MART,
    *core.CORE,
    *(hunting(table) for table in (*EVENT_TABLES, *ALERT_TABLES)),
    ops.LEDGER,
    ops.QUERIES,
    ops.DEVICE_HOURS,
    ops.WATERMARKS,
    ops.RECONCILIATION,
    ops.SCHEMA_DRIFT,
    ops.QUARANTINE,
    raw.ALERTS,
    *(raw.telemetry(table) for table in (*EVENT_TABLES, *ALERT_TABLES)),
)
"""Every table of the lake, the most wanted first."""

_SCHEMAS: Final = ("mart", "core", "hunting", "ops", "raw")


_AS_OF: Final = """
select * from core.AlertVersions where {instant} <= Moment::timestamptz
qualify row_number() over (
    partition by TenantId, AlertId
    order by {order}
) = 1
"""
_STATES: Final = {
    "AlertsAsOf": _AS_OF.format(instant="LastUpdateTime", order=core.NEWEST_FIRST),
    "AlertsKnownAt": _AS_OF.format(instant="SeenAt", order=core.NEWEST_FIRST),
}
"""Macros that give each alert's state at an instant: by its last update, and as it was known."""


def build(root: Path) -> Path:
    """Build the catalog of the lake at `root` and swap it in; return its path.

    Raises LakeError where it cannot be written.
    """
    final = root / NAME
    try:
        with tempfile.TemporaryDirectory(dir=root, prefix=".catalog-") as folder:
            aside = Path(folder) / NAME
            with duckdb.connect(str(aside)) as duck:
                _fill(duck, root)
            aside.replace(final)
    except (OSError, duckdb.IOException, duckdb.TransactionException) as error:
        remedy = "set DEFENDER_LAKE to a folder that this user can write to"
        raise LakeError(final, f"cannot be written ({error})", remedy) from error
    return final


def _fill(duck: duckdb.DuckDBPyConnection, root: Path) -> None:
    taken: set[str] = set()
    for schema in _SCHEMAS:
        duck.execute(f"create schema {schema}")
    for contract in CONTRACTS:
        name = f"{contract.layer}.{contract.table}"
        duck.execute(f"create view {name} as {_select(root, contract)}")
        duck.execute(
            f"comment on view {name} is '{contract.meaning.replace(chr(39), chr(39) * 2)}'"
        )
        if contract.table not in taken:
            taken.add(contract.table)
            duck.execute(f"create view main.{contract.table} as from {name}")
    for macro, states in _STATES.items():
        for schema in ("core", "main"):
            duck.execute(f"create macro {schema}.{macro}(Moment) as table {states}")


def _select(root: Path, contract: Contract) -> str:
    folder = root / contract.layer / contract.table
    if not any(folder.rglob("*.parquet")):
        return _nothing(contract)
    pattern = literal(folder).replace("'", "''") + "/**/*.parquet"
    keys = [part.split("=")[0] for part in folder.parts if "=" in part]  # of the lake's own folder
    keys += ["tenant", "day"] + (["source"] if contract.layer == "hunting" else [])
    hidden = ", ".join('"' + key.replace('"', '""') + '"' for key in dict.fromkeys(keys))
    select = (
        f"select * exclude ({hidden}), day as Day from read_parquet('{pattern}', "  # noqa: S608
        "hive_partitioning = true, hive_types = {'day': date, 'tenant': varchar}, "
        "union_by_name = true)"
    )
    if contract.copies:
        grain = ", ".join(f'"{name}"' for name in contract.grain)
        one = f"row_number() over (partition by {grain} order by {contract.copies}) = 1"
        select += f" qualify {one}"
    return select


def _nothing(contract: Contract) -> str:
    """Return the select of a table that was never published: its columns, no row."""
    with duckdb.connect() as duck:
        duck.register("Empty", contract.empty().to_arrow())
        rows = duck.execute("describe select * from Empty").fetchall()
    columns = ", ".join(f'null::{row[1]} as "{row[0]}"' for row in rows)
    return f"select {columns}, null::date as Day where false"
