"""Contracts of the ops layer: what was asked of the service, and what was turned away."""

import pandera.polars as pa
import polars as pl

from etl.contracts.contract import INSTANT, Column, Contract, filled, provenance, tenant

STATUSES = ("complete", "truncated", "failed", "partial")
MISSING = ("quarantined", "other_day", "not_listed", "not_in_api", "not_asked")
"""Why an alert is not in the lake: it broke its contract; it was created on a day that was not
pulled; the API has it, but did not list it; the API says there is no such alert; or it was one of
too many to ask the API for by name."""

LEDGER = Contract(
    layer="ops",
    table="ExtractionLedger",
    meaning="What was asked of the service for a day, window by window, and how it ended.",
    grain=("TenantId", "Source", "Table", "WindowStart", "WindowEnd", "Slice"),
    columns=(
        tenant(),
        Column("Source", pl.String, "`graph` or `mde` for alerts, else `hunting`", required=True),
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
        Column("UpdatedThrough", INSTANT, "For alerts: the newest update that was seen, UTC"),
        *provenance(),
    ),
)

QUERIES = Contract(
    layer="ops",
    table="HuntingQueries",
    meaning="Every hunting query that ran for a day, to the letter, and where to run it again.",
    grain=("TenantId", "QueryHash"),
    columns=(
        tenant(),
        Column("QueryHash", pl.String, "As in ExtractionLedger", required=True),
        Column("Query", pl.String, "The KQL that ran", required=True),
        Column("PortalUrl", pl.String, "Opens the query in the Defender portal", required=True),
        *provenance(),
    ),
    copies="IngestedAt, Day",
)

DEVICE_HOURS = Contract(
    layer="ops",
    table="DeviceHours",
    meaning="How many events each table held of a device in an hour around a day's alerts, "
    "by the last count, and how many were pulled.",
    grain=("TenantId", "Table", "DeviceId", "Hour"),
    columns=(
        tenant(),
        Column("Table", pl.String, "Hunting table", required=True),
        Column("DeviceId", pl.String, "Device, lower-cased", required=True, checks=(filled(),)),
        Column("Hour", INSTANT, "First instant of the hour, UTC", required=True),
        Column("Events", pl.Int64, "By the last count", required=True),
        Column("Pulled", pl.Int64, "How many of them the lake has", required=True),
        *provenance(),
    ),
    copies="IngestedAt desc, Day",
)

WATERMARKS = Contract(
    layer="ops",
    table="Watermarks",
    meaning="How far a window of alerts is published, marts included: the next pull starts there.",
    grain=("TenantId", "Source", "WindowStart", "WindowEnd"),
    columns=(
        tenant(),
        Column("Source", pl.String, "`graph` or `mde`", required=True),
        Column("WindowStart", INSTANT, "First instant of creation, UTC", required=True),
        Column("WindowEnd", INSTANT, "First instant after the window, UTC", required=True),
        Column(
            "UpdatedThrough",
            INSTANT,
            "Every state with a last update up to here is published, UTC; null without alerts",
        ),
        Column(
            "PulledAt",
            INSTANT,
            "Every pull of the window that ended up to here is published, UTC",
            required=True,
        ),
        *provenance(),
    ),
)

RECONCILIATION = Contract(
    layer="ops",
    table="AlertReconciliation",
    meaning="Which alerts the API listed, hunting names and the lake holds, and what is missing.",
    grain=("TenantId", "AlertId"),
    columns=(
        tenant(),
        Column("AlertId", pl.String, "The alert's id", required=True, checks=(filled(),)),
        Column("Title", pl.String, "As far as any of the three knows it"),
        Column("Timestamp", INSTANT, "Of hunting's AlertInfo, UTC"),
        Column("InApi", pl.Boolean, "The alerts API listed it", required=True),
        Column("InHunting", pl.Boolean, "AlertInfo names it", required=True),
        Column("InLake", pl.Boolean, "core.Alerts has it", required=True),
        Column(
            "Missing",
            pl.String,
            f"Why it is not in the lake: {', '.join(MISSING)}",
            checks=(pa.Check.isin(MISSING, error="a known reason"),),
        ),
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

DRIFT_KINDS = ("type", "field", "value", "shape", "missing")

SCHEMA_DRIFT = Contract(
    layer="ops",
    table="SchemaDrift",
    meaning="What the service sent that Microsoft's schema does not have, by name.",
    grain=("TenantId", "Source", "Table", "Name"),
    columns=(
        tenant(),
        Column("Source", pl.String, "`graph`, `mde` or `hunting`", required=True),
        Column("Table", pl.String, "Alerts, AlertEvidence or a hunting table", required=True),
        Column(
            "Kind",
            pl.String,
            "An unknown type, field (of telemetry: column) or (enumeration) value; a wrong shape; "
            "something missing",
            required=True,
            checks=(pa.Check.isin(DRIFT_KINDS, error="a known kind"),),
        ),
        Column(
            "Name",
            pl.String,
            "What it is: `lunarEvidence`, `processEvidence.field`, `alert.severity=word`, "
            "`processEvidence.processId:text`, `DeviceFileEvents.FileSize:text`; "
            "`…` for all names beyond the first hundreds",
            required=True,
            checks=(filled(),),
        ),
        Column("Example", pl.String, "The first value, cut"),
        Column("FirstSeenAt", INSTANT, "When it was first seen, UTC", required=True),
        Column("LastSeenAt", INSTANT, "When it was last seen, UTC", required=True),
        Column("Count", pl.Int64, "How many times", required=True),
        *provenance(),
    ),
)
