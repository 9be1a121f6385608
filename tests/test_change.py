"""Running again after the service changed: what is added, and what stays as it was."""

import copy
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from runs import environment, generous, run, table

from etl.sandbox import Sandbox, Tenant

RESOLVED = "9999-12-31T00:00:00Z"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the lake after a first run."""
    lake, tenant = tmp_path_factory.mktemp("first"), made()
    with Sandbox(tenant, faults=generous()) as sandbox:
        run(environment(sandbox, lake), tenant)
    return lake


@pytest.fixture
def own() -> Tenant:
    """Return the small tenant of that run, which a test may change."""
    return made()


@pytest.fixture
def serving(own: Tenant) -> Iterator[Sandbox]:
    """Serve the small tenant."""
    with Sandbox(own, faults=generous()) as sandbox:
        yield sandbox


@pytest.fixture
def lake(first: Path, tmp_path: Path) -> Path:
    """Return a copy of the first run's lake."""
    return Path(shutil.copytree(first, tmp_path / "lake"))


def made() -> Tenant:
    """Make the small tenant; each time it is the same."""
    return Tenant.generate(seed=5, scale=0.1, days=2)


def files(lake: Path, day: object) -> dict[str, bytes]:
    """Return the published files of a day but those that say when."""
    found = lake.rglob(f"day={day}/*.parquet")
    when = {"ExtractionLedger", "Watermarks"}
    return {str(p): p.read_bytes() for p in found if not when & set(p.parts)}


def test_a_changed_alert_adds_a_version_to_its_own_day(
    own: Tenant, serving: Sandbox, lake: Path
) -> None:
    """A change adds a state, makes it the newest, and touches no other day."""
    settings = environment(serving, lake)
    first = table(lake, "core", "AlertVersions")
    other = files(lake, own.days[1])
    changed = next(
        a for a in own.alerts if a["id"] and a["createdDateTime"][:10] == str(own.days[0])
    )
    changed["status"], changed["lastUpdateDateTime"] = "resolved", RESOLVED
    removed = changed["evidence"].pop()

    assert run(settings, own).success
    states = table(lake, "core", "AlertVersions").filter(AlertId=changed["id"])
    alert = table(lake, "core", "Alerts").filter(AlertId=changed["id"])
    assert table(lake, "core", "AlertVersions").height == first.height + 1
    assert states.height == 2
    assert alert["Status"].to_list() == ["Resolved"]
    assert set(first["SeenAt"]) < set(table(lake, "core", "AlertVersions")["SeenAt"])
    assert removed is not None
    assert files(lake, own.days[1]) == other


def test_an_alert_that_the_service_forgets_is_kept(
    own: Tenant, serving: Sandbox, lake: Path
) -> None:
    """What was once seen stays, though the service no longer lists it."""
    settings = environment(serving, lake)
    before = table(lake, "core", "Alerts")
    own.alerts.remove(next(alert for alert in own.alerts if alert["id"]))

    assert run(settings, own).success
    assert table(lake, "core", "Alerts").equals(before)


def test_telemetry_outlives_its_retention(own: Tenant, lake: Path) -> None:
    """A day run again when hunting has forgotten it keeps its telemetry and its matches."""
    before = {day: files(lake, day) for day in own.days}
    with Sandbox(own, faults=generous(), clock=_in_forty_days) as forgetful:
        result = run(environment(forgetful, lake), own)

    assert result.success
    assert {day: files(lake, day) for day in own.days} == before
    assert table(lake, "mart", "CorrelatedAlerts").height > 0


def test_a_later_alert_joins_its_day(own: Tenant, serving: Sandbox, lake: Path) -> None:
    """An alert that becomes visible late is there after the next run, the others as before."""
    settings = environment(serving, lake)
    before = table(lake, "mart", "AlertCorrelation")
    late = copy.deepcopy(next(alert for alert in own.alerts if alert["id"] and alert["evidence"]))
    late["id"] = late["providerAlertId"] = "da000000000000000000_1"
    own.alerts.append(late)

    assert run(settings, own).success
    after = table(lake, "mart", "AlertCorrelation")
    added = after.filter(AlertId=late["id"])
    assert added.height > 0
    assert (
        after.filter(pl.col("AlertId") != late["id"])
        .sort("AlertId", "EvidenceId")
        .equals(before.sort("AlertId", "EvidenceId"))
    )


def _in_forty_days() -> datetime:
    return datetime.now(UTC) + timedelta(40)
