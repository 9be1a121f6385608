"""Several tenants in one run: kept apart, and one that fails stalls no other."""

import copy
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from runs import UNHURRIED, call, generous, lines_of, run_days

from assets.automation import RANGE_END, RANGE_START, changed_alerts
from assets.tenants import ONLY, connected
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


def revoke(served: Sandbox, *tenants: Tenant) -> None:
    """Take the consent of some tenants back."""
    for tenant in tenants:
        served.applications[tenant.id].roles = ()


@pytest.mark.parametrize("contract", CONTRACTS, ids=NAMES)
def test_each_row_is_in_the_partition_of_its_tenant(
    contract,  # noqa: ANN001
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
    settings: Settings, lake: Path, served: Sandbox, north: Tenant, south: Tenant, days: list[date]
) -> None:
    """The run goes on for the others; the one that failed is as it was, and is told."""
    before = files_of(lake, north)
    changed = resolve(south)
    resolve(north)
    revoke(served, north)
    with dg.DagsterInstance.ephemeral() as instance:
        result = run_days(settings, days[:1], instance=instance)
        marked = instance.get_run_by_id(result.run_id)
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    states = rows(lake, south, ("core", "AlertVersions")).filter(AlertId=changed)
    newest = rows(lake, south, ("core", "Alerts")).filter(AlertId=changed)
    marts = rows(lake, south, ("mart", "AlertCorrelation")).filter(AlertId=changed)

    assert result.success
    assert states.height == 2
    assert newest["Status"].to_list() == ["Resolved"]
    assert marts.height > 0
    assert files_of(lake, north) == before
    assert not checks["tenant_north"].passed
    assert checks["tenant_north"].severity == dg.AssetCheckSeverity.ERROR
    assert CONSENT in str(checks["tenant_north"].metadata["rows"])
    assert checks["tenant_far_south"].passed
    assert marked is not None
    assert CONSENT in marked.tags["defender/failed/north"]
    assert "defender/failed/far-south" not in marked.tags


def test_the_command_line_names_the_tenant_that_failed(
    settings: Settings, served: Sandbox, north: Tenant, days: list[date], tmp_path: Path
) -> None:
    """A run in which one of two tenants failed ends with 1, and says which and why."""
    revoke(served, north)
    done = call(["run", "--from", str(days[0])], settings, tmp_path)

    assert done.returncode == 1
    (line,) = lines_of(done)
    assert "north" in line
    assert CONSENT in line


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


def test_a_run_may_be_for_one_tenant(
    settings: Settings,
    lake: Path,
    served: Sandbox,
    north: Tenant,
    south: Tenant,
    days: list[date],
    tmp_path: Path,
) -> None:
    """Limited to a tenant, a run asks and touches no other, however that one fares."""
    other = {path: path.stat().st_mtime_ns for path in lake.rglob(f"tenant={north.id}/**/*.*")}
    changed = resolve(south)
    revoke(served, north)
    done = call(["run", "--from", str(days[0]), "--tenant", SOUTH], settings, tmp_path)
    newest = rows(lake, south, ("core", "Alerts")).filter(AlertId=changed)

    assert done.returncode == 0, done.stderr
    assert newest["Status"].to_list() == ["Resolved"]
    assert other
    assert {path: path.stat().st_mtime_ns for path in other} == other


def test_an_unknown_tenant_of_a_run_is_named(settings: Settings, days: list[date]) -> None:
    """A run that is tagged with a name of no tenant fails and says so."""
    result = run_days(settings, days[:1], only="west")
    failed = [event for event in result.all_events if event.is_step_failure]

    assert not result.success
    assert "'west'" in failed[0].step_failure_data.user_failure_data.description


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
    settings: Settings, lake: Path, south: Tenant, days: list[date]
) -> None:
    """The day and tenant of a changed alert are requested until they are run, then nothing is."""
    at_first = evaluate(settings)
    begun = rows(lake, south, ("ops", "Watermarks"))
    resolve(south)
    day = str(days[0])
    requested = [evaluate(settings), evaluate(settings)]
    result = run_days(settings, days[:1], only=SOUTH)
    afterwards = evaluate(settings)
    moved = rows(lake, south, ("ops", "Watermarks"))

    assert at_first == []
    assert requested == [[(SOUTH, day, day)]] * 2
    assert result.success
    assert afterwards == []
    assert moved["PulledAt"].max() > begun["PulledAt"].max()
    assert moved["UpdatedThrough"].max() > begun["UpdatedThrough"].max()
    assert moved["UpdatedThrough"].max() <= datetime.now(UTC)


def test_the_sensor_passes_over_a_tenant_that_cannot_be_asked(
    settings: Settings, served: Sandbox, north: Tenant, south: Tenant, days: list[date]
) -> None:
    """Where the first tenant refuses, the second one's changes are requested all the same."""
    resolve(north)
    resolve(south)
    revoke(served, north)

    assert evaluate(settings) == [(SOUTH, str(days[0]), str(days[0]))]
