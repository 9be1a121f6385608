"""Contracts of the core layer: the standard alert model."""

from typing import Final

import pandera.polars as pa
import polars as pl

from etl.contracts.contract import (
    INSTANT,
    TEXTS,
    Column,
    Contract,
    Type,
    filled,
    provenance,
    tenant,
)
from etl.contracts.hunting import TABLES, TICKS

_PID: Final = pa.Check.ge(0, error="at least 0")
_ALERT_ID: Final = Column(
    "AlertId", pl.String, "The alert's id, opaque", required=True, checks=(filled(),)
)

_ALERT_COLUMNS: Final = (
    tenant(),
    _ALERT_ID,
    Column("ProviderAlertId", pl.String, "The id in the product that raised it"),
    Column("IncidentId", pl.String, "The incident it belongs to now"),
    Column("Title", pl.String, "Title"),
    Column("Description", pl.String, "Description"),
    Column("Severity", pl.String, "Informational, Low, Medium, High, or as sent"),
    Column("Status", pl.String, "New, InProgress, Resolved, or as sent"),
    Column("Classification", pl.String, "TruePositive, FalsePositive, …"),
    Column("Determination", pl.String, "Malware, Phishing, …"),
    Column("Categories", TEXTS, "Kill-chain categories"),
    Column("ServiceSource", pl.String, "The product, as hunting names it"),
    Column("DetectionSource", pl.String, "The detection technology, as hunting names it"),
    Column("DetectorId", pl.String, "The detector"),
    Column("AttackTechniques", TEXTS, "MITRE ATT&CK ids such as T1059.001"),
    Column("ThreatFamilyName", pl.String, "Threat family"),
    Column("ThreatDisplayName", pl.String, "Threat name"),
    Column("AssignedTo", pl.String, "Who works on it"),
    Column("CreatedTime", INSTANT, "Created, UTC; the partition's day", required=True),
    Column("FirstActivityTime", INSTANT, "First activity it is about, UTC"),
    Column("LastActivityTime", INSTANT, "Last activity it is about, UTC"),
    Column("LastUpdateTime", INSTANT, "Last change, UTC"),
    Column("ResolvedTime", INSTANT, "Resolved, UTC"),
    Column("AlertUrl", pl.String, "Portal page of the alert"),
    Column("IncidentUrl", pl.String, "Portal page of the incident"),
    Column("AlertSource", pl.String, "`graph` or `mde`", required=True),
)

_CONTENT_HASH: Final = Column(
    "ContentHash", pl.String, "SHA-256 of the canonical record, first 32 digits", required=True
)

ALERT_VERSIONS: Final = Contract(
    layer="core",
    table="AlertVersions",
    meaning="Every state of an alert that was ever seen.",
    grain=("TenantId", "AlertId", "LastUpdateTicks", "ContentHash"),
    columns=(
        *_ALERT_COLUMNS,
        Column("LastUpdateTicks", pl.Int64, "LastUpdateTime in ticks"),
        _CONTENT_HASH,
        Column("SeenAt", INSTANT, "When this state was first seen, UTC", required=True),
        Column("Raw", pl.String, "The alert as JSON text", required=True),
        *provenance(),
    ),
)

NEWEST_FIRST: Final = (
    "LastUpdateTicks desc nulls last, AlertSource = 'graph' desc, SeenAt desc, ContentHash"
)
"""The order of an alert's states in SQL: by last update; Graph says more than its elder; then by
when a state was seen."""

ALERTS: Final = Contract(
    layer="core",
    table="Alerts",
    meaning="The newest state of every alert.",
    grain=("TenantId", "AlertId"),
    columns=(*_ALERT_COLUMNS, _CONTENT_HASH, *provenance()),
)

_OF_HUNTING: Final[dict[str, Type]] = {
    "string": pl.String,
    "datetime": INSTANT,
    "long": pl.Int64,
    "int": pl.Int64,
}

ALERT_EVIDENCE: Final = Contract(
    layer="core",
    table="AlertEvidence",
    meaning="The evidence of every alert's newest state, one row an item.",
    grain=("TenantId", "AlertId", "EvidenceId"),
    columns=(
        tenant(),
        _ALERT_ID,
        Column("EvidenceId", pl.String, "Stable hash of what identifies the item", required=True),
        Column("ParentEvidenceId", pl.String, "The item it is nested in; null for a listed item"),
        Column("EvidenceType", pl.String, "The service's type without prefix", required=True),
        *[
            Column(name, _OF_HUNTING[kind], "As in Microsoft's AlertEvidence")
            for name, kind in TABLES["AlertEvidence"].items()
            if name != "AlertId"
        ],
        Column("MD5", pl.String, "Of the item's file"),
        Column("ProcessId", pl.Int64, "The process", checks=(_PID,)),
        Column("ProcessCreationTime", INSTANT, "UTC"),
        Column(TICKS["ProcessCreationTime"], pl.Int64, "ProcessCreationTime in ticks"),
        Column(
            "KeySource",
            pl.String,
            "Who told pid and creation time: `api`, or `hunting`; null where either is unknown",
        ),
        Column("ParentProcessId", pl.Int64, "Its parent", checks=(_PID,)),
        Column("ParentProcessCreationTime", INSTANT, "UTC"),
        Column("ParentProcessCreationTicks", pl.Int64, "ParentProcessCreationTime in ticks"),
        Column("Verdict", pl.String, "Malicious, Suspicious, …"),
        Column("RemediationStatus", pl.String, "None, Blocked, …"),
        Column("Roles", TEXTS, "Roles the item plays"),
        Column("Raw", pl.String, "The item as JSON text", required=True),
        *provenance(),
    ),
)

ALERT_DEVICES: Final = Contract(
    layer="core",
    table="AlertDevices",
    meaning="The devices that every alert names.",
    grain=("TenantId", "AlertId", "DeviceId"),
    columns=(
        tenant(),
        _ALERT_ID,
        Column(
            "DeviceId",
            pl.String,
            "Defender's device id, lower-cased",
            required=True,
            checks=(filled(),),
        ),
        Column("DeviceName", pl.String, "DNS name"),
        Column("AadDeviceId", pl.String, "Entra device id"),
        Column("OSPlatform", pl.String, "Windows11, Linux, macOS, …"),
        Column("OSVersion", pl.String, "Version text"),
        Column("OSBuild", pl.Int64, "Build number"),
        Column("PublicIP", pl.String, "Last external address"),
        *provenance(),
    ),
)

CORE: Final = (ALERT_VERSIONS, ALERTS, ALERT_EVIDENCE, ALERT_DEVICES)
