"""Mart assets: correlated alerts, and the SQL catalog that shows everything."""

from datetime import date

import dagster as dg

from assets.failures import as_dagster
from assets.metadata import Results, checks, results, spec
from assets.partitions import DAY, SEVERAL_DAYS
from etl.contracts import core, ops
from etl.contracts.hunting import EVENT_TABLES, hunting
from etl.contracts.mart import MART
from etl.contracts.ops import QUARANTINE
from etl.stages import marts
from etl.tenant import Tenant

INPUTS = [
    core.ALERTS.key,
    core.ALERT_EVIDENCE.key,
    core.ALERT_DEVICES.key,
    ops.LEDGER.key,
    *[hunting(table).key for table in EVENT_TABLES],
]
CATALOG = dg.AssetKey(["ops", "Catalog"])


@dg.multi_asset(
    name="mart_correlation",
    specs=[spec(contract, INPUTS, {"duckdb", "parquet"}) for contract in MART],
    check_specs=[check for contract in MART for check in checks(contract)],
    partitions_def=DAY,
    backfill_policy=SEVERAL_DAYS,
)
def mart_correlation(
    context: dg.AssetExecutionContext, tenant: dg.ResourceParam[Tenant]
) -> Results:
    """Tie each day's evidence to its telemetry, or say why not."""
    with as_dagster():
        days = {
            day: marts.publish(
                tenant.lake, date.fromisoformat(day), tenant.settings.match_tolerance_ms
            )
            for day in context.partition_keys
        }
    for contract in MART:
        yield from results(context, contract, {day: days[day][contract.table] for day in days})


@dg.multi_asset(
    name="ops_quarantine",
    specs=[spec(QUARANTINE, [core.ALERT_EVIDENCE.key, *INPUTS[4:]], {"parquet"})],
    partitions_def=DAY,
    backfill_policy=SEVERAL_DAYS,
)
def ops_quarantine(context: dg.AssetExecutionContext, tenant: dg.ResourceParam[Tenant]) -> Results:
    """Show what each day's stages turned away, by table and rule; they wrote it themselves."""
    for day in context.partition_keys:
        rules = marts.quarantined(tenant.lake, date.fromisoformat(day))
        records = [dg.TableRecord(row) for row in rules.iter_rows(named=True)]
        shown: dict[str, dg.RawMetadataValue] = {
            "dagster/partition_row_count": int(rules["Rows"].sum())
        }
        if records:
            shown["rules"] = dg.MetadataValue.table(records)
        context.add_asset_metadata(shown, asset_key=dg.AssetKey(QUARANTINE.key), partition_key=day)
    yield dg.MaterializeResult(asset_key=dg.AssetKey(QUARANTINE.key))


@dg.multi_asset(
    name="ops_catalog",
    specs=[
        dg.AssetSpec(
            CATALOG,
            deps=[dg.AssetKey(contract.key) for contract in (*MART, QUARANTINE)],
            description="catalog.duckdb: one view a table, swapped in whole.",
            group_name="ops",
            kinds={"duckdb"},
            owners=["team:secops"],
        )
    ],
    backfill_policy=SEVERAL_DAYS,
)
def ops_catalog(tenant: dg.ResourceParam[Tenant]) -> dg.MaterializeResult[None]:
    """Build the SQL catalog anew and swap it in."""
    with as_dagster():
        path = marts.refresh(tenant.lake)
    return dg.MaterializeResult(
        asset_key=CATALOG, metadata={"path": dg.MetadataValue.path(str(path))}
    )
