"""Evidence items as rows: every type gets its row, the known ones their columns as well.

There is no evidence id in Graph: an item's identity is a hash of what identifies it, so that it
survives a changed verdict (https://learn.microsoft.com/graph/api/resources/security-alertevidence).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import polars as pl

from etl import ticks
from etl.contracts.core import ALERT_DEVICES, ALERT_EVIDENCE
from etl.normalise.vocabulary import entity_type, pascal
from etl.values import (
    Record,
    canonical,
    digest,
    integer,
    joined,
    part,
    text,
    texts,
)

_PREFIX: Final = "#microsoft.graph.security."
_CHANGING: Final = frozenset(
    {
        "createdDateTime", "verdict", "remediationStatus", "remediationStatusDetails", "roles",
        "detailedRoles", "tags", "detectionStatus", "healthStatus", "riskScore", "onboardingStatus",
        "defenderAvStatus", "lastIpAddress", "lastExternalIpAddress", "ipInterfaces",
        "loggedOnUsers", "resourceAccessEvents", "firstSeenDateTime", "version", "osBuild",
        "rbacGroupId", "rbacGroupName",
    }
)  # fmt: skip
"""Fields that say something about an item without identifying it."""

_INSTANTS: Final = ("Timestamp", "ProcessCreationTime", "ParentProcessCreationTime")


def evidence(states: Iterable[tuple[Record, Record]]) -> pl.DataFrame:
    """Read the evidence of newest states as core/AlertEvidence, not yet judged.

    An item listed twice in one alert is one row.
    """
    rows = [_row(state, alert, item) for state, alert in states for item in items(alert)]
    types = ALERT_EVIDENCE.types | dict.fromkeys(_INSTANTS, pl.String)
    frame = pl.DataFrame(rows, schema=types, orient="row")
    parsed = {name: ticks.without_sentinels(ticks.parse(pl.col(name))) for name in _INSTANTS}
    return (
        frame.with_columns(
            ProcessCreationTicks=parsed["ProcessCreationTime"],
            ParentProcessCreationTicks=parsed["ParentProcessCreationTime"],
            **{name: ticks.instant(value) for name, value in parsed.items()},
        )
        .unique(list(ALERT_EVIDENCE.grain), keep="first", maintain_order=True)
        .sort("AlertId", "EvidenceId")
        .select(*ALERT_EVIDENCE.types)
    )


def devices(states: Iterable[tuple[Record, Record]]) -> pl.DataFrame:
    """Read the devices that newest states name as core/AlertDevices, not yet judged."""
    rows = [row for state, alert in states for row in _devices(state, alert)]
    return (
        ALERT_DEVICES.frame(rows)
        .unique(list(ALERT_DEVICES.grain), keep="first", maintain_order=True)
        .sort("AlertId", "DeviceId")
    )


def items(alert: Record) -> Iterator[Record]:
    """Yield an alert's evidence items; one object for a list is a list of one."""
    listed = alert.get("evidence")
    for item in listed if isinstance(listed, list) else [listed]:
        if isinstance(item, dict):
            yield item
        elif item is not None:
            yield {"value": item}


def type_of(item: Record) -> str:
    """Return the service's type without prefix, or `unknown`."""
    return (text(item.get("@odata.type")) or "unknown").removeprefix(_PREFIX).removeprefix("#")


def device_id(item: Record) -> str | None:
    """Return the device that an item names, lower-cased."""
    found = text(item.get("mdeDeviceId"))
    return found.strip().lower() or None if found else None


def _identity(item: Record) -> str:
    kept = {key: value for key, value in item.items() if key not in _CHANGING}
    kept["mdeDeviceId"] = device_id(item)
    return digest(kept)


