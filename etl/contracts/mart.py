"""Contracts of the mart layer: alerts tied to telemetry, and why where they are not."""

from typing import Final

import pandera.polars as pa
import polars as pl

from etl.contracts.contract import INSTANT, Column, Contract, Type, provenance, tenant

TIERS: Final = ("exact", "precision", "tolerance")
REASONS: Final = (
    "no_usable_key",
    "ambiguous",
    "not_landed_yet",
    "outside_retention",
    "device_silent",
    "incomplete_pull",
    "no_match",
)

_EVENT: Final[dict[str, Type]] = {
    "Timestamp": INSTANT,
    "ActionType": pl.String,
    "DeviceId": pl.String,
    "DeviceName": pl.String,
    "ProcessId": pl.Int64,
    "ProcessCreationTime": INSTANT,
    "ProcessCreationTicks": pl.Int64,
    "ProcessCommandLine": pl.String,
    "FileName": pl.String,
    "FolderPath": pl.String,
    "SHA1": pl.String,
    "SHA256": pl.String,
    "AccountName": pl.String,
    "AccountSid": pl.String,
    "InitiatingProcessId": pl.Int64,
    "InitiatingProcessCreationTime": INSTANT,
    "InitiatingProcessCreationTicks": pl.Int64,
    "InitiatingProcessFileName": pl.String,
    "InitiatingProcessCommandLine": pl.String,
    "RemoteIP": pl.String,
    "RemotePort": pl.Int64,
    "RemoteUrl": pl.String,
    "RegistryKey": pl.String,
    "RegistryValueName": pl.String,
    "RegistryValueData": pl.String,
    "ReportId": pl.Int64,
    "AdditionalFields": pl.String,
}

_EVIDENCE: Final = (
    tenant(),
    Column("AlertId", pl.String, "core.Alerts", required=True),
    Column("EvidenceId", pl.String, "core.AlertEvidence", required=True),
    Column("Title", pl.String, "Of the alert"),
    Column("Severity", pl.String, "Of the alert"),
    Column("Status", pl.String, "Of the alert"),
    Column("CreatedTime", INSTANT, "Of the alert, UTC", required=True),
    Column("EvidenceType", pl.String, "Of the evidence", required=True),
    Column("EntityType", pl.String, "Of the evidence"),
)

CORRELATED_ALERTS: Final = Contract(
    layer="mart",
    table="CorrelatedAlerts",
    meaning="Every telemetry event that belongs to an alert's evidence, and how it was matched.",
    grain=("TenantId", "AlertId", "EvidenceId", "EventTable", "EventId"),
    columns=(
        *_EVIDENCE,
        Column(
            "MatchTier", pl.String, "exact, precision or tolerance", required=True,
            checks=(pa.Check.isin(TIERS, error="a known tier"),),
        ),
        Column(
            "MatchRole", pl.String, "subject or initiator", required=True,
            checks=(pa.Check.isin(("subject", "initiator"), error="a known role"),),
        ),
        Column("TimeDeltaTicks", pl.Int64, "Event less evidence, creation times", required=True),
        Column("EventTable", pl.String, "Hunting table of the event", required=True),
        Column("EventId", pl.String, "Event in that table", required=True),
        *[Column(name, kind, "Of the event") for name, kind in _EVENT.items()],
        *provenance(),
    ),
)  # fmt: skip

ALERT_CORRELATION: Final = Contract(
    layer="mart",
    table="AlertCorrelation",
    meaning="Every evidence item, matched or not, and why not.",
    grain=("TenantId", "AlertId", "EvidenceId"),
    columns=(
        *_EVIDENCE,
        Column("DeviceId", pl.String, "Device of the match, else of the evidence"),
        Column("ProcessId", pl.Int64, "Of the evidence"),
        Column("ProcessCreationTicks", pl.Int64, "Of the evidence"),
        Column(
            "MatchTier", pl.String, "The tier of the match, or none", required=True,
            checks=(pa.Check.isin((*TIERS, "none"), error="a known tier"),),
        ),
        Column("MatchedProcessCreationTicks", pl.Int64, "Of the process instance found"),
        Column("Candidates", pl.Int64, "Process instances that came into question", required=True),
        Column("Events", pl.Int64, "Rows in CorrelatedAlerts", required=True),
        Column(
            "Reason", pl.String, "Why the tier is none",
            checks=(pa.Check.isin(REASONS, error="a known reason"),),
        ),
        *provenance(),
    ),
)  # fmt: skip

MART: Final = (CORRELATED_ALERTS, ALERT_CORRELATION)
