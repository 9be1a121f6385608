"""Several tenants on one host: each token opens the data of its own tenant, and no other."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest
import requests

from etl.sandbox import TENANT_ID, Faults, Sandbox, Tenant
from etl.sandbox.tables import schema

OTHER_ID = "0d5c3f7a-6e1b-4c2d-9a48-b7f0e2d4c615"
ALERTS = "/v1.0/security/alerts_v2"
HUNTING = "/v1.0/security/runHuntingQuery"
SignIn = Callable[..., requests.Session]


@pytest.fixture(scope="module")
def other() -> Tenant:
    """Return a second tenant."""
    return Tenant.generate(seed=9, scale=0.1, days=3, id=OTHER_ID)


@pytest.fixture
def both(small: Tenant, other: Tenant) -> Iterator[Sandbox]:
    """Serve two tenants that may hunt twice a minute each."""
    with Sandbox(small, others=[other], faults=Faults(calls_per_minute=2)) as sandbox:
        yield sandbox


def identities(session: requests.Session, sandbox: Sandbox, path: str = ALERTS) -> list[str]:
    """Return the ids of all alerts that a session sees, in order."""
    body = session.get(f"{sandbox.url}{path}", params={"$top": "1000"}, timeout=30).json()
    return sorted(alert["id"] for alert in body["value"])


def devices(session: requests.Session, sandbox: Sandbox) -> requests.Response:
    """Ask hunting for all devices."""
    query = {"Query": "DeviceInfo | distinct DeviceId"}
    return session.post(sandbox.url + HUNTING, json=query, timeout=30)


def test_tokens_open_their_own_tenant(
    both: Sandbox, small: Tenant, other: Tenant, sign_in: SignIn
) -> None:
    """Alerts and hunting rows are those of the tenant that the token is of."""
    for tenant in (small, other):
        session = sign_in(both, tenant.id)
        seen = {row["DeviceId"] for row in devices(session, both).json()["results"]}

        assert identities(session, both) == sorted(str(alert["id"]) for alert in tenant.alerts)
        assert seen
        assert seen <= {device.id for device in tenant.devices}


def test_alerts_of_another_tenant_are_not_found(
    both: Sandbox, other: Tenant, sign_in: SignIn
) -> None:
    """An id of one tenant is unknown to the other."""
    stranger = next(alert["id"] for alert in other.alerts if alert["id"])
    path = f"{both.url}{ALERTS}/{stranger}"

    assert sign_in(both).get(path, timeout=30).status_code == 404
    assert sign_in(both, OTHER_ID).get(path, timeout=30).status_code == 200


def test_each_tenant_has_its_own_quota(both: Sandbox, sign_in: SignIn) -> None:
    """What one tenant used up is left to the other."""
    first, second = sign_in(both), sign_in(both, OTHER_ID)
    statuses = [devices(first, both).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert devices(second, both).status_code == 200


def test_roles_are_granted_in_each_tenant_apart(both: Sandbox, sign_in: SignIn) -> None:
    """Consent revoked in one tenant leaves the other as it is."""
    both.applications[OTHER_ID].roles = ()
    refused = sign_in(both, OTHER_ID).get(both.url + ALERTS, timeout=30)

    assert refused.status_code == 403
    assert sign_in(both).get(both.url + ALERTS, timeout=30).status_code == 200


def test_each_tenant_has_an_environment(both: Sandbox, small: Tenant, other: Tenant) -> None:
    """Environments differ by the tenant and lead to the same host."""
    first, second = both.environment_of(small), both.environment_of(other)

    assert both.environment == first
    assert first["AZURE_TENANT_ID"] == TENANT_ID
    assert second == first | {"AZURE_TENANT_ID": OTHER_ID}
    assert set(both.applications) == {TENANT_ID, OTHER_ID}


def test_generated_tenants_carry_their_id(other: Tenant) -> None:
    """The id of the tenant is in all its alerts, and changes nothing else about them."""
    plain = Tenant.generate(seed=9, scale=0.1, days=3)

    assert other.id == OTHER_ID
    assert {alert["tenantId"] for alert in other.alerts} == {OTHER_ID}
    assert [alert["id"] for alert in plain.alerts] == [alert["id"] for alert in other.alerts]


def test_given_alerts_are_served_live(sign_in: SignIn) -> None:
    """A tenant of given alerts shows at each request what its list holds then, and no telemetry."""
    tenant = Tenant.of([{"id": "da1_1", "createdDateTime": "2026-11-20T10:00:00Z"}])
    with Sandbox(tenant) as sandbox:
        session = sign_in(sandbox)
        before = identities(session, sandbox)
        tenant.alerts[:] = [{"id": "da2_2"}, {"id": "da3_3"}]
        after = identities(session, sandbox)
        rows = devices(session, sandbox).json()["results"]

    assert before == ["da1_1"]
    assert after == ["da2_2", "da3_3"]
    assert rows == []


def test_given_tenants_have_every_table(small: Tenant) -> None:
    """Tables that are given are held, all others are there and empty; truth knows nothing."""
    days = [date(2026, 11, 20)]
    tenant = Tenant.of(
        [], id=OTHER_ID, days=days, tables={"DeviceInfo": small.tables["DeviceInfo"]}
    )

    assert tenant.id == OTHER_ID
    assert tenant.days == days
    assert set(tenant.tables) == set(schema())
    assert {name for name, rows in tenant.tables.items() if len(rows)} == {"DeviceInfo"}
    assert len(tenant.truth) == len(tenant.truth_events) == 0