def _row(state: Record, alert: Record, item: Record) -> Record:
    kind = type_of(item)
    return {
        "TenantId": state["TenantId"],
        "AlertId": state["AlertId"],
        "EvidenceId": _identity(item),
        "EvidenceType": kind,
        "EntityType": entity_type(kind),
        "Timestamp": text(item.get("createdDateTime")) or text(alert.get("createdDateTime")),
        "Title": state["Title"],
        "Categories": canonical(state["Categories"]),
        "AttackTechniques": canonical(state["AttackTechniques"]),
        "ServiceSource": state["ServiceSource"],
        "DetectionSource": state["DetectionSource"],
        "Severity": state["Severity"],
        "DeviceId": device_id(item),
        "Verdict": pascal(text(item.get("verdict"))),
        "RemediationStatus": pascal(text(item.get("remediationStatus"))),
        "Roles": texts(item.get("roles")),
        "Raw": canonical(item),
        "IngestedAt": state["IngestedAt"],
        "SourceRequestId": state["SourceRequestId"],
        **(_READERS[kind](item) if kind in _READERS else {}),
    }


def _file(details: Record) -> Record:
    return {
        "FileName": text(details.get("fileName")),
        "FolderPath": joined(details.get("filePath"), details.get("fileName")),
        "FileSize": integer(details.get("fileSize")),
        "SHA1": text(details.get("sha1")),
        "SHA256": text(details.get("sha256")),
        "MD5": text(details.get("md5")),
    }


def _account(account: Record) -> Record:
    return {
        "AccountName": text(account.get("accountName")),
        "AccountDomain": text(account.get("domainName")),
        "AccountSid": text(account.get("userSid")),
        "AccountObjectId": text(account.get("azureAdUserId")),
        "AccountUpn": text(account.get("userPrincipalName")),
    }


def _process(item: Record) -> Record:
    return {
        **_file(part(item.get("imageFile"))),
        **_account(part(item.get("userAccount"))),
        "ProcessId": integer(item.get("processId")),
        "ProcessCommandLine": text(item.get("processCommandLine")),
        "ProcessCreationTime": text(item.get("processCreationDateTime")),
        "ParentProcessId": integer(item.get("parentProcessId")),
        "ParentProcessCreationTime": text(item.get("parentProcessCreationDateTime")),
    }


def _registry(item: Record) -> Record:
    hive, key = text(item.get("registryHive")), text(item.get("registryKey"))
    return {
        "RegistryKey": "\\".join(name for name in (hive, key) if name) or None,
        "RegistryValueName": text(item.get("registryValueName")),
        "RegistryValueData": text(item.get("registryValue")),
    }


def _machine(item: Record) -> Record:
    return {"DeviceName": text(item.get("deviceDnsName")) or text(item.get("hostName"))}


_READERS: Final[dict[str, Callable[[Record], Record]]] = {
    "processEvidence": _process,
    "fileEvidence": lambda item: _file(part(item.get("fileDetails"))),
    "userEvidence": lambda item: _account(part(item.get("userAccount"))),
    "ipEvidence": lambda item: {"RemoteIP": text(item.get("ipAddress"))},
    "urlEvidence": lambda item: {"RemoteUrl": text(item.get("url"))},
    "registryKeyEvidence": _registry,
    "registryValueEvidence": _registry,
    "deviceEvidence": _machine,
}


def _devices(state: Record, alert: Record) -> Iterator[Record]:
    """Yield the devices an alert describes, then those that only its other evidence names."""
    found = [item for item in items(alert) if device_id(item)]
    for item in sorted(found, key=lambda item: type_of(item) != "deviceEvidence"):
        described = item if type_of(item) == "deviceEvidence" else {}
        yield {
            "TenantId": state["TenantId"],
            "AlertId": state["AlertId"],
            "DeviceId": device_id(item),
            **_machine(described),
            "AadDeviceId": text(described.get("azureAdDeviceId")),
            "OSPlatform": text(described.get("osPlatform")),
            "OSVersion": text(described.get("version")),
            "OSBuild": integer(described.get("osBuild")),
            "PublicIP": text(described.get("lastExternalIpAddress")),
            "IngestedAt": state["IngestedAt"],
            "SourceRequestId": state["SourceRequestId"],
        }
