"""Operations assets: what was turned away, what is missing, how far alerts are published."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import dagster as dg

from assets.failures import as_dagster
from assets.mart import INPUTS
from assets.metadata import Results, checks, results, spec
from assets.partitions import DAY, SEVERAL_DAYS
from assets.tenants import Tenants, check_name, failures
from etl.contracts import core, raw
from etl.contracts.hunting import hunting
from etl.contracts.marts import MART
from etl.contracts.ops import QUARANTINE, RECONCILIATION, SCHEMA_DRIFT, WATERMARKS
from etl.stages import marts, pull, reconciliation, watermarks
from etl.stages.report import Report
from etl.tenant import Tenant

CATALOG = dg.AssetKey(["ops", "Catalog"])


@dg.multi_asset(
    name="ops_reconciliation",
    specs=[
        spec(
            RECONCILIATION,
            [raw.ALERTS.key, core.ALERTS.key, hunting("AlertInfo").key],
            {"polars", "parquet"},
        )
    ],
    check_specs=checks(RECONCILIATION, doubtful=True),
    partitions_def=DAY,
    backfill_policy=SEVERAL_DAYS,
)
def ops_reconciliation(
    context: dg.AssetExecutionContext, tenants: dg.ResourceParam[Tenants]
) -> Results:
    """Hold the API's, hunting's and the lake's account of each day's alerts against each other."""

    def stage(tenant: Tenant, days: Sequence[date]) -> Mapping[date, Mapping[str, Report]]:
        return {
            day: {RECONCILIATION.table: reconciliation.publish(tenant.alerts, tenant.lake, day)}
            for day in days
        }

    yield from results(context, RECONCILIATION, tenants.each(context, stage), doubtful=True)


@dg.multi_asset(
    name="ops_quarantine",
    specs=[
        spec(
            QUARANTINE,
            [core.ALERT_VERSIONS.key, hunting("AlertInfo").key, *INPUTS],
            {"parquet"},
        )
    ],
    partitions_def=DAY,
    backfill_policy=SEVERAL_DAYS,
)
def ops_quarantine(
    context: dg.AssetExecutionContext, tenants: dg.ResourceParam[Tenants]
) -> Results:
    """Show what each day's stages turned away, by table and rule; they wrote it themselves."""
    for day in context.partition_keys:
        records = [
            dg.TableRecord({"tenant": tenant.name, **row})
            for tenant in tenants.of_run(context.run.tags)
            for row in marts.quarantined(tenant.lake, date.fromisoformat(day)).iter_rows(named=True)
        ]
        total = sum(int(str(record.data["Rows"])) for record in records)
        shown: dict[str, dg.RawMetadataValue] = {"dagster/partition_row_count": total}
        if records:
            shown["rules"] = dg.MetadataValue.table(records)
        context.add_asset_metadata(shown, asset_key=dg.AssetKey(QUARANTINE.key), partition_key=day)
    yield dg.MaterializeResult(asset_key=dg.AssetKey(QUARANTINE.key))


@dg.multi_asset(
    name="ops_watermarks",
    specs=[
        spec(
            WATERMARKS,
            [contract.key for contract in (*MART, RECONCILIATION, QUARANTINE, SCHEMA_DRIFT)],
            {"parquet"},
        )
    ],
    partitions_def=DAY,
    backfill_policy=SEVERAL_DAYS,
)
def ops_watermarks(
    context: dg.AssetExecutionContext, tenants: dg.ResourceParam[Tenants]
) -> Results:
    """Move the watermark where days were pulled whole, now that all is published.

    Answers that were kept for a pull that might be resumed have done their work.
    """

    def stage(tenant: Tenant, days: Sequence[date]) -> Mapping[date, Mapping[str, Report]]:
        moved = watermarks.move(tenant.lake, tenant.alerts.name, days)
        for day in days:
            pull.close(tenant.lake, day)
        stuck = sorted(set(days) - {day for window in moved for day in window.days})
        if stuck:
            context.log.warning("%s: the watermark stays for %s", tenant.name, stuck[0])
        return {}

    tenants.each(context, stage)
    yield dg.MaterializeResult(asset_key=dg.AssetKey(WATERMARKS.key))


@dg.multi_asset(
    name="ops_catalog",
    specs=[
        dg.AssetSpec(
            CATALOG,
            deps=[dg.AssetKey(WATERMARKS.key)],
            description="catalog.duckdb: one view a table, swapped in whole.",
            group_name="ops",
            kinds={"duckdb"},
            owners=["team:secops"],
        )
    ],
    backfill_policy=SEVERAL_DAYS,
)
def ops_catalog(tenants: dg.ResourceParam[Tenants]) -> dg.MaterializeResult[None]:
    """Build the SQL catalog anew and swap it in."""
    with as_dagster():
        path = marts.refresh(tenants.every[0].lake)
    return dg.MaterializeResult(
        asset_key=CATALOG, metadata={"path": dg.MetadataValue.path(str(path))}
    )


def tenant_checks(names: Sequence[str]) -> list[dg.AssetChecksDefinition]:
    """Return a check a tenant, where there are several: whether it got through the run."""
    if len(names) < 2:  # noqa: PLR2004 - a single tenant fails the run itself
        return []
    specs = [
        dg.AssetCheckSpec(
            check_name(name), asset=WATERMARKS.key, description=f"{name} got through."
        )
        for name in names
    ]

    @dg.multi_asset_check(name="tenants_got_through", specs=specs, can_subset=True)
    def got_through(
        context: dg.AssetCheckExecutionContext, tenants: dg.ResourceParam[Tenants]
    ) -> Iterator[dg.AssetCheckResult]:
        failed = failures(context.instance, context.run.run_id)
        for tenant in tenants.of_run(context.run.tags):
            why = failed.get(tenant.name)
            told = dg.TableRecord({"tenant": tenant.name, "problem": why or "none"})
            yield dg.AssetCheckResult(
                check_name=check_name(tenant.name),
                asset_key=dg.AssetKey(WATERMARKS.key),
                passed=why is None,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={"rows": dg.MetadataValue.table([told])},
            )

    return [got_through]
