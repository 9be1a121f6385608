"""The types of evidence: each that Graph documents can be served, with all that is inside it."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from etl.sandbox import Sandbox, Tenant, exotica

CREATED = "2026-11-20T10:00:00.1234567Z"
PREFIX = "#microsoft.graph.security."
BASE = {"createdDateTime", "verdict", "remediationStatus", "remediationStatusDetails", "roles",
        "detailedRoles", "tags"}  # fmt: skip
NAMES = [
    "activeDirectoryDomain", "aiAgent", "amazonResource", "analyzedMessage", "azureResource",
    "blob", "blobContainer", "cloudApplication", "cloudLogonRequest", "cloudLogonSession",
    "container", "containerImage", "containerRegistry", "device", "dns", "file", "fileHash",
    "gitHubOrganization", "gitHubRepo", "gitHubUser", "googleCloudResource", "hostLogonSession",
    "ioTDevice", "ip", "kubernetesCluster", "kubernetesController", "kubernetesNamespace",
    "kubernetesPod", "kubernetesSecret", "kubernetesService", "kubernetesServiceAccount",
    "mailCluster", "mailbox", "mailboxConfiguration", "malware", "networkConnection", "nic",
    "oauthApplication", "process", "registryKey", "registryValue", "sasToken", "securityGroup",
    "servicePrincipal", "submissionMail", "teamsMessage", "url", "user",
]  # fmt: skip


def nested(value: object) -> list[dict[str, Any]]:
    """Return all items in a value, those inside others too."""
    if isinstance(value, list):
        return [found for one in value for found in nested(one)]
    if not isinstance(value, dict):
        return []
    inside = [found for one in value.values() for found in nested(one)]
    return [value, *inside] if "@odata.type" in value else inside


def types(items: object) -> set[str]:
    """Return the types of items, without what all of them have in their names."""
    return {
        one["@odata.type"].removeprefix(PREFIX).removesuffix("Evidence") for one in nested(items)
    }


def test_there_is_one_item_of_each_type() -> None:
    """The 48 types of the metadata, each once, and always the same."""
    items: list[dict[str, Any]] = exotica.every_type(CREATED)
    named = [one["@odata.type"].removeprefix(PREFIX).removesuffix("Evidence") for one in items]

    assert len(NAMES) == 48
    assert sorted(named) == sorted(NAMES)
    assert exotica.every_type(CREATED) == items


def test_every_item_has_what_all_types_have() -> None:
    """Items inside others are whole items too."""
    items = nested(exotica.every_type(CREATED))

    assert len(items) > 100
    assert all(item.keys() >= BASE for item in items)


@pytest.mark.parametrize(
    ("kind", "inside"),
    [
        ("malware", {"file", "process"}),
        ("hostLogonSession", {"user", "device"}),
        ("dns", {"ip"}),
        ("networkConnection", {"ip"}),
        ("blob", {"blobContainer", "azureResource"}),
        ("ioTDevice", {"nic", "ip", "azureResource", "url"}),
        ("teamsMessage", {"file", "url"}),
        (
            "kubernetesPod",
            {"container", "containerImage", "containerRegistry", "kubernetesController", "ip",
             "kubernetesNamespace", "kubernetesCluster", "azureResource",
             "kubernetesServiceAccount"},
        ),
    ],
)  # fmt: skip
def test_items_hold_what_belongs_to_them(kind: str, inside: set[str]) -> None:
    """Nested entities are all there, down to the registry of the image of a pod's container."""
    item = next(
        one
        for one in exotica.every_type(CREATED)
        if one["@odata.type"] == f"{PREFIX}{kind}Evidence"
    )

    assert types(list(item.values())) == inside


def test_an_alert_with_all_types_is_served_as_it_is(
    sign_in: Callable[[Sandbox], requests.Session],
) -> None:
    """Graph's route gives back every item unchanged."""
    tenant = Tenant.generate(seed=3, scale=0.1, days=1)
    alert = next(one for one in tenant.alerts if one["id"])
    alert["evidence"] = exotica.every_type(CREATED)
    with Sandbox(Tenant.of([alert])) as sandbox:
        session = sign_in(sandbox)
        body = session.get(f"{sandbox.url}/v1.0/security/alerts_v2", timeout=30).json()

    assert body["value"] == [alert]


def test_cloud_alerts_carry_varying_handfuls() -> None:
    """The cloud alerts of a tenant name many rare types, not all the same, and the made-up one."""
    tenant = Tenant.generate(seed=7, scale=1.0, days=3)
    alerts: list[dict[str, Any]] = tenant.alerts
    cloud = [one for one in alerts if "cloud application" in str(one["title"])]
    kinds = [types(one["evidence"]) for one in cloud]

    assert len({frozenset(one) for one in kinds}) > 3
    assert len(set().union(*kinds)) > 20
    assert all("lunarRelay" in one for one in kinds)


def test_rare_items_name_no_device_of_the_tenant(small: Tenant) -> None:
    """What is inside cloud alerts is not about the fleet, of which the telemetry is."""
    fleet = {device.id for device in small.devices}
    alerts: list[dict[str, Any]] = small.alerts
    cloud = [one["evidence"] for one in alerts if str(one["id"])[:2] in ("ca", "sn")]
    named = {item.get("mdeDeviceId") for item in nested(cloud)}

    assert cloud
    assert named.isdisjoint(fleet)
