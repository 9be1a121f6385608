"""Journal: what was asked of the sandbox, in order, for tests to look at."""

import threading
import time
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Request:
    """One request and how it was answered; `at` and `ended` are of the monotonic clock."""

    at: float
    """When it arrived."""

    method: str
    path: str
    query_string: str
    status: int
    body_query: str | None
    """The hunting query of the body, if it had one."""

    ended: float
    """When the last of the answer was there to be sent."""

    rows: int | None = None
    """How many rows a hunting query was answered with."""


class Journal:
    """Notes every request that an application answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._requests: list[Request] = []

    @property
    def requests(self) -> list[Request]:
        """Return the requests so far."""
        with self._lock:
            return list(self._requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request and note it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        scope.setdefault("state", {})

        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._note(scope, started, status)
            await send(message)

        await self._app(scope, receive, noted)

    def _note(self, scope: Scope, started: float, status: int) -> None:
        state = scope["state"]
        request = Request(
            started,
            scope["method"],
            scope["path"],
            scope["query_string"].decode("ascii"),
            status,
            state.get("query"),
            time.monotonic(),
            state.get("rows"),
        )
        with self._lock:
            self._requests.append(request)
