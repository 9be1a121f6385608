"""Signing in at Entra ID as an application: by secret, by certificate or by a federated token.

MSAL does the protocol and keeps tokens in memory. Signing in as a person belongs to `person`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msal
import requests

from etl.access import certificate, refusals
from etl.access.transport import Transport
from etl.errors import ConfigError, SignInRefused, Unreachable
from etl.settings import Settings

_WELL_KNOWN: Final = frozenset(
    {"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"}
)
_TOKEN: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


class SignInPage:
    """The tenant's sign-in, as MSAL wants it described."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        verify = str(settings.ca_bundle) if settings.ca_bundle else True
        self.transport = Transport(verify=verify)

    def options(self) -> dict[str, Any]:
        """Return the arguments that every application of MSAL takes."""
        authority = self.settings.authority
        return {
            "client_id": self.settings.client_id,
            "authority": f"{authority}/{self.settings.tenant_id}",
            "instance_discovery": urlsplit(authority).hostname in _WELL_KNOWN,
            "http_client": self.transport,
        }

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Translate what MSAL raises."""
        host = urlsplit(self.settings.authority).netloc
        try:
            yield
        except requests.RequestException as error:
            raise self.transport.failure(error, host) from error
        except ValueError as error:  # the tenant's description is refused
            raise refusals.quoted(str(error)) or refusals.named(90002) from None
        except (KeyError, RuntimeError) as error:
            problem = f"it does not describe its sign-in ({type(error).__name__})"
            raise Unreachable(host, problem, self.transport.remedy) from None


class Application:
    """An application that proves itself."""

    def __init__(self, settings: Settings) -> None:
        self._page = SignInPage(settings)
        self._application: msal.ConfidentialClientApplication | None = None

    def acquire(self, resource: str, *, renew: bool) -> dict[str, Any]:
        """Return MSAL's answer, with a token or with what was refused.

        Raises ConfigError or AccessError.
        """
        with self._page.asking():
            if renew or self._application is None:
                self._application = msal.ConfidentialClientApplication(
                    client_credential=_proof(self._page.settings), **self._page.options()
                )
            answer: dict[str, Any] = self._application.acquire_token_for_client(
                [f"{resource}/.default"]
            )
        if "access_token" not in answer:
            self._application = None  # it would repeat a refusal for a minute without asking
        return answer

    def refusal(self, answer: dict[str, Any]) -> SignInRefused:
        """Return the error for an answer without a token."""
        return refusals.refusal(answer)

    def close(self) -> None:
        """Close the connections to the sign-in page."""
        self._page.transport.close()


def _proof(settings: Settings) -> object:
    """Return what MSAL proves the application with."""
    token_file, path = settings.federated_token_file, settings.certificate_path
    if token_file is not None:
        return {"client_assertion": lambda: _federated(token_file)}
    if path is not None:
        return certificate.proof(path, settings.certificate_password)
    return settings.client_secret


def _federated(path: Path) -> str:
    """Read the token that stands in for a secret: anew each time, for it is replaced often."""
    name = "AZURE_FEDERATED_TOKEN_FILE"
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a token's text"
        problem = f"{str(path)!r} cannot be read ({reason})"
        raise ConfigError(name, problem, "name the file that the platform writes") from None
    if not _TOKEN.fullmatch(text):
        problem = f"{str(path)!r} holds no token"
        raise ConfigError(name, problem, "name the file that the platform writes")
    return text
