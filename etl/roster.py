"""The settings file: several tenants, each with the settings in which it differs.

TOML with a table `[[tenant]]` a tenant: its `name`, and settings under the names of the environment
variables, which they are laid over. Who a tenant's application is never comes from the environment,
so that no tenant is asked with another's, nor does a host where the tenant names its own cloud. A
secret never stands in the file, which names the variable that holds it. What the settings mean is
told in `etl.settings`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from etl import variables
from etl.errors import ConfigError

_FROM: Final = "_FROM"
_SECRETS: Final = ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD")
_IDENTITY: Final = (
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_FEDERATED_TOKEN_FILE",
    "DEFENDER_AUTH",
)
_HOSTS: Final = ("AZURE_AUTHORITY_HOST", "DEFENDER_GRAPH_URL", "DEFENDER_MDE_URL")
_OTHERS: Final = (
    "REQUESTS_CA_BUNDLE",
    "DEFENDER_TOKEN_CACHE",
    "DEFENDER_CLOUD",
    "DEFENDER_ALERTS",
    "DEFENDER_ALERT_OVERLAP_MINUTES",
    "DEFENDER_HUNTING_MAX_ROWS",
    "DEFENDER_HUNTING_CALLS_PER_MINUTE",
    "DEFENDER_HUNTING_RESERVE_PERCENT",
    "DEFENDER_HUNTING_PARALLEL",
    "DEFENDER_LANDING_MINUTES",
    "DEFENDER_MATCH_TOLERANCE_MS",
)
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]*")
"""What is shown of a variable's name; anything else may be a secret put in the wrong place."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A tenant of the file, and the environment that it is to be read from."""

    file: str
    name: str
    environment: dict[str, str] = field(repr=False)

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Put the tenant and the file in front of what is wrong with a setting."""
        try:
            yield
        except ConfigError as error:
            where = f"{self.file}: tenant {self.name}: {error.name}"
            raise ConfigError(where, error.problem, error.remedy) from error


def read(file: str, environment: Mapping[str, str]) -> list[Entry]:
    """Read the tenants of a file.

    Raises ConfigError that names the file and the key.
    """
    tables = _tables(file)
    shared = {k: v for k, v in environment.items() if k not in (*_IDENTITY, *_SECRETS)}
    entries: dict[str, Entry] = {}
    folded: dict[str, str] = {}
    for number, table in enumerate(tables, 1):
        name = table.pop("name", None)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            problem = f"tenant {number} has no name of letters, digits, _ and -"
            raise ConfigError(file, problem, 'begin its table with a line such as name = "contoso"')
        other = folded.setdefault(name.lower().replace("-", "_"), name)
        if other in entries:
            problem = f"two tenants are named {name}, or nearly so: {other}"
            raise ConfigError(file, problem, "give each a name that differs in letters or digits")
        dropped = _HOSTS if "DEFENDER_CLOUD" in table else ()
        own = {key: value for key, value in shared.items() if key not in dropped}
        entry = entries[name] = Entry(file, name, own)
        with entry.blamed():
            for key, value in table.items():
                entry.environment.update(_setting(key, value, environment))
    return list(entries.values())


def _tables(file: str) -> list[dict[str, Any]]:
    try:
        text = variables.path("DEFENDER_SETTINGS", file).read_text(encoding="utf-8")
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise ConfigError(file, problem, "set DEFENDER_SETTINGS to a TOML file") from error
    except ValueError as error:
        raise ConfigError(
            file, "is no text in UTF-8", "set DEFENDER_SETTINGS to a TOML file"
        ) from error
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        place = re.search(r"\(at [^()]*\)", str(error))  # the rest might quote a value
        problem = f"is no TOML {place[0]}" if place else "is no TOML"
        raise ConfigError(file, problem, "mend that line") from None
    tables = content.pop("tenant", None)
    for key in content:
        remedy = f"put it into a [[tenant]] table or the environment; {variables.SEE}"
        raise ConfigError(f"{file}: {key}", "is not known outside of a tenant", remedy)
    if (
        not tables
        or not isinstance(tables, list)
        or not all(isinstance(table, dict) for table in tables)
    ):
        raise ConfigError(file, "has no [[tenant]] table", "write one for each tenant")
    return tables


def _setting(key: str, value: object, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variable that a line of a tenant's table sets."""
    if key in _SECRETS:
        remedy = f"take it out and name the variable that holds it with {key}{_FROM}"
        raise ConfigError(key, "is a secret and must not stand in the file", remedy)
    if key in {"DEFENDER_LAKE", "DEFENDER_STATE"}:
        raise ConfigError(key, "is one for all tenants", "set it in the environment")
    secret = key.removesuffix(_FROM)
    if key not in (*_IDENTITY, *_HOSTS, *_OTHERS) and (secret == key or secret not in _SECRETS):
        raise ConfigError(key, "is no setting of a tenant", variables.SEE)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ConfigError(key, "is neither text nor a number", "put the value in quotes")
    if secret == key:
        return {key: str(value)}
    if not environment.get(str(value), "").strip():
        shown = repr(value) if _VARIABLE.fullmatch(str(value)) else "which it names"
        problem = f"the environment variable {shown} is not set"
        raise ConfigError(key, problem, "set it, and let the file name no more than it")
    return {secret: environment[str(value)]}
