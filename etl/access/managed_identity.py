"""Signing in as the identity that Azure gives to the machine or the service that this runs on.

The platform's own metadata service hands the tokens out; there is no secret. Which kind of service
it is, MSAL reads off the environment that the platform sets.
"""

import os
from typing import Any, Final
from urllib.parse import urlsplit

import msal
import requests

from etl.access import refusals
from etl.access.transport import MetadataTransport
from etl.errors import SignInRefused
from etl.settings import Settings

_MACHINE: Final = "http://169.254.169.254"
_REMEDY: Final = (
    "assign a managed identity here, and set AZURE_CLIENT_ID to its client id or, for the "
    "system's own, to nothing"
)


class ManagedIdentity:
    """The identity of the machine, or the one that the settings name among its own."""

    def __init__(self, settings: Settings) -> None:
        self._identity = (
            msal.UserAssignedManagedIdentity(client_id=settings.client_id)
            if settings.client_id
            else msal.SystemAssignedManagedIdentity()
        )
        verify = str(settings.ca_bundle) if settings.ca_bundle else True
        self._transport = MetadataTransport(verify=verify)
        self._client: msal.ManagedIdentityClient | None = None

    def acquire(self, resource: str, *, renew: bool) -> dict[str, Any]:
        """Return MSAL's answer, with a token or with what was refused.

        Raises AccessError.
        """
        try:
            if renew or self._client is None:
                self._client = msal.ManagedIdentityClient(
                    self._identity, http_client=self._transport
                )
            answer: dict[str, Any] = self._client.acquire_token_for_client(resource=resource)
        except requests.RequestException as error:
            raise self._transport.failure(error, _host()) from error
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            msal.ManagedIdentityError,
        ) as error:
            problem = f"the metadata service's answer is not usable ({type(error).__name__})"
            raise SignInRefused(0, problem, _REMEDY) from None
        if "access_token" not in answer:
            self._client = None  # it would repeat a refusal without asking
        return answer

    def refusal(self, answer: dict[str, Any]) -> SignInRefused:
        """Return the error for an answer without a token."""
        return refusals.refusal(answer, _REMEDY)

    def close(self) -> None:
        """Close the connections to the metadata service."""
        self._transport.close()


def _host() -> str:
    endpoint = os.environ.get("IDENTITY_ENDPOINT") or os.environ.get(
        "AZURE_POD_IDENTITY_AUTHORITY_HOST", _MACHINE
    )
    return urlsplit(endpoint).netloc
