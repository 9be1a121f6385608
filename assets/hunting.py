"""Hunting assets: telemetry around alerts and what was hunted for, raw and typed."""

from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg

from assets.metadata import Results, checks, layer, numbers, results, spec
from assets.partitions import DAY, SEVERAL_DAYS
from assets.tenants import Tenants
from etl.contracts import core, ops, raw
from etl.contracts.hunting import ALERT_TABLES, DEVICE_INFO, EVENT_TABLES, hunting
from etl.contracts.mart import ALERT_HUNTS
from etl.stages import devices, events, pull
from etl.stages.options import Options
from etl.stages.report import Report
from etl.tenant import Tenant

AROUND = [core.ALERTS.key, core.ALERT_DEVICES.key, core.ALERT_EVIDENCE.key]
DEVICES = [raw.telemetry(DEVICE_INFO), hunting(DEVICE_INFO)]
RAW = [raw.telemetry(table) for table in EVENT_TABLES]
TYPED = [hunting(table) for table in EVENT_TABLES]
ACCOUNTS = (ops.LEDGER, ops.QUERIES, ops.DEVICE_HOURS)


@dg.multi_asset(
    name="hunting_devices",
    specs=[
        spec(DEVICES[0], AROUND, {"microsoft", "parquet"}),
        spec(DEVICES[1], [DEVICES[0].key], {"polars", "parquet"}),
    ],
    check_specs=[check for table in DEVICES for check in checks(table, doubtful=True)],
    partitions_def=DAY,
    backfill_policy=SEVERAL_DAYS,
)
def hunting_devices(
    context: dg.AssetExecutionContext, tenants: dg.ResourceParam[Tenants]
) -> Results:
    """Pull and type what hunting says of the alerts' devices: merged ids, and signs of life."""

    def stage(tenant: Tenant, days: Sequence[date]) -> Mapping[date, Mapping[str, Report]]:
        with tenant.lake.alone(pull.LOCK):
            return {
                day: devices.pull(tenant.hunting, tenant.lake, day, Options.of(tenant.settings))
                for day in days
            }

    done = tenants.each(context, stage)
    for table in DEVICES:
        yield from results(context, table, layer(done, table.layer), doubtful=True)


@dg.multi_asset(
    name="hunting_telemetry",
    specs=[
        *[spec(table, [*AROUND, DEVICES[1].key], {"microsoft", "parquet"}) for table in RAW],
        *[spec(table, [raw.telemetry(table.table).key], {"polars", "parquet"}) for table in TYPED],
        spec(ALERT_HUNTS, [table.key for table in TYPED], {"microsoft", "parquet"}),
        *[spec(table, AROUND, {"parquet"}) for table in ACCOUNTS],
    ],
    check_specs=[
        *[check for table in RAW for check in checks(table, doubtful=True)],
        *[check for table in TYPED for check in checks(table, doubtful=True)],
        *checks(ALERT_HUNTS, doubtful=True),
    ],
    partitions_def=DAY,
    backfill_policy=SEVERAL_DAYS,
)
def hunting_telemetry(
    context: dg.AssetExecutionContext, tenants: dg.ResourceParam[Tenants]
) -> Results:
    """Plan, pull and type telemetry around each day's alerts, then hunt for what has no match."""

    def stage(tenant: Tenant, days: Sequence[date]) -> Mapping[date, Mapping[str, Report]]:
        return {
            day: pull.pull(tenant.hunting, tenant.lake, day, Options.of(tenant.settings))
            for day in days
        }

    done = tenants.each(context, stage)
    for table in (*RAW, *TYPED, ALERT_HUNTS):
        yield from results(context, table, layer(done, table.layer), doubtful=True)
    numbers(context, ops.LEDGER, layer(done, ops.LEDGER.layer))
    for table in ACCOUNTS:
        yield dg.MaterializeResult(asset_key=dg.AssetKey(table.key))


def _table(table: str) -> dg.AssetsDefinition:
    contract = hunting(table)

    @dg.multi_asset(
        name=f"hunting_{table}",
        specs=[spec(contract, [raw.telemetry(table).key], {"polars", "parquet"})],
        check_specs=checks(contract, doubtful=True),
        partitions_def=DAY,
        backfill_policy=SEVERAL_DAYS,
    )
    def typed(context: dg.AssetExecutionContext, tenants: dg.ResourceParam[Tenants]) -> Results:
        done = tenants.each(
            context,
            lambda tenant, days: {
                day: {table: events.publish(tenant.lake, day, table)} for day in days
            },
        )
        yield from results(context, contract, done, doubtful=True)

    return typed


TABLES = [_table(table) for table in ALERT_TABLES]
"""The tables in which hunting tells of the alerts themselves; evidence is read with their help."""
