"""Signing in at the sandbox with the libraries that real clients use, and by hand."""

import time
from collections.abc import Callable

import msal
import pytest
import requests
from azure.identity import ClientSecretCredential

from etl.sandbox import CLIENT_ID, CLIENT_SECRET, TENANT_ID, Faults, Sandbox, Tenant

SCOPE = "https://graph.microsoft.com/.default"
ALERTS = "/v1.0/security/alerts_v2"


@pytest.fixture
def trusting(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Return the sandbox, with this process trusting it as its environment says."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    return sandbox


def token(sandbox: Sandbox, tenant: str = TENANT_ID, **form: str) -> requests.Response:
    """Ask for a token, with some form fields changed."""
    fields = {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "scope": SCOPE,
    }
    with requests.Session() as session:
        session.trust_env = False
        session.verify = sandbox.environment["REQUESTS_CA_BUNDLE"]
        url = f"{sandbox.url}/{tenant}/oauth2/v2.0/token"
        return session.post(url, data=fields | form, timeout=30)


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
    with requests.Session() as session:
        session.trust_env = False
        session.verify = sandbox.environment["REQUESTS_CA_BUNDLE"]
        headers = {"Authorization": f"Bearer {foreign}"}

        assert session.get(sandbox.url + ALERTS, headers=headers, timeout=30).status_code == 401


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
