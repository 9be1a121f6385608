"""Graph alerts as rows of the standard model: versions, newest states and their devices.

The evidence items are read by `etl.normalise.evidence`.
"""

import json
from collections.abc import Iterable

import polars as pl

from etl import ticks
from etl.contracts.core import ALERT_VERSIONS, ALERTS
from etl.normalise.vocabulary import DETECTION_SOURCES, SERVICE_SOURCES, pascal
from etl.values import Record, part, text, texts

_INSTANTS = {
    "CreatedTime": "createdDateTime",
    "FirstActivityTime": "firstActivityDateTime",
    "LastActivityTime": "lastActivityDateTime",
    "LastUpdateTime": "lastUpdateDateTime",
    "ResolvedTime": "resolvedDateTime",
}


def versions(raw: pl.DataFrame) -> pl.DataFrame:
    """Read raw alerts as states of alerts, in the raw rows' order.

    `raw` is of contract raw/Alerts; the result of core/AlertVersions, not yet judged.
    """
    rows = [_state(row["Record"]) for row in raw.iter_rows(named=True)]
    texts_only = dict.fromkeys(_INSTANTS, pl.String)
    types = {
        name: kind for name, kind in ALERT_VERSIONS.types.items() if name not in _GIVEN
    } | texts_only
    states = pl.DataFrame(rows, schema=types, orient="row")
    given = raw.select(
        "TenantId",
        "ContentHash",
        "IngestedAt",
        "SourceRequestId",
        Raw="Record",
        SeenAt="IngestedAt",
    )
    return (
        pl.concat([states, given], how="horizontal")
        .with_columns(LastUpdateTicks=_ticks("LastUpdateTime"))
        .with_columns(ticks.instant(_ticks(name)).alias(name) for name in _INSTANTS)
        .select(*ALERT_VERSIONS.types)
    )


_GIVEN = {
    "TenantId", "ContentHash", "IngestedAt", "SourceRequestId", "Raw", "SeenAt", "LastUpdateTicks",
}  # fmt: skip


def newest(states: pl.DataFrame) -> pl.DataFrame:
    """Return the newest of each alert's states, by last update, then by when it was seen."""
    return (
        states.sort("LastUpdateTicks", "SeenAt", "ContentHash", descending=True, nulls_last=True)
        .unique(["TenantId", "AlertId"], keep="first", maintain_order=True)
        .sort("AlertId")
    )


def alerts(states: pl.DataFrame) -> pl.DataFrame:
    """Return newest states as core/Alerts."""
    return states.select(*ALERTS.types)


def parsed(states: pl.DataFrame) -> Iterable[tuple[Record, Record]]:
    """Yield each state's row and its parsed record."""
    for row in states.iter_rows(named=True):
        yield row, part(json.loads(row["Raw"]))


def _ticks(name: str) -> pl.Expr:
    return ticks.without_sentinels(ticks.parse(pl.col(name)))


def _state(record_text: str) -> Record:
    record = part(json.loads(record_text))
    service, detection = text(record.get("serviceSource")), text(record.get("detectionSource"))
    categories = texts(record.get("categories")) or texts(record.get("category"))
    return {
        "AlertId": text(record.get("id")),
        "ProviderAlertId": text(record.get("providerAlertId")),
        "IncidentId": text(record.get("incidentId")),
        "Title": text(record.get("title")),
        "Description": text(record.get("description")),
        "Severity": pascal(text(record.get("severity"))),
        "Status": pascal(text(record.get("status"))),
        "Classification": pascal(text(record.get("classification"))),
        "Determination": pascal(text(record.get("determination"))),
        "Categories": categories,
        "ServiceSource": SERVICE_SOURCES.get(service or "", service),
        "DetectionSource": DETECTION_SOURCES.get(detection or "", detection),
        "DetectorId": text(record.get("detectorId")),
        "AttackTechniques": texts(record.get("mitreTechniques")),
        "ThreatFamilyName": text(record.get("threatFamilyName")),
        "ThreatDisplayName": text(record.get("threatDisplayName")),
        "AssignedTo": text(record.get("assignedTo")),
        "AlertUrl": text(record.get("alertWebUrl")),
        "IncidentUrl": text(record.get("incidentWebUrl")),
        "AlertSource": "graph",
        **{name: text(record.get(field)) for name, field in _INSTANTS.items()},
    }
