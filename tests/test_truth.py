"""Judging the correlation by the generator's truth, which the pipeline never sees."""

from pathlib import Path

import polars as pl
import pytest
from items import items
from runs import table

from etl.contracts.mart import PROCESS_TIERS
from etl.sandbox import Tenant


@pytest.fixture(scope="module")
def judged(tenant: Tenant, lake: Path) -> pl.DataFrame:
    """Return the truth of every process evidence item with a usable key, and what was found."""
    found = table(lake, "mart", "AlertCorrelation").select(
        "AlertId", "EvidenceId", "ProcessId", "MatchTier", "Reason", "MatchedProcessCreationTicks",
        EvidenceTicks="ProcessCreationTicks", FoundDeviceId="DeviceId",
    )  # fmt: skip
    usable = tenant.truth.filter("UsableKey").drop("ProcessId", "EvidenceTicks")
    named = usable.join(items(tenant, lake), on=["AlertId", "EvidenceIndex"], how="left")
    joined = named.join(found, on=["AlertId", "EvidenceId"], how="left")

    assert joined.height >= usable.height
    assert joined["MatchTier"].null_count() == 0
    return joined


def test_no_evidence_is_matched_to_a_wrong_process(judged: pl.DataFrame) -> None:
    """Whatever is matched is the process that the alert is about, to 100 ns."""
    matched = judged.filter(pl.col("MatchTier").is_in(PROCESS_TIERS))
    wrong = matched.filter(
        pl.when("HasCreationRow")
        .then(pl.col("MatchedProcessCreationTicks") != pl.col("ProcessCreationTicks"))
        .otherwise(pl.col("MatchedProcessCreationTicks") != pl.col("EvidenceTicks"))
        | (pl.col("FoundDeviceId") != pl.col("DeviceId"))
        | ~pl.col("HasTelemetry")
    )

    assert matched.height > 0
    assert wrong.rows(named=True) == []


def test_evidence_whose_telemetry_is_there_is_found(judged: pl.DataFrame) -> None:
    """At least 99 % of decidable evidence with a key and telemetry is matched."""
    there = judged.filter("HasTelemetry", "Decidable")
    missed = there.filter(MatchTier="none")

    assert there.height > 50
    assert missed.height <= 0.01 * there.height, missed.rows(named=True)


def test_what_the_data_cannot_tell_is_ambiguous(judged: pl.DataFrame) -> None:
    """Evidence that could mean two processes is called ambiguous, and nothing else is."""
    undecidable = judged.filter("HasTelemetry", ~pl.col("Decidable"))
    called = judged.filter(Reason="ambiguous")

    assert undecidable.height > 0
    assert set(undecidable["MatchTier"]) == {"none"}
    assert called["Decidable"].any() is False
    assert called.height == undecidable.height


def test_absent_telemetry_is_a_miss_with_its_reason(judged: pl.DataFrame) -> None:
    """Evidence whose process is in no telemetry is unmatched, though its device was heard."""
    absent = judged.filter(~pl.col("HasTelemetry"))

    assert absent.height > 0
    assert set(absent["Reason"]) <= {"no_match", "device_silent"}


def test_evidence_without_a_usable_key_is_pivoted_or_said_to_have_none(
    tenant: Tenant, lake: Path
) -> None:
    """Half keys, sentinel times and pid 0 are no keys, unless hunting has the whole key."""
    keyless = tenant.truth.filter(~pl.col("UsableKey") & ~pl.col("HiddenKey"))
    found = table(lake, "mart", "AlertCorrelation").filter(
        pl.col("AlertId").is_in(keyless["AlertId"].to_list()), EvidenceType="processEvidence"
    )
    told = found.filter((pl.col("MatchTier") == "pivot") | (pl.col("Reason") == "no_usable_key"))

    assert keyless.height > 0
    assert set(told["AlertId"]) == set(keyless["AlertId"])
    assert told["MatchedProcessCreationTicks"].null_count() == told.height
    assert told.filter(pl.col("MatchTier") == "pivot").height > 0


