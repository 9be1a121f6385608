"""Evidence types and the columns they fill: each column names the paths its value is read from.

Columns are hunting's, and mean what hunting means by them. Where that was not obvious:

- An item about mail fills AccountUpn with the recipient, who is ours, and RemoteIP with the
  sender's address; a Teams message has many recipients, so there AccountUpn is the sender.
- Of two ends of a connection the source is LocalIP and the destination RemoteIP. Of the addresses
  that a name resolved to RemoteIP is the first; each has a row of its own as well.
- A cloud resource is CloudResource by name, ResourceID by its provider's id, SubscriptionId by what
  it is billed to: subscription, AWS account or Google project. What lies in a resource (blob,
  token) carries the resource's ids, so that it can be joined to the resource.
- A malware item names what hunting calls ThreatFamily, for the files and processes in it too.
- A domain, a group, a service principal and a GitHub user are accounts; a web page about a GitHub
  thing is its RemoteUrl. Ports, sessions and labels have no column: they are in Raw.

A type that is not here fills no column of its own. Devices are read by `device_id`.
"""

import re
from typing import Final

from etl.normalise.paths import Read, always, at, hashed, whole
from etl.values import Record, joined, text, texts

Columns = dict[str, Read]

_SUBSCRIPTION: Final = re.compile(r"^/subscriptions/([^/]+)", re.IGNORECASE)
_AZURE: Final = "Azure"
_AMAZON: Final = "Amazon Web Services"
_GOOGLE: Final = "Google Cloud Platform"
_KUBERNETES: Final = {"aks": _AZURE, "eks": _AMAZON, "gke": _GOOGLE}


def _file(path: str) -> Columns:
    return {
        "FileName": at(f"{path}.fileName"),
        "FolderPath": lambda record: joined(
            at(f"{path}.filePath")(record), at(f"{path}.fileName")(record)
        ),
        "FileSize": whole(f"{path}.fileSize"),
        "SHA1": at(f"{path}.sha1"),
        "SHA256": at(f"{path}.sha256"),
        "MD5": at(f"{path}.md5"),
    }


def _account(path: str) -> Columns:
    return {
        "AccountName": at(f"{path}.accountName"),
        "AccountDomain": at(f"{path}.domainName"),
        "AccountSid": at(f"{path}.userSid"),
        "AccountObjectId": at(f"{path}.azureAdUserId"),
        "AccountUpn": at(f"{path}.userPrincipalName"),
    }


def _subscription(path: str) -> Read:
    def read(record: Record) -> str | None:
        found = _SUBSCRIPTION.match(text(at(path)(record)) or "")
        return found[1] if found else None

    return read


def _azure(prefix: str = "") -> Columns:
    """Return the columns of an Azure resource, or of what lies in one."""
    return {
        "CloudPlatform": always(_AZURE),
        "CloudResource": at(f"{prefix}resourceName"),
        "ResourceType": at(f"{prefix}resourceType"),
        "ResourceID": at(f"{prefix}resourceId"),
        "SubscriptionId": _subscription(f"{prefix}resourceId"),
    }


def _blob(storage: str) -> Columns:
    return _azure(f"{storage}.") | {"CloudResource": at("name"), "RemoteUrl": at("url")}


def _kubernetes(cluster: str, **columns: Read) -> Columns:
    """Return the columns of a thing in a cluster; `cluster` is the path to it."""
    platform = at(f"{cluster}platform")
    return {
        "CloudResource": at("name"),
        "CloudPlatform": lambda record: _KUBERNETES.get(text(platform(record)) or ""),
        **columns,
    }


def _registry_key(record: Record) -> str | None:
    hive, key = text(record.get("registryHive")), text(record.get("registryKey"))
    return "\\".join(name for name in (hive, key) if name) or None


def _hashes(path: str = "") -> Columns:
    return {name: hashed(path, name.lower()) for name in ("MD5", "SHA1", "SHA256")}


