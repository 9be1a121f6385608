"""Core assets: the standard alert model."""

from datetime import date

import dagster as dg

from assets.failures import as_dagster
from assets.metadata import Results, checks, results, spec
from assets.partitions import DAY, SEVERAL_DAYS
from etl.contracts import raw
from etl.contracts.core import CORE
from etl.stages import alerts
from etl.tenant import Tenant


@dg.multi_asset(
    name="core_alerts",
    specs=[spec(contract, [raw.ALERTS.key], {"polars", "parquet"}) for contract in CORE],
    check_specs=[check for contract in CORE for check in checks(contract)],
    partitions_def=DAY,
    backfill_policy=SEVERAL_DAYS,
)
def core_alerts(context: dg.AssetExecutionContext, tenant: dg.ResourceParam[Tenant]) -> Results:
    """Read raw alerts as versions, newest states, evidence and devices."""
    with as_dagster():
        days = {
            day: alerts.model(tenant.lake, date.fromisoformat(day))
            for day in context.partition_keys
        }
    for contract in CORE:
        yield from results(context, contract, {day: days[day][contract.table] for day in days})
