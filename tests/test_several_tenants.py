"""Several tenants in one run: kept apart, and one that fails stalls no other."""

import copy
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from runs import UNHURRIED, call, generous, lines_of, run_days

from assets.automation import RANGE_END, RANGE_START, changed_alerts
from assets.tenants import ONLY, connected, failures, note
from etl.cli.run import catch_up
from etl.contracts.contract import Contract
from etl.lake.catalog import CONTRACTS
from etl.sandbox import Sandbox, Tenant

OTHER_ID = "0d5c3f7a-6e1b-4c2d-9a48-b7f0e2d4c615"
NORTH, SOUTH = "north", "far-south"
NAMES = [".".join(contract.key) for contract in CONTRACTS]
LATER = "9999-12-31T00:00:00Z"
CONSENT = "SecurityAlert.Read.All"

Settings = dict[str, str]


@pytest.fixture(scope="module")
def north() -> Tenant:
    """Return the tenant that the settings name first."""
    return Tenant.generate(seed=3, scale=0.05, days=1)


@pytest.fixture(scope="module")
def south() -> Tenant:
    """Return the tenant that they name second."""
    return Tenant.generate(seed=4, scale=0.05, days=1, id=OTHER_ID)


@pytest.fixture(scope="module")
def days(north: Tenant) -> list[date]:
    """Return the day of the alerts, and today, which has none yet."""
    return [north.days[0], north.days[0] + timedelta(days=1)]


@pytest.fixture(scope="module")
def served(north: Tenant, south: Tenant) -> Iterator[Sandbox]:
    """Serve both tenants."""
    with Sandbox(north, others=[south], faults=generous()) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def as_before(north: Tenant, south: Tenant, served: Sandbox) -> Iterator[None]:
    """Take back what a test does to the tenants."""
    alerts = {one.id: copy.deepcopy(one.alerts) for one in (north, south)}
    roles = {one: application.roles for one, application in served.applications.items()}
    yield
    for tenant in (north, south):
        tenant.alerts[:] = alerts[tenant.id]
        served.applications[tenant.id].roles = roles[tenant.id]


@pytest.fixture(scope="module")
def file(
    north: Tenant, south: Tenant, served: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a settings file that names both tenants."""
    path = tmp_path_factory.mktemp("settings") / "tenants.toml"
    tables = []
    for name, tenant in ((NORTH, north), (SOUTH, south)):
        way = served.environment_of(tenant)
        tables += [
            "[[tenant]]",
            f'name = "{name}"',
            f'AZURE_TENANT_ID = "{way["AZURE_TENANT_ID"]}"',
            f'AZURE_CLIENT_ID = "{way["AZURE_CLIENT_ID"]}"',
            'AZURE_CLIENT_SECRET_FROM = "SECRET_OF_TENANTS"',
        ]
    path.write_text("\n".join(tables))
    return path


def settings_for(served: Sandbox, file: Path, lake: Path) -> Settings:
    """Return the environment of a client of both tenants."""
    way = served.environment
    return {
        **{name: value for name, value in way.items() if "CLIENT" not in name and "ID" not in name},
        "SECRET_OF_TENANTS": way["AZURE_CLIENT_SECRET"],
        "DEFENDER_SETTINGS": str(file),
        "DEFENDER_STATE": os.environ["DEFENDER_STATE"],
        "DEFENDER_LAKE": str(lake),
        "DEFENDER_HUNTING_CALLS_PER_MINUTE": str(UNHURRIED),
    }


@pytest.fixture(scope="module")
def first_lake(
    days: list[date], served: Sandbox, file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the lake after one run over both tenants."""
    folder = tmp_path_factory.mktemp("lake")
    result = run_days(settings_for(served, file, folder), days)
    checks = {c.check_name: c.passed for c in result.get_asset_check_evaluations()}
    assert result.success
    assert checks["tenant_north"]
    assert checks["tenant_far_south"]
    return folder


@pytest.fixture
def lake(first_lake: Path, tmp_path: Path) -> Path:
    """Return a copy of that lake, for a test to change."""
    return shutil.copytree(first_lake, tmp_path / "lake")


@pytest.fixture
def settings(served: Sandbox, file: Path, lake: Path) -> Settings:
    """Return the environment of a client of both tenants with the copied lake."""
    return settings_for(served, file, lake)


def rows(lake: Path, tenant: Tenant, key: Sequence[str]) -> pl.DataFrame:
    """Read one tenant's part of a table."""
    layer, name = key
    files = sorted((lake / layer / name).rglob(f"tenant={tenant.id}/**/*.parquet"))
    return pl.read_parquet(files, hive_partitioning=False)


def files_of(lake: Path, tenant: Tenant) -> dict[str, bytes]:
    """Return every file of one tenant but the ledger, which notes attempts as well."""
    found = lake.rglob(f"tenant={tenant.id}/**/*.parquet")
    return {str(p): p.read_bytes() for p in found if "ExtractionLedger" not in p.parts}


def resolve(tenant: Tenant) -> str:
    """Resolve an alert of a tenant, and return its id."""
    changed = next(alert for alert in tenant.alerts if alert["id"] and alert["evidence"])
    changed["status"], changed["lastUpdateDateTime"] = "resolved", LATER
    return str(changed["id"])


def passed_checks(instance: dg.DagsterInstance, run_id: str) -> dict[str, bool]:
    """Return the checks that a run recorded by name, and whether each passed."""
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    events = [log.get_dagster_event() for log in instance.all_logs(run_id, of_type=kind)]
    found = [event.asset_check_evaluation_data for event in events]
    return {one.check_name: one.passed for one in found}


def revoke(served: Sandbox, *tenants: Tenant) -> None:
    """Take the consent of some tenants back."""
    for tenant in tenants:
        served.applications[tenant.id].roles = ()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home of Dagster's own for a test."""
    folder = tmp_path / "dagster"
    folder.mkdir()
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}")
    return folder


