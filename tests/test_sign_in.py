"""Signing in, each way there is, over HTTPS against the sandbox; and what is said when it fails."""

import json
import logging
import os
import re
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from identities import Identity, pem
from limiters import limiter

from etl.access.client import Client
from etl.access.credentials import Credentials, credentials
from etl.access.person import Ask
from etl.errors import AccessError, ConfigError, EtlError, SignInRefused, Unreachable
from etl.sandbox import Faults, Sandbox, Tenant
from etl.sandbox.application import Application, Federation
from etl.sandbox.metadata import MetadataService
from etl.settings import Settings

ISSUER, SUBJECT = "https://cluster.example", "system:serviceaccount:etl:puller"
PASSWORD = "p4ss~word-of-the-key"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
Asked = Callable[[str], int]
MESSAGE = re.compile(r"enter the code (\w+)")


@pytest.fixture(scope="module")
def quiet() -> Tenant:
    """Return a tenant without alerts."""
    return Tenant.of([])


@pytest.fixture(scope="module")
def served(quiet: Tenant) -> Iterator[Sandbox]:
    """Serve the tenant."""
    with Sandbox(quiet, faults=Faults(alert_requests_per_minute=100_000)) as served:
        yield served


@pytest.fixture
def sandbox(served: Sandbox) -> Iterator[Sandbox]:
    """Return the served tenant, whose app registration is put back after each test."""
    registered = application(served)
    before = {one.name: getattr(registered, one.name) for one in fields(registered)}
    lifetime = served.entra.people.code_lifetime
    yield served
    served.entra.people.code_lifetime = lifetime
    for name, value in before.items():
        setattr(registered, name, value)


@pytest.fixture
def asked(sandbox: Sandbox) -> Asked:
    """Return what counts the requests of a test to paths that end so."""
    before = len(sandbox.requests)
    return lambda end: sum(r.path.endswith(end) for r in sandbox.requests[before:])


@pytest.fixture(scope="module")
def identity() -> Identity:
    """Return a key with its certificate and the chain above it."""
    return Identity.make(KEY)


def application(sandbox: Sandbox) -> Application:
    """Return the app registration."""
    return sandbox.applications[sandbox.tenant.id]


def settings(sandbox: Sandbox, auth: str, **more: str | None) -> Settings:
    """Return the settings of one way to sign in; the secret is for that of the name alone."""
    given = sandbox.environment | {"DEFENDER_AUTH": auth} | more
    if auth != "secret":
        del given["AZURE_CLIENT_SECRET"]
    return Settings.read({name: value for name, value in given.items() if value is not None})


def graph(settings: Settings, ask: Ask | None = None) -> Credentials:
    """Return the credentials for Graph, as a run has them."""
    return credentials(settings, settings.graph_resource, settings.graph_url, ask=ask)


def alerts(settings: Settings, signed_in: Credentials) -> int:
    """List the alerts and return how many there are."""
    client = Client(
        settings.graph_url,
        signed_in,
        limiter(),
        "SecurityAlert.Read.All",
        str(settings.ca_bundle),
    )
    try:
        return len(client.get("v1.0/security/alerts_v2", "list alerts").body["value"])
    finally:
        client.close()


def refused(settings: Settings, ask: Ask | None = None) -> EtlError:
    """Return the error of a sign-in that fails, which is one line."""
    signed_in = graph(settings, ask)
    try:
        with pytest.raises(EtlError) as raised:
            signed_in.token()
    finally:
        signed_in.close()
    assert "\n" not in str(raised.value)
    return raised.value


def certificate(folder: Path, text: str, sandbox: Sandbox, **more: str) -> Settings:
    """Return the settings of a sign-in with a certificate that has this text."""
    path = folder / "certificate.pem"
    path.write_text(text)
    return settings(sandbox, "certificate", AZURE_CLIENT_CERTIFICATE_PATH=str(path), **more)


def assertion(**claims: object) -> str:
    """Return a token of the other issuer, with some claims changed."""
    now = int(time.time())
    said = {
        "iss": ISSUER,
        "sub": SUBJECT,
        "aud": "api://AzureADTokenExchange",
        "iat": now,
        "exp": now + 600,
    }
    return jwt.encode(said | claims, KEY, algorithm="RS256")


def trusting(sandbox: Sandbox) -> None:
    """Let the application trust the other issuer."""
    public = KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    application(sandbox).federated = Federation(ISSUER, SUBJECT, public.decode())


