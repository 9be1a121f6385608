"""Judging trees and timelines by the generator's truth, which the pipeline never sees."""

from pathlib import Path

import polars as pl
import pytest
from runs import table

from etl.contracts.hunting import EVENT_TABLES
from etl.contracts.mart import PROCESS_TIERS
from etl.models.correlation import BELOW
from etl.sandbox import Tenant

PROCESS = "DeviceProcessEvents"
KEY = ["DeviceId", "ProcessId", "ProcessCreationTicks"]
PARENT = ["ParentProcessId", "ParentProcessCreationTicks"]
INITIATOR = ["InitiatingProcessId", "InitiatingProcessCreationTicks"]
EVENT = ["DeviceId", "EventTable", "TimestampTicks", "ReportId"]


@pytest.fixture(scope="module")
def tree(lake: Path) -> pl.DataFrame:
    """Return all trees, each alert's with the day it was pulled for."""
    day = pl.col("CreatedTime").dt.date().alias("Day")
    return table(lake, "mart", "ProcessTree").with_columns(day)


@pytest.fixture(scope="module")
def timeline(lake: Path, pulled: pl.DataFrame) -> pl.DataFrame:
    """Return all timelines, each event with its number."""
    rows = table(lake, "mart", "AlertTimeline")
    numbers = pulled.select("EventTable", "EventId", "ReportId").unique()
    return rows.join(numbers, on=["EventTable", "EventId"])


@pytest.fixture(scope="module")
def pulled(lake: Path) -> pl.DataFrame:
    """Return every pulled event with the day it was pulled for."""
    return pl.concat(
        pl.read_parquet(
            lake / "hunting" / name / "**/*.parquet",
            hive_partitioning=True,
            try_parse_hive_dates=True,
        ).select(*EVENT[:1], *EVENT[2:], "EventId", EventTable=pl.lit(name), Day=pl.col("day"))
        for name in EVENT_TABLES
    )


@pytest.fixture(scope="module")
def judged(tenant: Tenant, tree: pl.DataFrame) -> pl.DataFrame:
    """Return every process of a tree that is one in truth, with its true parent."""
    truth = tenant.truth_parents.rename({name: f"True{name}" for name in PARENT})
    return tree.join(truth, on=KEY)


