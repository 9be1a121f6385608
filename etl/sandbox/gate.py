"""Gate: what all routes with data have in common: bearer tokens, errors, quotas and failures.

What a route answers once it lets a request in belongs to the route.
"""

import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from etl.sandbox.entra import GRAPH, Entra
from etl.sandbox.faults import Faults

_MINUTE = 60.0
Handler = Callable[[Request], Awaitable[Response]]


class GraphError(Exception):
    """An answer that is an error: status, code and message; another API may word them anew."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after: int | None = None

    def response(self) -> Response:
        """Return Graph's envelope of it."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        request_id = str(uuid.uuid4())
        inner = {"date": now, "request-id": request_id, "client-request-id": request_id}
        if self.status == 429:  # noqa: PLR2004
            inner |= {"code": "429", "status": "429", "message": str(self)}
        headers = {"request-id": request_id}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        error = {"code": self.code, "message": str(self), "innerError": inner}
        return JSONResponse({"error": error}, self.status, headers)


class Quota:
    """So many calls in any minute, counted in a sliding window."""

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self._lock = threading.Lock()
        self._recent: deque[float] = deque()

    def wait(self) -> float:
        """Count a call and return 0, or return the seconds until one is free."""
        with self._lock:
            now = time.monotonic()
            while self._recent and self._recent[0] <= now - _MINUTE:
                self._recent.popleft()
            if len(self._recent) >= self._calls:
                return self._recent[0] + _MINUTE - now if self._recent else _MINUTE
            self._recent.append(now)
            return 0.0


class Countdown:
    """True for the first so many questions."""

    def __init__(self, times: int) -> None:
        self._lock = threading.Lock()
        self._left = times

    def hit(self) -> bool:
        """Return whether this one is still among the first."""
        with self._lock:
            self._left -= 1
            return self._left >= 0


@dataclass(frozen=True, slots=True)
class Api:
    """How one API treats those who ask: whom it is for, and what it says to others."""

    audiences: tuple[str, ...]
    unauthenticated: str
    """The code of a 401."""

    wrong_audience: tuple[int, str]
    envelope: Callable[[GraphError], Response]


_GRAPH = Api(
    (GRAPH,), "InvalidAuthenticationToken", (401, "InvalidAuthenticationToken"), GraphError.response
)


class Gate:
    """Lets requests in that carry a good token with a role, unless a fault says otherwise."""

    def __init__(self, entra: Entra, faults: Faults, api: Api = _GRAPH) -> None:
        self._entra = entra
        self._api = api
        self._errors = Countdown(faults.errors_first)
        self._retry_after = faults.retry_after
        self._expire = faults.expire
        self._uses: Counter[str] = Counter()
        self._failed = 0

    def guard(self, role: str, handler: Handler, *others: str) -> Handler:
        """Wrap a route so that only callers with a role get in, and errors become envelopes.

        Any of the `others` will do as well.
        """

        async def guarded(request: Request) -> Response:
            try:
                self._authorise(request, (role, *others))
                self._fail()
                response = await handler(request)
            except GraphError as error:
                return self._api.envelope(error)
            response.headers["request-id"] = str(uuid.uuid4())
            return response

        return guarded

    def throttled(self, seconds: float, message: str) -> GraphError:
        """Return a 429 that asks to wait, with or without the header for it."""
        error = GraphError(429, "TooManyRequests", message)
        error.retry_after = max(1, int(seconds + 0.999)) if self._retry_after else None
        return error

    def _authorise(self, request: Request, roles: tuple[str, ...]) -> None:
        code = self._api.unauthenticated
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise GraphError(401, code, "Access token is empty.")
        try:
            claims = self._entra.claims(token.strip(), [*self._api.audiences, self._entra.url])
            self._use(token)
        except jwt.ExpiredSignatureError:
            text = "Lifetime validation failed, the token is expired."
            raise GraphError(401, code, text) from None
        except jwt.InvalidAudienceError:
            text = "Access token validation failure. Invalid audience."
            raise GraphError(*self._api.wrong_audience, text) from None
        except jwt.InvalidTokenError:
            raise GraphError(401, code, "Access token validation failure.") from None
        granted = claims.get("roles", [])
        held = {*granted} if isinstance(granted, list) else set()
        held.update(str(claims.get("scp", "")).split())
        if held.isdisjoint(roles):
            text = f"Missing application role. The request needs {roles[0]} in the token's roles."
            raise GraphError(403, "Forbidden", text)

    def _use(self, token: str) -> None:
        """Count a request with a token; where a fault says so, it has expired after enough."""
        self._uses[token] += 1
        if 0 < self._expire < self._uses[token]:
            raise jwt.ExpiredSignatureError

    def _fail(self) -> None:
        if not self._errors.hit():
            return
        self._failed += 1
        if self._failed % 2:
            raise GraphError(503, "ServiceUnavailable", "The service is temporarily unavailable.")
        raise GraphError(500, "UnknownError", "")