class Screen:
    """A screen with somebody in front of it, who enters the code that it shows, or not."""

    def __init__(self, decide: Callable[[str], None] | None) -> None:
        self.shown: list[str] = []
        self._decide = decide

    def __call__(self, message: str) -> None:
        """Show a message."""
        self.shown.append(message)
        found = MESSAGE.search(message)
        if found and self._decide:
            self._decide(found[1])


@pytest.fixture
def screen(sandbox: Sandbox) -> Screen:
    """Sit down in front of a screen."""
    return Screen(sandbox.entra.approve)


@pytest.fixture
def person(sandbox: Sandbox, tmp_path: Path) -> Settings:
    """Return the settings of a person's sign-in, with a file of tokens that is not there yet."""
    file = tmp_path / "cache" / "tokens.json"
    return settings(sandbox, "device-code", DEFENDER_TOKEN_CACHE=str(file))


def test_a_secret_signs_in_once_for_all_clients(asked: Asked, sandbox: Sandbox) -> None:
    """Clients that share credentials make one token request; a renewal makes another."""
    chosen = settings(sandbox, "secret")
    signed_in = graph(chosen)

    assert [alerts(chosen, signed_in) for _ in range(3)] == [0, 0, 0]
    assert asked("/token") == 1
    assert signed_in.token(refused=signed_in.token())
    assert asked("/token") == 2
    signed_in.close()


def test_threads_share_one_token_request(asked: Asked, sandbox: Sandbox) -> None:
    """Threads that ask at once wait for one another's token."""
    signed_in = graph(settings(sandbox, "secret"))
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(signed_in.token())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    signed_in.close()

    assert (len(found), len(set(found)), asked("/token")) == (8, 1, 1)


def test_threads_that_are_refused_at_once_sign_in_once(asked: Asked, sandbox: Sandbox) -> None:
    """Of threads whose token the API refuses, one asks for another, and all of them get it."""
    signed_in = graph(settings(sandbox, "secret"))
    first = signed_in.token()
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(signed_in.token(refused=first)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    signed_in.close()

    assert (len(found), len(set(found)), asked("/token")) == (8, 1, 2)
    assert first not in found


def test_a_refusal_is_not_remembered(sandbox: Sandbox) -> None:
    """What is mended at Entra ID works with the next token that is asked for."""
    application(sandbox).enabled = False
    chosen = settings(sandbox, "secret")
    signed_in = graph(chosen)
    with pytest.raises(SignInRefused, match="AADSTS7000112") as raised:
        signed_in.token()
    application(sandbox).enabled = True

    assert raised.value.code == 7000112
    assert alerts(chosen, signed_in) == 0


def test_consent_that_was_revoked_is_forbidden(sandbox: Sandbox) -> None:
    """A token without roles is issued, and names the permission at the API."""
    application(sandbox).roles = ()
    chosen = settings(sandbox, "secret")

    with pytest.raises(AccessError, match=r"lacks SecurityAlert\.Read\.All"):
        alerts(chosen, graph(chosen))


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_a_certificate_signs_in(
    sandbox: Sandbox, identity: Identity, tmp_path: Path, password: str | None
) -> None:
    """A PEM file with key and certificate signs in, also where its key is encrypted."""
    application(sandbox).certificate = identity.certificate
    more = {"AZURE_CLIENT_CERTIFICATE_PASSWORD": password} if password else {}
    text = identity.certificate + pem(KEY, password)
    chosen = certificate(tmp_path, text, sandbox, **more)

    assert alerts(chosen, graph(chosen)) == 0


def test_a_chain_signs_in(sandbox: Sandbox, identity: Identity, tmp_path: Path) -> None:
    """A file with the certificates above its own is sent whole, whatever their order."""
    application(sandbox).certificate = identity.certificate
    chosen = certificate(tmp_path, identity.issuer + pem(KEY) + identity.certificate, sandbox)

    assert alerts(chosen, graph(chosen)) == 0


def test_a_password_that_is_not_needed_is_let_be(
    sandbox: Sandbox, identity: Identity, tmp_path: Path
) -> None:
    """A key that is not encrypted needs no password, and takes no harm from one."""
    application(sandbox).certificate = identity.certificate
    text = identity.certificate + pem(KEY)
    chosen = certificate(tmp_path, text, sandbox, AZURE_CLIENT_CERTIFICATE_PASSWORD=PASSWORD)

    assert alerts(chosen, graph(chosen)) == 0


def test_a_certificate_that_is_not_registered_is_refused(
    sandbox: Sandbox, identity: Identity, tmp_path: Path
) -> None:
    """Entra ID knows no such key, and the remedy is to upload it."""
    application(sandbox).certificate = Identity.make(KEY).certificate
    error = refused(certificate(tmp_path, identity.certificate + pem(KEY), sandbox))

    assert isinstance(error, SignInRefused)
    assert error.code == 700027
    assert "upload" in str(error)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "PATH: .*no private key"),
        ("\0\1\2 no PEM at all", "PATH: .*no private key"),
        ("{certificate}", "PATH: .*no private key"),
        ("{key}", "PATH: .*no certificate in PEM"),
        ("{key}{issuer}", "PATH: .*belongs to no certificate"),
        ("{key}{expired}", "PATH: .*expired on"),
        ("{key}{early}", "PATH: .*not valid before"),
        ("{elliptic}{certificate}", "PATH: .*no RSA key"),
        ("{encrypted}{certificate}", "PASSWORD: .*is not set"),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n{certificate}",
            "PATH: .*private key in .* is not whole",
        ),
        (
            "{key}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            "PATH: .*a certificate in .* is not whole",
        ),
    ],
)
def test_a_file_that_is_no_certificate_is_named(
    asked: Asked,
    sandbox: Sandbox,
    identity: Identity,
    tmp_path: Path,
    text: str,
    says: str,
) -> None:
    """Whatever is wrong with the file is told before anything is sent."""
    parts = {
        "certificate": identity.certificate,
        "issuer": identity.issuer,
        "key": pem(KEY),
        "encrypted": pem(KEY, PASSWORD),
        "elliptic": pem(ec.generate_private_key(ec.SECP256R1())),
        "expired": Identity.make(KEY, days=(-20, -10)).certificate,
        "early": Identity.make(KEY, days=(10, 20)).certificate,
    }
    error = refused(certificate(tmp_path, text.format(**parts), sandbox))

    assert isinstance(error, ConfigError)
    assert re.match(f"AZURE_CLIENT_CERTIFICATE_{says}", str(error))
    assert asked("/token") == 0


