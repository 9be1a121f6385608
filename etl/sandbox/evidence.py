"""Evidence: the items of an alert as Graph prints them, one builder for each type.

How a case distorts an item is told here. What really happened is known to `scenes`.
"""

from dataclasses import dataclass

from etl.sandbox import moments
from etl.sandbox.cases import BARE, Suspect
from etl.sandbox.fleet import Account, Device
from etl.sandbox.plays import Clue
from etl.sandbox.software import Image

Item = dict[str, object]

_KIND = "#microsoft.graph.security."
_SENTINELS = ("0001-01-01T00:00:00Z", "1601-01-01T00:00:00Z")
_HEALTH = {"windows": "active", "linux": "active", "macos": "inactive"}


@dataclass(frozen=True, slots=True)
class Sighting:
    """A process as telemetry knows it, and its parent where there is one."""

    device: Device
    pid: int
    created: int
    name: str
    folder: str
    sha1: str
    sha256: str
    command: str
    as_user: bool
    parent: "Sighting | None" = None

    @property
    def shown(self) -> int:
        """Return the creation time as evidence shows it: Linux cuts it to 10 ms."""
        if self.device.platform == "linux":
            return self.created - self.created % moments.CENTISECOND
        return self.created

    @property
    def account(self) -> Account:
        """Return whom the process runs as."""
        return self.device.user if self.as_user else self.device.system_account


def item(kind: str, created: str, **properties: object) -> Item:
    """Return an item of a type with what all types have."""
    roles = properties.pop("roles", [])
    return {
        "@odata.type": f"{_KIND}{kind}",
        "createdDateTime": created,
        "verdict": "suspicious",
        "remediationStatus": "none",
        "remediationStatusDetails": None,
        "roles": roles,
        "detailedRoles": [],
        "tags": [],
        **properties,
    }


def file_details(
    name: str | None, folder: str | None, sha1: str | None, sha256: str | None
) -> Item:
    """Describe a file."""
    return {
        "fileName": name,
        "filePath": folder,
        "filePublisher": None,
        "fileSize": None,
        "issuer": None,
        "signer": None,
        "md5": None,
        "sha1": sha1,
        "sha256": sha256,
        "sha256Ac": None,
    }


def user_account(account: Account) -> Item:
    """Describe an account."""
    return {
        "accountName": account.name.upper() if account.name == "system" else account.name,
        "domainName": account.domain.upper() or None,
        "userSid": account.sid,
        "azureAdUserId": account.object_id,
        "userPrincipalName": account.upn,
        "displayName": None,
        "activeDirectoryObjectGuid": None,
        "tenantId": None,
        "resourceAccessEvents": [],
    }


def process(sighting: Sighting, suspect: Suspect, created: str) -> Item:
    """Show a process, its parent and its user, distorted as its case wants."""
    parent = sighting.parent
    shown = item(
        "processEvidence",
        created,
        processId=sighting.pid,
        parentProcessId=parent.pid if parent else None,
        processCommandLine=sighting.command,
        processCreationDateTime=moments.text(sighting.shown),
        parentProcessCreationDateTime=moments.text(parent.shown) if parent else None,
        detectionStatus="detected",
        mdeDeviceId=sighting.device.id,
        imageFile=file_details(sighting.name, sighting.folder, sighting.sha1, sighting.sha256),
        parentProcessImageFile=parent and file_details(parent.name, parent.folder, None, None),
        userAccount=user_account(sighting.account),
    )
    return shown | _distortion(suspect.case, sighting)


_TELLING = (
    "processCommandLine", "userAccount", "parentProcessId", "parentProcessCreationDateTime",
    "parentProcessImageFile",
)  # fmt: skip


