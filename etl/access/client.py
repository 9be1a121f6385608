"""The one HTTP client: bearer token, TLS, time-outs, retries, and failures as our own errors.

The token goes to the configured host only: redirects are not followed, and a link to another host
is refused before anything is sent. Waits of up to `longest_wait` seconds happen here; longer ones
leave as `Throttled`, so that whoever holds a slot can give it back. Threads may share a client.
How a failure is read off a response belongs to `etl.access.failures`.
"""

import json
import logging
import math
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from etl.access import failures, waits
from etl.access.connections import Bearer, Connections, Counted
from etl.access.credentials import Credentials
from etl.access.failures import Again
from etl.access.limits import Full, Limiter
from etl.errors import Forbidden, ServiceFailed, Throttled, Unreachable, UntrustedHost

log = logging.getLogger(__name__)

_TIMEOUT = (10, 240)  # connect, read: a hunting query may run for three minutes
_REMEMBERED = 4  # tokens: threads that are late may still use one before the newest
_CONNECTION_ATTEMPTS = 3  # a host that is not there is told apart sooner than one that is busy


Reader = Callable[[requests.Response, str], Any]
"""Reads the body of a success, told what was asked; raises `Again` where it stops in the middle."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the service and what it took to get it."""

    body: Any
    """A JSON object, unless the caller has read the body in another way."""

    request_id: str
    size: int
    calls: int
    throttled: int
    doubts: tuple[str, ...] = ()
    """What the service says is missing from the answer, one line each."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, and how it is named in errors and logs."""

    method: str
    url: str
    what: str
    headers: dict[str, str]
    body: dict[str, Any] | None = None


@dataclass(slots=True)
class _Course:
    """How one request went so far."""

    calls: int = 0
    throttled: int = 0
    problem: str = "not asked"
    times: int = 0
    """How often in a row that was the problem."""

    refused: str | None = None
    """The token that another one has to be got for."""

    def note(self, problem: str) -> None:
        """Note what was wrong with a call."""
        self.times = self.times + 1 if problem == self.problem else 1
        self.problem = problem


