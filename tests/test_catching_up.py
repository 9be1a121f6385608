"""`defender-etl run --changed`: from an empty lake, with nothing new, and after a change."""

import copy
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from runs import call, environment, generous, lines_of, table

from etl.sandbox import Sandbox, Tenant

LATER = "9999-12-31T00:00:00Z"
MOST_COUNTS = 2  # the run asks before and after
MOST_LISTINGS = 3


@pytest.fixture(scope="module")
def own() -> Tenant:
    """Return a small tenant that the tests change."""
    return Tenant.generate(seed=8, scale=0.05, days=2)


@pytest.fixture(scope="module")
def serving(own: Tenant) -> Iterator[Sandbox]:
    """Serve it."""
    with Sandbox(own, faults=generous()) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def caught_up(
    serving: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Return what the first catching up said, and the lake that it left."""
    folder = tmp_path_factory.mktemp("caught-up")
    done = call(["run", "--changed"], environment(serving, folder / "lake"), folder)
    return done, folder / "lake"


@pytest.fixture
def lake(
    caught_up: tuple[subprocess.CompletedProcess[str], Path], own: Tenant, tmp_path: Path
) -> Iterator[Path]:
    """Return a copy of that lake; what a test does to the tenant is taken back."""
    alerts = copy.deepcopy(own.alerts)
    yield shutil.copytree(caught_up[1], tmp_path / "lake")
    own.alerts[:] = alerts


def catch_up(
    sandbox: Sandbox, lake: Path, *arguments: str
) -> tuple[subprocess.CompletedProcess[str], Sequence[str]]:
    """Catch up once more; return what was said and the paths that were asked for."""
    before = len(sandbox.requests)
    done = call(["run", "--changed", *arguments], environment(sandbox, lake), lake.parent)
    return done, [request.path for request in sandbox.requests[before:]]


def files(lake: Path) -> dict[Path, bytes]:
    """Return every published file but those that say when."""
    when = {"ExtractionLedger", "Watermarks"}
    found = lake.rglob("tenant=*/**/*.parquet")
    return {path: path.read_bytes() for path in found if not when & set(path.parts)}


def test_an_empty_lake_begins_with_the_last_days(
    caught_up: tuple[subprocess.CompletedProcess[str], Path], own: Tenant
) -> None:
    """The first catching up pulls the days up to today, with every alert created on them."""
    done, lake = caught_up
    alerts = table(lake, "core", "Alerts")

    assert done.returncode == 0, done.stderr
    assert set(alerts["AlertId"]) == {alert["id"] for alert in own.alerts if alert["id"]}
    assert table(lake, "mart", "CorrelatedAlerts").height > 0
    assert done.stderr.count(" behind\n") == 2
    assert f"{own.id}: no day behind\n" in done.stderr


def test_with_nothing_new_little_is_asked(serving: Sandbox, lake: Path) -> None:
    """Where nothing changed, a few listings and one count tell so, and nothing is written."""
    before = files(lake)
    done, asked = catch_up(serving, lake)

    assert done.returncode == 0, done.stderr
    assert "no day behind" in done.stderr
    assert 1 <= sum(path.endswith("/alerts_v2") for path in asked) <= MOST_LISTINGS
    assert sum(path.endswith("/runHuntingQuery") for path in asked) <= MOST_COUNTS
    assert files(lake) == before


def test_a_changed_alert_has_its_day_made_again(own: Tenant, serving: Sandbox, lake: Path) -> None:
    """The day of an alert's creation is made again and no other; both of its states are kept."""
    before = files(lake)
    changed = next(
        alert
        for alert in own.alerts
        if alert["id"]
        and len(alert["evidence"] or ()) > 1
        and alert["createdDateTime"].startswith(str(own.days[0]))
    )
    removed = changed["evidence"].pop()
    old = {"Severity": changed["severity"], "IncidentId": changed["incidentId"]}
    severity = "low" if changed["severity"] != "low" else "high"
    changed |= {"severity": severity, "incidentId": "990099", "lastUpdateDateTime": LATER}
    done, asked = catch_up(serving, lake, "--tenant", own.id)
    after = files(lake)
    touched = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    states = table(lake, "core", "AlertVersions").filter(AlertId=changed["id"])

    assert removed
    assert done.returncode == 0, done.stderr
    assert f"{own.id}: {own.days[0]} behind" in done.stderr
    assert "no day behind" in done.stderr
    assert {path.parent.name for path in touched} == {f"day={own.days[0]}"}
    assert [path for path in asked if path.endswith("/runHuntingQuery")]
    assert states["Severity"].str.to_lowercase().to_list() == [old["Severity"], severity]
    assert states["IncidentId"].to_list() == [old["IncidentId"], "990099"]
    for key in (("core", "Alerts"), ("mart", "AlertCorrelation")):
        newest = table(lake, *key).filter(AlertId=changed["id"])
        assert newest.height > 0
        assert set(newest["Severity"].str.to_lowercase()) == {severity}


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--changed", "--from", "2026-01-01"], "--changed"),
        (["--changed", "--to", "2026-01-01"], "--changed"),
        (["--to", "2026-01-01"], "--from"),
        (["--changed", "--tenant", "nobody"], "nobody"),
        (["--from", "2026-01-01", "--tenant", "nobody"], "nobody"),
    ],
)
def test_combinations_that_mean_nothing_are_refused(
    arguments: list[str], names: str, serving: Sandbox, tmp_path: Path
) -> None:
    """What cannot be meant ends with 2 and one line, before anything is asked."""
    before = len(serving.requests)
    done = call(["run", *arguments], environment(serving, tmp_path / "lake"), tmp_path)
    (line,) = lines_of(done)

    assert done.returncode == 2
    assert names in line
    assert len(serving.requests) == before
    assert not list(tmp_path.rglob("*.parquet"))
