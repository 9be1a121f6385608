"""Telemetry that lands after its pull: misses stay open, close, and are opened again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from pulls import lake_of, model_day, options, pull_day
from runs import environment, generous

from etl.contracts.mart import ALERT_CORRELATION
from etl.sandbox import Sandbox, Tenant
from etl.settings import Settings
from etl.stages import late, marts, pull
from etl.tenant import Tenant as Connected

MINUTES_A_MONTH = 30 * 24 * 60
WHAT = ["AlertId", "EvidenceId", "MatchTier", "PivotKind", "Reason", "Events"]


@dataclass(slots=True)
class Day:
    """A served day, and a lake that it is pulled into."""

    sandbox: Sandbox
    settings: dict[str, str]

    def make(self, landing_minutes: int = 0) -> pl.DataFrame:
        """Pull and correlate the day, as a run does, and return what became of its evidence."""
        day, lake = self.sandbox.tenant.days[0], lake_of(self.settings)
        pull_day(self.settings, day)
        marts.publish(lake, day, 10, landing_minutes)
        pull.close(lake, day)
        return lake.read(ALERT_CORRELATION, day).select(*WHAT, "DeviceId", "EvidenceType")

    def behind(self, landing: int = 0) -> tuple[object, ...]:
        """Return the days whose misses may be decided otherwise now."""
        with Connected.connect(Settings.read(self.settings)) as tenant:
            return late.find(
                tenant.hunting, lake_of(self.settings), datetime.now(UTC), options(landing=landing)
            )


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    """Serve a small day."""
    with Sandbox(Tenant.generate(seed=3, scale=0.2, days=1), faults=generous()) as sandbox:
        yield sandbox


def day_of(sandbox: Sandbox, lake: Path) -> Day:
    """Return the served day with a lake that has its alerts."""
    settings = environment(sandbox, lake)
    model_day(settings, sandbox.tenant.days[0])
    return Day(sandbox, settings)


@pytest.fixture(scope="module")
def whole(served: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Return what becomes of the day's evidence where all telemetry is there at once."""
    return day_of(served, tmp_path_factory.mktemp("whole")).make()


def test_what_lands_late_opens_its_alerts_and_no_others(
    served: Sandbox, whole: pl.DataFrame, tmp_path: Path
) -> None:
    """A device that was offline is silent at first, and matched once its rows are there."""
    exact = whole.filter(MatchTier="exact").group_by("DeviceId").len().sort("len", "DeviceId")
    device, day = str(exact["DeviceId"][-1]), day_of(served, tmp_path)
    served.withhold([device])
    before = day.make()
    mine = before.filter(pl.col("DeviceId") == device, EvidenceType="processEvidence")
    assert "device_silent" in set(mine["Reason"]) <= {"device_silent", "no_usable_key"}
    assert day.behind() == ()

    served.release()
    assert day.behind() == (served.tenant.days[0],)
    asked = len(served.hunting)
    after = day.make()
    queries = [request.body_query or "" for request in served.hunting[asked:]]
    about_alerts, (about_devices, counted, *_) = queries[:2], queries[2:]
    assert all(query.startswith("Alert") for query in about_alerts)
    assert about_devices.startswith("DeviceInfo")
    assert "Counted" in counted
    assert after.equals(whole)
    changed = after.join(before, on=WHAT, how="anti", nulls_equal=True)
    concerned = before.filter(pl.col("DeviceId") == device)["AlertId"]
    assert set(changed["AlertId"]) == set(concerned) & set(changed["AlertId"]) != set()
    assert day.behind() == ()


def test_only_what_landed_is_pulled_again(
    served: Sandbox, whole: pl.DataFrame, tmp_path: Path
) -> None:
    """A day that is pulled again asks for the hours of the devices that have more, no others."""
    device = str(whole.filter(MatchTier="exact")["DeviceId"][0])
    day = day_of(served, tmp_path)
    served.withhold([device])
    day.make()
    served.release()
    asked = len(served.hunting)
    day.make()
    slices = [
        request.body_query or ""
        for request in served.hunting[asked:]
        if "SourceTable" not in (request.body_query or "") and "Alert" not in request.path
    ]
    about = [
        query
        for query in slices
        if query.startswith("Device") and not query.startswith("DeviceInfo")
        if "Counted" not in query
    ]

    assert about
    assert all(f'DeviceId in~ ("{device}")' in query for query in about)


def test_a_miss_waits_for_telemetry_before_it_closes(
    served: Sandbox, whole: pl.DataFrame, tmp_path: Path
) -> None:
    """Until telemetry has had time to arrive, a miss is open and its alert pending, or matched."""
    day = day_of(served, tmp_path)
    waiting = day.make(MINUTES_A_MONTH)
    closed = {"no_match", "device_silent"}

    assert set(whole["Reason"].drop_nulls()) & closed
    assert not set(waiting["Reason"].drop_nulls()) & closed
    assert "not_landed_yet" in set(waiting["Reason"])
    assert day.behind(landing=10**15) == ()
    assert day.behind() == (served.tenant.days[0],)
