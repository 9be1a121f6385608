"""One Defender tenant: its lake and the ways in that its settings name."""

from dataclasses import dataclass
from typing import Self

from etl import ticks
from etl.access.client import Client
from etl.access.credentials import credentials
from etl.access.limits import Limiter
from etl.access.record import Record
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
        """Make the ways into a tenant; they share one sign-in an API, and keep to their quotas.

        Raises ConfigError, before anything is asked.
        """
        lake = Lake(settings.lake, settings.tenant_id)
        signed_in = credentials(settings, settings.graph_resource, settings.graph_url)
        verify = str(settings.ca_bundle) if settings.ca_bundle else True

        def limiter(root: str, permission: str, minute: int, hour: int | None = None) -> Limiter:
            record = Record.of(settings.state, root, lake.tenant, permission)
            return Limiter(record, minute, hour)

        def on_graph(permission: str, per_minute: int, *, queries: bool = False) -> Client:
            root = settings.graph_url
            limits = limiter(root, permission, per_minute)
            return Client(root, signed_in, limits, permission, verify, hunting=queries)

        hunts = on_graph(hunting.PERMISSION, settings.hunting_rate, queries=True)
        if settings.alerts == "graph":
            listed = on_graph(graph.PERMISSION, ALERT_CALLS_PER_MINUTE)
            return cls(settings, lake, GraphAlerts(listed), Hunting(hunts))
        root = settings.mde_url
        at_mde = credentials(settings, settings.mde_resource, root)

        def on_mde(permission: str, calls: tuple[int, int], *, queries: bool = False) -> Client:
            limits = limiter(root, permission, *calls)
            return Client(
                root, at_mde, limits, permission, verify, audience_by_403=True, hunting=queries
            )

        rate = min(hunting.LEGACY_CALLS_PER_MINUTE, settings.hunting_rate)
        legacy_calls = rate, hunting.LEGACY_CALLS_PER_HOUR
        legacy = on_mde(hunting.LEGACY_PERMISSION, legacy_calls, queries=True)
        alerts = on_mde(mde.PERMISSION, (mde.CALLS_PER_MINUTE, mde.CALLS_PER_HOUR))
        return cls(settings, lake, MdeAlerts(alerts), Hunting(hunts, legacy))

    @property
    def name(self) -> str:
        """The tenant's name in the settings, else its id."""
        return self.settings.name

    @property
    def overlap(self) -> int:
        """How far before the watermark alerts are asked for again, in ticks."""
        return self.settings.alert_overlap_minutes * ticks.PER_MINUTE

    def close(self) -> None:
        """Close the connections."""
        self.alerts.close()
        self.hunting.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