@pytest.mark.parametrize("contract", CONTRACTS, ids=NAMES)
def test_each_row_is_in_the_partition_of_its_tenant(
    contract: Contract,
    first_lake: Path,
    north: Tenant,
    south: Tenant,
) -> None:
    """Both tenants have rows of every table, all of them under their own id."""
    for tenant in (north, south):
        found = rows(first_lake, tenant, contract.key)

        assert found.height > 0
        assert set(found["TenantId"]) == {tenant.id}


def test_each_tenant_has_its_own_alerts(first_lake: Path, north: Tenant, south: Tenant) -> None:
    """A tenant's alerts and devices are those that it was served, and none of the other's."""
    for tenant, other in ((north, south), (south, north)):
        alerts = set(rows(first_lake, tenant, ("core", "Alerts"))["AlertId"])
        devices = set(rows(first_lake, tenant, ("hunting", "DeviceProcessEvents"))["DeviceId"])

        assert alerts == {alert["id"] for alert in tenant.alerts if alert["id"]}
        assert not alerts & {alert["id"] for alert in other.alerts}
        assert devices <= {device.id for device in tenant.devices}
        assert not devices & {device.id for device in other.devices}


def test_one_tenant_that_fails_stalls_no_other(
    settings: Settings, lake: Path, home: Path, served: Sandbox, north: Tenant, south: Tenant
) -> None:
    """The run goes on for the others; the one that failed is as it was, and is told."""
    before = files_of(lake, north)
    changed = resolve(south)
    resolve(north)
    revoke(served, north)
    ways = {**settings, "DAGSTER_HOME": str(home)}
    done = call(["run", "--from", str(south.days[0])], ways, lake.parent)
    (line,) = lines_of(done)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        (recorded,) = instance.get_runs()
        passed = passed_checks(instance, recorded.run_id)
    states = rows(lake, south, ("core", "AlertVersions")).filter(AlertId=changed)
    newest = rows(lake, south, ("core", "Alerts")).filter(AlertId=changed)
    marts = rows(lake, south, ("mart", "AlertCorrelation")).filter(AlertId=changed)

    assert done.returncode == 1
    assert "tenant_north check" in line
    assert "tenant north" in line
    assert CONSENT in line
    assert CONSENT in recorded.tags["defender/failed/north"]
    assert "defender/failed/far-south" not in recorded.tags
    assert recorded.is_success
    assert not passed["tenant_north"]
    assert passed["tenant_far_south"]
    assert states.height == 2
    assert newest["Status"].to_list() == ["Resolved"]
    assert set(marts["Status"]) == {"Resolved"}
    assert files_of(lake, north) == before


def test_when_all_tenants_fail_the_run_fails(
    settings: Settings, served: Sandbox, north: Tenant, south: Tenant, days: list[date]
) -> None:
    """A run that got nowhere for any tenant is no success, and names them all."""
    revoke(served, north, south)
    result = run_days(settings, days[:1])
    (step,) = [event for event in result.all_events if event.is_step_failure]
    told = step.step_failure_data.user_failure_data.description

    assert not result.success
    assert f"{NORTH}: " in told
    assert f"{SOUTH}: " in told


