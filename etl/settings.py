"""Settings, read once from the environment into one frozen value a tenant.

Names are those that Azure tooling already uses, where they exist. A setting that cannot be used is
a `ConfigError` that names it; a secret is never part of a message or of a value's repr. Several
tenants stand in a file, which `etl.roster` reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from etl import roster, variables
from etl.clouds import CLOUDS
from etl.errors import ConfigError
from etl.sign_in import SignIn

_MOST_RESERVED: Final = 90
"""Per cent of the hunting calls that may be left for others: with more there is hardly a pull."""

_LEAST_MEMORY: Final = 256
"""Megabytes below which DuckDB cannot even write a wide table's row groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a run may depend on apart from the data."""

    name: str
    """What the tenant is called; its id, unless a settings file says."""

    tenant_id: str
    auth: str
    """One of `etl.sign_in.WAYS`; what only the others need is left out."""

    client_id: str | None
    """None for the managed identity that belongs to the machine itself."""

    client_secret: str | None = field(default=None, repr=False)
    certificate_path: Path | None = None
    certificate_password: str | None = field(default=None, repr=False)
    federated_token_file: Path | None = None
    token_cache: Path | None = None
    """Where the tokens of a person who signed in are kept."""

    authority: str
    cloud: str
    graph_url: str
    graph_resource: str
    """The cloud's own Graph host, which tokens are for, whatever `graph_url` says."""

    mde_url: str
    mde_resource: str
    alerts: str
    """Whose alerts are pulled: graph or mde."""

    alert_overlap_minutes: int
    ca_bundle: Path | None
    lake: Path
    hunting_max_rows: int
    hunting_calls_per_minute: int
    hunting_reserve_percent: int
    """The share of those calls that is left for others of the tenant."""

    hunting_parallel: int
    landing_minutes: int
    """How long telemetry is waited for before a miss closes."""

    state: Path
    """The folder of what processes share that is no part of the lake."""

    match_tolerance_ms: int
    memory_mb: int
    """What an engine may hold in memory before it spills; the process's, whatever the tenant."""

    @property
    def hunting_rate(self) -> int:
        """The hunting calls a minute after the reserve, one at least."""
        return max(1, self.hunting_calls_per_minute * (100 - self.hunting_reserve_percent) // 100)

    @classmethod
    def every(cls, environment: Mapping[str, str]) -> "tuple[Settings, ...]":
        """Read the settings of every tenant: those of the settings file, else the environment's.

        Raises ConfigError for the first setting that is missing or cannot be used.
        """
        file = environment.get("DEFENDER_SETTINGS")
        if not file:
            return (cls.read(environment),)
        tenants: dict[str, Settings] = {}
        for entry in roster.read(file, environment):
            with entry.blamed():
                settings = cls.read(entry.environment, entry.name)
                other = tenants.setdefault(settings.tenant_id, settings)
                if other is not settings:
                    problem = f"{settings.tenant_id} is also the tenant {other.name}'s"
                    raise ConfigError("AZURE_TENANT_ID", problem, "name a directory once")
        return tuple(tenants.values())

    @classmethod
    def read(cls, environment: Mapping[str, str], name: str | None = None) -> "Settings":
        """Read the settings of one tenant from `environment`.

        Raises ConfigError for the first one that is missing or cannot be used.
        """
        cloud = variables.choice(environment, "DEFENDER_CLOUD", CLOUDS, "global")
        hosts = CLOUDS[cloud]
        tenant = variables.tenant(environment, "AZURE_TENANT_ID")
        sign_in = SignIn.read(environment, tenant)
        return cls(
            name=name or tenant,
            tenant_id=tenant,
            auth=sign_in.way,
            client_id=sign_in.client_id,
            client_secret=sign_in.client_secret,
            certificate_path=sign_in.certificate_path,
            certificate_password=sign_in.certificate_password,
            federated_token_file=sign_in.federated_token_file,
            token_cache=sign_in.token_cache,
            authority=variables.host(environment, "AZURE_AUTHORITY_HOST", hosts.authority),
            cloud=cloud,
            graph_url=variables.host(environment, "DEFENDER_GRAPH_URL", hosts.graph),
            graph_resource=hosts.graph,
            mde_url=variables.host(environment, "DEFENDER_MDE_URL", hosts.mde),
            mde_resource=hosts.mde_resource,
            alerts=variables.choice(environment, "DEFENDER_ALERTS", ("graph", "mde"), "graph"),
            alert_overlap_minutes=variables.number(
                environment, "DEFENDER_ALERT_OVERLAP_MINUTES", 60, 0
            ),
            ca_bundle=variables.present(environment, "REQUESTS_CA_BUNDLE"),
            lake=lake_folder(environment),
            hunting_max_rows=variables.number(environment, "DEFENDER_HUNTING_MAX_ROWS", 100_000, 1),
            hunting_calls_per_minute=variables.number(
                environment, "DEFENDER_HUNTING_CALLS_PER_MINUTE", 45, 1
            ),
            hunting_reserve_percent=variables.number(
                environment, "DEFENDER_HUNTING_RESERVE_PERCENT", 10, 0, _MOST_RESERVED
            ),
            hunting_parallel=variables.number(environment, "DEFENDER_HUNTING_PARALLEL", 4, 1),
            landing_minutes=variables.number(environment, "DEFENDER_LANDING_MINUTES", 40, 0),
            state=state_folder(environment),
            match_tolerance_ms=variables.number(environment, "DEFENDER_MATCH_TOLERANCE_MS", 10, 0),
            memory_mb=variables.number(environment, "DEFENDER_MEMORY_MB", 1024, _LEAST_MEMORY),
        )


def lake_folder(environment: Mapping[str, str]) -> Path:
    """Return the lake's folder, absolute; all that reading the lake needs.

    Raises ConfigError for an object-store address, which is not supported yet.
    """
    text = environment.get("DEFENDER_LAKE") or "lake"
    if "://" in text:
        raise ConfigError("DEFENDER_LAKE", f"{text!r} is no folder", "name a local folder")
    return variables.path("DEFENDER_LAKE", text)


def state_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of what processes of this machine share, absolute.

    Raises ConfigError.
    """
    cache = environment.get("XDG_CACHE_HOME") or "~/.cache"
    text = environment.get("DEFENDER_STATE") or f"{cache}/defender-etl"
    return variables.path("DEFENDER_STATE", text)
