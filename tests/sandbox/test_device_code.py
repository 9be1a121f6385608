"""People who sign in at the sandbox with a device code, and stay signed in."""

import time
from collections.abc import Iterator
from typing import Any

import jwt
import msal
import pytest
from signed import SCOPE, get, post, said

from etl.sandbox import CLIENT_ID, CLIENT_SECRET, TENANT_ID, Sandbox, Tenant

OTHER_ID = "0d9c4b7a-58e1-4f63-9a2b-c61e7d3f5048"
GRAPH = "https://graph.microsoft.com"
MDE_SCOPE = "https://api.securitycenter.microsoft.com/.default"
HUNTING = "/v1.0/security/runHuntingQuery"
EVERYTHING = f"{SCOPE} offline_access openid profile"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Serve a tenant without alerts, trusted by this process."""
    with Sandbox(Tenant.of([])) as served:
        for name, value in served.environment.items():
            monkeypatch.setenv(name, value)
        yield served


def begin(sandbox: Sandbox, scope: str = EVERYTHING) -> dict[str, Any]:
    """Ask for a device code."""
    response = post(sandbox, {"client_id": CLIENT_ID, "scope": scope}, "devicecode")
    assert response.status_code == 200
    flow: dict[str, Any] = response.json()
    return flow


def poll(
    sandbox: Sandbox, device_code: str, tenant: str = TENANT_ID, **more: str
) -> dict[str, Any]:
    """Ask whether someone has decided."""
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    form = {"grant_type": grant, "client_id": CLIENT_ID, "device_code": device_code}
    answer: dict[str, Any] = post(sandbox, form | more, tenant=tenant).json()
    return answer


def refresh(sandbox: Sandbox, token: str, tenant: str = TENANT_ID, **more: str) -> dict[str, Any]:
    """Ask for new tokens with a refresh token."""
    form = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "refresh_token": token}
    answer: dict[str, Any] = post(sandbox, form | more, tenant=tenant).json()
    return answer


def approved(sandbox: Sandbox, scope: str = EVERYTHING) -> dict[str, Any]:
    """Sign someone in."""
    flow = begin(sandbox, scope)
    sandbox.entra.approve(flow["user_code"])
    return poll(sandbox, flow["device_code"])


def test_msal_signs_someone_in(sandbox: Sandbox) -> None:
    """MSAL gets a token, caches the account, and renews with the refresh token."""
    app = msal.PublicClientApplication(
        CLIENT_ID, authority=f"{sandbox.url}/{TENANT_ID}", instance_discovery=False
    )
    flow = app.initiate_device_flow([SCOPE])
    sandbox.entra.approve(flow["user_code"])
    answer = app.acquire_token_by_device_flow(flow)

    assert get(sandbox, answer["access_token"]).status_code == 200
    [account] = app.get_accounts()
    assert account["username"] == answer["id_token_claims"]["preferred_username"]
    assert account["realm"] == TENANT_ID
    again = app.acquire_token_silent([SCOPE], account)
    assert again["access_token"] == answer["access_token"]
    renewed = app.acquire_token_silent([SCOPE], account, force_refresh=True)
    assert renewed["token_source"] == "identity_provider"
    assert renewed["access_token"] != answer["access_token"]


def test_msal_waits_until_someone_approves(sandbox: Sandbox) -> None:
    """While nobody has decided, MSAL polls at the interval it was told."""
    app = msal.PublicClientApplication(
        CLIENT_ID, authority=f"{sandbox.url}/{TENANT_ID}", instance_discovery=False
    )
    flow = app.initiate_device_flow([SCOPE])
    polls: list[float] = []

    def decided(flow: dict[str, Any]) -> bool:
        polls.append(time.monotonic())
        if len(polls) == 2:
            sandbox.entra.approve(flow["user_code"])
        return False

    answer = app.acquire_token_by_device_flow(flow, exit_condition=decided)

    assert answer["token_source"] == "identity_provider"
    asked = [one.status for one in sandbox.requests if one.path.endswith("/token")]
    assert asked[-1] == 200
    assert set(asked[:-1]) == {400}


def test_the_answer_says_where_to_enter_the_code(sandbox: Sandbox) -> None:
    """The message has the page and the code; there is no link with the code in it."""
    flow = begin(sandbox)

    assert flow["user_code"] in flow["message"]
    assert flow["verification_uri"] in flow["message"]
    assert (flow["expires_in"], flow["interval"]) == (900, 1)
    assert "verification_uri_complete" not in flow


def test_polling_is_told_to_go_on_and_not_so_fast(sandbox: Sandbox) -> None:
    """The first answer is pending, one that comes within the interval is slow_down."""
    code = begin(sandbox)["device_code"]
    first, second = poll(sandbox, code), poll(sandbox, code)
    time.sleep(1.01)
    third = poll(sandbox, code)

    assert (first["error"], first["error_codes"]) == ("authorization_pending", [70016])
    assert second["error"] == "slow_down"
    assert third["error"] == "authorization_pending"


def test_a_person_declines(sandbox: Sandbox) -> None:
    """Who declines ends the flow; the code is known no more."""
    flow = begin(sandbox)
    sandbox.entra.decline(flow["user_code"])
    answers = [poll(sandbox, flow["device_code"])["error"] for _ in range(2)]

    assert answers == ["authorization_declined", "bad_verification_code"]


def test_a_code_is_good_once_and_not_for_ever(sandbox: Sandbox) -> None:
    """A code that was redeemed, made up or left too long gives nothing."""
    flow = begin(sandbox)
    sandbox.entra.approve(flow["user_code"])
    assert "access_token" in poll(sandbox, flow["device_code"])
    assert poll(sandbox, flow["device_code"])["error"] == "bad_verification_code"
    assert poll(sandbox, "made-up")["error_codes"] == [70018]
    sandbox.entra.people.code_lifetime = 0
    late = begin(sandbox)
    sandbox.entra.approve(late["user_code"])
    assert poll(sandbox, late["device_code"])["error"] == "expired_token"
    with pytest.raises(KeyError):
        sandbox.entra.approve("made-up")


def test_a_token_for_a_person_has_scopes(sandbox: Sandbox) -> None:
    """The permissions are in `scp` under their delegated names, and `roles` is missing."""
    claims = said(approved(sandbox)["access_token"])

    assert {"SecurityAlert.Read.All", "Alert.Read"} <= set(claims["scp"].split())
    assert "roles" not in claims
    assert (claims["tid"], claims["aud"]) == (TENANT_ID, GRAPH)


def test_a_scope_opens_what_the_role_opens(sandbox: Sandbox) -> None:
    """Each API looks for its scope; what was not consented to is forbidden."""
    sandbox.applications[TENANT_ID].scopes = ("SecurityAlert.Read.All", "Alert.Read")
    token = approved(sandbox)["access_token"]
    other = approved(sandbox, MDE_SCOPE)["access_token"]

    assert get(sandbox, token).status_code == 200
    assert get(sandbox, other, "/api/alerts").status_code == 200
    assert get(sandbox, other, "/api/machines").status_code == 403
    sandbox.applications[TENANT_ID].scopes = ("ThreatHunting.Read.All",)
    assert get(sandbox, approved(sandbox)["access_token"]).status_code == 403


def test_consent_is_needed_to_sign_in(sandbox: Sandbox) -> None:
    """Without any consent, or for a scope without it, there is AADSTS65001."""
    named = approved(sandbox, f"{GRAPH}/SecurityAlert.Read.All")
    foreign = approved(sandbox, f"{GRAPH}/Mail.Read")
    sandbox.applications[TENANT_ID].roles = ()
    none = approved(sandbox)

    assert "SecurityAlert.Read.All" in named["scope"]
    for answer in (foreign, none):
        assert (answer["error"], answer["error_codes"]) == ("invalid_grant", [65001])


def test_only_what_was_asked_for_is_given(sandbox: Sandbox) -> None:
    """No refresh token without offline_access, no identity without openid."""
    plain, whole = approved(sandbox, SCOPE), approved(sandbox)

    assert plain.keys() & {"refresh_token", "id_token", "client_info"} == set()
    assert whole.keys() >= {"refresh_token", "id_token"}
    claims = jwt.decode(whole["id_token"], options={"verify_signature": False})
    assert claims["aud"] == CLIENT_ID


def test_a_refresh_token_serves_another_resource(sandbox: Sandbox) -> None:
    """It is for the person, not for one API; without a scope it gives what it was given for."""
    token = approved(sandbox)["refresh_token"]
    other = refresh(sandbox, token, scope=f"{MDE_SCOPE} offline_access")

    assert said(other["access_token"])["aud"] == MDE_SCOPE.removesuffix("/.default")
    assert said(refresh(sandbox, token)["access_token"])["aud"] == GRAPH


def test_a_refresh_token_ends(sandbox: Sandbox) -> None:
    """One that was revoked or made up is invalid_grant, a disabled application gets nothing."""
    token = approved(sandbox)["refresh_token"]
    sandbox.applications[TENANT_ID].enabled = False
    assert refresh(sandbox, token)["error_codes"] == [7000112]
    sandbox.applications[TENANT_ID].enabled = True
    assert refresh(sandbox, "made-up")["error"] == "invalid_grant"
    sandbox.entra.people.revoke()
    assert refresh(sandbox, token)["error_codes"] == [50173]


def test_a_confidential_application_proves_itself(sandbox: Sandbox) -> None:
    """Where public clients are not allowed, a person's approval is not enough."""
    sandbox.applications[TENANT_ID].public = False
    flow = begin(sandbox)
    sandbox.entra.approve(flow["user_code"])

    assert poll(sandbox, flow["device_code"])["error_codes"] == [7000218]
    assert "access_token" in poll(sandbox, flow["device_code"], client_secret=CLIENT_SECRET)


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ("", 900144),
        ("openid", 70011),
        (".default", 70011),
        (f"{SCOPE} {MDE_SCOPE}", 700022),
    ],
)
def test_a_device_code_is_for_one_resource(sandbox: Sandbox, scope: str, code: int) -> None:
    """A scope without a resource is refused, and so is one with two."""
    response = post(sandbox, {"client_id": CLIENT_ID, "scope": scope}, "devicecode")

    assert response.json()["error_codes"] == [code]


def test_codes_and_refresh_tokens_are_of_one_application() -> None:
    """The same client in another tenant is another application, and gets nothing for them."""
    with Sandbox(Tenant.of([]), others=[Tenant.of([], id=OTHER_ID)]) as sandbox:
        flow = begin(sandbox)
        sandbox.entra.approve(flow["user_code"])
        stolen = poll(sandbox, flow["device_code"], tenant=OTHER_ID)
        kept = poll(sandbox, flow["device_code"])
        reused = refresh(sandbox, kept["refresh_token"], tenant=OTHER_ID)

    assert (stolen["error"], reused["error"]) == ("bad_verification_code", "invalid_grant")
