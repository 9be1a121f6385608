"""Alerts of Defender for Endpoint's own API in the shape of Graph's, so that one reader does both.

What the API spells or nests in another way is translated; what it does not have stays absent, never
guessed. Items of evidence are translated by `etl.normalise.mde_evidence`. What the shape means
belongs to `etl.normalise.alerts` and `etl.normalise.evidence`.
https://learn.microsoft.com/defender-endpoint/api/alerts
"""

from typing import Final

from etl.normalise.mde_evidence import translated
from etl.normalise.spelling import camel, listed_in, member
from etl.normalise.vocabulary import DETECTION_SOURCES
from etl.values import Record, part, text, texts

SOURCE: Final = "mde"
"""The word that raw alerts have for this API."""

_PORTAL: Final = "https://security.microsoft.com"
_CUSTOM: Final = "ed"
"""How the ids of alerts begin that a customer's own detection raised."""

_DETECTION: Final = {
    "WindowsDefenderAtp": "microsoftDefenderForEndpoint",
    "WindowsDefenderAv": "antivirus",
    "CustomerTI": "customTi",
}
_INSTANTS: Final = {
    "createdDateTime": "alertCreationTime",
    "firstActivityDateTime": "firstEventTime",
    "lastActivityDateTime": "lastEventTime",
    "lastUpdateDateTime": "lastUpdateTime",
    "resolvedDateTime": "resolvedTime",
}
_SAME: Final = (
    "id", "title", "description", "assignedTo", "detectorId", "category", "mitreTechniques",
    "threatFamilyName",
)  # fmt: skip


def graph_shaped(record: Record) -> Record:
    """Return an alert of Defender for Endpoint, with what was fetched for it, as Graph has it."""
    identity, tenant = text(record.get("id")), text(record.get("aadTenantId"))
    incident = text(record.get("incidentId"))
    return {
        **{name: record.get(name) for name in _SAME},
        **{ours: record.get(theirs) for ours, theirs in _INSTANTS.items()},
        **_sources(record),
        "providerAlertId": identity,
        "incidentId": incident,
        "tenantId": tenant,
        "severity": member(record.get("severity")),
        "status": member(record.get("status")),
        "classification": member(record.get("classification")),
        "determination": member(record.get("determination")),
        "investigationState": member(record.get("investigationState")),
        "categories": texts(record.get("category")),
        "threatDisplayName": record.get("threatName"),
        "alertWebUrl": _page("alerts", identity, tenant),
        "incidentWebUrl": _page("incidents", incident, tenant),
        "comments": [_comment(comment) for comment in listed_in(record.get("comments"))],
        "evidence": list(translated(record)),
    }


def _sources(record: Record) -> Record:
    """Return the product and its technology: the API has one word for both, Graph has two."""
    if (text(record.get("id")) or "").startswith(_CUSTOM):
        return {"serviceSource": "microsoft365Defender", "detectionSource": "customDetection"}
    sent = text(record.get("detectionSource"))
    known = camel(sent) if sent and camel(sent) in DETECTION_SOURCES else sent
    return {
        "serviceSource": "microsoftDefenderForEndpoint",
        "detectionSource": _DETECTION.get(sent or "", known),
    }


def _page(kind: str, identity: str | None, tenant: str | None) -> str | None:
    return f"{_PORTAL}/{kind}/{identity}?tid={tenant}" if identity and tenant else None


def _comment(sent: object) -> Record:
    comment = part(sent)
    return {
        "comment": comment.get("comment"),
        "createdByDisplayName": comment.get("createdBy"),
        "createdDateTime": comment.get("createdTime"),
    }
