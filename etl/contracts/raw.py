"""Contracts of the raw layer: what the service answered, one JSON text a record, with its keys."""

from functools import cache

import polars as pl

from etl.contracts.contract import Column, Contract, provenance, tenant

_RECORD = Column("Record", pl.String, "The record as JSON text, unparsed", required=True)

ALERTS = Contract(
    layer="raw",
    table="Alerts",
    meaning="Alerts as Graph answered them, for alerts created on the partition's day.",
    grain=("TenantId", "AlertId", "Record"),
    columns=(
        tenant(),
        Column("AlertId", pl.String, "The alert's id, or null where the record has none"),
        Column("CreatedDateTime", pl.String, "As sent"),
        Column("LastUpdateDateTime", pl.String, "As sent"),
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
        meaning=f"Rows of {table} as hunting answered them, by the alerts' creation day.",
        grain=("TenantId", "Record"),
        columns=(
            tenant(),
            Column("DeviceId", pl.String, "As sent"),
            Column("Timestamp", pl.String, "As sent"),
            Column("ReportId", pl.String, "As sent, as text"),
            _RECORD,
            *provenance(),
        ),
    )
