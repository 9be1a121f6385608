"""What the Dagster UI is told of a table: columns from the contract, numbers from a report."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import pandera.polars as pa

from etl.contracts.contract import Contract
from etl.stages.report import Report

Results = Iterator[dg.MaterializeResult[Any]]
"""What an asset of ours yields."""

ENOUGH_TO_TELL = 20
"""Records from which a table is in error, not in doubt, when most of them are rejected."""


def spec(contract: Contract, deps: list[list[str]], kinds: set[str]) -> dg.AssetSpec:
    """Describe one table as an asset: its key, group, columns and what it is made of."""
    return dg.AssetSpec(
        key=contract.key,
        deps=[dg.AssetKey(key) for key in deps],
        description=f"{contract.meaning} Grain: {', '.join(contract.grain)}.",
        group_name=contract.layer,
        kinds=kinds,
        owners=["team:secops"],
        metadata={
            "dagster/column_schema": table_schema(contract),
            "dagster/table_name": ".".join(contract.key),
        },
        tags={"domain": "alerts" if contract.layer in {"core", "mart"} else "telemetry"},
    )


def table_schema(contract: Contract) -> dg.TableSchema:
    """Return a contract's columns, types and rules as the UI shows them."""
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                str(column.type),
                description=column.meaning,
                constraints=dg.TableColumnConstraints(
                    nullable=not column.required, other=[_rule(check) for check in column.checks]
                ),
            )
            for column in contract.columns
        ]
    )


def checks(contract: Contract) -> list[dg.AssetCheckSpec]:
    """Return the checks that come with every table."""
    return [
        dg.AssetCheckSpec(
            "contract", asset=contract.key, description="No row had to be quarantined."
        ),
        dg.AssetCheckSpec(
            "complete",
            asset=contract.key,
            description="Everything asked for came, and every record is accounted for.",
        ),
    ]


def results(
    context: dg.AssetExecutionContext, contract: Contract, reports: Mapping[str, Report]
) -> Results:
    """Yield what one table's days came to; `reports` are by partition key."""
    key = dg.AssetKey(contract.key)
    for day, report in reports.items():
        context.add_asset_metadata(_numbers(report), asset_key=key, partition_key=day)
    yield dg.MaterializeResult(
        asset_key=key, check_results=[_kept(key, reports), _complete(key, reports)]
    )


def _numbers(report: Report) -> dict[str, int | float | str | bool]:
    return {
        "dagster/partition_row_count": report.rows,
        "published": report.published,
        "read": report.read,
        "quarantined": report.quarantined,
        "duplicates": report.duplicates,
        "changed": report.changed,
        **report.figures,
    }


def _kept(key: dg.AssetKey, reports: Mapping[str, Report]) -> dg.AssetCheckResult:
    lost = {day: report for day, report in reports.items() if report.quarantined}
    grave = any(
        report.read >= ENOUGH_TO_TELL and report.quarantined > report.read // 2
        for report in lost.values()
    )
    return dg.AssetCheckResult(
        check_name="contract",
        asset_key=key,
        passed=not lost,
        severity=dg.AssetCheckSeverity.ERROR if grave else dg.AssetCheckSeverity.WARN,
        metadata=_table(
            [{"day": d, "quarantined": r.quarantined, "read": r.read} for d, r in lost.items()]
        ),
    )


def _complete(key: dg.AssetKey, reports: Mapping[str, Report]) -> dg.AssetCheckResult:
    missing = [
        {"day": day, "missing": line}
        for day, report in reports.items()
        for line in report.incomplete
    ]
    unaccounted = [
        {"day": day, "missing": f"{report.read} read do not add up to what became of them"}
        for day, report in reports.items()
        if not report.adds_up
    ]
    return dg.AssetCheckResult(
        check_name="complete",
        asset_key=key,
        passed=not missing and not unaccounted,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata=_table(missing + unaccounted),
    )


def _table(records: Sequence[Mapping[str, str | int]]) -> dict[str, dg.MetadataValue]:
    if not records:
        return {}
    return {"rows": dg.MetadataValue.table([dg.TableRecord(record) for record in records])}


def _rule(check: pa.Check) -> str:
    return str(check.error)
