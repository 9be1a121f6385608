"""Alerts: the bodies that Graph returns, built from what an attack left behind.

The items of evidence are built in `evidence`; which attacks there are is decided by `attacks`.
"""

from dataclasses import dataclass
from random import Random

from etl.sandbox import moments
from etl.sandbox.evidence import Item
from etl.sandbox.stories import Story

Alert = dict[str, object]

_PORTAL = "https://security.microsoft.com"
_SERVICES = {
    "da": ("microsoftDefenderForEndpoint", "microsoftDefenderForEndpoint",
           "Microsoft Defender for Endpoint"),
    "ed": ("microsoft365Defender", "customDetection", "Microsoft Defender XDR"),
    "ca": ("microsoftDefenderForCloudApps", "cloudAppSecurity",
           "Microsoft Defender for Cloud Apps"),
    "sn": ("microsoftSentinel", "scheduledAlerts", "Microsoft Sentinel"),
}  # fmt: skip
_OUTCOMES = (
    ("new", None, None), ("new", None, None), ("inProgress", None, None),
    ("resolved", "truePositive", "malware"), ("resolved", "falsePositive", "notMalicious"),
    ("resolved", "informationalExpectedActivity", "securityTesting"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Incident:
    """When an attack was seen, in ticks, and the kind of id that its alert gets."""

    first: int
    last: int
    prefix: str = "da"


def body(
    random: Random, tenant: str, *, story: Story, incident: Incident, evidence: list[Item]
) -> Alert:
    """Build an alert with every property that Graph documents."""
    created = incident.last + random.randrange(moments.MINUTE, 40 * moments.MINUTE)
    midnight = created - created % moments.DAY + moments.DAY
    updated = min(created + random.randrange(0, 5 * moments.HOUR), midnight - moments.MINUTE)
    updated -= updated % 33_333
    detected = created - random.randrange(moments.SECOND)
    identity = f"{incident.prefix}{detected}_{random.randrange(-(2**31), 2**31)}"
    number = str(random.randrange(1000, 9999))
    return {
        "id": identity,
        "providerAlertId": identity,
        "incidentId": number,
        "tenantId": tenant,
        "alertWebUrl": f"{_PORTAL}/alerts/{identity}?tid={tenant}",
        "incidentWebUrl": f"{_PORTAL}/incidents/{number}?tid={tenant}",
        "firstActivityDateTime": moments.text(incident.first, 3),
        "lastActivityDateTime": moments.text(incident.last, 3),
        "createdDateTime": moments.text(created),
        "lastUpdateDateTime": moments.text(max(updated, created)),
        **_wording(random, story),
        **_service(incident.prefix),
        **_handling(random, max(updated, created)),
        "evidence": evidence,
    }


def _wording(random: Random, story: Story) -> Alert:
    return {
        "title": story.title,
        "description": f"{story.title} was seen on a device of the tenant.",
        "recommendedActions": "Collect artefacts and isolate the device.",
        "category": story.category,
        "categories": [story.category] if random.random() < 0.8 else [story.category, "Malware"],  # noqa: PLR2004
        "severity": story.severity,
        "mitreTechniques": [story.technique] if story.technique else [],
        "threatDisplayName": None,
        "threatFamilyName": None,
        "actorDisplayName": None,
        "additionalData": None,
        "customDetails": {},
        "systemTags": [],
        "alertPolicyId": None,
    }


def _service(prefix: str) -> Alert:
    service, detection, product = _SERVICES[prefix]
    return {
        "serviceSource": service,
        "detectionSource": detection,
        "productName": product,
        "detectorId": "7f1c3609-a3ff-40e2-995b-c01770161d68",
    }


def _handling(random: Random, updated: int) -> Alert:
    status, classification, determination = random.choice(_OUTCOMES)
    comment = {
        "@odata.type": "#microsoft.graph.security.alertComment",
        "comment": "Looked at it,\r\nclosed.",
        "createdByDisplayName": "ada.brook@contoso.example",
        "createdDateTime": moments.text(updated),
    }
    resolved = status == "resolved"
    return {
        "status": status,
        "classification": classification,
        "determination": determination,
        "assignedTo": "ada.brook@contoso.example" if status != "new" else None,
        "investigationState": random.choice(("unsupportedAlertType", "queued", "running")),
        "resolvedDateTime": moments.text(updated) if resolved else None,
        "comments": [comment] if resolved else [],
    }


def tie(random: Random, alerts: list[Alert], day: int) -> None:
    """Let a few alerts of a day, given by its first tick, share one update time near its end."""
    shared = moments.text(day + moments.DAY - 3 * moments.MINUTE + 6_666_667)
    for alert in random.sample(alerts, min(3, len(alerts))):
        alert["lastUpdateDateTime"] = shared
