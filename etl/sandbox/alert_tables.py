"""Alert tables: the AlertInfo and AlertEvidence rows that mirror the alerts in hunting.

A row of a process has no pid column: pid and time are text inside AdditionalFields, and the host is
a reference to another object of the same text. Some processes have a row of their file as well.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from etl.sandbox import moments
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
_FORMS = 3
_FILE_EVERY = 4
"""One process item in so many has a row of its file as well."""

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


@dataclass(frozen=True, slots=True)
class Key:
    """The key of a process that only hunting tells, and by its number in which form it does."""

    pid: int
    created: int
    form: int


def build(
    alerts: list[Alert], ticks: Mapping[str, int], hidden: Mapping[tuple[str, int], Key]
) -> dict[str, pl.DataFrame]:
    """Return both tables for all alerts with an id; `ticks` says when each was first active.

    `hidden` has the keys that items lack, by alert and position among its items.
    """
    infos: list[Row] = []
    entities: list[Row] = []
    for alert in alerts:
        identity = str(alert["id"])
        when = ticks.get(identity)
        if when is None:
            continue
        shared = _shared(alert, when)
        category = shared.pop("Categories")
        infos.append(shared | {"Category": json.loads(str(category))[0]})
        entities += [
            shared | {"Categories": category, "Severity": None} | row
            for index, item in enumerate(_items(alert))
            for row in _entities(item, index, hidden.get((identity, index)))
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


def _entities(item: Item, index: int, key: Key | None) -> Iterator[Row]:
    """Yield the rows of an item: of a process maybe one of its file too, with the pid as text."""
    kind = _kind(item)
    if kind not in _ENTITIES:
        return
    row = _entity(item)
    if kind != "processEvidence":
        yield row
        return
    yield row | _process(item, key)
    word = f"{item['processCommandLine']}{index}"
    if key is None and zlib.crc32(word.encode()) % _FILE_EVERY == 0:
        yield row | {
            "EntityType": "File",
            "DeviceId": item["mdeDeviceId"],
            "AdditionalFields": json.dumps({"$id": "1", "ProcessId": _text(item["processId"])}),
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
    if kind == "deviceEvidence":
        row |= {"DeviceId": item["mdeDeviceId"], "DeviceName": item["deviceDnsName"]}
    return row | {"RemoteIP": item.get("ipAddress"), "RemoteUrl": item.get("url")}


def _process(item: Item, key: Key | None) -> Row:
    pid = item["processId"] if key is None else key.pid
    created = item["processCreationDateTime"] if key is None else moments.text(key.created)
    fields = {
        "$id": "1",
        "Host": {"$ref": "3"},
        "ProcessId": _text(pid),
        "CommandLine": item["processCommandLine"],
        "CreationTimeUtc": created,
        "ImageFile": {"$id": "2", "Host": {"$id": "3", "MachineId": item["mdeDeviceId"]}},
        "Type": "process",
    }
    form = 0 if key is None else key.form % _FORMS
    if form == 1:  # the object comes before the reference to it
        fields = {"$id": "1", "ImageFile": fields["ImageFile"]} | fields
    if form == 2:  # noqa: PLR2004 - only the alert's row of its machine says which it is
        fields["ImageFile"] = {"$id": "2", "Host": {"$id": "3", "Type": "host"}}
    return {
        "ProcessCommandLine": item["processCommandLine"],
        "AdditionalFields": json.dumps(fields, ensure_ascii=False),
    }


def _text(pid: object) -> str | None:
    return None if pid is None else str(pid)