@pytest.fixture
def surroundings(settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process one that was started with the settings, and record its runs aside."""
    for name, value in {**settings, "DAGSTER_HOME": str(home)}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("surroundings")
def test_catching_up_passes_over_a_tenant_that_cannot_be_asked(
    lake: Path,
    served: Sandbox,
    north: Tenant,
    south: Tenant,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each tenant is caught up by itself: one that refuses is told and left as it is."""
    before = files_of(lake, north)
    changed = resolve(south)
    revoke(served, north)
    status = catch_up(None)
    told = capsys.readouterr().err
    newest = rows(lake, south, ("core", "Alerts")).filter(AlertId=changed)
    (line,) = [line for line in told.splitlines() if line.startswith("defender-etl:")]

    assert status == 1
    assert f"{NORTH}: " in line
    assert CONSENT in line
    assert f"{SOUTH}: {south.days[0]} behind" in told
    assert f"{SOUTH}: no day behind" in told
    assert newest["Status"].to_list() == ["Resolved"]
    assert files_of(lake, north) == before


def test_an_unknown_tenant_of_a_run_is_named(settings: Settings, days: list[date]) -> None:
    """A run that is tagged with a name of no tenant fails and says so."""
    result = run_days(settings, days[:1], only="west")
    failed = [event for event in result.all_events if event.is_step_failure]

    assert not result.success
    assert "'west'" in failed[0].step_failure_data.user_failure_data.description


def test_a_failure_of_an_earlier_run_does_not_count() -> None:
    """A run executed again has the tags of the one before, and leaves nobody out for them."""
    with dg.DagsterInstance.ephemeral() as instance:
        first = instance.add_run(dg.DagsterRun(job_name="daily", run_id=str(uuid.uuid4())))
        note(instance, first.run_id, NORTH, "refused in run so and so")
        tags = {**instance.get_runs()[0].tags, "defender/failed/far-south": "whatever"}
        again = dg.DagsterRun(job_name="daily", run_id=str(uuid.uuid4()), tags=tags)
        instance.add_run(again)

        assert failures(instance, first.run_id) == {NORTH: "refused in run so and so"}
        assert failures(instance, again.run_id) == {}


def watermark(lake: Path, tenant: Tenant) -> dict[str, Any]:
    """Return the newest watermark of a tenant."""
    found = rows(lake, tenant, ("ops", "Watermarks")).sort("PulledAt")
    return found.row(-1, named=True)


def evaluate(settings: Settings) -> list[tuple[str, str, str]]:
    """Evaluate the sensor once; return the tenant, first and last day of each request."""
    with connected(settings) as tenants, dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, resources={"tenants": tenants})
        found = changed_alerts(context)
    requests = found.run_requests if isinstance(found, dg.SensorResult) else []
    return [
        (request.tags[ONLY], request.tags[RANGE_START], request.tags[RANGE_END])
        for request in requests or []
    ]


def test_the_sensor_asks_for_what_changed_and_no_more(
    settings: Settings, lake: Path, north: Tenant, south: Tenant, days: list[date]
) -> None:
    """The day and tenant of a changed alert are requested until they are run, then nothing is."""
    at_first = evaluate(settings)
    begun = watermark(lake, south)
    resolve(south)
    day = str(days[0])
    requested = [evaluate(settings), evaluate(settings)]
    other = {path: path.stat().st_mtime_ns for path in lake.rglob(f"tenant={north.id}/**/*.*")}
    result = run_days(settings, days[:1], only=SOUTH)
    untouched = {path: path.stat().st_mtime_ns for path in other} == other
    checks = {check.check_name for check in result.get_asset_check_evaluations()}
    afterwards = evaluate(settings)
    moved = watermark(lake, south)

    assert at_first == []
    assert requested == [[(SOUTH, day, day)]] * 2
    assert result.success
    assert checks & {"tenant_north", "tenant_far_south"} == {"tenant_far_south"}
    assert other
    assert untouched
    assert afterwards == []
    assert moved["PulledAt"] > begun["PulledAt"]
    assert begun["UpdatedThrough"] < moved["UpdatedThrough"] <= datetime.now(UTC)


def test_the_sensor_passes_over_a_tenant_that_cannot_be_asked(
    settings: Settings, served: Sandbox, north: Tenant, south: Tenant, days: list[date]
) -> None:
    """Where the first tenant refuses, the second one's changes are requested all the same."""
    resolve(north)
    resolve(south)
    revoke(served, north)

    assert evaluate(settings) == [(SOUTH, str(days[0]), str(days[0]))]
