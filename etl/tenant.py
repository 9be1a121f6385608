"""One Defender tenant: its lake and the ways in that its settings name."""

from dataclasses import dataclass
from functools import cache
from typing import Self

from etl import ticks
from etl.access.client import Client
from etl.access.credentials import credentials
from etl.access.limits import Limiter
from etl.lake.lake import Lake
from etl.settings import Settings
from etl.sources import graph, hunting, mde
from etl.sources.alerts import AlertSource
from etl.sources.graph import GraphAlerts
from etl.sources.hunting import Hunting
from etl.sources.mde import MdeAlerts

ALERT_CALLS_PER_MINUTE = 150
"""Graph's limit per application and tenant (learn.microsoft.com/graph/throttling-limits)."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """What every stage is handed; nothing is asked of the service before a stage does.

    A context manager: leaving it closes the connections.
    """

    settings: Settings
    lake: Lake
    alerts: AlertSource
    hunting: Hunting

    @classmethod
    def connect(cls, settings: Settings) -> "Tenant":
        """Make the ways into a tenant; they share one sign-in an API, and keep to their quotas."""
        lake = Lake(settings.lake, settings.tenant_id)
        signed_in = credentials(settings, settings.graph_resource, settings.graph_url)
        verify = str(settings.ca_bundle) if settings.ca_bundle else True

        def on_graph(permission: str, per_minute: int) -> Client:
            limiter = _limiter(settings.graph_url, lake.tenant, permission, per_minute)
            return Client(settings.graph_url, signed_in, limiter, permission, verify)

        hunts = on_graph(hunting.PERMISSION, settings.hunting_calls_per_minute)
        if settings.alerts == "graph":
            listed = on_graph(graph.PERMISSION, ALERT_CALLS_PER_MINUTE)
            return cls(settings, lake, GraphAlerts(listed), Hunting(hunts))
        root = settings.mde_url
        at_mde = credentials(settings, settings.mde_resource, root)

        def on_mde(permission: str, per_minute: int, per_hour: int) -> Client:
            limiter = _limiter(root, lake.tenant, permission, per_minute, per_hour)
            return Client(root, at_mde, limiter, permission, verify, audience_by_403=True)

        legacy = on_mde(
            hunting.LEGACY_PERMISSION,
            min(hunting.LEGACY_CALLS_PER_MINUTE, settings.hunting_calls_per_minute),
            hunting.LEGACY_CALLS_PER_HOUR,
        )
        alerts = on_mde(mde.PERMISSION, mde.CALLS_PER_MINUTE, mde.CALLS_PER_HOUR)
        return cls(settings, lake, MdeAlerts(alerts), Hunting(hunts, legacy))

    @property
    def name(self) -> str:
        """The tenant's name in the settings, else its id."""
        return self.settings.name

    @property
    def overlap(self) -> int:
        """How far before the watermark alerts are asked for again, in ticks."""
        return self.settings.alert_overlap_minutes * ticks.PER_MINUTE

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.alerts.close()
        self.hunting.close()


@cache
def _limiter(
    root: str,  # noqa: ARG001 - which quota it is
    tenant: str,  # noqa: ARG001
    permission: str,  # noqa: ARG001
    per_minute: int,
    per_hour: int | None = None,
) -> Limiter:
    """Return the one limiter of a quota, which outlives a run: the service counts on."""
    return Limiter(per_minute, per_hour)
