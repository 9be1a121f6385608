"""Contracts of the raw layer: what the service answered, one JSON text a record, with its keys.

Raw only grows: an answer that came once is kept, with when it first came, whatever the service
still has. Everything behind it can be made anew from here.
"""

from functools import cache

import polars as pl

from etl.contracts.contract import Column, Contract, provenance, tenant
from etl.contracts.hunting import ALERT_TABLES

_OF_EVENTS = ("DeviceId", "Timestamp", "ReportId")
_RECORD = Column("Record", pl.String, "The record as JSON text, unparsed", required=True)

ALERTS = Contract(
    layer="raw",
    table="Alerts",
    meaning="Every answer about an alert, as it was; by the alert's creation day.",
    grain=("TenantId", "AlertId", "ContentHash"),
    columns=(
        tenant(),
        Column("AlertId", pl.String, "The alert's id, or null where the record has none"),
        Column("AlertSource", pl.String, "`graph` or `mde`: whose words these are", required=True),
        Column("CreatedDateTime", pl.String, "As sent"),
        Column("LastUpdateDateTime", pl.String, "As sent"),
        Column(
            "ContentHash", pl.String, "SHA-256 of the canonical record, 32 digits", required=True
        ),
        _RECORD,
        *provenance(),
    ),
)


@cache
def telemetry(table: str) -> Contract:
    """Return the contract of a hunting table's raw records."""
    return Contract(
        layer="raw",
        table=table,
        meaning=f"Every row of {table} that hunting answered, by the alerts' creation day.",
        grain=("TenantId", "Record"),
        columns=(
            tenant(),
            *[Column(name, pl.String, "As sent, as text") for name in keys(table)],
            _RECORD,
            *provenance(),
        ),
        copies="IngestedAt, Day",
    )


def keys(table: str) -> tuple[str, ...]:
    """Return the columns of a hunting table that its raw records are found by."""
    return ("AlertId", "Timestamp") if table in ALERT_TABLES else _OF_EVENTS
