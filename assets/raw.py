"""Raw assets: alerts and telemetry as the service answers, and the ledger of what was asked."""

from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg

from assets.metadata import Results, checks, results, spec
from assets.partitions import DAY, SEVERAL_DAYS
from assets.tenants import Tenants
from etl.contracts import core, ops, raw
from etl.contracts.hunting import ALERT_TABLES, EVENT_TABLES
from etl.stages import alert_tables, alerts, telemetry
from etl.stages.report import Report
from etl.tenant import Tenant

KINDS = {"microsoft", "parquet"}
TELEMETRY = [raw.telemetry(table) for table in EVENT_TABLES]
ABOUT_ALERTS = [raw.telemetry(table) for table in ALERT_TABLES]
AROUND = [core.ALERTS.key, core.ALERT_DEVICES.key, core.ALERT_EVIDENCE.key]


@dg.multi_asset(
    name="raw_alerts",
    specs=[spec(raw.ALERTS, [], KINDS)],
    check_specs=checks(raw.ALERTS, doubtful=True),
    partitions_def=DAY,
    backfill_policy=SEVERAL_DAYS,
)
def raw_alerts(context: dg.AssetExecutionContext, tenants: dg.ResourceParam[Tenants]) -> Results:
    """Pull the alerts created on the days, every page, or what changed of them."""

    def stage(tenant: Tenant, days: Sequence[date]) -> Mapping[date, Mapping[str, Report]]:
        with tenant.lake.alone("alerts"):
            pulled = alerts.pull(tenant.alerts, tenant.lake, days, tenant.overlap)
        return {day: {raw.ALERTS.table: report} for day, report in pulled.items()}

    yield from results(context, raw.ALERTS, tenants.each(context, stage), doubtful=True)


@dg.multi_asset(
    name="raw_alert_tables",
    specs=[spec(table, [core.ALERTS.key], KINDS) for table in ABOUT_ALERTS],
    check_specs=[check for table in ABOUT_ALERTS for check in checks(table, doubtful=True)],
    partitions_def=DAY,
    backfill_policy=SEVERAL_DAYS,
)
def raw_alert_tables(
    context: dg.AssetExecutionContext, tenants: dg.ResourceParam[Tenants]
) -> Results:
    """Pull what hunting says of the alerts themselves."""

    def stage(tenant: Tenant, days: Sequence[date]) -> Mapping[date, Mapping[str, Report]]:
        most = tenant.settings.hunting_max_rows
        return {day: alert_tables.pull(tenant.hunting, tenant.lake, day, most) for day in days}

    done = tenants.each(context, stage)
    for table in ABOUT_ALERTS:
        yield from results(context, table, done, doubtful=True)


@dg.multi_asset(
    name="raw_telemetry",
    specs=[
        *[spec(table, AROUND, KINDS) for table in TELEMETRY],
        spec(ops.LEDGER, AROUND, {"parquet"}),
    ],
    check_specs=[check for table in TELEMETRY for check in checks(table, doubtful=True)],
    partitions_def=DAY,
    backfill_policy=SEVERAL_DAYS,
)
def raw_telemetry(context: dg.AssetExecutionContext, tenants: dg.ResourceParam[Tenants]) -> Results:
    """Pull telemetry around each day's alerts, many devices in a query."""

    def stage(tenant: Tenant, days: Sequence[date]) -> Mapping[date, Mapping[str, Report]]:
        most = tenant.settings.hunting_max_rows
        with tenant.lake.alone("telemetry"):
            return {day: telemetry.pull(tenant.hunting, tenant.lake, day, most) for day in days}

    done = tenants.each(context, stage)
    for table in TELEMETRY:
        yield from results(context, table, done, doubtful=True)
    yield dg.MaterializeResult(asset_key=dg.AssetKey(ops.LEDGER.key))
