import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import environment, generous

from etl import ticks
from etl.contracts.contract import Contract
from etl.contracts.core import ALERT_VERSIONS, ALERTS
from etl.lake.lake import Lake
from etl.sandbox import Sandbox, Tenant
from etl.sandbox.chronicle import Chronicle
from etl.settings import Settings
from etl.sources.graph import GraphAlerts
from etl.stages import alerts, changes, model, watermarks
from etl.tenant import Tenant as Connected
from etl.values import canonical

OVERLAP = 60 * ticks.PER_MINUTE
LATE = 20  # minutes; less than the overlap
PAGE = 5
UNTIL = date(2026, 11, 24)


class Crash(BaseException):
    """The process dies here: nothing that runs afterwards may count on it."""


@dataclass(frozen=True, slots=True)
class Mortal(Lake):
    """A lake whose process dies at a publication, before or after it took place."""

    fuse: list[int] = field(default_factory=list)

    def publish_file(self, contract: Contract, day: date, staged: Path, part: str = "data") -> bool:
        """Publish, unless the process dies before; then die, if it is time."""
        if self.fuse:
            self.fuse[0] -= 1
            if self.fuse[0] == 0:
                raise Crash
        # slots: no zero-argument super
        changed = Lake.publish_file(self, contract, day, staged, part)
        if self.fuse and self.fuse[0] == 1:
            raise Crash
        return changed


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    """Serve a tenant whose alerts a test puts there as time goes by."""
    with Sandbox(Tenant.of([]), faults=generous()) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def source(served: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphAlerts]:
    """Connect to the tenant over HTTPS; pages are so small that every boundary occurs."""
    lake = tmp_path_factory.mktemp("unused")
    with Connected.connect(Settings.read(environment(served, lake))) as connected:
        assert isinstance(connected.alerts, GraphAlerts)
        yield GraphAlerts(connected.alerts.client, page=PAGE)


def tick(source: GraphAlerts, lake: Lake, moment: int) -> tuple[date, ...]:
    """Find the days behind and make them again, as the sensor and its runs do."""
    today = ticks.to_datetime(moment).date()
    behind = changes.find(source, lake, today, OVERLAP).days
    alerts.pull(source, lake, behind, OVERLAP)
    for day in behind:
        model.publish(lake, day)
    watermarks.move(lake, source.name, behind)
    return behind


def shown(listed: list[dict[str, object]]) -> set[str]:
    """Return alerts as text that is equal where their content is."""
    return {canonical(alert) for alert in listed}


def every(lake: Lake, contract: Contract) -> pl.DataFrame:
    """Return a table of all days."""
    return pl.concat([lake.read(contract, day) for day in lake.days(contract)])


def stored(states: pl.DataFrame) -> list[str]:
    """Return states of the lake as text that is equal where their content is."""
    return [canonical(json.loads(raw)) for raw in states["Raw"]]


@settings(max_examples=4)
@given(seed=st.integers(0, 10**6))
def test_a_week_of_changes_arrives_whole_whatever_crashes(
    served: Sandbox, source: GraphAlerts, seed: int
) -> None:
    """After a week in polls, one of which died, the lake has every alert and every state once."""
    random = Random(seed)
    chronicle = Chronicle.generate(seed, days=7, alerts=16, until=UNTIL, late_minutes=LATE)
    polls = chronicle.ticks(5)
    fatal = random.choice(polls)
    must, may = set[str](), set[str]()
    with TemporaryDirectory() as folder:
        lake = Mortal(Path(folder), served.tenant.id)
        served.tenant.alerts.clear()
        alerts.pull(source, lake, chronicle.days[:1], OVERLAP)  # from which day on it is kept
        for moment in polls:
            served.tenant.alerts[:] = chronicle.as_of(moment)
            now = shown(served.tenant.alerts)
            may |= now
            if moment == fatal:
                lake.fuse[:] = [random.randint(1, 25)]
                try:
                    tick(source, lake, moment)
                except Crash:
                    lake.fuse.clear()
                    if random.random() < 0.5 and moment != polls[-1]:
                        continue  # the state of this poll is gone before anyone looks again
                lake.fuse.clear()
            tick(source, lake, moment)
            must |= now
        found = stored(every(lake, ALERT_VERSIONS))
        assert len(found) == len(set(found))
        assert must <= set(found) <= may
        newest = every(lake, ALERTS)
        assert newest["AlertId"].is_unique().all()
        held = every(lake, ALERT_VERSIONS).join(newest, on=["AlertId", "ContentHash"], how="semi")
        assert set(stored(held)) == shown(served.tenant.alerts)
        assert changes.find(source, lake, UNTIL, OVERLAP).days == ()