@dataclass(slots=True)
class Client:
    """Requests to one host, on behalf of one application in one tenant."""

    root: str
    credentials: Credentials
    limiter: Limiter
    permission: str
    verify: str | bool = True
    attempts: int = 8
    longest_wait: float = 90.0
    audience_by_403: bool = False
    """Whether this API answers a token for another audience with 403; then the next one is tried
    before a 403 counts as a missing permission, unless a token was accepted already."""

    hunting: bool = False
    """Whether queries are run here: their quota begins anew each quarter of an hour, and a query
    that is too heavy shows in time-outs only."""

    _accepted: tuple[str, ...] = field(default=(), init=False, repr=False)
    """The last tokens that were let in, the newest first."""

    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _connections: Connections = field(default_factory=Connections, init=False, repr=False)

    def get(self, url: str, what: str, headers: dict[str, str] | None = None) -> Answer:
        """Ask for `url`, absolute or relative to the root; `what` names it in errors.

        Raises an AccessError.
        """
        return self._ask(
            Request("GET", self._trusted(url), what, headers or {}), failures.whole_json
        )

    def post(
        self, url: str, what: str, body: dict[str, Any], read: Reader = failures.whole_json
    ) -> Answer:
        """Send `body` as JSON; `read` makes the answer's body of the response.

        Raises an AccessError.
        """
        headers = {"Content-Type": "application/json; charset=utf-8"}
        return self._ask(Request("POST", self._trusted(url), what, headers, body), read)

    def close(self) -> None:
        """Close the connections that were kept for the next request."""
        self._connections.close()
        self.credentials.close()

    @property
    def _host(self) -> str:
        return urlsplit(self.root).netloc

    def _trusted(self, url: str) -> str:
        target = urljoin(self.root + "/", url)
        if urlsplit(target)[:2] != urlsplit(self.root)[:2]:
            raise UntrustedHost(urlsplit(target).netloc, self._host)
        return target

    def _ask(self, request: Request, read: Reader) -> Answer:
        course = _Course()
        while course.calls < self.attempts:
            token = self.credentials.token(refused=course.refused)
            self._take_place(request.what)
            course.calls, course.refused = course.calls + 1, None
            try:
                return self._send(request, token, read, course)
            except Again as again:
                self._failed(request.what, course, again, token)
            except Forbidden:
                if not self.audience_by_403 or course.problem == failures.FORBIDDEN:
                    raise
                if token in self._accepted:
                    raise
                course.note(failures.FORBIDDEN)
                course.refused = None if self._accepted else token
            except requests.exceptions.SSLError as error:
                remedy = "set REQUESTS_CA_BUNDLE to the CA's PEM file"
                raise Unreachable(self._host, "its certificate is not trusted", remedy) from error
            except requests.RequestException as error:
                lost = Again(f"no answer ({type(error).__name__})")
                if course.calls >= _CONNECTION_ATTEMPTS:
                    remedy = "check DEFENDER_GRAPH_URL, DEFENDER_CLOUD, the network and any proxy"
                    raise Unreachable(self._host, lost.problem, remedy) from error
                self._failed(request.what, course, lost, token)
        raise ServiceFailed(request.what, f"{course.problem} after {self.attempts} attempts")

    def _take_place(self, what: str) -> None:
        """Wait for the quota; where that would be too long, leave it to whoever holds a slot."""
        try:
            self.limiter.wait(self.longest_wait)
        except Full as full:
            raise Throttled(what, full.seconds) from full

    def _send(self, request: Request, token: str, read: Reader, course: _Course) -> Answer:
        """Send a request once.

        Raises Again, an AccessError or requests.RequestException.
        """
        content = None if request.body is None else json.dumps(request.body).encode()
        with (
            self._connections.lend() as session,
            session.request(
                request.method,
                request.url,
                headers={
                    "Accept": "application/json",
                    "client-request-id": str(uuid.uuid4()),
                    **request.headers,
                },
                data=content,
                auth=Bearer(token),
                timeout=_TIMEOUT,
                verify=self.verify,
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            response.raw = counted = Counted(response.raw)
            failures.check(response, request.what, self.permission, self._host)
            body = read(response, request.what)
            self._accept(token)
            return Answer(
                body,
                failures.request_id(response),
                counted.size,
                course.calls,
                course.throttled,
                failures.doubts(response),
            )

    def _accept(self, token: str) -> None:
        with self._lock:
            if token not in self._accepted:
                self._accepted = (token, *self._accepted[: _REMEMBERED - 1])

    def _failed(self, what: str, course: _Course, again: Again, token: str) -> None:
        """Note a failure that may pass, and wait; raise where asking again will not help."""
        course.note(again.problem)
        course.throttled += again.throttled
        if again.problem == failures.TOKEN_REJECTED:
            if course.times > 1 and token not in self._accepted:
                raise failures.rejected_token() from again
            course.refused = token
        if self.hunting and course.times >= failures.HEAVY.get(again.problem, math.inf):
            raise failures.too_heavy(what, again.problem) from again
        self._wait(what, course.calls, again)

    def _wait(self, what: str, attempt: int, again: Again) -> None:
        """Wait before the next attempt; for a quota, everybody who shares it does."""
        seconds = again.seconds
        if seconds is None and again.throttled and self.hunting:
            seconds = waits.until_quarter(time.time())
        elif seconds is None:
            seconds = waits.back_off(attempt)
        last = attempt >= self.attempts
        if again.throttled:
            self.limiter.block(seconds)
        if seconds > self.longest_wait or (again.throttled and last):
            raise Throttled(what, seconds)
        log.warning(
            "asking again what=%s attempt=%d problem=%s wait_seconds=%.1f",
            what,
            attempt,
            again.problem,
            seconds,
        )
        if not again.throttled and not last:
            time.sleep(seconds)
