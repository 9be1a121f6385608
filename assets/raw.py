"""Raw assets: alerts, and what hunting says of them, as the service answers."""

from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg

from assets.metadata import Results, checks, results, spec
from assets.partitions import DAY, SEVERAL_DAYS
from assets.tenants import Tenants
from etl.contracts import core, raw
from etl.contracts.hunting import ALERT_TABLES
from etl.stages import alert_tables, alerts
from etl.stages.options import Options
from etl.stages.pull import LOCK
from etl.stages.report import Report
from etl.tenant import Tenant

KINDS = {"microsoft", "parquet"}
ABOUT_ALERTS = [raw.telemetry(table) for table in ALERT_TABLES]


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
        with tenant.lake.alone(LOCK):
            return {
                day: alert_tables.pull(
                    tenant.hunting, tenant.lake, day, Options.of(tenant.settings)
                )
                for day in days
            }

    done = tenants.each(context, stage)
    for table in ABOUT_ALERTS:
        yield from results(context, table, done, doubtful=True)
