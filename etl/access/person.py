"""Signing in at Entra ID as a person, who enters a code on a page that they open themselves.

That happens once, in a terminal; from then on the sign-in is renewed silently out of a file, which
is all that a run without a terminal can do.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import msal

from etl.access import refusals
from etl.access.entra import SignInPage
from etl.access.token_file import TokenFile
from etl.errors import ConfigError, SignInRefused, printable
from etl.settings import Settings

Ask = Callable[[str], None]
"""Shows a person what to do."""

_BY_HAND = "run `defender-etl doctor` by hand in a terminal and sign in there"


def terminal() -> Ask | None:
    """Return what reaches the person at the terminal, or None where nobody is there."""
    streams = (sys.stdin, sys.stderr)
    if not all(stream is not None and stream.isatty() for stream in streams):
        return None
    return _show


def _show(message: str) -> None:
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


class Person:
    """A person who signs in to the application; `ask` is None where nobody can be asked."""

    def __init__(self, settings: Settings, ask: Ask | None) -> None:
        if settings.token_cache is None:
            raise ConfigError("DEFENDER_TOKEN_CACHE", "is not set", "name a file")
        self._page = SignInPage(settings)
        self._file = TokenFile(settings.token_cache)
        self._ask = ask
        self._cache = msal.SerializableTokenCache()
        self._application: msal.PublicClientApplication | None = None

    def acquire(self, resource: str, *, renew: bool) -> dict[str, Any]:
        """Return MSAL's answer, with a token or with what was refused.

        Raises ConfigError or AccessError.
        """
        scopes = [f"{resource}/.default"]
        with self._page.asking(), self._file.alone():
            self._load()
            if self._application is None:
                self._application = msal.PublicClientApplication(
                    token_cache=self._cache, **self._page.options()
                )
            answer = self._silent(self._application, scopes, renew=renew)
            if "access_token" not in answer and (not answer or _only_by_hand(answer)):
                answer = self._by_code(self._application, scopes, answer)
            if self._cache.has_state_changed:
                self._file.write(self._cache.serialize())
                self._cache.has_state_changed = False
        if "access_token" not in answer:
            self._application = None  # it would repeat a refusal for a minute without asking
        return answer

    def refusal(self, answer: dict[str, Any]) -> SignInRefused:
        """Return the error for an answer without a token."""
        return refusals.refusal(answer)

    def close(self) -> None:
        """Close the connections to the sign-in page."""
        self._page.transport.close()

    def _load(self) -> None:
        """Take over what another sign-in has put into the file."""
        text = self._file.read()
        if text and not _is_cache(text):
            raise self._file.unreadable()
        self._cache.deserialize(text)

    def _silent(
        self, application: msal.PublicClientApplication, scopes: list[str], *, renew: bool
    ) -> dict[str, Any]:
        """Return a token, why it cannot be renewed, or nothing where nobody is signed in."""
        answer: dict[str, Any] = {}
        for account in application.get_accounts():
            answer = (
                application.acquire_token_silent_with_error(scopes, account, force_refresh=renew)
                or answer
            )
            if "access_token" in answer:
                return answer
        return answer

    def _by_code(
        self,
        application: msal.PublicClientApplication,
        scopes: list[str],
        refused: dict[str, Any],
    ) -> dict[str, Any]:
        if self._ask is None:
            if refused:
                return refused
            raise SignInRefused(0, "nobody is signed in, and there is no terminal", _BY_HAND)
        flow = application.initiate_device_flow(scopes)
        if "user_code" not in flow:
            return dict(flow)
        self._ask(printable(str(flow.get("message", ""))))
        answer: dict[str, Any] = application.acquire_token_by_device_flow(flow)
        return answer


def _is_cache(text: str) -> bool:
    """Tell whether a text has the form of MSAL's cache: kinds of entries, and entries by key."""
    try:
        kinds = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(kinds, dict) and all(
        isinstance(entries, dict) and all(isinstance(entry, dict) for entry in entries.values())
        for entries in kinds.values()
    )


def _only_by_hand(answer: dict[str, Any]) -> bool:
    """Tell whether a person can put right why a sign-in is not renewed."""
    return answer.get("error") in {"invalid_grant", "interaction_required"}
