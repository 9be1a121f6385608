"""Everything that Dagster loads, put together by one function so that tests can swap the tenant."""

import os
from collections.abc import Iterator

import dagster as dg

from assets import automation, core, hunting, mart, raw
from assets.failures import as_dagster
from etl.settings import Settings
from etl.tenant import Tenant


@dg.resource(description="The Defender tenant that the environment names, and its lake.")
def tenant_of_environment(_: dg.InitResourceContext) -> Iterator[Tenant]:
    """Read the settings when a run starts; they are never part of a run's configuration."""
    with as_dagster():
        settings = Settings.read(os.environ)
    with Tenant.connect(settings) as tenant:
        yield tenant


def build(tenant: dg.ResourceDefinition = tenant_of_environment) -> dg.Definitions:
    """Return the code location, with another tenant where a test wants one."""
    return dg.Definitions(
        assets=[
            raw.raw_alerts,
            core.core_alerts,
            raw.raw_telemetry,
            *hunting.TABLES,
            mart.mart_correlation,
            mart.ops_quarantine,
            mart.ops_catalog,
        ],
        jobs=[automation.daily],
        schedules=[automation.recent_days],
        resources={"tenant": tenant},
        executor=dg.in_process_executor,
    )


defs = build()
