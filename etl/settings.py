"""Settings, read once from the environment into one frozen value.

Names are those that Azure tooling already uses, where they exist. A setting that cannot be used is
a `ConfigError` that names it; the secret is never part of a message or of the value's repr.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from etl.errors import ConfigError

CLOUDS: Final = {
    "global": ("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "gcc": ("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "gcc-high": ("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    "dod": ("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
}
"""Authority and Graph host per cloud (learn.microsoft.com/graph/deployments)."""

_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,127}")
_REMEDY = "see the README's table of settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a run may depend on apart from the data."""

    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)
    authority: str
    graph_url: str
    graph_resource: str
    """The cloud's own Graph host, which tokens are for, whatever `graph_url` says."""

    ca_bundle: Path | None
    lake: Path
    hunting_max_rows: int
    hunting_calls_per_minute: int
    match_tolerance_ms: int

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Read all settings from `environment`.

        Raises ConfigError for the first one that is missing or cannot be used.
        """
        _only(environment, "DEFENDER_AUTH", "secret")
        _only(environment, "DEFENDER_ALERTS", "graph")
        cloud = environment.get("DEFENDER_CLOUD") or "global"
        if cloud not in CLOUDS:
            raise ConfigError(
                "DEFENDER_CLOUD", f"{cloud!r} is no cloud", f"use {', '.join(CLOUDS)}"
            )
        authority, graph_url = CLOUDS[cloud]
        return cls(
            tenant_id=_tenant(_required(environment, "AZURE_TENANT_ID")),
            client_id=_required(environment, "AZURE_CLIENT_ID"),
            client_secret=_required(environment, "AZURE_CLIENT_SECRET"),
            authority=_https(environment, "AZURE_AUTHORITY_HOST", authority),
            graph_url=_https(environment, "DEFENDER_GRAPH_URL", graph_url),
            graph_resource=graph_url,
            ca_bundle=_ca_bundle(environment),
            lake=lake_folder(environment),
            hunting_max_rows=_number(environment, "DEFENDER_HUNTING_MAX_ROWS", 100_000, 1),
            hunting_calls_per_minute=_number(
                environment, "DEFENDER_HUNTING_CALLS_PER_MINUTE", 45, 1
            ),
            match_tolerance_ms=_number(environment, "DEFENDER_MATCH_TOLERANCE_MS", 10, 0),
        )


def lake_folder(environment: Mapping[str, str]) -> Path:
    """Return the lake's folder, absolute; all that reading the lake needs.

    Raises ConfigError for an object-store address, which is not supported yet.
    """
    text = environment.get("DEFENDER_LAKE") or "lake"
    if "://" in text:
        raise ConfigError("DEFENDER_LAKE", f"{text!r} is no folder", "name a local folder")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise ConfigError("DEFENDER_LAKE", f"{text!r} has no home", "name a folder") from error


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise ConfigError(name, "is not set", f"set it to the app registration's value; {_REMEDY}")
    return value


def _only(environment: Mapping[str, str], name: str, supported: str) -> None:
    value = environment.get(name) or supported
    if value != supported:
        raise ConfigError(name, f"{value!r} is not supported", f"use {supported!r} or unset it")


def _tenant(value: str) -> str:
    if not _TENANT.fullmatch(value):
        raise ConfigError(
            "AZURE_TENANT_ID", f"{value!r} is no tenant", "use the directory (tenant) id, a GUID"
        )
    return value.lower()


def _https(environment: Mapping[str, str], name: str, default: str) -> str:
    text = environment.get(name) or default
    value = (text if "://" in text else f"https://{text}").rstrip("/")
    try:
        parts = urlsplit(value)
        sound = parts.scheme == "https" and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound or parts.path or parts.query or parts.fragment or parts.username:
        shown = "the value" if "@" in value else repr(value)  # it may hold a password
        raise ConfigError(name, f"{shown} is no https host", f"use a form such as {default}")
    return value


def _ca_bundle(environment: Mapping[str, str]) -> Path | None:
    value = environment.get("REQUESTS_CA_BUNDLE")
    if not value:
        return None
    path = Path(value).expanduser()
    if not path.exists():
        raise ConfigError("REQUESTS_CA_BUNDLE", f"{value!r} does not exist", "name a PEM file")
    return path


def _number(environment: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = environment.get(name) or str(default)
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise ConfigError(name, f"{text!r} is not a number of at least {least}", f"try {default}")
    return value
