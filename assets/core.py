"""Core assets: the standard alert model, and what in it the schema does not know."""

import dagster as dg

from assets.metadata import Results, checks, results, spec
from assets.partitions import DAY, SEVERAL_DAYS
from assets.tenants import Tenants
from etl.contracts import core, raw
from etl.contracts.hunting import hunting
from etl.contracts.ops import SCHEMA_DRIFT
from etl.stages import evidence, model

STATES = (core.ALERT_VERSIONS, core.ALERTS)
NAMED = (core.ALERT_EVIDENCE, core.ALERT_DEVICES)
KINDS = {"polars", "parquet"}


@dg.multi_asset(
    name="core_alerts",
    specs=[spec(contract, [raw.ALERTS.key], KINDS) for contract in (*STATES, SCHEMA_DRIFT)],
    check_specs=[
        *[check for contract in STATES for check in checks(contract)],
        *checks(SCHEMA_DRIFT, doubtful=True),
    ],
    partitions_def=DAY,
    backfill_policy=SEVERAL_DAYS,
)
def core_alerts(context: dg.AssetExecutionContext, tenants: dg.ResourceParam[Tenants]) -> Results:
    """Read raw alerts as versions and newest states, and note what the schema does not know."""
    done = tenants.each(
        context, lambda tenant, days: {day: model.publish(tenant.lake, day) for day in days}
    )
    for contract in STATES:
        yield from results(context, contract, done)
    yield from results(context, SCHEMA_DRIFT, done, doubtful=True)


@dg.multi_asset(
    name="core_evidence",
    specs=[
        spec(
            contract,
            [core.ALERT_VERSIONS.key, core.ALERTS.key, hunting("AlertEvidence").key],
            KINDS,
        )
        for contract in NAMED
    ],
    check_specs=[check for contract in NAMED for check in checks(contract)],
    partitions_def=DAY,
    backfill_policy=SEVERAL_DAYS,
)
def core_evidence(context: dg.AssetExecutionContext, tenants: dg.ResourceParam[Tenants]) -> Results:
    """Read the newest states' evidence and devices; keys left out come from hunting."""
    done = tenants.each(
        context, lambda tenant, days: {day: evidence.publish(tenant.lake, day) for day in days}
    )
    for contract in NAMED:
        yield from results(context, contract, done)