def _distortion(case: str, sighting: Sighting) -> Item:
    changes: dict[str, Item] = {
        "no_device_id": {"mdeDeviceId": None},
        "upper_device_id": {"mdeDeviceId": sighting.device.id.upper()},
        "sentinel_time": {"processCreationDateTime": _SENTINELS[sighting.pid // 4 % 2]},
        "pid_zero": {"processId": 0},
        "null_time": {"processCreationDateTime": None},
        "null_pid": {"processId": None},
        BARE: dict.fromkeys(_TELLING) | {"imageFile": file_details(None, None, None, None)},
    }
    return changes.get(case, {})


def device(machine: Device, created: str) -> Item:
    """Show a device."""
    user = machine.user
    return item(
        "deviceEvidence",
        created,
        roles=["compromised"],
        mdeDeviceId=machine.id,
        azureAdDeviceId=machine.aad_id if machine.platform == "windows" else None,
        deviceDnsName=machine.name,
        hostName=machine.host,
        ntDomain="CONTOSO" if machine.platform == "windows" else None,
        dnsDomain=machine.name.partition(".")[2] or None,
        osPlatform=machine.system,
        osBuild=machine.build or None,
        version=machine.version,
        healthStatus=_HEALTH[machine.platform],
        riskScore="high",
        rbacGroupId=75,
        rbacGroupName=machine.group,
        onboardingStatus="onboarded",
        defenderAvStatus="updated",
        firstSeenDateTime="2026-01-05T08:12:44.3366667Z",
        lastIpAddress=machine.address,
        lastExternalIpAddress=machine.public_address,
        ipInterfaces=[machine.address, "127.0.0.1"],
        loggedOnUsers=[{"accountName": user.name, "domainName": user.domain.upper()}],
        resourceAccessEvents=[],
        vmMetadata=None,
    )


def user(account: Account, created: str) -> Item:
    """Show an account."""
    return item("userEvidence", created, userAccount=user_account(account), stream=None)


def clue(found: Clue, machine: Device | None, created: str) -> Item:
    """Show anything else that an attack left behind."""
    values = found.values
    where = machine.id if machine else None
    if found.kind in ("file", "path"):
        image = Image(values["path"])
        hashes = [image.digest(one) if found.kind == "file" else None for one in ("sha1", "sha256")]
        details = file_details(image.name, image.folder, *hashes)
        return item("fileEvidence", created, fileDetails=details | {"fileSize": image.size},
                     detectionStatus="detected", mdeDeviceId=where)  # fmt: skip
    if found.kind == "url":
        return item("urlEvidence", created, url=values["url"])
    if found.kind == "ip":
        return item("ipEvidence", created, roles=["commandAndControl"], countryLetterCode=None,
                     ipAddress=values["address"], location=None, stream=None)  # fmt: skip
    if found.kind == "account":
        return user(Account("", values["name"], None, None, None), created)
    hive = "HKEY_CURRENT_USER"
    if found.kind == "registry_key":
        return item("registryKeyEvidence", created, registryHive=hive, registryKey=values["key"])
    key = values.get("key", "SOFTWARE\\MICROSOFT\\WINDOWS\\CURRENTVERSION\\RUN")
    return item("registryValueEvidence", created, registryHive=hive, registryKey=key,
                 registryValue=values["value"], registryValueName=values["name"],
                 registryValueType="String", mdeDeviceId=where)  # fmt: skip


def cloud(created: str, account: Account) -> list[Item]:
    """Show what alerts of other services name, one type of it unknown to everyone."""
    return [
        user(account, created),
        cloud_application(created),
        mailbox(account, created),
        item("lunarRelayEvidence", created, relayName="relay-7", orbit={"height": 384_400}),
    ]


def cloud_application(created: str) -> Item:
    """Show a cloud application."""
    return item("cloudApplicationEvidence", created, appId=11161, displayName="Microsoft 365",
                instanceId=0, instanceName="Microsoft 365", saasAppId=11161,
                stream=None)  # fmt: skip


def mailbox(account: Account, created: str) -> Item:
    """Show the mailbox of an account."""
    address = account.upn or "someone@contoso.example"
    return item("mailboxEvidence", created, displayName=account.name, primaryAddress=address,
                upn=address, userAccount=user_account(account))  # fmt: skip
