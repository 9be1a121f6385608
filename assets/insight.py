"""Mart assets that are drawn from a correlated day: prevalence, detectors' scores and stories."""

import dagster as dg

from assets.metadata import Results, checks, results, spec
from assets.partitions import DAY, SEVERAL_DAYS
from assets.tenants import Tenants
from etl.contracts import core
from etl.contracts.hunting import EVENT_TABLES, hunting
from etl.contracts.insight import INSIGHT
from etl.contracts.mart import ALERT_CORRELATION, CORRELATED_ALERTS
from etl.contracts.story import PROCESS_TREE
from etl.stages import insight

INPUTS = [
    core.ALERTS.key,
    core.ALERT_EVIDENCE.key,
    core.ALERT_DEVICES.key,
    CORRELATED_ALERTS.key,
    ALERT_CORRELATION.key,
    PROCESS_TREE.key,
    *[hunting(table).key for table in EVENT_TABLES],
]


@dg.multi_asset(
    name="mart_insight",
    specs=[spec(contract, INPUTS, {"duckdb", "parquet"}) for contract in INSIGHT],
    check_specs=[check for contract in INSIGHT for check in checks(contract)],
    partitions_def=DAY,
    backfill_policy=SEVERAL_DAYS,
)
def mart_insight(context: dg.AssetExecutionContext, tenants: dg.ResourceParam[Tenants]) -> Results:
    """Tell how common what each day's alerts name is, how detectors fare, what belongs together."""
    done = tenants.each(
        context, lambda tenant, days: {day: insight.publish(tenant.lake, day) for day in days}
    )
    for contract in INSIGHT:
        yield from results(context, contract, done)
