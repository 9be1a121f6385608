"""MDE alerts: the alerts of a tenant as Defender for Endpoint's own API spells them.

Made of the same records as Graph's, so that an alert means the same in both. The routes are in
`mde`; machines are described in `mde_machines`.
"""

import zlib
from collections.abc import Iterator
from typing import Any

from etl.sandbox.alerts import Alert
from etl.sandbox.evidence import Item

_OURS = ("da", "ed")
"""How the ids of alerts begin that this API has: its own, and those of custom detections."""

_SOURCES = {
    "microsoftDefenderForEndpoint": "WindowsDefenderAtp",
    "antivirus": "WindowsDefenderAv",
    "customDetection": "CustomDetection",
    "customTi": "CustomerTI",
}
_SEVERITIES = {"unknown": "UnSpecified"}
_DETERMINATIONS = {
    "compromisedAccount": "CompromisedUser",
    "confirmedActivity": "ConfirmedUserActivity",
    "notMalicious": "Clean",
    "notEnoughDataToValidate": "InsufficientData",
}
_EXPECTED = ("InformationalExpectedActivity", "Informational, expected activity")
_KINDS = {
    "processEvidence": "Process",
    "fileEvidence": "File",
    "userEvidence": "User",
    "ipEvidence": "Ip",
    "urlEvidence": "Url",
    "registryKeyEvidence": "Registry",
    "registryValueEvidence": "Registry",
}
_KEYS = (
    "entityType", "evidenceCreationTime", "sha1", "sha256", "fileName", "filePath", "processId",
    "processCommandLine", "processCreationTime", "parentProcessId", "parentProcessCreationTime",
    "parentProcessFileName", "parentProcessFilePath", "ipAddress", "url", "registryKey",
    "registryHive", "registryValueType", "registryValue", "accountName", "domainName", "userSid",
    "aadUserId", "userPrincipalName", "detectionStatus",
)  # fmt: skip
_SECONDS = len("2026-11-20T10:00:00")
_DIGITS = 7
_WAYS = 7
"""One instant in so many is printed with an offset, and one with all its digits."""


def has(alert: Alert) -> bool:
    """Return whether this API has an alert of Graph's."""
    return str(alert.get("id")).startswith(_OURS)


def summary(alert: Alert) -> Alert:
    """Return an alert of Graph's in this API's shape, without its evidence."""
    items = _listed(alert.get("evidence"))
    device = next((one for one in items if _kind(one) == "deviceEvidence"), {})
    named = (one.get("mdeDeviceId") for one in (device, *items))
    account = next((_part(one, "userAccount") for one in items if _kind(one) == "userEvidence"), {})
    incident = alert.get("incidentId")
    return {
        "id": alert["id"],
        "incidentId": int(str(incident)) if str(incident).isdecimal() else None,
        "investigationId": None,
        "investigationState": _pascal(alert.get("investigationState")),
        "assignedTo": alert.get("assignedTo"),
        "severity": _SEVERITIES.get(str(alert.get("severity")), _pascal(alert.get("severity"))),
        "status": _pascal(alert.get("status")),
        **_judgement(alert),
        "detectionSource": _SOURCES.get(
            str(alert.get("detectionSource")), _pascal(alert.get("detectionSource"))
        ),
        "detectorId": alert.get("detectorId"),
        "category": alert.get("category"),
        "threatFamilyName": alert.get("threatFamilyName"),
        "threatName": alert.get("threatDisplayName"),
        "title": alert.get("title"),
        "description": alert.get("description"),
        "alertCreationTime": alert.get("createdDateTime"),
        "firstEventTime": alert.get("firstActivityDateTime"),
        "lastEventTime": alert.get("lastActivityDateTime"),
        "lastUpdateTime": alert.get("lastUpdateDateTime"),
        "resolvedTime": alert.get("resolvedDateTime"),
        "machineId": next(filter(None, named), None),
        "computerDnsName": device.get("deviceDnsName"),
        "rbacGroupName": device.get("rbacGroupName"),
        "aadTenantId": alert.get("tenantId"),
        "mitreTechniques": alert.get("mitreTechniques"),
        "relatedUser": {"userName": account.get("accountName"),
                        "domainName": account.get("domainName")} if account else None,
        "comments": [_comment(one) for one in _listed(alert.get("comments"))],
        "evidence": [],
    }  # fmt: skip


def _judgement(alert: Alert) -> Alert:
    """Return classification and determination; one of them is printed in two ways."""
    classification, determination = alert.get("classification"), alert.get("determination")
    judged = _pascal(classification)
    if classification == "informationalExpectedActivity":
        judged = _EXPECTED[_draw(str(alert["id"]), 2)]
    return {
        "classification": None if classification == "unknown" else judged,
        "determination": None
        if determination == "unknown"
        else _DETERMINATIONS.get(str(determination), _pascal(determination)),
    }


def _comment(comment: Item) -> Item:
    return {
        "comment": comment.get("comment"),
        "createdBy": comment.get("createdByDisplayName"),
        "createdTime": comment.get("createdDateTime"),
    }


def evidence(alert: Alert) -> Iterator[Item]:
    """Yield the items of an alert that this API has, every one of them with every key."""
    for index, item in enumerate(_listed(alert.get("evidence"))):
        if _kind(item) not in _KINDS:
            continue
        found = _file(item) | _account(item) | _parent(item)
        found |= {name: item[name] for name in _KEYS if name in item}
        draw = _draw(f"{alert['id']} {index}", _WAYS)
        found |= {
            "entityType": _KINDS[_kind(item)],
            "evidenceCreationTime": item.get("createdDateTime"),
            "processCreationTime": _spelt(item.get("processCreationDateTime"), draw),
            "parentProcessCreationTime": _spelt(item.get("parentProcessCreationDateTime"), draw),
            "detectionStatus": _pascal(item.get("detectionStatus")),
        }
        yield {name: found.get(name) for name in _KEYS}


def _file(item: Item) -> Item:
    details = _part(item, "fileDetails") or _part(item, "imageFile")
    return {name: details.get(name) for name in ("fileName", "filePath", "sha1", "sha256")}


def _parent(item: Item) -> Item:
    image = _part(item, "parentProcessImageFile")
    return {
        "parentProcessFileName": image.get("fileName"),
        "parentProcessFilePath": image.get("filePath"),
    }


def _account(item: Item) -> Item:
    account = _part(item, "userAccount")
    same = ("accountName", "domainName", "userSid", "userPrincipalName")
    return {"aadUserId": account.get("azureAdUserId")} | {name: account.get(name) for name in same}


def _spelt(instant: object, draw: int) -> object:
    """Print an instant as it is, now and then with its zeros or with an offset of nought."""
    if not isinstance(instant, str) or not instant.endswith("Z") or draw not in (0, 1):
        return instant
    if draw == 0:
        return f"{instant[:-1]}+00:00"
    fraction = instant[_SECONDS:-1].removeprefix(".").ljust(_DIGITS, "0")
    return f"{instant[:_SECONDS]}.{fraction}Z"


def _draw(text: str, sides: int) -> int:
    """Return a number below `sides`, always the same for the same text."""
    return zlib.crc32(text.encode()) % sides


def _kind(item: Item) -> str:
    return str(item.get("@odata.type")).rpartition(".")[2]


def _pascal(word: object) -> str | None:
    text = None if word is None else str(word)
    return text[:1].upper() + text[1:] if text else text


def _part(item: Item, name: str) -> Item:
    found = item.get(name)
    return found if isinstance(found, dict) else {}


def _listed(value: Any) -> list[Item]:  # noqa: ANN401 - tests put anything there
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