def test_a_wrong_password_is_named_but_not_told(
    sandbox: Sandbox, identity: Identity, tmp_path: Path
) -> None:
    """The password that does not open the key is in no message."""
    text = pem(KEY, "another") + identity.certificate
    error = refused(
        certificate(tmp_path, text, sandbox, AZURE_CLIENT_CERTIFICATE_PASSWORD=PASSWORD)
    )

    assert isinstance(error, ConfigError)
    assert error.name == "AZURE_CLIENT_CERTIFICATE_PASSWORD"
    assert PASSWORD not in str(error)


def test_a_file_that_is_not_there_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    """A missing certificate or token file is an error of its setting."""
    missing = str(tmp_path / "none")
    errors = [
        refused(settings(sandbox, "certificate", AZURE_CLIENT_CERTIFICATE_PATH=missing)),
        refused(settings(sandbox, "workload-identity", AZURE_FEDERATED_TOKEN_FILE=missing)),
    ]

    assert [getattr(error, "name", "") for error in errors] == [
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "AZURE_FEDERATED_TOKEN_FILE",
    ]


def workload(sandbox: Sandbox, file: Path) -> Settings:
    """Return the settings of a workload that has a token of another issuer."""
    return settings(sandbox, "workload-identity", AZURE_FEDERATED_TOKEN_FILE=str(file))


def test_a_workload_signs_in_with_a_token_that_rotates(sandbox: Sandbox, tmp_path: Path) -> None:
    """The token's file is read anew for every token request."""
    trusting(sandbox)
    file = tmp_path / "token"
    file.write_text(f"{assertion()}\n")
    chosen = workload(sandbox, file)
    signed_in = graph(chosen)

    assert alerts(chosen, signed_in) == 0
    file.write_text(assertion(exp=int(time.time()) - 9000))
    with pytest.raises(SignInRefused, match="AADSTS700024"):
        signed_in.token(refused=signed_in.token())
    file.write_text(assertion(jti="next"))
    assert signed_in.token(refused=signed_in.token())
    signed_in.close()


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"iss": "https://other.example"}, 700211),
        ({"aud": "api://other"}, 700212),
        ({"sub": "system:serviceaccount:etl:other"}, 700213),
    ],
)
def test_a_token_that_is_not_trusted_is_refused(
    sandbox: Sandbox, tmp_path: Path, claims: dict[str, str], code: int
) -> None:
    """Issuer, audience and subject have to be those of the federated credential."""
    trusting(sandbox)
    file = tmp_path / "token"
    file.write_text(assertion(**claims))
    error = refused(workload(sandbox, file))

    assert isinstance(error, SignInRefused)
    assert error.code == code
    assert "AZURE_FEDERATED_TOKEN_FILE" in str(error)


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe\x00"])
def test_a_file_without_a_token_is_named(sandbox: Sandbox, tmp_path: Path, content: bytes) -> None:
    """An empty file, or one that holds something else, is an error of its setting."""
    file = tmp_path / "token"
    file.write_bytes(content)
    error = refused(workload(sandbox, file))

    assert isinstance(error, ConfigError)
    assert error.name == "AZURE_FEDERATED_TOKEN_FILE"


