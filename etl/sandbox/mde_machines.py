"""MDE machines: devices of the fleet, and what is related to an alert, in the API's own words."""

from datetime import date
from typing import Any
from urllib.parse import urlsplit

from etl.sandbox import moments
from etl.sandbox.alerts import Alert
from etl.sandbox.evidence import Item
from etl.sandbox.fleet import Device

Entity = dict[str, object]

_LEVELS = ("None", "Low", "Medium", "High")
_VALUES = ("Normal", "Low", "High")
_SEEN = moments.DAY - 17 * moments.MINUTE + 3_300_017


def machine(device: Device, day: date) -> Entity:
    """Describe a device that was last heard of at the end of a day."""
    windows = device.platform == "windows"
    return {
        "id": device.id,
        "computerDnsName": device.name,
        "firstSeen": "2026-01-05T08:12:44.3366667Z",
        "lastSeen": moments.text(moments.midnight(day) + _SEEN - device.index * moments.SECOND),
        "osPlatform": device.system,
        "osProcessor": "x64",
        "osArchitecture": "64-bit",
        "version": device.version,
        "osBuild": device.build or None,
        "onboardingStatus": "onboarded",
        "lastIpAddress": device.address,
        "lastExternalIpAddress": device.public_address,
        "healthStatus": "Active" if device.platform != "macos" else "Inactive",
        "rbacGroupId": 75,
        "rbacGroupName": device.group,
        "riskScore": _LEVELS[device.index % 4],
        "exposureLevel": _LEVELS[device.index // 4 % 4],
        "deviceValue": _VALUES[device.index % 3],
        "aadDeviceId": device.aad_id if windows else None,
        "isAadJoined": windows,
        "machineTags": ["finance"] if device.index % 5 == 0 else [],
        "ipAddresses": [
            {"ipAddress": device.address, "macAddress": f"{device.id[:12]}".upper(),
             "operationalStatus": "Up"},
        ],
    }  # fmt: skip


def files(alert: Alert) -> list[Entity]:
    """Return the files of an alert, each hash once."""
    found = {item["sha1"]: item for item in _items(alert) if item["sha1"]}
    return [_file(item) for item in found.values()]


def _file(item: Item) -> Entity:
    return {
        "sha1": item["sha1"],
        "sha256": item["sha256"],
        "md5": None,
        "globalPrevalence": 17,
        "globalFirstObserved": "2026-03-02T11:40:12.0033333Z",
        "globalLastObserved": "2026-10-30T06:01:59.7Z",
        "size": 82_944,
        "fileType": None,
        "isPeFile": str(item["fileName"]).lower().endswith((".exe", ".dll")),
        "filePublisher": None,
        "fileProductName": None,
        "signer": None,
        "issuer": None,
        "signerHash": None,
        "isValidCertificate": None,
        "determinationType": "Unknown",
        "determinationValue": None,
    }


def ips(alert: Alert) -> list[Entity]:
    """Return the addresses of an alert."""
    return [{"id": name} for name in _values(alert, "ipAddress")]


def domains(alert: Alert) -> list[Entity]:
    """Return the hosts that the addresses of the web in an alert lead to."""
    hosts = (urlsplit(url).hostname for url in _values(alert, "url"))
    return [{"host": host} for host in dict.fromkeys(filter(None, hosts))]


def user(alert: Alert) -> Entity | None:
    """Return the user of an alert, if it has one."""
    found = next((item for item in _items(alert) if item["entityType"] == "User"), None)
    if found is None:
        return None
    return {
        "id": f"{found['domainName']}\\{found['accountName']}".lower(),
        "accountName": found["accountName"],
        "accountDomain": found["domainName"],
        "accountSid": found["userSid"],
        "firstSeen": "2026-01-05T08:12:44.3366667Z",
        "lastSeen": alert["lastEventTime"],
        "mostPrevalentMachineId": alert["machineId"],
        "leastPrevalentMachineId": alert["machineId"],
        "logonTypes": "Interactive",
        "logOnMachinesCount": 1,
        "isDomainAdmin": False,
        "isOnlyNetworkUser": False,
    }


def _values(alert: Alert, name: str) -> list[str]:
    return list(dict.fromkeys(str(item[name]) for item in _items(alert) if item[name]))


def _items(alert: Alert) -> list[Item]:
    items: Any = alert["evidence"]
    return list(items)
