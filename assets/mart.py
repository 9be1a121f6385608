"""Mart assets: alerts tied to telemetry."""

import dagster as dg

from assets.metadata import Results, checks, results, spec
from assets.partitions import DAY, SEVERAL_DAYS
from assets.tenants import Tenants
from etl.contracts import core, ops
from etl.contracts.hunting import EVENT_TABLES, hunting
from etl.contracts.mart import ALERT_HUNTS
from etl.contracts.marts import CORRELATED
from etl.stages import marts

INPUTS = [
    core.ALERTS.key,
    core.ALERT_EVIDENCE.key,
    core.ALERT_DEVICES.key,
    ops.LEDGER.key,
    ALERT_HUNTS.key,
    *[hunting(table).key for table in EVENT_TABLES],
]


@dg.multi_asset(
    name="mart_correlation",
    specs=[spec(contract, INPUTS, {"duckdb", "parquet"}) for contract in CORRELATED],
    check_specs=[check for contract in CORRELATED for check in checks(contract)],
    partitions_def=DAY,
    backfill_policy=SEVERAL_DAYS,
)
def mart_correlation(
    context: dg.AssetExecutionContext, tenants: dg.ResourceParam[Tenants]
) -> Results:
    """Tie each day's evidence to its telemetry, or say why not."""
    done = tenants.each(
        context,
        lambda tenant, days: {
            day: marts.publish(
                tenant.lake,
                day,
                tenant.settings.match_tolerance_ms,
                tenant.settings.landing_minutes,
            )
            for day in days
        },
    )
    for contract in CORRELATED:
        yield from results(context, contract, done)
