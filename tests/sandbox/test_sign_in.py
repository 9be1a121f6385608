"""Signing in at the sandbox with the libraries that real clients use, and by hand."""

import time
from collections.abc import Callable, Iterator

import msal
import pytest
import requests
from azure.identity import ClientSecretCredential
from signed import ALERTS, SCOPE, get, said, token

from etl.sandbox import CLIENT_ID, CLIENT_SECRET, TENANT_ID, Faults, Sandbox, Tenant

OTHER_ID = "0d9c4b7a-58e1-4f63-9a2b-c61e7d3f5048"


@pytest.fixture
def trusting(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Return the sandbox, with this process trusting it as its environment says."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    return sandbox


def test_msal_signs_in(trusting: Sandbox) -> None:
    """MSAL gets a token, and answers the second request from its cache."""
    app = msal.ConfidentialClientApplication(
        CLIENT_ID,
        authority=f"{trusting.url}/{TENANT_ID}",
        client_credential=CLIENT_SECRET,
        instance_discovery=False,
    )

    assert app.acquire_token_for_client([SCOPE])["token_type"] == "Bearer"
    assert app.acquire_token_for_client([SCOPE])["token_source"] == "cache"


def test_msal_reports_a_wrong_secret(trusting: Sandbox) -> None:
    """A wrong secret comes back through MSAL as AADSTS7000215."""
    app = msal.ConfidentialClientApplication(
        CLIENT_ID,
        authority=f"{trusting.url}/{TENANT_ID}",
        client_credential="wrong",
        instance_discovery=False,
    )
    answer = app.acquire_token_for_client([SCOPE])

    assert answer["error"] == "invalid_client"
    assert answer["error_codes"] == [7000215]


def test_msal_refuses_an_unknown_tenant(trusting: Sandbox) -> None:
    """The discovery document of another tenant is a 400, which MSAL turns into ValueError."""
    with pytest.raises(ValueError, match="authority"):
        msal.ConfidentialClientApplication(
            CLIENT_ID,
            authority=f"{trusting.url}/00000000-0000-4000-8000-000000000000",
            client_credential=CLIENT_SECRET,
            instance_discovery=False,
        ).acquire_token_for_client([SCOPE])


def test_azure_identity_signs_in(trusting: Sandbox) -> None:
    """ClientSecretCredential gets a token that has not expired."""
    credential = ClientSecretCredential(
        TENANT_ID, CLIENT_ID, CLIENT_SECRET, authority=trusting.url, disable_instance_discovery=True
    )
    with credential:
        assert credential.get_token(SCOPE).expires_on > time.time()


@pytest.mark.parametrize(
    ("form", "status", "code", "error"),
    [
        ({"client_secret": "wrong"}, 401, 7000215, "invalid_client"),
        ({"client_secret": ""}, 401, 7000218, "invalid_client"),
        ({"client_id": "11111111-1111-4111-8111-111111111111"}, 400, 700016, "unauthorized_client"),
        ({"scope": "https://graph.microsoft.com/User.Read"}, 400, 70011, "invalid_scope"),
        ({"scope": ""}, 400, 900144, "invalid_request"),
        ({"grant_type": "password"}, 400, 70003, "unsupported_grant_type"),
    ],
)
def test_refusals_have_the_documented_body(
    sandbox: Sandbox, form: dict[str, str], status: int, code: int, error: str
) -> None:
    """Each refusal names its AADSTS number in the description and in error_codes."""
    response = token(sandbox, **form)
    body = response.json()

    assert response.status_code == status
    assert (body["error"], body["error_codes"]) == (error, [code])
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert {"timestamp", "trace_id", "correlation_id"} <= body.keys()


def test_an_unknown_tenant_is_named(sandbox: Sandbox) -> None:
    """The token endpoint of another tenant answers AADSTS90002."""
    assert token(sandbox, "contoso.example").json()["error_codes"] == [90002]


def test_a_request_without_a_token_is_unauthorised(sandbox: Sandbox) -> None:
    """No token and a made-up token are both 401 InvalidAuthenticationToken."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = sandbox.environment["REQUESTS_CA_BUNDLE"]
        for headers in ({}, {"Authorization": "Bearer a.b.c"}):
            response = session.get(sandbox.url + ALERTS, headers=headers, timeout=30)

            assert response.status_code == 401
            assert response.json()["error"]["code"] == "InvalidAuthenticationToken"


def test_a_token_for_another_audience_opens_nothing(sandbox: Sandbox) -> None:
    """A token of another API is 401 on Graph."""
    scope = "https://api.securitycenter.microsoft.com/.default"
    foreign = token(sandbox, scope=scope).json()["access_token"]

    assert get(sandbox, foreign).status_code == 401


def test_an_expired_token_is_unauthorised(
    small: Tenant, sign_in: Callable[[Sandbox], requests.Session]
) -> None:
    """Tokens end after their lifetime."""
    with Sandbox(small, faults=Faults(token_lifetime=0)) as sandbox, sign_in(sandbox) as session:
        response = session.get(sandbox.url + ALERTS, timeout=30)

    assert response.status_code == 401
    assert "expired" in response.json()["error"]["message"]


def test_a_role_that_is_lacking_is_forbidden(
    small: Tenant, sign_in: Callable[[Sandbox], requests.Session]
) -> None:
    """Alerts and hunting need one role each."""
    granted = ("SecurityAlert.Read.All",)
    with Sandbox(small, roles=granted) as sandbox, sign_in(sandbox) as session:
        alerts = session.get(sandbox.url + ALERTS, timeout=30)
        hunting = session.post(
            f"{sandbox.url}/v1.0/security/runHuntingQuery", json={"Query": "DeviceInfo"}, timeout=30
        )

    assert (alerts.status_code, hunting.status_code) == (200, 403)
    assert "ThreatHunting.Read.All" in hunting.json()["error"]["message"]


@pytest.fixture
def pair() -> Iterator[Sandbox]:
    """Serve two tenants, one with an alert and one without."""
    first = Tenant.of([{"id": "da1", "createdDateTime": "2026-01-01T00:00:00Z"}])
    with Sandbox(first, others=[Tenant.of([], id=OTHER_ID)]) as sandbox:
        yield sandbox


def test_each_tenant_has_its_own_application(pair: Sandbox) -> None:
    """A token says which tenant it is of, whatever the case of the address."""
    tenants = (TENANT_ID, OTHER_ID, OTHER_ID.upper())
    claims = [said(token(pair, tenant).json()["access_token"]) for tenant in tenants]

    assert [one["tid"] for one in claims] == [TENANT_ID, OTHER_ID, OTHER_ID]
    assert [one["iss"] for one in claims] == [
        f"{pair.url}/{tenant}/v2.0" for tenant in (TENANT_ID, OTHER_ID, OTHER_ID)
    ]


def test_a_token_reads_its_own_tenant(pair: Sandbox) -> None:
    """The alerts of one tenant are not those of another."""
    answers = [
        get(pair, token(pair, tenant).json()["access_token"]).json()["value"]
        for tenant in (TENANT_ID, OTHER_ID)
    ]

    assert [len(alerts) for alerts in answers] == [1, 0]


def test_an_application_is_disabled_in_one_tenant(pair: Sandbox) -> None:
    """A disabled application is AADSTS7000112, and goes on in the other tenant."""
    pair.applications[OTHER_ID].enabled = False
    refused, allowed = token(pair, OTHER_ID), token(pair)

    assert refused.status_code == 400
    assert refused.json()["error_codes"] == [7000112]
    assert refused.json()["error"] == "unauthorized_client"
    assert allowed.status_code == 200


def test_revoked_consent_shows_in_the_next_token(pair: Sandbox) -> None:
    """A token is given without roles and opens nothing; one from before still does."""
    application = pair.applications[TENANT_ID]
    before = token(pair).json()["access_token"]
    roles, application.roles = application.roles, ()
    after = token(pair).json()["access_token"]

    assert "roles" not in said(after)
    assert [get(pair, one).status_code for one in (before, after)] == [200, 403]
    application.roles = roles
    assert get(pair, token(pair).json()["access_token"]).status_code == 200


def test_a_secret_is_of_one_tenant(pair: Sandbox) -> None:
    """Another secret in the other tenant changes nothing in the first."""
    pair.applications[OTHER_ID].secret = "another"

    assert token(pair).status_code == 200
    assert token(pair, OTHER_ID).json()["error_codes"] == [7000215]
    assert token(pair, OTHER_ID, client_secret="another").status_code == 200
