"""The settings of a sign-in: which way, and what that way needs.

Only what the chosen way needs is read. Signing in itself belongs to `etl.access`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from etl import variables
from etl.errors import ConfigError

_SECRET: Final = "AZURE_CLIENT_SECRET"  # noqa: S105 - the variable's name
_CERTIFICATE: Final = "AZURE_CLIENT_CERTIFICATE_PATH"
_FEDERATED: Final = "AZURE_FEDERATED_TOKEN_FILE"
_IMPLIED: Final = {
    _SECRET: "secret",
    _CERTIFICATE: "certificate",
    _FEDERATED: "workload-identity",
}
"""The way that a variable implies by being set; the first counts, as in Azure's own libraries."""

WAYS: Final = (*_IMPLIED.values(), "managed-identity", "device-code")
"""Every way to sign in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """One way to sign in and what it needs; the rest is None."""

    way: str
    client_id: str | None
    client_secret: str | None = field(default=None, repr=False)
    certificate_path: Path | None = None
    certificate_password: str | None = field(default=None, repr=False)
    federated_token_file: Path | None = None
    token_cache: Path | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str], tenant: str) -> "SignIn":
        """Read what the sign-in to a tenant needs.

        Raises ConfigError for the first thing that is missing or cannot be used.
        """
        way = _way(environment)
        if way == "managed-identity":
            return cls(way=way, client_id=variables.optional(environment, "AZURE_CLIENT_ID"))
        client = variables.required(environment, "AZURE_CLIENT_ID")
        if way == "secret":
            secret = variables.required(environment, _SECRET)
            return cls(way=way, client_id=client, client_secret=secret)
        if way == "certificate":
            return cls(
                way=way,
                client_id=client,
                certificate_path=_file(environment, _CERTIFICATE),
                certificate_password=environment.get("AZURE_CLIENT_CERTIFICATE_PASSWORD") or None,
            )
        if way == "workload-identity":
            token_file = _file(environment, _FEDERATED)
            return cls(way=way, client_id=client, federated_token_file=token_file)
        return cls(way=way, client_id=client, token_cache=_token_cache(environment, tenant))


def _way(environment: Mapping[str, str]) -> str:
    if environment.get("DEFENDER_AUTH"):
        return variables.choice(environment, "DEFENDER_AUTH", WAYS, WAYS[0])
    for name, way in _IMPLIED.items():
        if variables.optional(environment, name):
            return way
    remedy = (
        f"set it to the client secret's value, or set {_CERTIFICATE} or {_FEDERATED}, or "
        "DEFENDER_AUTH to managed-identity or device-code"
    )
    raise ConfigError(_SECRET, "is not set, nor anything else to sign in with", remedy)


def _file(environment: Mapping[str, str], name: str) -> Path:
    text = variables.optional(environment, name)
    if text is None:
        raise ConfigError(name, "is not set", f"name the file; {variables.SEE}")
    return variables.path(name, text)


def _token_cache(environment: Mapping[str, str], tenant: str) -> Path:
    name = "DEFENDER_TOKEN_CACHE"
    text = environment.get(name)
    if text:
        return variables.path(name, text)
    folder = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return variables.path(name, f"{folder}/defender-etl/tokens-{tenant}.json")
