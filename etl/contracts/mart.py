"""Contracts of the mart layer: alerts tied to telemetry, or why not, and the verdict on each."""

from typing import Final

import pandera.polars as pa
import polars as pl

from etl.contracts.contract import INSTANT, Column, Contract, Type, filled, provenance, tenant
from etl.contracts.ops import STATUSES

PROCESS_TIERS: Final = ("exact", "precision", "tolerance")
"""Tiers of a match by process key."""

TIERS: Final = (*PROCESS_TIERS, "pivot")
PIVOTS: Final = (
    "sha256",
    "sha1",
    "path",
    "command_line",
    "name",
    "ip",
    "url",
    "registry_value",
    "registry_key",
    "account",
    "device",
)
"""What evidence without a process key is matched by."""

REASONS: Final = (
    "no_usable_key",
    "ambiguous",
    "not_landed_yet",
    "outside_retention",
    "device_silent",
    "incomplete_pull",
    "no_match",
)
VERDICTS: Final = ("corroborated", "partly_corroborated", "uncorroborated", "pending")
HUNTS: Final = (
    "process",
    "file",
    "ip",
    "url",
    "registry_key",
    "registry_value",
    "account",
    "device",
    "ancestors",
    "descendants",
)
"""What is hunted for: evidence of a kind, or relatives of processes that were found."""

REACHES: Final = ("key", "near", "wide")
"""How far a hunt goes: by process key at any time, around the alert's activity, or wider."""

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

ALERT_ID: Final = Column("AlertId", pl.String, "core.Alerts", required=True)
ALERT: Final = (
    Column("Title", pl.String, "Of the alert"),
    Column("Severity", pl.String, "Of the alert"),
    Column("Status", pl.String, "Of the alert"),
    Column("CreatedTime", INSTANT, "Of the alert, UTC", required=True),
)
"""What every mart tells of the alert."""

_EVIDENCE: Final = (
    tenant(),
    ALERT_ID,
    Column("EvidenceId", pl.String, "core.AlertEvidence", required=True),
    *ALERT,
    Column("EvidenceType", pl.String, "Of the evidence", required=True),
    Column("EntityType", pl.String, "Of the evidence"),
)
_PIVOT: Final = Column(
    "PivotKind",
    pl.String,
    f"What a pivot goes by: {', '.join(PIVOTS)}",
    checks=(pa.Check.isin(PIVOTS, error="a known pivot"),),
)

CORRELATED_ALERTS: Final = Contract(
    layer="mart",
    table="CorrelatedAlerts",
    meaning="Every telemetry event that belongs to an alert's evidence, and how it was matched.",
    grain=("TenantId", "AlertId", "EvidenceId", "EventTable", "EventId"),
    columns=(
        *_EVIDENCE,
        Column(
            "MatchTier", pl.String, ", ".join(TIERS), required=True,
            checks=(pa.Check.isin(TIERS, error="a known tier"),),
        ),
        _PIVOT,
        Column(
            "MatchRole", pl.String, "subject or initiator", required=True,
            checks=(pa.Check.isin(("subject", "initiator"), error="a known role"),),
        ),
        Column("TimeDeltaTicks", pl.Int64, "Event less evidence, creation times; null for a pivot"),
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
        _PIVOT,
        Column("MatchedProcessCreationTicks", pl.Int64, "Of the process instance found"),
        Column("Candidates", pl.Int64, "Process instances that came into question", required=True),
        Column("Events", pl.Int64, "Rows in CorrelatedAlerts", required=True),
        Column(
            "Reason", pl.String, "Why the tier is none",
            checks=(pa.Check.isin(REASONS, error="a known reason"),),
        ),
        Column(
            "Because", pl.String, "What the match or the reason rests on, one line", required=True,
            checks=(filled(),),
        ),
        *provenance(),
    ),
)  # fmt: skip

ALERT_VALIDATION: Final = Contract(
    layer="mart",
    table="AlertValidation",
    meaning="Every alert: whether telemetry supports it, in one word and one line, and the counts.",
    grain=("TenantId", "AlertId"),
    columns=(
        tenant(),
        ALERT_ID,
        *ALERT,
        Column(
            "Verdict", pl.String, ", ".join(VERDICTS), required=True,
            checks=(pa.Check.isin(VERDICTS, error="a known verdict"),),
        ),
        Column(
            "Because", pl.String, "The verdict's reason, one line", required=True,
            checks=(filled(),),
        ),
        Column("Evidence", pl.Int64, "Items of evidence", required=True),
        Column("Processes", pl.Int64, "Those with a usable process key", required=True),
        Column("Matched", pl.Int64, "Those matched by their process key", required=True),
        Column("Pivoted", pl.Int64, "Those matched by a pivot", required=True),
        Column("Ambiguous", pl.Int64, "Those that could be either of several", required=True),
        Column("Open", pl.Int64, "Those whose telemetry is not complete yet", required=True),
        Column("Missed", pl.Int64, "Those looked for in vain", required=True),
        Column("Unkeyed", pl.Int64, "Those that nothing can be looked for by", required=True),
        Column("Events", pl.Int64, "Rows in CorrelatedAlerts", required=True),
        *provenance(),
    ),
)  # fmt: skip

ALERT_HUNTS: Final = Contract(
    layer="mart",
    table="AlertHunts",
    meaning="Every hunt for what the pull around the alerts did not bring: its query and its rows.",
    grain=("TenantId", "AlertId", "EvidenceId", "HuntId"),
    columns=(
        tenant(),
        ALERT_ID,
        Column("EvidenceId", pl.String, "core.AlertEvidence; null for relatives of processes"),
        Column("HuntId", pl.String, "SHA-256 of Query, first 32 digits", required=True),
        Column(
            "Kind", pl.String, ", ".join(HUNTS), required=True,
            checks=(pa.Check.isin(HUNTS, error="a known kind"),),
        ),
        Column(
            "Reach", pl.String, ", ".join(REACHES), required=True,
            checks=(pa.Check.isin(REACHES, error="a known reach"),),
        ),
        Column("WindowStart", INSTANT, "First instant asked for, UTC", required=True),
        Column("WindowEnd", INSTANT, "First instant after it, UTC", required=True),
        Column("Query", pl.String, "The KQL to paste", required=True, checks=(filled(),)),
        Column("PortalUrl", pl.String, "Opens the query in the portal"),
        Column("RanAs", pl.String, "QueryHash in ops.ExtractionLedger of the query it ran in"),
        Column(
            "Status", pl.String, ", ".join(STATUSES), required=True,
            checks=(pa.Check.isin(STATUSES, error="a known status"),),
        ),
        Column("Rows", pl.Int64, "Rows that answer it", required=True),
        Column("HuntedAt", INSTANT, "UTC", required=True),
        *provenance(),
    ),
)  # fmt: skip
