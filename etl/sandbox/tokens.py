"""Tokens: what the sandbox signs for applications and people, and reads back from requests.

Who gets one is decided in `entra`.
"""

import base64
import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from etl.sandbox.application import Application

_ALGORITHM: Final = "ES256"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone of a tenant who signs in."""

    tenant: str

    @property
    def name(self) -> str:
        """Return the name to sign in with."""
        return f"analyst@{self.tenant.partition('-')[0]}.example"

    @property
    def id(self) -> str:
        """Return the object id."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.name))

    @property
    def client_info(self) -> str:
        """Return what clients file the account under."""
        text = json.dumps({"uid": self.id, "utid": self.tenant})
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Signs and checks tokens; `url` is where the sandbox can be reached."""

    url: str
    _key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )

    def issuer(self, tenant: str) -> str:
        """Return who signs for a tenant."""
        return f"{self.url}/{tenant}/v2.0"

    def claims(self, token: str, audiences: Collection[str]) -> dict[str, object]:
        """Check a token that is for one of the audiences, and return its claims.

        Raises jwt.InvalidTokenError where it is not good.
        """
        known: dict[str, object] = jwt.decode(
            token,
            self._key.public_key(),
            algorithms=[_ALGORITHM],
            audience=list(audiences),
            options={"require": ["exp", "aud", "iss", "tid"]},
        )
        return known

    def for_application(self, application: Application, audience: str) -> str:
        """Return a token of an application for itself, with its roles if it has any."""
        roles = {"roles": list(application.roles)} if application.roles else {}
        return self._sign(application, {"aud": audience, "idtyp": "app", **roles})

    def for_person(self, application: Application, audience: str, person: Person) -> str:
        """Return a token of an application for someone, with its scopes."""
        scp = " ".join(application.delegated)
        claims = {"aud": audience, "idtyp": "user", "oid": person.id, "scp": scp}
        return self._sign(application, claims)

    def identity(self, application: Application, person: Person) -> str:
        """Return a token that tells an application who someone is."""
        names = {"name": "Sandbox Analyst", "preferred_username": person.name}
        about = {"oid": person.id, "sub": person.id, **names}
        return self._sign(application, {"aud": application.client, **about})

    def _sign(self, application: Application, claims: dict[str, Any]) -> str:
        now = int(datetime.now(UTC).timestamp())
        common = {
            "iss": self.issuer(application.tenant),
            "tid": application.tenant,
            "appid": application.client,
            "azp": application.client,
            "iat": now,
            "nbf": now,
            "exp": now + application.token_lifetime,
            "uti": uuid.uuid4().hex,
            "ver": "2.0",
        }
        return jwt.encode(common | claims, self._key, algorithm=_ALGORITHM)
