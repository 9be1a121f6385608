"""Alert tables: the AlertInfo and AlertEvidence rows that mirror the alerts in hunting.

A row of a process has no pid column: pid and time are text inside AdditionalFields, and the host is
a reference to another object of the same text.
"""

import json
from collections.abc import Mapping

import polars as pl

from etl.sandbox.alerts import Alert
from etl.sandbox.evidence import Item
from etl.sandbox.tables import conform

Row = dict[str, object]

_SERVICES = {
    "microsoftDefenderForEndpoint": ("Microsoft Defender for Endpoint", "EDR"),
    "microsoft365Defender": ("Microsoft Defender XDR", "Custom detection"),
    "microsoftDefenderForCloudApps": ("Microsoft Cloud App Security", "Cloud App Security"),
    "microsoftSentinel": ("Microsoft Sentinel", "Scheduled Alerts"),
}
_ENTITIES = {
    "processEvidence": "Process",
    "deviceEvidence": "Machine",
    "fileEvidence": "File",
    "userEvidence": "User",
    "ipEvidence": "Ip",
    "urlEvidence": "Url",
    "registryKeyEvidence": "RegistryKey",
    "registryValueEvidence": "RegistryValue",
    "cloudApplicationEvidence": "CloudApplication",
    "mailboxEvidence": "Mailbox",
}


def build(alerts: list[Alert], ticks: Mapping[str, int]) -> dict[str, pl.DataFrame]:
    """Return both tables for all alerts with an id; `ticks` says when each was first active."""
    infos: list[Row] = []
    entities: list[Row] = []
    for alert in alerts:
        when = ticks.get(str(alert["id"]))
        if when is None:
            continue
        shared = _shared(alert, when)
        category = shared.pop("Categories")
        infos.append(shared | {"Category": json.loads(str(category))[0]})
        entities += [
            shared | {"Categories": category, "Severity": None} | _entity(item)
            for item in _items(alert)
            if _kind(item) in _ENTITIES
        ]
    return {
        "AlertInfo": conform(pl.from_dicts(infos, infer_schema_length=None), "AlertInfo"),
        "AlertEvidence": conform(
            pl.from_dicts(entities, infer_schema_length=None), "AlertEvidence"
        ),
    }


def _items(alert: Alert) -> list[Item]:
    items = alert["evidence"]
    return items if isinstance(items, list) else []


def _kind(item: Item) -> str:
    return str(item["@odata.type"]).rpartition(".")[2]


def _shared(alert: Alert, when: int) -> Row:
    service, detection = _SERVICES[str(alert["serviceSource"])]
    techniques = alert["mitreTechniques"]
    return {
        "Timestamp": when,
        "AlertId": alert["id"],
        "Title": alert["title"],
        "Categories": json.dumps(alert["categories"]),
        "Severity": str(alert["severity"]).capitalize(),
        "ServiceSource": service,
        "DetectionSource": detection,
        "AttackTechniques": json.dumps(techniques) if techniques else "",
    }


def _entity(item: Item) -> Row:
    kind = _kind(item)
    details = item.get("fileDetails") or item.get("imageFile")
    row: Row = {
        "EntityType": _ENTITIES[kind],
        "EvidenceRole": "Impacted" if kind in ("deviceEvidence", "userEvidence") else "Related",
    }
    if isinstance(details, dict):
        row |= {
            "FileName": details["fileName"],
            "FolderPath": details["filePath"],
            "SHA1": details["sha1"],
            "SHA256": details["sha256"],
        }
    if kind == "processEvidence":
        row |= _process(item)
    if kind == "deviceEvidence":
        row |= {"DeviceId": item["mdeDeviceId"], "DeviceName": item["deviceDnsName"]}
    return row | {"RemoteIP": item.get("ipAddress"), "RemoteUrl": item.get("url")}


def _process(item: Item) -> Row:
    pid = item["processId"]
    fields = {
        "$id": "1",
        "Host": {"$ref": "3"},
        "ProcessId": None if pid is None else str(pid),
        "CommandLine": item["processCommandLine"],
        "CreationTimeUtc": item["processCreationDateTime"],
        "ImageFile": {"$id": "2", "Host": {"$id": "3", "MachineId": item["mdeDeviceId"]}},
        "Type": "process",
    }
    return {
        "ProcessCommandLine": item["processCommandLine"],
        "AdditionalFields": json.dumps(fields, ensure_ascii=False),
    }
