"""Everything that Dagster loads, put together by one function so that tests can swap tenants."""

import os
from collections.abc import Iterator, Sequence

import dagster as dg

from assets import automation, core, expectations, hunting, insight, mart, ops, raw
from assets.failures import as_dagster
from assets.tenants import Tenants, connected
from etl.errors import ConfigError
from etl.settings import Settings


@dg.resource(description="The Defender tenants that the environment names, and their lake.")
def tenants_of_environment(_: dg.InitResourceContext) -> Iterator[Tenants]:
    """Read the settings when a run starts; they are never part of a run's configuration."""
    with as_dagster(), connected(os.environ) as tenants:
        yield tenants


def build(
    tenants: dg.ResourceDefinition = tenants_of_environment, names: Sequence[str] = ()
) -> dg.Definitions:
    """Return the code location, with other tenants where a test wants some.

    `names` are those of the tenants that get a check of their own, where there are several.
    """
    return dg.Definitions(
        assets=[
            raw.raw_alerts,
            core.core_alerts,
            raw.raw_alert_tables,
            core.core_evidence,
            hunting.hunting_devices,
            hunting.hunting_telemetry,
            *hunting.TABLES,
            mart.mart_correlation,
            insight.mart_insight,
            ops.ops_reconciliation,
            ops.ops_quarantine,
            ops.ops_watermarks,
            ops.ops_catalog,
        ],
        asset_checks=[expectations.mart_expectations, *ops.tenant_checks(names)],
        jobs=[automation.daily],
        schedules=[automation.recent_days],
        sensors=[automation.changed_alerts, automation.late_telemetry],
        resources={"tenants": tenants},
        executor=dg.in_process_executor,
    )


def tenant_names() -> list[str]:
    """Return the names of the tenants in the settings; none while these cannot be read."""
    try:
        return [settings.name for settings in Settings.every(os.environ)]
    except ConfigError:
        return []  # what is wrong is told by the run, not by the loading of the code


defs = build(names=tenant_names())
