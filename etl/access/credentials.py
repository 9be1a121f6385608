"""Credentials: a token for one API, from whichever way of signing in the settings choose.

Tokens come from here and go nowhere else. How each way signs in is told in `entra`, `person` and
`managed_identity`; what a refusal means, in `refusals`.
"""

import threading
from collections import deque
from typing import Any, Protocol

from etl.access.entra import Application
from etl.access.managed_identity import ManagedIdentity
from etl.access.person import Ask, Person, terminal
from etl.access.refusals import WrongResource
from etl.errors import SignInRefused
from etl.settings import Settings


class Credentials(Protocol):
    """Whatever can answer with a bearer token for one resource."""

    def token(self, *, refused: str | None = None) -> str:
        """Return a token that is valid now; never the one that the API has `refused`.

        Where another was given since, that one will do.
        """

    def close(self) -> None:
        """Close the connections to the sign-in page."""


class Way(Protocol):
    """One way of signing in; keeps the tokens that it was given until they expire."""

    def acquire(self, resource: str, *, renew: bool) -> dict[str, Any]:
        """Return an answer with an access token, or with what was refused."""

    def refusal(self, answer: dict[str, Any]) -> SignInRefused:
        """Return the error for an answer without a token."""

    def close(self) -> None:
        """Close its connections."""


def credentials(settings: Settings, *resources: str, ask: Ask | None = None) -> Credentials:
    """Return what signs in for one API as the settings say; nothing is asked of anybody yet.

    `resources` are the names that the API may go by, the likeliest first: behind an overridden
    host, its cloud's name or its own. `ask` shows a person the code to enter, where one signs in;
    the terminal, if there is one, where it is left out.
    """
    return SignedIn(_way(settings, ask), *resources)


def _way(settings: Settings, ask: Ask | None) -> Way:
    if settings.auth == "managed-identity":
        return ManagedIdentity(settings)
    if settings.auth == "device-code":
        return Person(settings, ask or terminal())
    return Application(settings)


class SignedIn:
    """A sign-in for one API; a name of the API that is refused gives way to the next."""

    def __init__(self, way: Way, *resources: str) -> None:
        self._way = way
        self._resources = deque(dict.fromkeys(resources))
        self._lock = threading.Lock()
        self._given: str | None = None

    def token(self, *, refused: str | None = None) -> str:
        """Return a token that is valid now; never the one that the API has `refused`.

        Of those whom the API refuses the same token at once, one signs in anew for all.
        Raises SignInRefused, Unreachable, ServiceFailed or ConfigError.
        """
        with self._lock:
            renew = refused is not None and refused == self._given
            if renew:
                self._resources.rotate(-1)
            for _ in range(len(self._resources) - 1):
                try:
                    return self._acquire(renew=renew)
                except WrongResource:
                    self._resources.rotate(-1)
            return self._acquire(renew=renew)

    def close(self) -> None:
        """Close the connections to the sign-in page."""
        self._way.close()

    def _acquire(self, *, renew: bool) -> str:
        answer = self._way.acquire(self._resources[0], renew=renew)
        if "access_token" not in answer:
            raise self._way.refusal(answer)
        self._given = str(answer["access_token"])
        return self._given
