import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from pulls import contents, model_day, start_pull
from runs import environment, generous

from etl.sandbox import Sandbox, Tenant
from etl.sources.outcomes import hash_of

POINTS = 4
KILLS = 20


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """A served tenant, a lake with its alerts alone, and one whose pull nobody disturbed."""

    sandbox: Sandbox
    alerts: Path
    lake: Path
    seconds: float

    def settings(self, lake: Path) -> dict[str, str]:
        """Return the settings of a pull into a lake."""
        return environment(self.sandbox, lake, DEFENDER_HUNTING_MAX_ROWS="500")

    @property
    def asked(self) -> list[str]:
        """The names of the hunting queries that were answered so far."""
        return [
            hash_of(request.body_query)
            for request in self.sandbox.requests
            if request.body_query and request.status == 200
        ]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    """Pull a small day once, and time it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    tenant = Tenant.generate(seed=5, scale=0.3, days=1)
    with Sandbox(tenant, faults=generous(rows=500)) as sandbox:
        served = Undisturbed(sandbox, folder / "alerts", folder / "lake", 0.0)
        model_day(served.settings(served.alerts), tenant.days[0])
        shutil.copytree(served.alerts, served.lake)
        started = time.monotonic()
        start_pull(served.settings(served.lake), tenant.days[0]).join(120)
        yield Undisturbed(sandbox, served.alerts, served.lake, time.monotonic() - started)


@pytest.mark.parametrize("point", range(POINTS))
def test_a_killed_pull_goes_on_where_it_was(
    point: int, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """Killed anywhere, a pull finishes when it is started again, and asks nothing twice."""
    lake, day = tmp_path / "lake", undisturbed.sandbox.tenant.days[0]
    shutil.copytree(undisturbed.alerts, lake)
    settings = undisturbed.settings(lake)
    process = start_pull(settings, day)
    moment = Random(time.time_ns()).uniform(point, point + 1) / POINTS
    process.join(moment * undisturbed.seconds)
    killed = process.is_alive()
    if killed:
        os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    answered = {path.stem for path in (lake / ".pulls").rglob("*.parquet")}
    before = len(undisturbed.asked)
    restarted = start_pull(settings, day)
    restarted.join(120)

    assert restarted.exitcode == 0
    assert not answered & set(undisturbed.asked[before:]), f"killed at {moment:.2f}"
    assert contents(lake) == contents(undisturbed.lake), f"killed at {moment:.2f}"


def test_a_pull_that_is_killed_again_and_again_ends_as_any_other(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """Killed twenty times on its way, a pull asks for nothing twice and leaves the same lake."""
    lake, day = tmp_path / "lake", undisturbed.sandbox.tenant.days[0]
    shutil.copytree(undisturbed.alerts, lake)
    settings, random = undisturbed.settings(lake), Random(time.time_ns())
    killed = 0
    for _ in range(KILLS):
        answered = {path.stem for path in (lake / ".pulls").rglob("*.parquet")}
        before = len(undisturbed.asked)
        process = start_pull(settings, day)
        process.join(random.uniform(0.1, 1.0) * undisturbed.seconds / 3)
        if process.is_alive():
            os.kill(process.pid or 0, signal.SIGKILL)
            killed += 1
        process.join()
        assert not answered & set(undisturbed.asked[before:])
    last = start_pull(settings, day)
    last.join(120)

    assert killed > KILLS // 2
    assert last.exitcode == 0
    assert contents(lake) == contents(undisturbed.lake)
