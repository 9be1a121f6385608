"""Alerts written by hand, as Graph sends them, and the pipeline's reading of them."""

import json
from datetime import UTC, datetime
from typing import Any

import polars as pl

from etl.contracts import raw
from etl.normalise import alerts, evidence
from etl.values import digest

NOW = datetime(2026, 1, 2, tzinfo=UTC)
AT = "2026-01-02T03:04:05.1234567Z"
PREFIX = "#microsoft.graph.security."

Record = dict[str, Any]


def alert(*items: object, **fields: object) -> Record:
    """Return an alert as Graph writes it."""
    return {
        "id": "da1", "title": "Title", "severity": "high", "status": "inProgress",
        "serviceSource": "microsoftDefenderForEndpoint", "createdDateTime": AT,
        "lastUpdateDateTime": "2026-01-03T00:00:00Z", "evidence": list(items), **fields,
    }  # fmt: skip


def item(kind: str, **fields: object) -> Record:
    """Return an evidence item."""
    return {
        "@odata.type": f"{PREFIX}{kind}", "createdDateTime": AT, "verdict": "suspicious",
        "remediationStatus": "none", "roles": ["compromised"], **fields,
    }  # fmt: skip


def process(**fields: object) -> Record:
    """Return process evidence."""
    key = {"processId": 7, "processCreationDateTime": AT, "mdeDeviceId": "abc"}
    return item("processEvidence", imageFile={"fileName": "x.exe"}) | key | fields


def versions(*records: object, seen: datetime = NOW) -> pl.DataFrame:
    """Read alerts as versions."""
    return alerts.versions(
        raw.ALERTS.frame(
            [
                {
                    "TenantId": "t",
                    "ContentHash": digest(record),
                    "AlertSource": "graph",
                    "Record": json.dumps(record),
                    "IngestedAt": seen,
                    "SourceRequestId": "r",
                }
                for record in records
            ]
        )
    )


def read(*records: object) -> evidence.Evidence:
    """Read the evidence of alerts, with its account."""
    return evidence.evidence(list(alerts.parsed(versions(*records))))


def evidence_of(*records: object) -> pl.DataFrame:
    """Read the evidence of alerts."""
    return read(*records).rows


def devices_of(*records: object) -> pl.DataFrame:
    """Read the devices of alerts."""
    return evidence.devices(list(alerts.parsed(versions(*records))))


def own(row: Record) -> Record:
    """Return what a row of evidence has beyond what every item has."""
    common = {
        "TenantId", "AlertId", "EvidenceId", "ParentEvidenceId", "Timestamp", "Title",
        "Categories", "ServiceSource", "AttackTechniques", "Severity", "Verdict",
        "RemediationStatus", "Roles", "Raw", "IngestedAt", "SourceRequestId",
    }  # fmt: skip
    return {name: value for name, value in row.items() if name not in common and value is not None}
