"""Hunting assets: one typed, judged table each, of telemetry and of what hunting says of alerts."""

import dagster as dg

from assets.metadata import Results, checks, results, spec
from assets.partitions import DAY, SEVERAL_DAYS
from assets.tenants import Tenants
from etl.contracts import raw
from etl.contracts.hunting import ALERT_TABLES, EVENT_TABLES, hunting
from etl.stages import events


def _table(table: str) -> dg.AssetsDefinition:
    contract = hunting(table)

    @dg.multi_asset(
        name=f"hunting_{table}",
        specs=[spec(contract, [raw.telemetry(table).key], {"polars", "parquet"})],
        check_specs=checks(contract),
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
        yield from results(context, contract, done)

    return typed


TABLES = [_table(table) for table in (*ALERT_TABLES, *EVENT_TABLES)]
