"""What is drawn from a correlated day, after a run against the sandbox."""

import shutil
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest
from runs import environment, table

from assets.automation import RANGE_END, RANGE_START
from assets.expectations import mart_expectations
from assets.insight import mart_insight
from assets.tenants import connected
from etl.contracts.insight import INSIGHT
from etl.contracts.mart import ALERT_VALIDATION
from etl.contracts.marts import MART
from etl.lake.lake import Lake
from etl.sandbox import Sandbox, Tenant
from etl.stages import expectations, insight

ADDRESSES = """
with Seen as (
    select EventId, DeviceId, Timestamp, Day, lower(RemoteIP) as Value from DeviceNetworkEvents
    union all
    select EventId, DeviceId, Timestamp, Day, lower(RemoteIP) from DeviceLogonEvents
    union all
    select EventId, DeviceId, Timestamp, Day, lower(RemoteIP) from DeviceEvents
)

select
    AlertId, Value, count(distinct DeviceId), count(distinct EventId), min(Timestamp),
    max(Timestamp), count(distinct Timestamp::date)
from AlertPrevalence as p inner join Alerts using (TenantId, AlertId) inner join Seen using (Value)
where p.Kind = 'address' and Timestamp < FirstActivityTime and Seen.Day <= p.Day
group by AlertId, Value order by AlertId, Value
"""
TOLD = """
select AlertId, Value, Devices, Events, FirstSeenAt, LastSeenAt, DaysSeen
from AlertPrevalence where Kind = 'address' and Devices > 0 order by AlertId, Value
"""


@pytest.fixture(scope="module")
def published(lake: Path, tenant: Tenant) -> Lake:
    """Return the lake of the served tenant."""
    return Lake(lake, tenant.id)


@pytest.mark.parametrize("contract", INSIGHT, ids=lambda contract: contract.table)
def test_every_day_has_insight(contract: object, published: Lake, tenant: Tenant) -> None:
    """Each mart has rows on each day."""
    for day in tenant.days:
        assert published.rows(contract, day) > 0


def test_nothing_is_amiss_after_a_run(published: Lake, tenant: Tenant) -> None:
    """Every expectation of every mart holds on every day."""
    for day in tenant.days:
        assert expectations.check(published, day) == {mart.table: [] for mart in MART}


def test_prevalence_is_what_the_lake_says(lake: Path) -> None:
    """Counting an alert's addresses in the catalog, one by one, gives the same numbers."""
    with duckdb.connect(str(lake / "catalog.duckdb"), read_only=True) as catalog:
        counted, told = (catalog.execute(query).fetchall() for query in (ADDRESSES, TOLD))

    assert len(told) > 20
    assert told == counted


def test_every_kind_of_thing_is_told(lake: Path) -> None:
    """Files, command lines, addresses and hosts are told, some known before and some not."""
    told = table(lake, "mart", "AlertPrevalence").group_by("Kind").agg(
        Known=(pl.col("Devices") > 0).any(), New=(pl.col("Devices") == 0).any()
    )  # fmt: skip

    assert sorted(told.iter_rows()) == [
        ("address", True, True), ("command_line", True, True), ("file", True, True),
        ("url", True, True),
    ]  # fmt: skip


def test_scores_add_up_over_days(lake: Path) -> None:
    """Every alert of the lake is in one score, matched or not."""
    scores = table(lake, "mart", "DetectorScorecard")
    alerts = table(lake, "core", "Alerts")
    evidence = table(lake, "mart", "AlertCorrelation")
    matched = evidence.filter(pl.col("MatchTier") != "none")["AlertId"].n_unique()

    assert scores["Alerts"].sum() == alerts.height
    assert (scores["Alerts"] - scores["AlertsNone"]).sum() == matched
    assert scores["FalsePositives"].sum() == alerts.filter(Classification="FalsePositive").height


def test_drawing_again_changes_nothing(published: Lake, tenant: Tenant) -> None:
    """A day that is drawn again is as it was."""
    for day in tenant.days:
        again = insight.publish(published, day)

        assert {name: report.changed for name, report in again.items()} == {
            contract.table: False for contract in INSIGHT
        }


@pytest.fixture
def torn(lake: Path, tenant: Tenant, tmp_path: Path) -> tuple[Path, date]:
    """Return a copy of the lake in which an alert has lost its verdict."""
    copy = tmp_path / "lake"
    shutil.copytree(lake, copy)
    day = tenant.days[0]
    broken = Lake(copy, tenant.id)
    broken.publish(ALERT_VALIDATION, day, broken.read(ALERT_VALIDATION, day)[1:])
    return copy, day


@pytest.mark.parametrize("assets", [[mart_insight], []], ids=["after a day", "by itself"])
def test_what_is_amiss_fails_the_check_of_its_mart(
    assets: list[dg.AssetsDefinition], served: Sandbox, torn: tuple[Path, date]
) -> None:
    """The check tells the day, the expectation and the rows; the other marts' checks hold.

    It is about the days of the run, or by itself about all days.
    """
    folder, day = torn
    everything = dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks()
    tags = {RANGE_START: str(day), RANGE_END: str(day)} if assets else {}
    with (
        connected(environment(served, folder)) as tenants,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        definitions = dg.Definitions(
            assets=assets,
            asset_checks=[mart_expectations],
            jobs=[dg.define_asset_job("marts", everything)],
            resources={"tenants": dg.ResourceDefinition.hardcoded_resource(tenants)},
            executor=dg.in_process_executor,
        )
        job = definitions.resolve_job_def("marts")
        result = job.execute_in_process(instance=instance, tags=tags)
    checks = {
        check.asset_key.path[-1]: check
        for check in result.get_asset_check_evaluations()
        if check.check_name == "expectations"
    }

    assert {name: check.passed for name, check in checks.items()} == {
        mart.table: mart is not ALERT_VALIDATION for mart in MART
    }
    failed = checks["AlertValidation"]
    told = [record.data for record in failed.metadata["rows"].records]
    assert failed.severity == dg.AssetCheckSeverity.ERROR
    assert [row["expectation"] for row in told] == ["lost_alerts"]
    assert told[0]["day"] == str(day)
    assert told[0]["row"].startswith("AlertId ")
