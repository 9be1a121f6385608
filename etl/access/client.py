"""The one HTTP client: bearer token, TLS, time-outs, retries, and failures as our own errors.

The token goes to the configured host only: redirects are not followed, and a link to another host
is refused before anything is sent. Waits of up to `longest_wait` seconds happen here; longer ones
leave as `Throttled`, so that whoever holds a slot can give it back. How a failure is read off a
response belongs to `etl.access.failures`.
"""

import json
import logging
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase

from etl.access import failures
from etl.access.credentials import Credentials
from etl.access.failures import Again
from etl.access.limits import Limiter
from etl.errors import Forbidden, ServiceFailed, Throttled, Unreachable, UntrustedHost

log = logging.getLogger(__name__)

_TIMEOUT = (10, 240)  # connect, read: a hunting query may run for three minutes
_CONNECTION_ATTEMPTS = 3  # a host that is not there is told apart sooner than one that is busy


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the service and what it took to get it."""

    body: dict[str, Any]
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


class Bearer(AuthBase):
    """Puts the token on a request; being there at all, it keeps netrc entries off."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign one request."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


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

    _accepted: bool = False
    _session: requests.Session = field(default_factory=requests.Session)

    def get(self, url: str, what: str, headers: dict[str, str] | None = None) -> Answer:
        """Ask for `url`, absolute or relative to the root; `what` names it in errors.

        Raises an AccessError.
        """
        return self._ask(Request("GET", self._trusted(url), what, headers or {}))

    def post(self, url: str, what: str, body: dict[str, Any]) -> Answer:
        """Send `body` as JSON.

        Raises an AccessError.
        """
        headers = {"Content-Type": "application/json; charset=utf-8"}
        return self._ask(Request("POST", self._trusted(url), what, headers, body))

    def close(self) -> None:
        """Close the connections that were kept for the next request."""
        self._session.close()
        self.credentials.close()

    @property
    def _host(self) -> str:
        return urlsplit(self.root).netloc

    def _trusted(self, url: str) -> str:
        target = urljoin(self.root + "/", url)
        if urlsplit(target)[:2] != urlsplit(self.root)[:2]:
            raise UntrustedHost(urlsplit(target).netloc, self._host)
        return target

    def _ask(self, request: Request) -> Answer:
        throttled, problem = 0, "not asked"
        for attempt in range(1, self.attempts + 1):
            self._take_place(request.what)
            try:
                response = self._send(request, renew=problem in failures.RENEWABLE)
                failures.check(response, request.what, self.permission, self._host)
                body = failures.whole_json(response, request.what)
                self._accepted = True
                return Answer(
                    body,
                    failures.request_id(response),
                    len(response.content),
                    attempt,
                    throttled,
                    failures.doubts(response),
                )
            except Again as again:
                if again.problem == problem == failures.TOKEN_REJECTED:
                    raise failures.rejected_token() from again
                problem = again.problem
                throttled += again.throttled
                self._wait(request.what, attempt, again)
            except Forbidden:
                if self._accepted or not self.audience_by_403 or problem == failures.FORBIDDEN:
                    raise
                problem = failures.FORBIDDEN
            except requests.exceptions.SSLError as error:
                remedy = "set REQUESTS_CA_BUNDLE to the CA's PEM file"
                raise Unreachable(self._host, "its certificate is not trusted", remedy) from error
            except requests.RequestException as error:
                problem = f"no answer ({type(error).__name__})"
                if attempt >= _CONNECTION_ATTEMPTS:
                    remedy = "check DEFENDER_GRAPH_URL, DEFENDER_CLOUD, the network and any proxy"
                    raise Unreachable(self._host, problem, remedy) from error
                self._wait(request.what, attempt, Again(problem))
        raise ServiceFailed(request.what, f"{problem} after {self.attempts} attempts")

    def _take_place(self, what: str) -> None:
        """Wait for the quota; where that would be too long, leave it to whoever holds a slot."""
        pause = self.limiter.pause()
        if pause > self.longest_wait:
            raise Throttled(what, pause)
        self.limiter.wait()

    def _send(self, request: Request, *, renew: bool) -> requests.Response:
        content = None if request.body is None else json.dumps(request.body).encode()
        return self._session.request(
            request.method,
            request.url,
            headers={
                "Accept": "application/json",
                "client-request-id": str(uuid.uuid4()),
                **request.headers,
            },
            data=content,
            auth=Bearer(self.credentials.token(renew=renew)),
            timeout=_TIMEOUT,
            verify=self.verify,
            allow_redirects=False,
        )

    def _wait(self, what: str, attempt: int, again: Again) -> None:
        seconds = again.seconds
        if seconds is None:
            seconds = min(8.0, 0.25 * 2**attempt) * random.uniform(0.75, 1.25)  # noqa: S311
        if seconds > self.longest_wait:
            raise Throttled(what, seconds)
        log.warning(
            "asking again what=%s attempt=%d problem=%s wait_seconds=%.1f",
            what,
            attempt,
            again.problem,
            seconds,
        )
        if attempt < self.attempts:
            time.sleep(seconds)
