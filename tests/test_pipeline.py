"""The whole job against the sandbox over HTTPS: what the lake holds afterwards."""

import hashlib
import json
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest
from runs import environment, generous, run, run_days, table

from etl.contracts.ops import WATERMARKS
from etl.lake.catalog import CONTRACTS
from etl.sandbox import Sandbox, Tenant
from etl.values import canonical

PROVENANCE = ("IngestedAt", "SourceRequestId")
MARTS = (("mart", "CorrelatedAlerts"), ("mart", "AlertCorrelation"))
NAMES = [".".join(contract.key) for contract in CONTRACTS]


def contents(lake: Path) -> dict[str, str]:
    """Return a digest of every published file but those that say when."""
    return {
        str(path.relative_to(lake)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in lake.rglob("*.parquet")
        if not {"ExtractionLedger", "Watermarks"} & set(path.parts)
    }


def unaccounted(result: dg.ExecuteInProcessResult) -> set[str]:
    """Return the tables that are not whole or whose records do not add up."""
    return {
        check.asset_key.to_user_string()
        for check in result.get_asset_check_evaluations()
        if check.check_name == "complete" and not check.passed
    }


def marts(lake: Path) -> list[pl.DataFrame]:
    """Return the marts' content without provenance, sorted."""
    frames = [table(lake, *mart).drop(PROVENANCE) for mart in MARTS]
    return [frame.sort(frame.columns[:3] + frame.columns[13:15]) for frame in frames]


@pytest.mark.parametrize("contract", CONTRACTS, ids=NAMES)
def test_every_table_is_filled_and_keeps_its_grain(contract, lake: Path) -> None:  # noqa: ANN001
    """Every contract table has rows on three days, with its columns, types and a unique grain."""
    frame = table(lake, *contract.key)

    assert frame.height > 0
    assert dict(frame.schema) == contract.types
    if not contract.copies:
        assert frame.select(contract.grain).is_duplicated().sum() == 0
    days = len(list((lake / contract.layer / contract.table).rglob("day=*")))
    assert days == (1 if contract is WATERMARKS else 3)  # one window of three days


@pytest.mark.parametrize("contract", CONTRACTS, ids=NAMES)
def test_the_catalog_shows_what_the_files_hold(contract, lake: Path) -> None:  # noqa: ANN001
    """Every table can be asked in SQL, one row a grain, without this project."""
    grain = ", ".join(f'"{name}"' for name in contract.grain)
    with duckdb.connect(str(lake / "catalog.duckdb"), read_only=True) as catalog:
        rows, distinct = catalog.execute(
            f"select count(*), count(distinct ({grain})) from {'.'.join(contract.key)}"  # noqa: S608
        ).fetchone()

    assert rows > 0
    assert rows == distinct


def test_every_alert_of_the_service_is_in_the_lake(tenant: Tenant, lake: Path) -> None:
    """No alert is silently missing: each is published or, without an id, in quarantine."""
    sent = [alert["id"] for alert in tenant.alerts]
    named = sorted(alert_id for alert_id in sent if alert_id)
    nameless = len(sent) - len(named)
    turned_away = table(lake, "ops", "Quarantine").filter(pl.col("Table") == "AlertVersions")

    assert sorted(table(lake, "core", "Alerts")["AlertId"]) == named
    assert turned_away.height == nameless > 0


def test_every_evidence_item_is_accounted_for(tenant: Tenant, lake: Path) -> None:
    """Each distinct evidence item has its row in AlertEvidence and in AlertCorrelation."""
    sent = {
        (alert["id"], item["@odata.type"].rsplit(".", 1)[-1])
        for alert in tenant.alerts
        if alert["id"]
        for item in alert["evidence"] or ()
    }
    evidence = table(lake, "core", "AlertEvidence")
    correlation = table(lake, "mart", "AlertCorrelation")

    listed = evidence.filter(pl.col("ParentEvidenceId").is_null())
    nested = evidence.filter(pl.col("ParentEvidenceId").is_not_null())
    assert set(listed.select("AlertId", "EvidenceType").iter_rows()) == sent
    assert set(nested["ParentEvidenceId"]) <= set(evidence["EvidenceId"])
    assert sorted(evidence["EvidenceId"]) == sorted(correlation["EvidenceId"])


def events_in(records: pl.Series) -> set[str]:
    """Return what records say, whoever asked: notes of types, nulls and empty texts say nothing."""
    said = (json.loads(record) for record in records)
    return {
        canonical({k: v for k, v in one.items() if v not in (None, "") and "@" not in k})
        for one in said
    }


def test_nothing_is_dropped_on_the_way(lake: Path) -> None:
    """Raw rows of each hunting table are published, in quarantine, or recognised as duplicates."""
    turned_away = table(lake, "ops", "Quarantine")
    for contract in CONTRACTS:
        if contract.layer != "hunting":
            continue
        raw = events_in(table(lake, "raw", contract.table)["Record"])
        rejected = events_in(turned_away.filter(Table=contract.table)["Raw"])
        published = table(lake, "hunting", contract.table)["EventId"].n_unique()

        assert rejected <= raw
        assert published + len(rejected) == len(raw)


def test_a_second_run_changes_no_row(tenant: Tenant, served: Sandbox, lake: Path) -> None:
    """Running again over the same service leaves every published file as it was."""
    before = contents(lake)

    result = run(environment(served, lake), tenant)

    assert result.success
    assert unaccounted(result) == set()
    assert contents(lake) == before


def test_faults_of_the_service_change_no_mart(tenant: Tenant, lake: Path, tmp_path: Path) -> None:
    """Errors, throttling, small pages and short-lived tokens leave the marts the same."""
    faults = generous(errors_first=2, throttle_first=2, page_size=7, token_lifetime=400)
    day = tenant.days[0]
    with Sandbox(tenant, faults=faults) as faulty:
        result = run_days(environment(faulty, tmp_path), [day])

    assert result.success
    for shaken, calm in zip(marts(tmp_path), marts(lake), strict=True):
        assert shaken.height > 0
        assert shaken.equals(calm.filter(pl.col("CreatedTime").dt.date() == day))


def test_a_table_that_is_not_there_is_an_incomplete_pull(tenant: Tenant, tmp_path: Path) -> None:
    """A table that does not resolve fails its check, and no miss is called a miss because of it."""
    with Sandbox(tenant, faults=generous(missing_tables=("DeviceRegistryEvents",))) as lacking:
        result = run_days(environment(lacking, tmp_path), tenant.days[:1])
    reasons = set(table(tmp_path, "mart", "AlertCorrelation")["Reason"].drop_nulls())
    ledger = table(tmp_path, "ops", "ExtractionLedger")

    assert unaccounted(result) == {"raw/DeviceRegistryEvents"}
    assert "incomplete_pull" in reasons
    assert not reasons & {"no_match", "device_silent"}
    assert set(ledger.filter(Status="failed")["Table"]) == {"DeviceRegistryEvents"}
    assert table(tmp_path, "mart", "CorrelatedAlerts").height > 0


def test_the_ledger_agrees_with_what_the_service_was_asked(tenant: Tenant, tmp_path: Path) -> None:
    """The calls in the ledger are the calls that the service counted."""
    with Sandbox(tenant, faults=generous()) as counting:
        run_days(environment(counting, tmp_path), tenant.days[:1])
        asked = [request.path for request in counting.requests]
    ledger = table(tmp_path, "ops", "ExtractionLedger")

    hunting = sum(path.endswith("/runHuntingQuery") for path in asked)
    alerts = sum(path.endswith("/alerts_v2") for path in asked)
    assert ledger.filter(Source="hunting")["Calls"].sum() == hunting
    assert ledger.filter(Source="graph")["Calls"].sum() == alerts
    assert hunting <= 15


def test_the_secret_is_nowhere_in_the_lake(served: Sandbox, lake: Path) -> None:
    """No file of the lake holds the client secret or a bearer token."""
    secret = served.environment["AZURE_CLIENT_SECRET"].encode()
    for path in lake.rglob("*"):
        if path.is_file():
            content = path.read_bytes()

            assert secret not in content
            assert b"Bearer " not in content
