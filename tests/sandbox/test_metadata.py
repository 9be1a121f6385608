"""The stand-in for the metadata endpoint, asked by libraries and by hand."""

import time
from collections.abc import Iterator

import msal
import pytest
import requests
from azure.identity import ManagedIdentityCredential
from signed import SCOPE, get, said

from etl.sandbox import CLIENT_ID, TENANT_ID, Sandbox, Tenant
from etl.sandbox.metadata import MetadataService

GRAPH = "https://graph.microsoft.com"
GOOD = {"api-version": "2018-02-01", "resource": GRAPH}


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    """Serve a tenant without alerts."""
    with Sandbox(Tenant.of([])) as sandbox:
        yield sandbox


@pytest.fixture(params=[False, True], ids=["machine", "app-service"])
def service(
    served: Sandbox, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MetadataService]:
    """Run the stand-in, of either kind, and lead this process to it."""
    application = served.applications[TENANT_ID]
    with MetadataService(served.entra, application, app_service=request.param) as service:
        for name, value in service.environment.items():
            monkeypatch.setenv(name, value)
        yield service


@pytest.fixture
def machine(served: Sandbox) -> Iterator[str]:
    """Run the stand-in of a virtual machine, and return its endpoint."""
    with MetadataService(served.entra, served.applications[TENANT_ID]) as service:
        yield f"{service.url}/metadata/identity/oauth2/token"


def ask(url: str, **changed: str | None) -> requests.Response:
    """Ask for a token as a machine does, with some parameters changed or left out."""
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, params=GOOD | changed, headers={"Metadata": "true"}, timeout=30)


@pytest.mark.parametrize("client", [None, CLIENT_ID])
def test_msal_gets_a_token(served: Sandbox, service: MetadataService, client: str | None) -> None:
    """MSAL is led there by the environment, and the APIs take the token."""
    assert service.environment
    identity = (
        msal.UserAssignedManagedIdentity(client_id=client)
        if client
        else msal.SystemAssignedManagedIdentity()
    )
    with requests.Session() as session:
        asking = msal.ManagedIdentityClient(identity, http_client=session)
        answer = asking.acquire_token_for_client(resource=GRAPH)

    assert answer["expires_in"] > 3000
    assert get(served, answer["access_token"]).status_code == 200


def test_azure_identity_gets_a_token(service: MetadataService) -> None:
    """ManagedIdentityCredential gets a token of the tenant."""
    assert service.environment
    with ManagedIdentityCredential() as credential:
        token = credential.get_token(SCOPE)

    assert said(token.token)["tid"] == TENANT_ID
    assert token.expires_on > time.time()


def test_msal_reports_an_identity_that_is_not_there(service: MetadataService) -> None:
    """Another client id is an error, not somebody else's token."""
    assert service.environment
    identity = msal.UserAssignedManagedIdentity(client_id="11111111-1111-4111-8111-111111111111")
    with requests.Session() as session:
        asking = msal.ManagedIdentityClient(identity, http_client=session)
        answer = asking.acquire_token_for_client(resource=GRAPH)

    assert "dentity " in answer["error_description"]
    assert "access_token" not in answer


def test_numbers_are_strings(machine: str) -> None:
    """The answer of a virtual machine spells its numbers as strings."""
    body = ask(machine).json()

    assert body["expires_in"] == "3599"
    assert int(body["expires_on"]) - int(body["not_before"]) == 3599
    assert (body["resource"], body["token_type"]) == (GRAPH, "Bearer")


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"client_id": "unknown"}, "invalid_request", "Identity not found"),
        ({"object_id": CLIENT_ID}, "invalid_request", "Identity not found"),
        ({"resource": None}, "invalid_request", "'resource'"),
        ({"api-version": None}, "invalid_request", "'api-version'"),
        ({"resource": SCOPE}, "invalid_resource", "AADSTS500011"),
    ],
)
def test_refusals_say_what_is_wrong(
    machine: str, changed: dict[str, str | None], error: str, words: str
) -> None:
    """A request that lacks something, or names what is not there, is a 400 with an error."""
    response = ask(machine, **changed)

    assert (response.status_code, response.json()["error"]) == (400, error)
    assert words in response.json()["error_description"]


def test_a_caller_shows_that_it_means_it(served: Sandbox, machine: str) -> None:
    """Without the header a machine answers 400, App Service 401 without its secret."""
    application = served.applications[TENANT_ID]
    with (
        requests.Session() as session,
        MetadataService(served.entra, application, app_service=True) as service,
    ):
        session.trust_env = False
        plain = session.get(machine, params=GOOD, timeout=30)
        elsewhere = session.get(f"{machine}/more", timeout=30)
        endpoint = service.environment["IDENTITY_ENDPOINT"]
        wrong = {"X-IDENTITY-HEADER": "wrong"}
        secretless = session.get(endpoint, params=GOOD, headers=wrong, timeout=30)

    assert (plain.status_code, plain.json()["error"]) == (400, "bad_request_102")
    assert elsewhere.status_code == 404
    assert (secretless.status_code, secretless.json()["statusCode"]) == (401, 401)


def test_an_identity_can_be_disabled(served: Sandbox, machine: str) -> None:
    """A disabled application gets no token from its machine either."""
    application = served.applications[TENANT_ID]
    application.enabled = False
    try:
        refused = ask(machine)
    finally:
        application.enabled = True

    assert "AADSTS7000112" in refused.json()["error_description"]
    assert ask(machine).status_code == 200
