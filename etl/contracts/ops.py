"""Contracts of the ops layer: what was asked of the service, and what was turned away."""

import pandera.polars as pa
import polars as pl

from etl.contracts.contract import INSTANT, Column, Contract, provenance, tenant

STATUSES = ("complete", "truncated", "failed", "partial")

LEDGER = Contract(
    layer="ops",
    table="ExtractionLedger",
    meaning="What was asked of the service for a day, window by window, and how it ended.",
    grain=("TenantId", "Source", "Table", "WindowStart", "WindowEnd", "Slice"),
    columns=(
        tenant(),
        Column("Source", pl.String, "`graph` for alerts, `hunting` for telemetry", required=True),
        Column(
            "Table",
            pl.String,
            "Alerts, a hunting table, or `*` for a count over all",
            required=True,
        ),
        Column("WindowStart", INSTANT, "First instant of the window, UTC", required=True),
        Column("WindowEnd", INSTANT, "First instant after the window, UTC", required=True),
        Column("Slice", pl.String, "What part of the window: devices, or `count`", required=True),
        Column(
            "Status",
            pl.String,
            "complete, truncated, failed or partial",
            required=True,
            checks=(pa.Check.isin(STATUSES, error="a known status"),),
        ),
        Column("Detail", pl.String, "Why the status is not complete"),
        Column("Expected", pl.Int64, "Rows that a count announced, where one was made"),
        Column("Rows", pl.Int64, "Rows received", required=True),
        Column("Bytes", pl.Int64, "Size of the answers", required=True),
        Column("Calls", pl.Int64, "Requests it took, repeats included", required=True),
        Column("Throttled", pl.Int64, "Answers 429 among them", required=True),
        Column("StartedAt", INSTANT, "UTC", required=True),
        Column("EndedAt", INSTANT, "UTC", required=True),
        Column("QueryHash", pl.String, "SHA-256 of what was asked, first 32 digits"),
        *provenance(),
    ),
)

QUARANTINE = Contract(
    layer="ops",
    table="Quarantine",
    meaning="Records that break their contract, whole, each with the rule it broke.",
    grain=("TenantId", "Source", "Table", "Raw"),
    columns=(
        tenant(),
        Column("Source", pl.String, "`graph` or `hunting`", required=True),
        Column("Table", pl.String, "The table it was meant for", required=True),
        Column("Rule", pl.String, "The rule or rules it broke", required=True),
        Column("Detail", pl.String, "The value that broke it"),
        Column("Raw", pl.String, "The record as JSON text", required=True),
        *provenance(),
    ),
)
