"""Hunting assets: one typed, judged table of telemetry each."""

from datetime import date

import dagster as dg

from assets.failures import as_dagster
from assets.metadata import Results, checks, results, spec
from assets.partitions import DAY, SEVERAL_DAYS
from etl.contracts import raw
from etl.contracts.hunting import EVENT_TABLES, hunting
from etl.stages import events
from etl.tenant import Tenant


def _table(table: str) -> dg.AssetsDefinition:
    contract = hunting(table)

    @dg.multi_asset(
        name=f"hunting_{table}",
        specs=[spec(contract, [raw.telemetry(table).key], {"polars", "parquet"})],
        check_specs=checks(contract),
        partitions_def=DAY,
        backfill_policy=SEVERAL_DAYS,
    )
    def typed(context: dg.AssetExecutionContext, tenant: dg.ResourceParam[Tenant]) -> Results:
        with as_dagster():
            days = {
                day: events.publish(tenant.lake, date.fromisoformat(day), table)
                for day in context.partition_keys
            }
        yield from results(context, contract, days)

    return typed


TABLES = [_table(table) for table in EVENT_TABLES]
