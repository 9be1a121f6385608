"""Evidence of Defender for Endpoint's own API, item by item, in the shape of Graph's items.

The API has one wide item for everything and tells kinds apart by `entityType`; it names no device
but the alert's. Each translated item carries what was sent for it under `SENT`. A kind that nobody
has seen keeps its row. The alert around the items belongs to `etl.normalise.mde`.
"""

from collections.abc import Callable, Iterator
from typing import Final

from etl.normalise.nesting import SENT
from etl.normalise.spelling import camel, listed_in, member
from etl.values import Record, part, text

_PREFIX: Final = "#microsoft.graph.security."
_NO_CONTENT: Final = frozenset({"entityType", "evidenceCreationTime"})


def translated(alert: Record) -> Iterator[object]:
    """Yield an alert's device, its evidence, and what was fetched where it has none."""
    listed = listed_in(alert.get("evidence"))
    if text(alert.get("machineId")) or text(alert.get("computerDnsName")):
        yield _device(alert)
    for sent in listed:
        yield _item(sent, alert) if isinstance(sent, dict) else sent
    if not listed:
        yield from _fetched(alert)


def _item(sent: Record, alert: Record) -> Record:
    name = text(sent.get("entityType")) or ""
    known = _KINDS.get("registry" if name.lower().startswith("registry") else name.lower())
    found = known(sent, alert) if known else _unknown(name, sent)
    return {"createdDateTime": sent.get("evidenceCreationTime"), **found, SENT: sent}


def _unknown(name: str, sent: Record) -> Record:
    """Keep an item of a type that nobody has seen, under Graph's way to name types."""
    content = {k: v for k, v in sent.items() if v is not None and k not in _NO_CONTENT}
    kind = camel(name.removesuffix("Evidence"))
    return content | ({"@odata.type": f"{_PREFIX}{kind}Evidence"} if kind else {})


def _process(sent: Record, alert: Record) -> Record:
    return {
        "@odata.type": f"{_PREFIX}processEvidence",
        "mdeDeviceId": alert.get("machineId"),
        "processId": sent.get("processId"),
        "processCommandLine": sent.get("processCommandLine"),
        "processCreationDateTime": sent.get("processCreationTime"),
        "parentProcessId": sent.get("parentProcessId"),
        "parentProcessCreationDateTime": sent.get("parentProcessCreationTime"),
        "imageFile": _details(sent),
        "parentProcessImageFile": {
            "fileName": sent.get("parentProcessFileName"),
            "filePath": sent.get("parentProcessFilePath"),
        },
        "userAccount": _account(sent),
        "detectionStatus": member(sent.get("detectionStatus")),
    }


def _file(sent: Record, alert: Record) -> Record:
    return {
        "@odata.type": f"{_PREFIX}fileEvidence",
        "mdeDeviceId": alert.get("machineId"),
        "fileDetails": _details(sent),
        "detectionStatus": member(sent.get("detectionStatus")),
    }


def _user(sent: Record, _: Record) -> Record:
    return {"@odata.type": f"{_PREFIX}userEvidence", "userAccount": _account(sent)}


def _ip(sent: Record, _: Record) -> Record:
    return {"@odata.type": f"{_PREFIX}ipEvidence", "ipAddress": sent.get("ipAddress")}


def _url(sent: Record, _: Record) -> Record:
    return {"@odata.type": f"{_PREFIX}urlEvidence", "url": sent.get("url")}


def _registry(sent: Record, alert: Record) -> Record:
    """Return a key, or a value where the item holds anything of one; its name is never sent."""
    key = {"registryHive": sent.get("registryHive"), "registryKey": sent.get("registryKey")}
    value = {name: sent.get(name) for name in ("registryValue", "registryValueType")}
    if all(content is None for content in value.values()):
        return {"@odata.type": f"{_PREFIX}registryKeyEvidence", **key}
    return {
        "@odata.type": f"{_PREFIX}registryValueEvidence",
        "mdeDeviceId": alert.get("machineId"),
        **key,
        **value,
    }


_KINDS: Final[dict[str, Callable[[Record, Record], Record]]] = {
    "process": _process,
    "file": _file,
    "user": _user,
    "ip": _ip,
    "url": _url,
    "registry": _registry,
}


def _details(sent: Record) -> Record:
    return {name: sent.get(name) for name in ("fileName", "filePath", "sha1", "sha256")}


def _account(sent: Record) -> Record:
    names = ("accountName", "domainName", "userSid", "userPrincipalName")
    return {name: sent.get(name) for name in names} | {"azureAdUserId": sent.get("aadUserId")}


def _device(alert: Record) -> Record:
    """Return the alert's machine as an item; what the inventory knows goes before the alert."""
    machine = part(alert.get("machine"))
    named = {name: alert.get(name) for name in ("machineId", "computerDnsName", "rbacGroupName")}
    return {
        "@odata.type": f"{_PREFIX}deviceEvidence",
        "createdDateTime": alert.get("alertCreationTime"),
        "mdeDeviceId": alert.get("machineId"),
        "azureAdDeviceId": machine.get("aadDeviceId"),
        "deviceDnsName": machine.get("computerDnsName") or alert.get("computerDnsName"),
        "osPlatform": machine.get("osPlatform"),
        "osBuild": machine.get("osBuild"),
        "version": machine.get("version"),
        "rbacGroupId": machine.get("rbacGroupId"),
        "rbacGroupName": machine.get("rbacGroupName") or alert.get("rbacGroupName"),
        SENT: named | ({"machine": machine} if machine else {}),
    }


def _fetched(alert: Record) -> Iterator[Record]:
    """Yield the files, addresses, domains and user that were asked for beside the alert."""
    entities = [
        *[(_related_file(sent, alert), sent) for sent in _parts(alert.get("files"))],
        *[(_ip({"ipAddress": sent.get("id")}, alert), sent) for sent in _parts(alert.get("ips"))],
        *[(_url({"url": sent.get("host")}, alert), sent) for sent in _parts(alert.get("domains"))],
        *[(_related_user(sent, alert), sent) for sent in _users(alert)],
    ]
    for item, sent in entities:
        yield {"createdDateTime": alert.get("alertCreationTime"), **item, SENT: sent}


def _related_file(sent: Record, alert: Record) -> Record:
    item = _file(sent, alert)
    more = {name: sent.get(name) for name in ("md5", "filePublisher", "signer", "issuer")}
    return item | {"fileDetails": item["fileDetails"] | more | {"fileSize": sent.get("size")}}


def _users(alert: Record) -> list[Record]:
    """Return the user that was asked for, else the one whom the alert itself names."""
    return _parts(alert.get("user")) or _parts(alert.get("relatedUser"))


def _related_user(sent: Record, alert: Record) -> Record:
    account = {
        "accountName": sent.get("accountName") or sent.get("userName"),
        "domainName": sent.get("accountDomain") or sent.get("domainName"),
        "userSid": sent.get("accountSid"),
    }
    return _user(account, alert)


def _parts(value: object) -> list[Record]:
    return [item for item in listed_in(value) if isinstance(item, dict)]
