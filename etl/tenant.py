"""One Defender tenant: its lake and the clients that speak for the application in it."""

from dataclasses import dataclass
from functools import cache
from typing import Self

from etl.access.client import Client
from etl.access.credentials import ClientSecret
from etl.access.limits import Limiter
from etl.lake.lake import Lake
from etl.settings import Settings
from etl.sources import alerts, hunting

ALERT_CALLS_PER_MINUTE = 150
"""Graph's limit per application and tenant (learn.microsoft.com/graph/throttling-limits)."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """What every stage is handed; nothing is asked of the service before a stage does.

    A context manager: leaving it closes the connections.
    """

    settings: Settings
    lake: Lake
    alerts: Client
    hunting: Client

    @classmethod
    def connect(cls, settings: Settings) -> "Tenant":
        """Make the clients of a tenant; they share one sign-in and keep to their own quotas."""
        root, tenant = settings.graph_url, settings.tenant_id
        credentials = ClientSecret(settings, settings.graph_resource, root)
        verify = str(settings.ca_bundle) if settings.ca_bundle else True

        def client(permission: str, calls_per_minute: int) -> Client:
            limiter = _limiter(root, tenant, permission, calls_per_minute)
            return Client(root, credentials, limiter, permission, verify)

        return cls(
            settings,
            Lake(settings.lake, tenant),
            client(alerts.PERMISSION, ALERT_CALLS_PER_MINUTE),
            client(hunting.PERMISSION, settings.hunting_calls_per_minute),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.alerts.close()
        self.hunting.close()


@cache
def _limiter(root: str, tenant: str, permission: str, calls_per_minute: int) -> Limiter:  # noqa: ARG001
    """Return the one limiter of a quota, which outlives a run: the service counts on."""
    return Limiter(calls_per_minute)
