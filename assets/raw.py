"""Raw assets: alerts and telemetry as the service answers, and the ledger of what was asked."""

from datetime import date

import dagster as dg

from assets.failures import as_dagster
from assets.metadata import Results, checks, results, spec
from assets.partitions import DAY, SEVERAL_DAYS
from etl.contracts import core, ops, raw
from etl.contracts.hunting import EVENT_TABLES
from etl.stages import alerts, telemetry
from etl.stages.report import Report
from etl.tenant import Tenant

KINDS = {"microsoft", "parquet"}
TELEMETRY = [raw.telemetry(table) for table in EVENT_TABLES]


@dg.multi_asset(
    name="raw_alerts",
    specs=[spec(raw.ALERTS, [], KINDS)],
    check_specs=checks(raw.ALERTS),
    partitions_def=DAY,
    backfill_policy=SEVERAL_DAYS,
)
def raw_alerts(context: dg.AssetExecutionContext, tenant: dg.ResourceParam[Tenant]) -> Results:
    """Pull the alerts created on each day, every page."""
    with as_dagster(), tenant.lake.alone("alerts"):
        days = {
            day: alerts.pull(tenant.alerts, tenant.lake, date.fromisoformat(day))
            for day in context.partition_keys
        }
    yield from results(context, raw.ALERTS, days)


@dg.multi_asset(
    name="raw_telemetry",
    specs=[
        *[
            spec(table, [core.ALERT_DEVICES.key, core.ALERT_EVIDENCE.key], KINDS)
            for table in TELEMETRY
        ],
        spec(ops.LEDGER, [core.ALERT_DEVICES.key, core.ALERT_EVIDENCE.key], {"parquet"}),
    ],
    check_specs=[check for table in TELEMETRY for check in checks(table)],
    partitions_def=DAY,
    backfill_policy=SEVERAL_DAYS,
)
def raw_telemetry(context: dg.AssetExecutionContext, tenant: dg.ResourceParam[Tenant]) -> Results:
    """Pull telemetry around each day's alerts, many devices in a query."""
    days: dict[str, dict[str, Report]] = {}
    with as_dagster(), tenant.lake.alone("telemetry"):
        for day in context.partition_keys:
            days[day] = telemetry.pull(
                tenant.hunting,
                tenant.lake,
                date.fromisoformat(day),
                tenant.settings.hunting_max_rows,
            )
    for table in TELEMETRY:
        yield from results(context, table, {day: days[day][table.table] for day in days})
    yield dg.MaterializeResult(asset_key=dg.AssetKey(ops.LEDGER.key))
