"""Signing in at the sandbox with a certificate, or with the token of another issuer."""

import time
from collections.abc import Iterator
from typing import Any

import msal
import pytest
from azure.identity import CertificateCredential
from signed import ALERTS, SCOPE, KeyPair, asserted, claims, get

from etl.sandbox import CLIENT_ID, TENANT_ID, Sandbox, Tenant
from etl.sandbox.application import Application, Federation

MDE_SCOPE = "https://api.securitycenter.microsoft.com/.default"
ISSUER = "https://clusters.example/prod/"
SUBJECT = "system:serviceaccount:soc:defender-etl"
EXCHANGE = "api://AzureADTokenExchange"


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    """Return a key pair whose certificate gets registered."""
    return KeyPair.new()


@pytest.fixture(scope="module")
def other() -> KeyPair:
    """Return a key pair that nobody registered."""
    return KeyPair.new()


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    """Serve a tenant without alerts."""
    with Sandbox(Tenant.of([])) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox, pair: KeyPair, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Return the sandbox, trusted by this process, with the certificate registered."""
    for name, value in served.environment.items():
        monkeypatch.setenv(name, value)
    application = registration(served)
    application.certificate = pair.pem
    application.federated = Federation(ISSUER, SUBJECT, pair.public)
    return served


def registration(sandbox: Sandbox) -> Application:
    """Return the app registration of the tenant."""
    return sandbox.applications[TENANT_ID]


def app(sandbox: Sandbox, **credential: object) -> msal.ConfidentialClientApplication:
    """Return MSAL with what proves the application."""
    return msal.ConfidentialClientApplication(
        CLIENT_ID,
        authority=f"{sandbox.url}/{TENANT_ID}",
        client_credential=credential,
        instance_discovery=False,
    )


@pytest.mark.parametrize("kind", ["sha256", "sha1", "chain"])
def test_msal_signs_in_with_a_certificate(sandbox: Sandbox, pair: KeyPair, kind: str) -> None:
    """MSAL's assertions are good: with the new thumbprint, with the old one, with the chain."""
    thumbprint = {"thumbprint": pair.fingerprint("x5t").hex()}
    credential = {
        "sha256": {"public_certificate": pair.pem},
        "sha1": thumbprint,
        "chain": thumbprint | {"public_certificate": pair.pem + pair.pem},
    }[kind]
    answer = app(sandbox, private_key=pair.private, **credential).acquire_token_for_client([SCOPE])

    assert get(sandbox, answer["access_token"]).status_code == 200


def test_one_assertion_serves_two_resources(sandbox: Sandbox, pair: KeyPair) -> None:
    """MSAL presents an assertion again while it lasts, which is no replay."""
    client = app(sandbox, private_key=pair.private, public_certificate=pair.pem)

    for scope in (SCOPE, MDE_SCOPE):
        assert client.acquire_token_for_client([scope])["token_source"] == "identity_provider"


def test_azure_identity_signs_in_with_a_certificate(sandbox: Sandbox, pair: KeyPair) -> None:
    """CertificateCredential gets a token that has not expired."""
    credential = CertificateCredential(
        TENANT_ID,
        CLIENT_ID,
        certificate_data=(pair.private + pair.pem).encode(),
        authority=sandbox.url,
        disable_instance_discovery=True,
    )
    with credential:
        assert credential.get_token(SCOPE).expires_on > time.time()


def test_msal_reports_a_certificate_that_is_not_registered(
    sandbox: Sandbox, other: KeyPair
) -> None:
    """Another key comes back as AADSTS700027, with the thumbprint that was sent."""
    client = app(sandbox, private_key=other.private, public_certificate=other.pem)
    answer = client.acquire_token_for_client([SCOPE])

    assert (answer["error"], answer["error_codes"]) == ("invalid_client", [700027])
    assert other.fingerprint("x5t#S256").hex().upper() in answer["error_description"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, None),
        ({"exp": 1_700_000_000}, 700024),
        ({"exp": None}, 50027),
        ({"jti": None}, 50027),
        ({"nbf": 4_000_000_000, "exp": 4_000_000_600}, 700024),
        ({"aud": "https://login.microsoftonline.com/token"}, 700023),
        ({"iss": "someone"}, 700021),
        ({"sub": "someone"}, 700021),
    ],
)
def test_each_claim_is_looked_at(
    sandbox: Sandbox, pair: KeyPair, changed: dict[str, Any], code: int | None
) -> None:
    """An assertion is refused for its time, its audience and whom it speaks for."""
    response = asserted(sandbox, pair.sign(claims(sandbox, **changed), pair.headers(), "PS256"))

    assert response.json().get("error_codes") == (None if code is None else [code])
    assert response.status_code == (200 if code is None else 401)


