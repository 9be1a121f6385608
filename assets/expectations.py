"""Checks of the marts: what is expected of them, asked once they are published."""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from assets.failures import as_dagster
from assets.tenants import Tenants, failures
from etl.contracts.core import ALERTS
from etl.contracts.marts import MART
from etl.models.expectations import expectations
from etl.stages.expectations import MOST, check

NAME = "expectations"


def _spec(table: str, key: list[str]) -> dg.AssetCheckSpec:
    names = ", ".join(expectations(table))
    return dg.AssetCheckSpec(
        NAME, asset=key, description=f"No row breaks what holds of it: {names}."
    )


@dg.multi_asset_check(
    name="mart_expectations",
    specs=[_spec(mart.table, mart.key) for mart in MART],
    can_subset=True,
)
def mart_expectations(
    context: dg.AssetCheckExecutionContext, tenants: dg.ResourceParam[Tenants]
) -> Iterator[dg.AssetCheckResult]:
    """Hold the marts of the run's days against what is expected of them, tenant by tenant.

    A check that is run by itself, without days, is about all days of the lake.
    """
    of_days = context.has_partition_key or context.has_partition_key_range
    keys = context.partition_keys if of_days else ()
    failed = failures(context.instance, context.run.run_id)
    wrong: dict[str, list[dg.TableRecord]] = {mart.table: [] for mart in MART}
    for tenant in tenants.of_run(context.run.tags):
        if tenant.name in failed:
            continue
        for day in [date.fromisoformat(key) for key in keys] or tenant.lake.days(ALERTS):
            with as_dagster():
                found = check(tenant.lake, day)
            for table, rows in found.items():
                where = {"day": str(day), "tenant": tenant.name}
                wrong[table] += [dg.TableRecord({**where, **row}) for row in rows]
    for key in sorted(context.selected_asset_check_keys):
        records = wrong[key.asset_key.path[-1]]
        yield dg.AssetCheckResult(
            check_name=NAME,
            asset_key=key.asset_key,
            passed=not records,
            severity=dg.AssetCheckSeverity.ERROR,
            metadata={"rows": dg.MetadataValue.table(records[:MOST])} if records else {},
        )
