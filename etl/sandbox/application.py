"""Application: an app registration in a tenant, and what it may sign in with.

Tests change one while it is served, as an administrator would. Checking a sign-in belongs to
`entra` and `assertions`.
"""

from dataclasses import dataclass
from typing import Final

_DELEGATED: Final = {
    "Alert.Read.All": "Alert.Read",
    "Machine.Read.All": "Machine.Read",
    "AdvancedQuery.Read.All": "AdvancedQuery.Read",
}
"""Permissions whose delegated form has another name."""


@dataclass(frozen=True, slots=True)
class Federation:
    """A trust in tokens of another issuer: whose, about whom, and the key that they verify with."""

    issuer: str
    subject: str
    public_key: str


@dataclass(slots=True)
class Application:
    """An app registration; one without roles has no consent, and its tokens carry none."""

    tenant: str
    client: str
    secret: str
    roles: tuple[str, ...]
    token_lifetime: int
    certificate: str | None = None
    """The registered public certificates, as PEM."""

    federated: Federation | None = None
    scopes: tuple[str, ...] | None = None
    """What it may do for a person who signs in; as much as for itself where nothing is said."""

    public: bool = True
    """Whether people may sign in without the application proving itself."""

    enabled: bool = True

    @property
    def delegated(self) -> tuple[str, ...]:
        """Return the scopes that it has consent for."""
        if self.scopes is not None:
            return self.scopes
        return tuple(_DELEGATED.get(role, role) for role in self.roles)
