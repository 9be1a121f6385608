"""The HTTP client against a scripted server: when it asks again, when it stops, whom it trusts."""

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from limiters import limiter

from etl.access.client import Client
from etl.access.connections import Connections
from etl.access.failures import Again
from etl.errors import (
    Forbidden,
    RequestRefused,
    ResultTooLarge,
    ServiceFailed,
    SignInRefused,
    TableUnknown,
    Throttled,
    TooHeavy,
    UntrustedHost,
)

Answered = tuple[int, dict[str, str], bytes]

OK: Answered = (200, {}, b'{"value": []}')
AGAIN = {"Retry-After": "0"}


@dataclass
class Tokens:
    """Credentials that hand out numbered tokens."""

    renewed: int = 0

    def token(self, *, refused: str | None = None) -> str:
        """Return the token, a new one where the last was refused."""
        self.renewed += refused is not None
        return f"token-{self.renewed}"

    def close(self) -> None:
        """Hold nothing open."""


@dataclass
class Script:
    """What the server answers, in order, and what it was sent."""

    answers: list[Answered]
    authorizations: list[str] = field(default_factory=list)


def refusal(message: str) -> bytes:
    """Return Graph's error body."""
    return json.dumps({"error": {"code": "BadRequest", "message": message}}).encode()


@contextmanager
def serving(*answers: Answered) -> Iterator[tuple[Client, Script]]:
    """Serve the answers on loopback and lend a client of it."""
    script = Script(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def do_GET(self) -> None:
            script.authorizations.append(self.headers["Authorization"])
            status, headers, body = script.answers.pop(0)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    root = f"http://127.0.0.1:{server.server_port}"
    client = Client(root, Tokens(), limiter(), "Some.Permission", attempts=3, longest_wait=5)
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
def test_a_passing_failure_is_asked_again(failure: Answered) -> None:
    """What may pass is asked again, and the calls it took are counted."""
    with serving(failure, OK) as (client, _):
        answer = client.get("alerts", "list")

    assert answer.body == {"value": []}
    assert answer.calls == 2
    assert answer.throttled == (failure[0] == 429)


def test_the_caller_may_read_the_body_himself() -> None:
    """What reads the body is told what was asked, may ask for it again, and sees it in pieces."""
    seen = []

    def read(response: requests.Response, what: str) -> list[bytes]:
        seen.append(what)
        if len(seen) < 2:
            raise Again("the answer is not whole")
        return list(response.iter_content(4))

    zipped = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"0123456789"))
    with serving(zipped, zipped) as (client, _):
        answer = client.post("run", "hunt", {"Query": "x"}, read=read)

    assert b"".join(answer.body) == b"0123456789"
    assert (answer.size, answer.calls, seen) == (10, 2, ["hunt", "hunt"])


def test_a_body_that_breaks_off_is_asked_for_again() -> None:
    """A connection that ends before the body does is no answer, whoever reads it."""
    broken = (200, {"Content-Length": "99"}, b'{"value": [')
    with serving(broken, broken, OK) as (client, _):
        answer = client.get("alerts", "list")

    assert (answer.body, answer.calls, answer.size) == ({"value": []}, 3, len(OK[2]))


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


def test_a_token_that_served_others_is_not_fresh() -> None:
    """A token that a success was had with may expire before its first use here; it is no error."""

    class Shared(Tokens):
        def token(self, *, refused: str | None = None) -> str:
            self.renewed += refused is not None
            return "token"

    with serving(OK, (401, {}, b""), (401, {}, b""), OK) as (client, _):
        client.credentials = shared = Shared()
        client.get("alerts", "list")
        answer = client.get("alerts", "list")

    assert (answer.calls, shared.renewed) == (3, 2)


def test_sessions_are_never_shared_and_kept_for_the_next() -> None:
    """Requests at once have a session each, which the next ones take over until it is closed."""
    connections = Connections()
    with connections.lend() as one, connections.lend() as other:
        assert one is not other
        used = {one, other}
    with connections.lend() as again:
        connections.close()
    with connections.lend() as fresh:
        pass

    assert again in used
    assert fresh not in used


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


