"""Contracts of the hunting tables: Microsoft's columns, tick twins, our keys.

Names and types are Microsoft's (`hunting_schema.csv`, from the advanced hunting schema reference).
"""

import csv
from functools import cache
from importlib import resources
from typing import Final

import pandera.polars as pa
import polars as pl

from etl.contracts.contract import (
    INSTANT,
    Column,
    Contract,
    Type,
    filled,
    provenance,
    tenant,
    within,
)

TICKS: Final = {
    "Timestamp": "TimestampTicks",
    "ProcessCreationTime": "ProcessCreationTicks",
    "InitiatingProcessCreationTime": "InitiatingProcessCreationTicks",
    "InitiatingProcessParentCreationTime": "InitiatingProcessParentCreationTicks",
}
"""Instants that are part of a key, and the column that holds them to 100 ns."""

EVENT_TABLES: Final = (
    "DeviceProcessEvents",
    "DeviceNetworkEvents",
    "DeviceFileEvents",
    "DeviceRegistryEvents",
    "DeviceImageLoadEvents",
    "DeviceLogonEvents",
    "DeviceEvents",
)
"""The tables that are pulled around alerts."""

ALERT_TABLES: Final = ("AlertInfo", "AlertEvidence")
"""The tables in which hunting tells of the alerts themselves."""

DEVICE_INFO: Final = "DeviceInfo"
"""The table in which hunting tells of devices: heartbeats, and which ids are one machine's."""

PULLED: Final = (*EVENT_TABLES, *ALERT_TABLES, DEVICE_INFO)
"""Every table that is pulled."""

_TYPES: Final[dict[str, Type]] = {
    "string": pl.String,
    "datetime": INSTANT,
    "long": pl.Int64,
    "int": pl.Int64,
    "bool": pl.Boolean,
}
_PORT: Final = within(0, 65_535)
_PID: Final = pa.Check.ge(0, error="at least 0")


def _read() -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = {}
    with resources.files(__package__).joinpath("hunting_schema.csv").open() as file:
        for row in csv.DictReader(file):
            tables.setdefault(row["table"], {})[row["column"]] = row["type"]
    return tables


TABLES: Final = _read()
"""Table → column → Microsoft's type."""


@cache
def hunting(table: str) -> Contract:
    """Return the contract of one table. Grain: one event, or one row about an alert or device."""
    columns = [tenant()]
    for name, kind in TABLES[table].items():
        columns.append(_column(table, name, kind))
        if name in TICKS:
            twin = f"{name} in ticks: 100 ns since 0001-01-01T00:00:00Z"
            columns.append(Column(TICKS[name], pl.Int64, twin, required=name == "Timestamp"))
    columns.append(
        Column("EventId", pl.String, "Stable hash of the event's content", required=True)
    )
    return Contract(
        layer="hunting",
        table=table,
        meaning=f"Microsoft's {table}, by the creation day of the alerts it was pulled for.",
        grain=("TenantId", "EventId"),
        columns=(*columns, *provenance()),
        open=True,
        copies="IngestedAt, Day",
    )


def _column(table: str, name: str, kind: str) -> Column:
    meaning = f"As in Microsoft's {table}"
    if name == "Timestamp":
        return Column(name, INSTANT, f"{meaning}, UTC", required=True)
    if name == "AlertId":
        return Column(name, pl.String, meaning, required=True, checks=(filled(),))
    if name == "DeviceId" and table not in ALERT_TABLES:
        return Column(name, pl.String, f"{meaning}, lower-cased", required=True, checks=(filled(),))
    if name.endswith("Port") and kind == "int":
        return Column(name, pl.Int64, meaning, checks=(_PORT,))
    if name in {"ProcessId", "InitiatingProcessId", "InitiatingProcessParentId"}:
        return Column(name, pl.Int64, meaning, checks=(_PID,))
    return Column(name, _TYPES[kind], meaning)
