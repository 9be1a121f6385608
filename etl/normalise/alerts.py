"""Alerts of either source as rows of the standard model: each state that was seen.

The evidence items are read by `etl.normalise.evidence`.
"""

import json
from collections.abc import Iterable

import polars as pl

from etl import ticks
from etl.contracts.core import ALERT_VERSIONS
from etl.normalise import mde
from etl.normalise.vocabulary import DETECTION_SOURCES, SERVICE_SOURCES, judgement, pascal
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
    rows = [_state(row["AlertSource"], row["Record"]) for row in raw.iter_rows(named=True)]
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


def parsed(states: pl.DataFrame) -> Iterable[tuple[Record, Record]]:
    """Yield each state's row and its record in the shape of a Graph alert."""
    for row in states.iter_rows(named=True):
        yield row, shaped(row["AlertSource"], row["Raw"])


def as_sent(states: pl.DataFrame) -> Iterable[tuple[Record, Record]]:
    """Yield each state's row and its record in its source's own shape."""
    for row in states.iter_rows(named=True):
        yield row, part(json.loads(row["Raw"]))


def _ticks(name: str) -> pl.Expr:
    return ticks.without_sentinels(ticks.parse(pl.col(name)))


def shaped(source: str, record_text: str) -> Record:
    """Parse a record as sent and return it in the shape of a Graph alert, whatever its source."""
    record = part(json.loads(record_text))
    return mde.graph_shaped(record) if source == mde.SOURCE else record


def _state(source: str, record_text: str) -> Record:
    record = shaped(source, record_text)
    service, detection = text(record.get("serviceSource")), text(record.get("detectionSource"))
    categories = texts(record.get("categories")) or texts(record.get("category"))
    return {
        "AlertId": text(record.get("id")),
        "ProviderAlertId": text(record.get("providerAlertId")),
        "IncidentId": text(record.get("incidentId")),
        "Title": text(record.get("title")),
        "Description": text(record.get("description")),
        "Severity": judgement(text(record.get("severity"))),
        "Status": pascal(text(record.get("status"))),
        "Classification": judgement(text(record.get("classification"))),
        "Determination": judgement(text(record.get("determination"))),
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
        "AlertSource": source,
        **{name: text(record.get(field)) for name, field in _INSTANTS.items()},
    }