def test_what_a_429_asks_for_holds_for_all_of_the_quota() -> None:
    """Who shares the quota is kept from calling as well, for as long as the service said."""
    with serving((429, {"Retry-After": "600"}, b"")) as (client, script):
        with pytest.raises(Throttled):
            client.get("alerts", "list")
        with pytest.raises(Throttled) as caught:
            client.get("alerts", "list")

    assert 590 < caught.value.retry_after <= 600
    assert len(script.authorizations) == 1


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "600"}, refusal("Try again in 12 minutes."), 600),
        ({"Retry-After": "soon"}, refusal("Try again in 12 minutes."), 720),
        ({"Retry-After": "-5"}, refusal("Try again in 12 minutes."), 720),
        ({"Retry-After": "9" * 400}, b"", 86_400),
    ],
    ids=["header", "no number", "negative", "absurd"],
)
def test_the_header_goes_before_the_text(
    headers: dict[str, str], body: bytes, seconds: int
) -> None:
    """The wait is the header's where it has one, else the text's, and a day at most."""
    with serving((429, headers, body)) as (client, _), pytest.raises(Throttled) as caught:
        client.get("alerts", "list")

    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("body", [b"", b"<html>", refusal("Too many."), b"[" * 90_000])
def test_a_quota_of_hunting_begins_anew_each_quarter_of_an_hour(body: bytes) -> None:
    """Where a 429 says nothing, hunting waits for the next quarter, other APIs for a moment."""
    with serving((429, {}, body)) as (client, _):
        client.hunting, client.longest_wait = True, 0.0
        asked = time.time()
        with pytest.raises(Throttled) as caught:
            client.get("alerts", "list")
        told = time.time()
    with serving((429, {}, body), OK) as (client, _):
        answer = client.get("alerts", "list")
    seconds = caught.value.retry_after
    quarter = round((asked + seconds) / 900) * 900

    assert 0 < seconds <= 903
    assert asked + seconds < quarter + 3
    assert told + seconds > quarter + 0.9
    assert (answer.calls, answer.throttled) == (2, 1)


def test_a_storm_that_does_not_end_is_handed_back() -> None:
    """When every attempt was one too many, the error says when to come back."""
    with serving(*[(429, AGAIN, b"")] * 3) as (client, _), pytest.raises(Throttled):
        client.get("alerts", "list")


WORDLESS = (500, AGAIN, json.dumps({"error": {"code": "UnknownError", "message": ""}}).encode())
TIMED_OUT = (504, AGAIN, b"")
BUSY = (503, AGAIN, b"")


@pytest.mark.parametrize("answers", [[TIMED_OUT] * 2, [WORDLESS] * 3, [BUSY, *[WORDLESS] * 3]])
def test_a_query_that_times_out_each_time_is_too_heavy(answers: list[Answered]) -> None:
    """Hunting that fails in one and the same way without a word is to be asked for less."""
    with serving(*answers) as (client, script):
        client.hunting, client.attempts = True, 8
        with pytest.raises(TooHeavy, match="hunt: HTTP 50") as caught:
            client.post("run", "hunt", {"Query": "x"})

    assert isinstance(caught.value, ResultTooLarge)
    assert script.answers == []


@pytest.mark.parametrize(
    "answers",
    [
        [BUSY, WORDLESS] * 3,
        [WORDLESS, WORDLESS, BUSY, WORDLESS, WORDLESS],
        [TIMED_OUT, BUSY, TIMED_OUT],
        [(500, AGAIN, refusal("oops"))] * 4,
    ],
)
def test_a_service_that_is_ill_is_no_heavy_query(answers: list[Answered]) -> None:
    """Failures of several kinds, or with words, are asked again as ever."""
    with serving(*answers, OK) as (client, _):
        client.hunting, client.attempts = True, 8
        answer = client.post("run", "hunt", {"Query": "x"})

    assert answer.calls == len(answers) + 1


@pytest.mark.parametrize("answers", [[TIMED_OUT] * 4, [WORDLESS] * 4])
def test_elsewhere_a_time_out_is_a_failure(answers: list[Answered]) -> None:
    """Other APIs have no queries that could be too heavy."""
    with serving(*answers, OK) as (client, _):
        client.attempts = 8
        assert client.get("alerts", "list").calls == 5


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