def test_a_person_signs_in_by_hand_once(asked: Asked, person: Settings, screen: Screen) -> None:
    """A code is shown once; after that the file of tokens does, in any process."""
    assert alerts(person, graph(person, screen)) == 0
    assert alerts(person, graph(person, screen)) == 0
    assert len(screen.shown) == 1
    assert asked("/token") == 1


def test_a_person_s_token_is_renewed_without_asking(
    asked: Asked, person: Settings, screen: Screen
) -> None:
    """The refresh token gives new tokens, and such for another API."""
    signed_in = graph(person, screen)
    first = signed_in.token()
    second = signed_in.token(refused=signed_in.token())
    other = credentials(person, person.mde_resource, ask=screen)
    third = other.token()
    for one in (signed_in, other):
        one.close()

    assert len({first, second, third}) == 3
    assert len(screen.shown) == 1
    assert asked("/token") == 3


def test_the_file_of_tokens_is_its_owner_s_alone(person: Settings, screen: Screen) -> None:
    """File and folder are made for their owner only, and nothing else is left behind."""
    signed_in = graph(person, screen)
    signed_in.token()
    signed_in.close()
    file = person.token_cache
    assert file is not None

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert list(file.parent.iterdir()) == [file]
    assert screen.shown


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused(
    person: Settings, screen: Screen, mode: int
) -> None:
    """Tokens that others may have read are not used."""
    graph(person, screen).token()
    assert person.token_cache is not None
    person.token_cache.chmod(mode)
    error = refused(person, screen)

    assert isinstance(error, ConfigError)
    assert error.name == "DEFENDER_TOKEN_CACHE"
    assert screen.shown


@pytest.mark.parametrize("content", [b"{", b"[1]", b'{"AccessToken": 5}', b"\xff\xfe", b"[" * 9999])
def test_a_damaged_file_is_named(person: Settings, screen: Screen, content: bytes) -> None:
    """A file that nobody's sign-in is in, is left alone, and the person is told."""
    assert person.token_cache is not None
    person.token_cache.parent.mkdir(mode=0o700)
    person.token_cache.write_bytes(content)
    person.token_cache.chmod(0o600)
    error = refused(person, screen)

    assert isinstance(error, ConfigError)
    assert error.name == "DEFENDER_TOKEN_CACHE"
    assert person.token_cache.read_bytes() == content
    assert screen.shown == []


def test_without_a_terminal_nobody_is_asked(asked: Asked, person: Settings) -> None:
    """A daemon does not wait for a person who is not there; the line says what to do."""
    error = refused(person)

    assert isinstance(error, SignInRefused)
    assert "defender-etl doctor" in str(error)
    assert asked("") == 1  # the description of the sign-in page
    assert asked("/devicecode") == 0


def test_without_a_terminal_an_ended_sign_in_says_so(
    sandbox: Sandbox, person: Settings, screen: Screen
) -> None:
    """A daemon whose refresh token was revoked names the number and the remedy."""
    graph(person, screen).token()
    sandbox.entra.people.revoke()
    signed_in = graph(person)
    with pytest.raises(SignInRefused, match="defender-etl doctor") as raised:
        signed_in.token(refused=signed_in.token())
    signed_in.close()

    assert raised.value.code == 50173


def test_a_person_may_decline(sandbox: Sandbox, person: Settings) -> None:
    """Declining ends the sign-in with a line of its own, and no file is left."""
    error = refused(person, Screen(sandbox.entra.decline))

    assert isinstance(error, SignInRefused)
    assert error.code == 65004
    assert person.token_cache is not None
    assert not person.token_cache.exists()


def test_a_code_that_nobody_enters_ends(sandbox: Sandbox, person: Settings) -> None:
    """After its lifetime the code is given up."""
    sandbox.entra.people.code_lifetime = 0
    error = refused(person, Screen(None))

    assert isinstance(error, SignInRefused)
    assert error.code in {70016, 70019, 70020}


def test_permissions_without_consent_are_named(
    sandbox: Sandbox, person: Settings, screen: Screen
) -> None:
    """A person cannot sign in through an application that nobody consented to."""
    application(sandbox).roles = ()
    error = refused(person, screen)

    assert isinstance(error, SignInRefused)
    assert error.code == 65001
    assert screen.shown