@pytest.mark.parametrize(
    ("algorithm", "names", "code"),
    [
        ("RS256", ["x5t"], None),
        ("PS256", ["x5t"], 700027),
        ("RS256", ["x5t#S256"], 700027),
        ("RS256", [], 50027),
    ],
)
def test_the_header_names_the_certificate_as_the_algorithm_asks(
    sandbox: Sandbox, pair: KeyPair, algorithm: str, names: list[str], code: int | None
) -> None:
    """PS256 goes with the SHA-256 thumbprint, RS256 with the SHA-1 thumbprint."""
    named = pair.headers(*names) if names else {}
    response = asserted(sandbox, pair.sign(claims(sandbox), named, algorithm))

    assert response.json().get("error_codes") == (None if code is None else [code])


def test_a_signature_of_another_key_is_refused(
    sandbox: Sandbox, pair: KeyPair, other: KeyPair
) -> None:
    """The thumbprint alone proves nothing."""
    response = asserted(sandbox, other.sign(claims(sandbox), pair.headers(), "PS256"))

    assert response.json()["error_codes"] == [700027]
    assert "signature value did not match" in response.json()["error_description"]


def test_a_chain_starts_with_the_registered_certificate(
    sandbox: Sandbox, pair: KeyPair, other: KeyPair
) -> None:
    """Whatever else x5c holds, its first certificate is the one that was registered."""
    for chain, status in ((pair.x5c + other.x5c, 200), (other.x5c + pair.x5c, 401), ([], 401)):
        headers = pair.headers() | {"x5c": chain}
        response = asserted(sandbox, pair.sign(claims(sandbox), headers, "PS256"))

        assert response.status_code == status


def test_an_identifier_cannot_be_used_for_a_second_assertion(
    sandbox: Sandbox, pair: KeyPair
) -> None:
    """The same assertion may come again, another one with its jti may not."""
    first = pair.sign(claims(sandbox, jti="once"), pair.headers(), "PS256")
    second = pair.sign(claims(sandbox, jti="once"), pair.headers(), "PS256")

    assert [asserted(sandbox, one).status_code for one in (first, first, second)] == [200, 200, 401]


def test_a_certificate_ends(sandbox: Sandbox) -> None:
    """A certificate beyond its last day is refused, one registered beside it is not."""
    old, new = KeyPair.new(days=-1), KeyPair.new()
    registration(sandbox).certificate = old.pem + new.pem
    answers = [
        asserted(sandbox, one.sign(claims(sandbox), one.headers(), "PS256")).json()
        for one in (old, new)
    ]

    assert "The key used is expired" in answers[0]["error_description"]
    assert "access_token" in answers[1]


def test_what_is_no_assertion_is_refused(sandbox: Sandbox) -> None:
    """A text that is no JWT is AADSTS50027; one of an unknown kind is as good as none."""
    assert asserted(sandbox, "a.b.c").json()["error_codes"] == [50027]
    answer = asserted(sandbox, "a.b.c", client_assertion_type="saml").json()
    assert answer["error_codes"] == [7000218]


def federated(pair: KeyPair, **changed: Any) -> str:  # noqa: ANN401 - claims are of any kind
    """Return a token of the other issuer, with some claims changed."""
    said = {"iss": ISSUER, "sub": SUBJECT, "aud": [EXCHANGE], "exp": int(time.time()) + 600}
    return pair.sign(said | changed, {"kid": "1"}, "RS256")


def test_msal_signs_in_with_a_token_of_another_issuer(sandbox: Sandbox, pair: KeyPair) -> None:
    """The token that a cluster gives a workload is exchanged, as often as it is asked."""
    for _ in range(2):
        client = app(sandbox, client_assertion=lambda: federated(pair))
        token = client.acquire_token_for_client([SCOPE])["access_token"]

        assert get(sandbox, token, ALERTS).status_code == 200


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"iss": "https://clusters.example/test/"}, 700211),
        ({"sub": SUBJECT.upper()}, 700213),
        ({"aud": "https://kubernetes.default.svc"}, 700212),
        ({"aud": [EXCHANGE, "more"]}, 700212),
        ({"exp": 1_700_000_000}, 700024),
    ],
)
def test_a_federated_token_matches_in_every_part(
    sandbox: Sandbox, pair: KeyPair, changed: dict[str, Any], code: int
) -> None:
    """Issuer, subject and audience must be the registered ones, to the letter."""
    answer = asserted(sandbox, federated(pair, **changed)).json()

    assert (answer["error"], answer["error_codes"]) == ("invalid_client", [code])


def test_a_federated_token_is_signed_by_the_issuer(
    sandbox: Sandbox, pair: KeyPair, other: KeyPair
) -> None:
    """Anyone can write the claims; without a trust nobody's are believed."""
    assert asserted(sandbox, federated(other)).json()["error_codes"] == [700027]
    registration(sandbox).federated = None
    assert asserted(sandbox, federated(pair)).json()["error_codes"] == [70025]
