"""Judging pivots and hunts by the generator's truth, which the pipeline never sees."""

from pathlib import Path

import polars as pl
import pytest
from items import items
from runs import table

from etl.sandbox import Tenant

KINDS = ("account", "device", "file", "ip", "registry_key", "registry_value", "url")
ENOUGH = 0.98


@pytest.fixture(scope="module")
def judged(tenant: Tenant, lake: Path) -> pl.DataFrame:
    """Return the truth of every item without a process key, and what was found of it."""
    found = table(lake, "mart", "AlertCorrelation").select(
        "AlertId", "EvidenceId", "MatchTier", "PivotKind", "Reason", "Events"
    )
    return tenant.truth_pivots.join(items(tenant, lake), on=["AlertId", "EvidenceIndex"]).join(
        found, on=["AlertId", "EvidenceId"]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_things_with_telemetry_are_found(kind: str, judged: pl.DataFrame) -> None:
    """Of the items of a kind whose telemetry is there, at least 98 % are matched by a pivot."""
    there = judged.filter("HasTarget", Kind=kind)
    missed = there.filter(MatchTier="none")

    assert there.height > 0
    assert missed.height <= (1 - ENOUGH) * there.height, missed.rows(named=True)


def test_things_seen_hours_away_are_found(judged: pl.DataFrame) -> None:
    """What was seen within a day of the activity only is hunted, and found; devices are not."""
    away = judged.filter(~pl.col("HasTarget"), "HasWideTarget", pl.col("Kind") != "device")
    missed = away.filter(MatchTier="none")

    assert away.height > 0
    assert missed.height <= (1 - ENOUGH) * away.height, missed.rows(named=True)


def test_things_without_telemetry_are_not_found(judged: pl.DataFrame) -> None:
    """What no telemetry shows has no match, and says why."""
    absent = judged.filter(~pl.col("HasWideTarget"))

    assert absent.height > 0
    assert absent.filter(pl.col("MatchTier") != "none").rows(named=True) == []
    assert absent["Reason"].null_count() == 0


def test_a_pivot_is_never_taken_for_a_process(judged: pl.DataFrame, lake: Path) -> None:
    """No item without a process key has a tier of its own but `pivot`, nor has its event."""
    found = judged.filter(pl.col("MatchTier") != "none")
    correlated = table(lake, "mart", "CorrelatedAlerts").join(
        judged.select("AlertId", "EvidenceId").unique(), on=["AlertId", "EvidenceId"]
    )

    assert set(found["MatchTier"]) == set(correlated["MatchTier"]) == {"pivot"}
    assert correlated["PivotKind"].null_count() == 0
    assert correlated["TimeDeltaTicks"].null_count() == correlated.height


def test_all_telemetry_of_a_thing_is_correlated(
    tenant: Tenant, judged: pl.DataFrame, lake: Path
) -> None:
    """The events of a matched item are those of the truth, custom detections' devices included."""
    key = ["DeviceId", "EventTable", "TimestampTicks", "ReportId"]
    item = ["AlertId", "EvidenceIndex"]
    exact = judged.filter("HasTarget", pl.col("PivotKind") != "name")
    truth = tenant.truth_targets.join(exact, on=item).select("AlertId", "EvidenceId", "Kind", *key)
    ids = pl.concat(
        table(lake, "hunting", name).select("EventId", "TimestampTicks")
        for name in truth["EventTable"].unique()
    ).unique()
    correlated = table(lake, "mart", "CorrelatedAlerts").join(ids, on="EventId")
    lost = truth.join(correlated, on=["AlertId", "EvidenceId", *key], how="anti")

    assert set(truth["Kind"]) == set(KINDS)
    assert truth.height > 200
    assert lost.height <= (1 - ENOUGH) * truth.height, lost.head(5).rows(named=True)
