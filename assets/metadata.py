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

_MOST_SHOWN = 100
"""Doubts shown beside a check; the tables hold them all."""

_SUMMED = frozenset(
    {"dagster/partition_row_count", "published", "read", "quarantined", "duplicates", "api_calls",
     "hunting_calls", "throttled", "slices", "hunts", "rows_counted", "rows_received"}
)  # fmt: skip
"""Numbers that may be added up over tenants."""


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


def checks(contract: Contract, *, doubtful: bool = False) -> list[dg.AssetCheckSpec]:
    """Return the checks that come with a table; one more where it can raise doubts."""
    specs = [
        dg.AssetCheckSpec(
            "contract", asset=contract.key, description="No row had to be quarantined."
        ),
        dg.AssetCheckSpec(
            "complete",
            asset=contract.key,
            description="Everything asked for came, and every record is accounted for.",
        ),
    ]
    if doubtful:
        text = "Nothing that a person should look at though nothing is known to be missing."
        specs.append(dg.AssetCheckSpec("expected", asset=contract.key, description=text))
    return specs


def results(
    context: dg.AssetExecutionContext,
    contract: Contract,
    done: Mapping[str, Mapping[str, Mapping[str, Report]]],
    *,
    doubtful: bool = False,
) -> Results:
    """Yield what one table's days came to; `done` is by table, partition key and tenant."""
    key, days = dg.AssetKey(contract.key), done.get(contract.table, {})
    numbers(context, contract, done)
    told = [
        (_where(day, tenant, days[day]), report)
        for day in days
        for tenant, report in days[day].items()
    ]
    found = [_kept(key, told), _complete(key, told)]
    if doubtful:
        found.append(_expected(key, told))
    yield dg.MaterializeResult(asset_key=key, check_results=found)


def numbers(
    context: dg.AssetExecutionContext,
    contract: Contract,
    done: Mapping[str, Mapping[str, Mapping[str, Report]]],
) -> None:
    """Tell the numbers of one table's days; `done` is by table, partition key and tenant."""
    for day, reports in done.get(contract.table, {}).items():
        context.add_asset_metadata(
            _numbers(reports), asset_key=dg.AssetKey(contract.key), partition_key=day
        )


def layer(
    done: Mapping[str, Mapping[str, Mapping[str, Report]]], name: str
) -> dict[str, Mapping[str, Mapping[str, Report]]]:
    """Return what was done to the tables of one layer, where a stage tells them apart by layer."""
    return {
        key.removeprefix(f"{name}."): days
        for key, days in done.items()
        if key.startswith(f"{name}.")
    }


def _where(day: str, tenant: str, reports: Mapping[str, Report]) -> dict[str, str]:
    """Return what a row of a check begins with: the day, and the tenant if there are several."""
    return {"day": day} if len(reports) == 1 else {"day": day, "tenant": tenant}


def _numbers(reports: Mapping[str, Report]) -> dict[str, Any]:
    """Return the numbers of a day, over all tenants, and each tenant's where there are several."""
    told = {tenant: _of(report) for tenant, report in reports.items()}
    if len(told) == 1:
        return dict(next(iter(told.values())))
    names = dict.fromkeys(name for numbers in told.values() for name in numbers)
    total = {
        name: sum(int(numbers.get(name, 0)) for numbers in told.values())
        for name in names
        if name in _SUMMED
    }
    records = [
        dg.TableRecord({"tenant": tenant, **dict.fromkeys(names, 0), **numbers})
        for tenant, numbers in told.items()
    ]
    return {**total, "tenants": dg.MetadataValue.table(records, _schema(["tenant", *names]))}


def _of(report: Report) -> dict[str, int | float | str | bool]:
    return {
        "dagster/partition_row_count": report.rows,
        "published": report.published,
        "read": report.read,
        "quarantined": report.quarantined,
        "duplicates": report.duplicates,
        "changed": report.changed,
        **report.figures,
    }


def _kept(key: dg.AssetKey, told: Sequence[tuple[dict[str, str], Report]]) -> dg.AssetCheckResult:
    lost = [(where, report) for where, report in told if report.quarantined]
    grave = any(
        report.read >= ENOUGH_TO_TELL and report.quarantined > report.read // 2
        for _, report in lost
    )
    return dg.AssetCheckResult(
        check_name="contract",
        asset_key=key,
        passed=not lost,
        severity=dg.AssetCheckSeverity.ERROR if grave else dg.AssetCheckSeverity.WARN,
        metadata=_table([{**w, "quarantined": r.quarantined, "read": r.read} for w, r in lost]),
    )


def _complete(
    key: dg.AssetKey, told: Sequence[tuple[dict[str, str], Report]]
) -> dg.AssetCheckResult:
    missing = [{**where, "missing": line} for where, report in told for line in report.incomplete]
    unaccounted = [
        {**where, "missing": f"{report.read} read do not add up to what became of them"}
        for where, report in told
        if not report.adds_up
    ]
    return dg.AssetCheckResult(
        check_name="complete",
        asset_key=key,
        passed=not missing and not unaccounted,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata=_table(missing + unaccounted),
    )


def _expected(
    key: dg.AssetKey, told: Sequence[tuple[dict[str, str], Report]]
) -> dg.AssetCheckResult:
    doubts = [{**where, "doubt": line} for where, report in told for line in report.doubts]
    return dg.AssetCheckResult(
        check_name="expected",
        asset_key=key,
        passed=not doubts,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=_table(doubts[:_MOST_SHOWN]),
    )


def _table(records: Sequence[Mapping[str, str | int]]) -> dict[str, dg.MetadataValue]:
    if not records:
        return {}
    return {"rows": dg.MetadataValue.table([dg.TableRecord(record) for record in records])}


def _schema(names: Sequence[str]) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(name) for name in names])


def _rule(check: pa.Check) -> str:
    return str(check.error)
