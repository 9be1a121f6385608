"""People: how they let an application act for them, with device codes and refresh tokens.

The words of a sign-in over HTTP belong to `entra`.
"""

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final

from etl.sandbox.application import Application
from etl.sandbox.refusal import Refusal
from etl.sandbox.scopes import Scopes

_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
_INTERVAL: Final = 1
"""Seconds between polls; the real service asks for 5, which tests would have to wait."""

_PAGE: Final = "https://microsoft.com/devicelogin"


@dataclass(slots=True)
class _Pending:
    """A device code and what became of it."""

    application: Application
    scopes: Scopes
    user_code: str
    expires: float
    polled: float = float("-inf")
    approved: bool | None = None


@dataclass(slots=True)
class People:
    """Those who sign in; all say yes or no only when a test does it for them."""

    code_lifetime: int = 900
    """Seconds that a device code lasts, from the next one on."""

    _pending: dict[str, _Pending] = field(default_factory=dict)
    _refresh: dict[str, tuple[Application, Scopes]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, application: Application, scopes: Scopes) -> dict[str, Any]:
        """Return a new device code, as the answer to who asked for it."""
        user_code = "".join(secrets.choice(_LETTERS) for _ in range(9))
        device_code = secrets.token_urlsafe(48)
        expires = time.monotonic() + self.code_lifetime
        with self._lock:
            self._pending[device_code] = _Pending(application, scopes, user_code, expires)
        return {
            "user_code": user_code,
            "device_code": device_code,
            "verification_uri": _PAGE,
            "expires_in": self.code_lifetime,
            "interval": _INTERVAL,
            "message": f"To sign in, use a web browser to open the page {_PAGE} and enter the code "
            f"{user_code} to authenticate.",
        }

    def decide(self, user_code: str, *, approved: bool) -> None:
        """Let someone approve or decline; raises KeyError where nobody is asked that code."""
        with self._lock:
            for pending in self._pending.values():
                if pending.user_code == user_code:
                    pending.approved = approved
                    return
        raise KeyError(user_code)

    def poll(self, application: Application, device_code: str) -> Scopes:
        """Return what was approved, once; raises Refusal while or because it was not."""
        with self._lock:
            pending = self._pending.get(device_code)
            if pending is None or pending.application is not application:
                text = "The provided value for the input parameter 'device_code' is not valid."
                raise Refusal(70018, "bad_verification_code", text)
            now = time.monotonic()
            if now >= pending.expires:
                text = (
                    "The provided value for the input parameter 'device_code' is not valid. "
                    "This device code has expired."
                )
                raise Refusal(70020, "expired_token", text)
            soon, pending.polled = now - pending.polled < _INTERVAL, now
            if pending.approved is None:
                text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."
                raise Refusal(70016, "slow_down" if soon else "authorization_pending", text)
            del self._pending[device_code]
        if not pending.approved:
            text = "User declined to consent to access the app."
            raise Refusal(65004, "authorization_declined", text)
        return pending.scopes

    def remember(self, application: Application, scopes: Scopes) -> str:
        """Return a refresh token, which stays good until it is revoked."""
        token = secrets.token_urlsafe(64)
        with self._lock:
            self._refresh[token] = application, scopes
        return token

    def recall(self, application: Application, token: str) -> Scopes:
        """Return what a refresh token was given for."""
        with self._lock:
            owner, scopes = self._refresh.get(token, (None, None))
        if owner is not application or scopes is None:
            text = "The provided grant has expired due to it being revoked, or it is not known."
            raise Refusal(50173, "invalid_grant", text)
        return scopes

    def revoke(self) -> None:
        """Make every refresh token worthless."""
        with self._lock:
            self._refresh.clear()
