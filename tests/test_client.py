"""The HTTP client against a scripted server: when it asks again, when it stops, whom it trusts."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from etl.access.client import Client
from etl.access.limits import Limiter
from etl.errors import (
    Forbidden,
    RequestRefused,
    ResultTooLarge,
    ServiceFailed,
    SignInRefused,
    TableUnknown,
    Throttled,
    UntrustedHost,
)

OK = (200, {}, b'{"value": []}')
AGAIN = {"Retry-After": "0"}


@dataclass
class Tokens:
    """Credentials that hand out numbered tokens."""

    renewed: int = 0

    def token(self, *, renew: bool = False) -> str:
        """Return the token, a new one where asked."""
        self.renewed += renew
        return f"token-{self.renewed}"

    def close(self) -> None:
        """Hold nothing open."""


@dataclass
class Script:
    """What the server answers, in order, and what it was sent."""

    answers: list[tuple[int, dict[str, str], bytes]]
    authorizations: list[str] = field(default_factory=list)


def refusal(message: str) -> bytes:
    """Return Graph's error body."""
    return json.dumps({"error": {"code": "BadRequest", "message": message}}).encode()


@contextmanager
def serving(*answers: tuple[int, dict[str, str], bytes]) -> Iterator[tuple[Client, Script]]:
    """Serve the answers on loopback and lend a client of it."""
    script = Script(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script.authorizations.append(self.headers["Authorization"])
            status, headers, body = script.answers.pop(0)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    root = f"http://127.0.0.1:{server.server_port}"
    client = Client(root, Tokens(), Limiter(1000), "Some.Permission", attempts=3, longest_wait=5)
    try:
        yield client, script
    finally:
        client.close()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "failure",
    [(429, AGAIN, b""), (503, AGAIN, b""), (500, AGAIN, b"oops"), (200, {}, b'{"value": [')],
    ids=["throttled", "unavailable", "failed", "cut off"],
)
def test_a_passing_failure_is_asked_again(failure: tuple[int, dict[str, str], bytes]) -> None:
    """What may pass is asked again, and the calls it took are counted."""
    with serving(failure, OK) as (client, _):
        answer = client.get("alerts", "list")

    assert answer.body == {"value": []}
    assert answer.calls == 2
    assert answer.throttled == (failure[0] == 429)


def test_a_failure_that_stays_is_an_error() -> None:
    """After its attempts the client gives up and says what it met."""
    with (
        serving(*[(503, AGAIN, b"")] * 3) as (client, _),
        pytest.raises(ServiceFailed, match="503"),
    ):
        client.get("alerts", "list")


def test_a_rejected_token_is_renewed_once() -> None:
    """A 401 brings a new token; a second in a row is an error."""
    with serving((401, {}, b""), OK) as (client, script):
        client.get("alerts", "list")
    with serving((401, {}, b""), (401, {}, b"")) as (other, _), pytest.raises(SignInRefused):
        other.get("alerts", "list")

    assert script.authorizations == ["Bearer token-0", "Bearer token-1"]


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "600"}, b"", 600),
        ({}, refusal("You can run queries again in 12 minutes."), 720),
        ({}, refusal("You can run queries again in 00:15:00."), 900),
    ],
    ids=["header", "words", "clock"],
)
def test_a_long_wait_is_handed_back(headers: dict[str, str], body: bytes, seconds: int) -> None:
    """A wait longer than the client's own leaves as an error that says how long."""
    with serving((429, headers, body)) as (client, _), pytest.raises(Throttled) as caught:
        client.get("alerts", "list")

    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (403, "no", Forbidden),
        (400, "'where' operator: Failed to resolve table or column expression", TableUnknown),
        (400, "Query execution has exceeded the allowed result size.", ResultTooLarge),
        (400, "A recognition error occurred.", RequestRefused),
    ],
)
def test_a_refusal_is_told_apart(status: int, message: str, kind: type[Exception]) -> None:
    """A refusal is not asked again, and its kind says what helps."""
    with serving((status, {}, refusal(message))) as (client, script), pytest.raises(kind) as caught:
        client.get("alerts", "list")

    assert type(caught.value) is kind
    assert len(script.authorizations) == 1


def test_what_the_service_says_cannot_steer_a_terminal() -> None:
    """Control characters in an error are shown, not sent."""
    with (
        serving((400, {}, refusal("\x1b]0;owned\x07"))) as (client, _),
        pytest.raises(RequestRefused) as caught,
    ):
        client.get("alerts", "list")

    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "link", ["https://evil.example/alerts", "http://127.0.0.1:1/alerts", "//evil.example/alerts"]
)
def test_the_token_goes_to_no_other_host(link: str) -> None:
    """A link to another host, port or scheme is refused before anything is sent."""
    with serving() as (client, script), pytest.raises(UntrustedHost):
        client.get(link, "list")

    assert script.authorizations == []


def test_a_redirect_is_not_followed() -> None:
    """A redirect is an error that names where it leads."""
    with (
        serving((302, {"Location": "https://evil.example/x"}, b"")) as (client, _),
        pytest.raises(UntrustedHost, match=r"evil\.example"),
    ):
        client.get("alerts", "list")


def test_a_wrong_audience_is_told_from_a_missing_permission() -> None:
    """Where an API answers a token for another audience with 403, the next audience is tried."""
    with serving((403, {}, b""), OK, (403, {}, b"")) as (client, script):
        client.audience_by_403 = True
        assert client.get("alerts", "list").calls == 2
        with pytest.raises(Forbidden):
            client.get("machines", "list machines")

    assert script.authorizations == ["Bearer token-0", "Bearer token-1", "Bearer token-1"]


@pytest.mark.parametrize("tried", [False, True])
def test_a_permission_that_no_audience_has_is_missing(tried: bool) -> None:  # noqa: FBT001
    """A second 403 in a row ends it; where audiences do not show in 403, the first does."""
    with serving(*[(403, {}, b"")] * 2) as (client, script):
        client.audience_by_403 = tried
        with pytest.raises(Forbidden):
            client.get("alerts", "list")

    assert len(script.authorizations) == 1 + tried


def test_an_error_names_the_request_where_the_service_does() -> None:
    """What Defender for Endpoint calls a request stands in the error, for support to find it."""
    body = json.dumps({"error": {"code": "InvalidInput", "message": "No.", "target": "guid-7"}})
    with (
        serving((400, {}, body.encode())) as (client, _),
        pytest.raises(RequestRefused, match="guid-7"),
    ):
        client.get("alerts", "list")