def test_correlated_events_are_those_of_the_process(
    tenant: Tenant, judged: pl.DataFrame, lake: Path
) -> None:
    """Every correlated event belongs to the evidence's process, in the role the truth gives."""
    key = ["DeviceId", "EventTable", "TimestampTicks", "ReportId"]
    truth = tenant.truth_events.select(
        *key, "ProcessId", TrueTicks="ProcessCreationTicks", MatchRole="Role"
    )
    process = judged.select(
        "AlertId",
        "EvidenceId",
        pl.col("ProcessId").alias("TruePid"),
        TrueTicks="ProcessCreationTicks",
    ).unique()
    ticks = pl.concat(
        table(lake, "hunting", name).select("EventId", "TimestampTicks")
        for name in truth["EventTable"].unique()
    ).unique()
    found = (
        table(lake, "mart", "CorrelatedAlerts")
        .join(ticks, on="EventId")
        .join(process, on=["AlertId", "EvidenceId"])
        .select(*key, "MatchRole", "TrueTicks", ProcessId="TruePid")
    )
    strangers = found.join(truth, on=[*key, "ProcessId", "TrueTicks", "MatchRole"], how="anti")

    assert found.height > 100
    assert strangers.rows(named=True) == []


def test_all_events_of_a_matched_process_in_the_pull_are_correlated(
    tenant: Tenant, judged: pl.DataFrame, lake: Path
) -> None:
    """No event of a matched process that the lake holds for its alert is left out."""
    matched = judged.filter((pl.col("MatchTier") != "none") & pl.col("Decidable"))
    day = pl.col("CreatedTime").dt.date().alias("Day")
    days = table(lake, "core", "Alerts").select("AlertId", day)
    expected = (
        matched.filter(pl.col("Case").is_in(["windows", "macos", "pid_reuse", "linux_cut"]))
        .select("AlertId", "EvidenceId", "DeviceId", "ProcessId", "ProcessCreationTicks")
        .unique()
        .join(days, on="AlertId")
        .join(tenant.truth_events, on=["DeviceId", "ProcessId", "ProcessCreationTicks"])
    )
    pulled = pl.concat(_pulled(lake, name) for name in expected["EventTable"].unique())
    key = ["DeviceId", "EventTable", "TimestampTicks", "ReportId"]
    expected = expected.join(pulled, on=[*key, "Day"])
    found = table(lake, "mart", "CorrelatedAlerts").select("AlertId", "EvidenceId", "EventId")
    left_out = expected.join(found, on=["AlertId", "EvidenceId", "EventId"], how="anti")

    assert expected.height > 100
    assert left_out.rows(named=True) == []


def _pulled(lake: Path, name: str) -> pl.DataFrame:
    """Return the events of one hunting table, each with the day it was pulled for."""
    files = lake / "hunting" / name / "**/*.parquet"
    return pl.read_parquet(files, hive_partitioning=True, try_parse_hive_dates=True).select(
        "DeviceId", "TimestampTicks", "ReportId", "EventId",
        EventTable=pl.lit(name), Day=pl.col("day"),
    )  # fmt: skip


def test_a_key_that_only_hunting_has_is_found(tenant: Tenant, lake: Path) -> None:
    """Evidence that the API left without a whole key matches by the one in AlertEvidence."""
    hidden = tenant.truth.filter("HiddenKey").select("AlertId", True_="ProcessCreationTicks")
    found = table(lake, "core", "AlertEvidence").filter(KeySource="hunting")
    matched = table(lake, "mart", "AlertCorrelation").join(found, on=["AlertId", "EvidenceId"])
    judged = matched.join(hidden, on="AlertId")

    assert found.height == judged.height == hidden.height > 0
    assert (judged["MatchedProcessCreationTicks"] == judged["True_"]).all()
