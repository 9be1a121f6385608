"""The connections of one client: a session for each request under way, kept for the next one.

Sessions are not safe to share between threads that ask at once, so none ever is. What goes over
them belongs to `client`; those that sign-ins go over, to `transport`.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.auth import AuthBase


@dataclass(slots=True)
class Connections:
    """Sessions that nobody uses just now; there are as many as were ever in use at once."""

    _idle: list[requests.Session] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: bool = False

    @contextmanager
    def lend(self) -> Iterator[requests.Session]:
        """Lend a session to one request."""
        with self._lock:
            session = self._idle.pop() if self._idle else requests.Session()
        try:
            yield session
        finally:
            with self._lock:
                closed = self._closed
                if not closed:
                    self._idle.append(session)
            if closed:
                session.close()

    def close(self) -> None:
        """Close every connection; those in use are closed by whoever uses them."""
        with self._lock:
            self._closed = True
            closing, self._idle = self._idle, []
        for session in closing:
            session.close()


class Counted:
    """A body under way that counts the bytes read off it, after any decompression."""

    def __init__(self, raw: Any) -> None:  # noqa: ANN401 - urllib3's, or what a test has in its place
        self._raw = raw
        self.size = 0

    def stream(self, *arguments: Any, **options: Any) -> Iterator[bytes]:  # noqa: ANN401
        """Yield the body in pieces, as `requests` asks for them."""
        for piece in self._raw.stream(*arguments, **options):
            self.size += len(piece)
            yield piece

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._raw, name)


class Bearer(AuthBase):
    """Puts the token on a request; being there at all, it keeps netrc entries off."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign one request."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
