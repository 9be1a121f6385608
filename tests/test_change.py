"""Running again after the service changed: what is added, and what stays as it was."""

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from runs import environment, generous, run, table

from etl.sandbox import Sandbox, Tenant

RESOLVED = "9999-12-31T00:00:00Z"


@pytest.fixture
def own() -> Tenant:
    """Return a small tenant that a test may change."""
    return Tenant.generate(seed=5, scale=0.1, days=2)


@pytest.fixture
def serving(own: Tenant) -> Iterator[Sandbox]:
    """Serve the small tenant."""
    with Sandbox(own, faults=generous()) as sandbox:
        yield sandbox


def files(lake: Path, day: object) -> dict[str, bytes]:
    """Return the published files of a day but those that say when."""
    found = lake.rglob(f"day={day}/*.parquet")
    when = {"ExtractionLedger", "Watermarks"}
    return {str(p): p.read_bytes() for p in found if not when & set(p.parts)}


def test_a_changed_alert_adds_a_version_to_its_own_day(
    own: Tenant, serving: Sandbox, tmp_path: Path
) -> None:
    """A change adds a state, makes it the newest, and touches no other day."""
    settings = environment(serving, tmp_path)
    run(settings, own)
    first = table(tmp_path, "core", "AlertVersions")
    other = files(tmp_path, own.days[1])
    changed = next(
        a for a in own.alerts if a["id"] and a["createdDateTime"][:10] == str(own.days[0])
    )
    changed["status"], changed["lastUpdateDateTime"] = "resolved", RESOLVED
    removed = changed["evidence"].pop()

    assert run(settings, own).success
    states = table(tmp_path, "core", "AlertVersions").filter(AlertId=changed["id"])
    alert = table(tmp_path, "core", "Alerts").filter(AlertId=changed["id"])
    assert table(tmp_path, "core", "AlertVersions").height == first.height + 1
    assert states.height == 2
    assert alert["Status"].to_list() == ["Resolved"]
    assert set(first["SeenAt"]) < set(table(tmp_path, "core", "AlertVersions")["SeenAt"])
    assert removed is not None
    assert files(tmp_path, own.days[1]) == other


def test_an_alert_that_the_service_forgets_is_kept(
    own: Tenant, serving: Sandbox, tmp_path: Path
) -> None:
    """What was once seen stays, though the service no longer lists it."""
    settings = environment(serving, tmp_path)
    run(settings, own)
    before = table(tmp_path, "core", "Alerts")
    own.alerts.remove(next(alert for alert in own.alerts if alert["id"]))

    assert run(settings, own).success
    assert table(tmp_path, "core", "Alerts").equals(before)


def test_telemetry_outlives_its_retention(own: Tenant, tmp_path: Path) -> None:
    """A day run again when hunting has forgotten it keeps its telemetry and its matches."""
    with Sandbox(own, faults=generous()) as sandbox:
        run(environment(sandbox, tmp_path), own)
    before = {day: files(tmp_path, day) for day in own.days}
    with Sandbox(own, faults=generous(), clock=_in_forty_days) as forgetful:
        result = run(environment(forgetful, tmp_path), own)

    assert result.success
    assert {day: files(tmp_path, day) for day in own.days} == before
    assert table(tmp_path, "mart", "CorrelatedAlerts").height > 0


def test_a_later_alert_joins_its_day(own: Tenant, serving: Sandbox, tmp_path: Path) -> None:
    """An alert that becomes visible late is there after the next run, the others as before."""
    settings = environment(serving, tmp_path)
    run(settings, own)
    before = table(tmp_path, "mart", "AlertCorrelation")
    late = copy.deepcopy(next(alert for alert in own.alerts if alert["id"] and alert["evidence"]))
    late["id"] = late["providerAlertId"] = "da000000000000000000_1"
    own.alerts.append(late)

    assert run(settings, own).success
    after = table(tmp_path, "mart", "AlertCorrelation")
    added = after.filter(AlertId=late["id"])
    assert added.height > 0
    assert (
        after.filter(pl.col("AlertId") != late["id"])
        .sort("AlertId", "EvidenceId")
        .equals(before.sort("AlertId", "EvidenceId"))
    )


def _in_forty_days() -> datetime:
    return datetime.now(UTC) + timedelta(40)