@pytest.mark.parametrize("place", ["machine", "app"])
@pytest.mark.parametrize("own", [True, False])
def test_a_managed_identity_signs_in(
    asked: Asked, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, place: str, *, own: bool
) -> None:
    """A machine and an app have tokens of their own identity, or of one that is named."""
    app_service = place == "app"
    service = MetadataService(sandbox.entra, application(sandbox), app_service=app_service)
    with service as metadata:
        for name, value in metadata.environment.items():
            monkeypatch.setenv(name, value)
        more = {"AZURE_CLIENT_ID": None} if own else {}
        chosen = settings(sandbox, "managed-identity", **more)
        signed_in = graph(chosen)

        assert alerts(chosen, signed_in) == 0
        assert alerts(chosen, signed_in) == 0
        assert asked("/token") == 0


def test_an_identity_that_the_machine_lacks_is_named(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client id that is not assigned to the machine is refused in one line."""
    with MetadataService(sandbox.entra, application(sandbox)) as metadata:
        for name, value in metadata.environment.items():
            monkeypatch.setenv(name, value)
        other = "11111111-1111-4111-8111-111111111111"
        error = refused(settings(sandbox, "managed-identity", AZURE_CLIENT_ID=other))

    assert isinstance(error, SignInRefused)
    assert "AZURE_CLIENT_ID" in str(error)


def test_a_machine_without_an_endpoint_fails_at_once(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing answers, a line names the remedy within seconds, whatever proxy is set."""
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", sandbox.url)
    start = time.monotonic()
    error = refused(settings(sandbox, "managed-identity"))

    assert isinstance(error, Unreachable)
    assert "DEFENDER_AUTH" in str(error)
    assert time.monotonic() - start < 5


def test_an_authority_that_is_not_trusted_is_not_spoken_to(asked: Asked, sandbox: Sandbox) -> None:
    """Without the sandbox's own authority its certificate is refused, whatever the sign-in."""
    chosen = settings(sandbox, "secret", REQUESTS_CA_BUNDLE=None)
    error = refused(chosen)

    assert isinstance(error, Unreachable)
    assert "REQUESTS_CA_BUNDLE" in str(error)
    assert asked("") == 0


def test_nothing_secret_is_written_anywhere(
    sandbox: Sandbox,
    identity: Identity,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    screen: Screen,
) -> None:
    """Secrets, passwords, keys, assertions and tokens are in no log, message or repr."""
    caplog.set_level(logging.DEBUG)
    trusting(sandbox)
    application(sandbox).certificate = identity.certificate
    file = tmp_path / "token"
    file.write_text(assertion())
    text = identity.certificate + pem(KEY, PASSWORD)
    tokens = tmp_path / "cache" / "tokens.json"
    every = [
        settings(sandbox, "secret"),
        certificate(tmp_path, text, sandbox, AZURE_CLIENT_CERTIFICATE_PASSWORD=PASSWORD),
        workload(sandbox, file),
        settings(sandbox, "device-code", DEFENDER_TOKEN_CACHE=str(tokens)),
    ]
    said = []
    given = [sandbox.environment["AZURE_CLIENT_SECRET"], PASSWORD, assertion(), pem(KEY)[40:90]]
    for chosen in every:
        signed_in = graph(chosen, screen)
        given += [signed_in.token(), signed_in.token(refused=signed_in.token())]
        said.append(f"{chosen!r} {signed_in!r}")
        application(sandbox).enabled = False
        with pytest.raises(SignInRefused) as raised:
            signed_in.token(refused=signed_in.token())
        application(sandbox).enabled = True
        said.append(f"{raised.value} {raised.value!r} {raised.value.__cause__!r}")
        signed_in.close()
    given += [entry["secret"] for entry in json.loads(tokens.read_text())["RefreshToken"].values()]
    said += [caplog.text, *screen.shown]
    given.append(file.read_text())

    assert caplog.records
    assert len(given) == 14
    assert [text for text in given if any(text in line for line in said)] == []


def test_no_token_outlives_its_time(quiet: Tenant) -> None:
    """A token that is about to end is not used again."""
    with Sandbox(quiet, faults=Faults(token_lifetime=200)) as sandbox:
        signed_in = graph(settings(sandbox, "secret"))
        tokens = {signed_in.token() for _ in range(3)}
        signed_in.close()

    assert len(tokens) == 3
    assert os.environ.get("AZURE_CLIENT_SECRET") is None
