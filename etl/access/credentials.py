"""Signing in to Entra ID as an application; tokens come from here and go nowhere else.

MSAL does the protocol and caches tokens in memory. This module turns its failures into one line
each with the remedy (codes: learn.microsoft.com/entra/identity-platform/reference-error-codes).
"""

import re
import threading
from collections import deque
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import msal
import requests

from etl.errors import AccessError, SignInRefused, Unreachable, printable
from etl.settings import Settings

_REMEDIES: Final = {
    7000215: (
        "the client secret is wrong",
        "set AZURE_CLIENT_SECRET to the secret's value, not its id",
    ),
    7000222: ("the client secret has expired", "create a new one and set AZURE_CLIENT_SECRET"),
    7000218: ("no client secret was sent", "set AZURE_CLIENT_SECRET"),
    700016: ("the application is not in this tenant", "check AZURE_CLIENT_ID and AZURE_TENANT_ID"),
    7000112: ("the application is disabled", "enable it under Enterprise applications"),
    90002: ("the tenant does not exist", "check AZURE_TENANT_ID and DEFENDER_CLOUD"),
    900023: ("the tenant id is malformed", "set AZURE_TENANT_ID to the directory (tenant) id"),
    70011: ("the scope is not valid here", "check DEFENDER_CLOUD and DEFENDER_GRAPH_URL"),
    500011: ("the API is not known in this tenant", "check DEFENDER_CLOUD and DEFENDER_GRAPH_URL"),
    53003: ("blocked by Conditional Access", "exclude the workload identity from the policy"),
    530032: ("blocked by a tenant policy", "ask the tenant's administrator"),
    90055: ("Entra ID throttles this tenant", "wait some minutes and try again"),
}
_WRONG_RESOURCE: Final = frozenset({70011, 500011, 700022, 700023})
_CODE: Final = re.compile(r"AADSTS([0-9]+)")
_WELL_KNOWN: Final = frozenset(
    {"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"}
)


class Credentials(Protocol):
    """Whatever can answer with a bearer token for one resource."""

    def token(self, *, renew: bool = False) -> str:
        """Return a token that is valid now; `renew` passes over the cached one."""

    def close(self) -> None:
        """Close the connections to the sign-in page."""


class ClientSecret:
    """An application that signs in with its client secret, for one API.

    `resources` are the names that the API may go by, the likeliest first: behind an overridden
    host, its cloud's name or its own. One that Entra ID or the API refuses gives way to the next.
    """

    def __init__(self, settings: Settings, *resources: str) -> None:
        self._settings = settings
        self._resources = deque(dict.fromkeys(resources))
        self._application: msal.ConfidentialClientApplication | None = None
        self._session = requests.Session()
        self._lock = threading.Lock()

    def token(self, *, renew: bool = False) -> str:
        """Return a token that is valid now.

        Raises SignInRefused or Unreachable.
        """
        with self._lock:
            if renew:
                self._application = None
                self._resources.rotate(-1)
            for _ in range(len(self._resources) - 1):
                try:
                    return self._acquire()
                except SignInRefused as error:
                    if error.code not in _WRONG_RESOURCE:
                        raise
                    self._resources.rotate(-1)
            return self._acquire()

    def _acquire(self) -> str:
        if self._application is None:
            self._application = self._sign_in_page()
        try:
            answer = self._application.acquire_token_for_client([f"{self._resources[0]}/.default"])
        except (requests.RequestException, ValueError) as error:
            raise self._failure(error) from error
        if "access_token" not in answer:
            raise _refusal(answer)
        return str(answer["access_token"])

    def close(self) -> None:
        """Close the connections to the sign-in page."""
        self._session.close()

    def _sign_in_page(self) -> "msal.ConfidentialClientApplication":
        settings = self._settings
        verify = str(settings.ca_bundle) if settings.ca_bundle else True
        try:
            return msal.ConfidentialClientApplication(
                settings.client_id,
                client_credential=settings.client_secret,
                authority=f"{settings.authority}/{settings.tenant_id}",
                instance_discovery=urlsplit(settings.authority).hostname in _WELL_KNOWN,
                http_client=_PatientSession(self._session, verify),
            )
        except (requests.RequestException, ValueError) as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> AccessError:
        host = urlsplit(self._settings.authority).netloc
        if isinstance(error, requests.exceptions.SSLError):
            return Unreachable(
                host,
                "its certificate is not trusted",
                "set REQUESTS_CA_BUNDLE to the CA's PEM file",
            )
        if isinstance(error, requests.RequestException):
            return Unreachable(
                host,
                f"no answer to the sign-in ({type(error).__name__})",
                "check AZURE_AUTHORITY_HOST, DEFENDER_CLOUD, the network and any proxy",
            )
        return SignInRefused(*_named(90002))  # MSAL's only other failure: no OIDC document


class _PatientSession:
    """The HTTP interface that MSAL asks for: waits, but not for ever, and verifies TLS."""

    def __init__(self, session: requests.Session, verify: str | bool) -> None:  # noqa: FBT001
        self._session = session
        self._verify = verify

    def get(self, url: str, **options: Any) -> requests.Response:  # noqa: ANN401
        """Send a GET as `requests` would."""
        return self._session.get(url, **options, timeout=30, verify=self._verify)

    def post(self, url: str, **options: Any) -> requests.Response:  # noqa: ANN401
        """Send a POST as `requests` would."""
        return self._session.post(url, **options, timeout=30, verify=self._verify)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def _named(code: int) -> tuple[int, str, str]:
    problem, remedy = _REMEDIES[code]
    return code, problem, remedy


def _refusal(answer: dict[str, object]) -> SignInRefused:
    found = _CODE.search(str(answer.get("error_description", "")))
    listed = answer.get("error_codes")
    codes = [int(found[1])] if found else []
    codes += [code for code in listed if isinstance(code, int)] if isinstance(listed, list) else []
    known = next((code for code in codes if code in _REMEDIES), None)
    if known is not None:
        return SignInRefused(*_named(known))
    problem = f"Entra ID answered {printable(str(answer.get('error', 'without a reason')))}"
    remedy = "look the code up in Microsoft's list of AADSTS errors"
    return SignInRefused(codes[0] if codes else 0, problem, remedy)