def as_parents(tree: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Return the processes of trees under the names that their children have for them."""
    names = dict(zip(KEY[1:], PARENT, strict=True)) | {name: f"Parent{name}" for name in columns}
    return tree.select("AlertId", "Day", *KEY, *columns).rename(names)


def test_every_parent_is_the_true_one(judged: pl.DataFrame) -> None:
    """No process has a wrong parent, and none lacks one that telemetry names."""
    wrong = judged.filter(
        pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"True{name}")) for name in PARENT)
    )

    assert judged.filter(pl.col(PARENT[0]).is_not_null()).height > 100
    assert set(judged["Depth"]) >= {-3, -2, -1, 0, 1, 2}
    assert wrong.rows(named=True) == []


def test_programs_that_share_a_pid_are_in_order(judged: pl.DataFrame) -> None:
    """A program is below the one of its pid that it replaced, never beside or above it."""
    chains = judged.filter(pl.col("ProcessId") == pl.col("ParentProcessId"))

    assert chains.height > 2
    assert (chains["ProcessCreationTicks"] > chains["ParentProcessCreationTicks"]).all()


def test_every_process_of_a_tree_is_one(tree: pl.DataFrame, judged: pl.DataFrame) -> None:
    """Nothing in a tree is made up: each process is one in truth, observed if it was recorded."""
    assert judged.height == tree.height
    assert judged.filter(pl.col("Observed") & ~pl.col("Recorded")).is_empty()
    assert not judged["Observed"].all()


def test_the_evidence_of_every_matched_alert_is_in_its_tree(lake: Path, tree: pl.DataFrame) -> None:
    """Each item matched by its key is named by the one process at depth 0 that it is."""
    matched = (
        table(lake, "mart", "AlertCorrelation")
        .filter(pl.col("MatchTier").is_in(PROCESS_TIERS))
        .select("AlertId", "EvidenceId", "DeviceId", "ProcessId", "MatchedProcessCreationTicks")
    )
    found = tree.filter(Depth=0).explode("EvidenceIds").select("AlertId", "EvidenceIds", *KEY)

    assert sorted(found.rows()) == sorted(matched.rows())
    assert tree.filter(pl.col("Depth") != 0)["EvidenceIds"].list.len().sum() == 0


def test_depths_and_generations_follow_from_parents(tree: pl.DataFrame) -> None:
    """A parent is a generation up, and a level up from what is not the evidence's own process."""
    above = as_parents(tree, "Depth", "Generation")
    linked = tree.join(above, on=["AlertId", "Day", "DeviceId", *PARENT], how="left")
    below = linked.filter(pl.col("ParentDepth").is_not_null())
    depth, up = pl.col("Depth"), pl.col("ParentDepth")

    assert (linked.filter(pl.col("ParentDepth").is_null())["Generation"] == 0).all()
    assert (below["ParentGeneration"] == below["Generation"] - 1).all()
    assert below.filter(depth > 0, up != depth - 1).is_empty()
    assert below.filter(depth < 0, up < depth - 1).is_empty()
    assert below.filter(depth == 0, up < -1).is_empty()
    assert tree["Depth"].max() == BELOW


def test_every_pulled_child_is_in_the_tree(
    tenant: Tenant, tree: pl.DataFrame, pulled: pl.DataFrame
) -> None:
    """Children of the evidence's processes that were pulled are there, to two generations."""
    parents = as_parents(tree.filter(pl.col("Depth").is_between(0, BELOW - 1)))
    created = tenant.truth_parents.filter("Recorded")
    creations = table_keys(tenant, pulled)
    children = created.join(parents, on=["DeviceId", *PARENT]).join(creations, on=[*KEY, "Day"])
    lost = children.join(tree, on=["AlertId", *KEY], how="anti")

    assert children.height > 30
    assert lost.rows(named=True) == []


def table_keys(tenant: Tenant, pulled: pl.DataFrame) -> pl.DataFrame:
    """Return the processes whose creation row was pulled, with the days it was pulled for."""
    rows = tenant.tables[PROCESS].select(
        *KEY[:2], "ReportId", ProcessCreationTicks="ProcessCreationTime", TimestampTicks="Timestamp"
    )
    return rows.join(pulled.filter(EventTable=PROCESS), on=["DeviceId", *EVENT[2:]])


def test_every_deed_is_told_of_who_did_it(tenant: Tenant, timeline: pl.DataFrame) -> None:
    """What a timeline says a process of the evidence did, that very process did."""
    truth = tenant.truth_events.rename(dict(zip(KEY[1:], INITIATOR, strict=True)))
    known = timeline.join(
        truth.select("DeviceId", *INITIATOR).unique(), on=["DeviceId", *INITIATOR]
    )
    strangers = known.join(truth.filter(Role="initiator"), on=[*EVENT, *INITIATOR], how="anti")

    assert known.height > 100
    assert strangers.rows(named=True) == []


def test_every_pulled_deed_is_told(
    tenant: Tenant, tree: pl.DataFrame, pulled: pl.DataFrame, timeline: pl.DataFrame
) -> None:
    """Nothing that the evidence's processes did is left out, nor how they were started."""
    told = (pl.col("Role") == "initiator") | (pl.col("EventTable") == PROCESS)
    events = tenant.truth_events.filter(told).join(pulled, on=EVENT)
    expected = events.join(tree.filter(Depth=0), on=[*KEY, "Day"])
    left_out = expected.join(timeline, on=["AlertId", "EventTable", "EventId"], how="anti")

    assert expected.height > 200
    assert left_out.rows(named=True) == []


def test_a_timeline_is_of_a_tree(tree: pl.DataFrame, timeline: pl.DataFrame) -> None:
    """Each actor has the depth that it has in its alert's tree; above 0 only who started it."""
    actors = dict(zip(KEY[1:], INITIATOR, strict=True))
    known = tree.rename(actors).select("AlertId", "DeviceId", *INITIATOR, ActorDepth="Depth")
    rows = timeline.filter(pl.col(INITIATOR[0]).is_not_null())
    told = rows.join(known, on=["AlertId", "DeviceId", *INITIATOR], how="left")

    assert (told["Depth"] == told["ActorDepth"]).all()
    assert set(timeline.filter(pl.col("Depth") < 0)["EventTable"]) == {PROCESS}
    assert set(timeline["AlertId"]) == set(tree["AlertId"])