_NAMESPACED: Final = "namespace.cluster."
_REGISTRY: Final[Columns] = {
    "RegistryKey": _registry_key,
    "RegistryValueName": at("registryValueName"),
    "RegistryValueData": at("registryValue"),
}
_GITHUB: Final[Columns] = {"RemoteUrl": at("webUrl")}

COLUMNS: Final[dict[str, Columns]] = {
    "activeDirectoryDomainEvidence": {"AccountDomain": at("activeDirectoryDomainName")},
    "aiAgentEvidence": {"Application": at("agentName"), "ResourceID": at("agentId")},
    "amazonResourceEvidence": {
        "CloudPlatform": always(_AMAZON),
        "CloudResource": at("resourceName"),
        "ResourceType": at("resourceType"),
        "ResourceID": at("amazonResourceId"),
        "SubscriptionId": at("amazonAccountId"),
    },
    "analyzedMessageEvidence": {
        "NetworkMessageId": at("networkMessageId"),
        "EmailSubject": at("subject"),
        "AccountUpn": at("recipientEmailAddress"),
        "RemoteIP": at("senderIp"),
    },
    "azureResourceEvidence": _azure(),
    "blobContainerEvidence": _blob("storageResource"),
    "blobEvidence": _blob("blobContainer.storageResource") | _hashes("fileHashes"),
    "cloudApplicationEvidence": {"Application": at("displayName"), "ApplicationId": whole("appId")},
    "cloudLogonRequestEvidence": {},
    "cloudLogonSessionEvidence": _account("account.userAccount") | {"DeviceName": at("deviceName")},
    "containerEvidence": _kubernetes("pod.namespace.cluster.", ResourceID=at("containerId")),
    "containerImageEvidence": {"ResourceID": at("imageId"), "CloudResource": at("imageId")},
    "containerRegistryEvidence": {"CloudResource": at("registry")},
    "deviceEvidence": {
        "DeviceName": at("deviceDnsName", "hostName"),
        "LocalIP": at("lastIpAddress"),
        "CloudPlatform": lambda record: (
            _AZURE if at("vmMetadata.cloudProvider")(record) == "azure" else None
        ),
        "ResourceID": at("vmMetadata.resourceId"),
        "SubscriptionId": at("vmMetadata.subscriptionId"),
    },
    "dnsEvidence": {
        "RemoteUrl": at("domainName"),
        "RemoteIP": at("ipAddresses.ipAddress"),
        "LocalIP": at("hostIpAddress.ipAddress"),
    },
    "fileEvidence": _file("fileDetails"),
    "fileHashEvidence": _hashes(),
    "gitHubOrganizationEvidence": _GITHUB
    | {"CloudResource": at("login", "displayName"), "ResourceID": at("orgId")},
    "gitHubRepoEvidence": {
        "AccountName": at("login", "owner"),
        "RemoteUrl": at("baseUrl"),
        "ResourceID": at("repoId"),
    },
    "gitHubUserEvidence": _GITHUB
    | {"AccountName": at("login", "name"), "ResourceID": at("userId")},
    "googleCloudResourceEvidence": {
        "CloudPlatform": always(_GOOGLE),
        "CloudResource": at("resourceName"),
        "ResourceType": at("resourceType"),
        "ResourceID": at("fullResourceName"),
        "SubscriptionId": at("projectId"),
    },
    "hostLogonSessionEvidence": _account("account.userAccount")
    | {"DeviceName": at("host.deviceDnsName", "host.hostName")},
    "ioTDeviceEvidence": {
        "DeviceName": at("deviceName"),
        "LocalIP": at("ipAddress.ipAddress"),
        "ResourceID": at("deviceId"),
    },
    "ipEvidence": {"RemoteIP": at("ipAddress")},
    "kubernetesClusterEvidence": _kubernetes(
        "",
        ResourceType=at("cloudResource.resourceType"),
        ResourceID=at(
            "cloudResource.resourceId",
            "cloudResource.amazonResourceId",
            "cloudResource.fullResourceName",
        ),
        SubscriptionId=lambda record: (
            _subscription("cloudResource.resourceId")(record)
            or at("cloudResource.amazonAccountId", "cloudResource.projectId")(record)
        ),
    ),
    "kubernetesControllerEvidence": _kubernetes(_NAMESPACED, ResourceType=at("type")),
    "kubernetesNamespaceEvidence": _kubernetes("cluster."),
    "kubernetesPodEvidence": _kubernetes(_NAMESPACED, LocalIP=at("podIp.ipAddress")),
    "kubernetesSecretEvidence": _kubernetes(_NAMESPACED, ResourceType=at("secretType")),
    "kubernetesServiceAccountEvidence": _kubernetes(_NAMESPACED, AccountName=at("name")),
    "kubernetesServiceEvidence": _kubernetes(
        _NAMESPACED, ResourceType=at("serviceType"), LocalIP=at("clusterIP.ipAddress")
    ),
    "mailboxConfigurationEvidence": {
        "AccountUpn": at("upn", "mailboxPrimaryAddress"),
        "AccountObjectId": at("externalDirectoryObjectId"),
    },
    "mailboxEvidence": _account("userAccount")
    | {"AccountUpn": at("upn", "primaryAddress", "userAccount.userPrincipalName")},
    "mailClusterEvidence": {
        "NetworkMessageId": lambda record: (
            found[0] if len(found := texts(record.get("networkMessageIds"))) == 1 else None
        ),
    },
    "malwareEvidence": {"ThreatFamily": at("name")},
    "networkConnectionEvidence": {
        "LocalIP": at("sourceAddress.ipAddress"),
        "RemoteIP": at("destinationAddress.ipAddress"),
    },
    "nicEvidence": {"LocalIP": at("ipAddress.ipAddress")},
    "oauthApplicationEvidence": {
        "Application": at("displayName"),
        "OAuthApplicationId": at("appId"),
    },
    "processEvidence": _file("imageFile")
    | _account("userAccount")
    | {
        "ProcessId": whole("processId"),
        "ProcessCommandLine": at("processCommandLine"),
        "ProcessCreationTime": at("processCreationDateTime"),
        "ParentProcessId": whole("parentProcessId"),
        "ParentProcessCreationTime": at("parentProcessCreationDateTime"),
    },
    "registryKeyEvidence": _REGISTRY,
    "registryValueEvidence": _REGISTRY,
    "sasTokenEvidence": _azure("storageResource."),
    "securityGroupEvidence": {
        "AccountName": at("displayName", "friendlyName"),
        "AccountSid": at("sid"),
        "AccountObjectId": at("securityGroupId"),
    },
    "servicePrincipalEvidence": {
        "AccountName": at("servicePrincipalName"),
        "AccountObjectId": at("servicePrincipalObjectId"),
        "OAuthApplicationId": at("appId"),
    },
    "submissionMailEvidence": {
        "NetworkMessageId": at("networkMessageId"),
        "EmailSubject": at("subject"),
        "AccountUpn": at("recipient"),
        "RemoteIP": at("senderIp"),
    },
    "teamsMessageEvidence": {
        "EmailSubject": at("subject"),
        "AccountUpn": at("senderFromAddress"),
        "RemoteIP": at("senderIP"),
        "Application": at("sourceAppName"),
    },
    "urlEvidence": {"RemoteUrl": at("url")},
    "userEvidence": _account("userAccount"),
}
"""Evidence type → column → how its value is read from an item."""


def device_id(record: Record) -> str | None:
    """Return the device that an item is on, lower-cased: its own, or the host of its session."""
    found = text(at("mdeDeviceId", "host.mdeDeviceId")(record))
    return found.strip().lower() or None if found else None
