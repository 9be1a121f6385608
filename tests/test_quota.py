"""One quota for whoever asks: threads, processes and steps, measured where the calls arrive."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import made
import pytest
from hammer import SECOND, client, hammer
from limiters import limiter, record
from runs import CHECKOUT, bare, call, environment, generous, lines_of

from assets.failures import RETRIES
from assets.tenants import Tenants, failures
from etl.access.client import Client
from etl.access.limits import Limiter
from etl.access.record import Record
from etl.errors import ConfigError, SignInRefused, Throttled
from etl.sandbox import Request, Sandbox, Tenant
from etl.settings import Settings
from etl.stages.report import Report
from etl.tenant import Tenant as Connected

LISTING = "/v1.0/security/alerts_v2"
HUNTING = "/v1.0/security/runHuntingQuery"
DAY = "2026-01-02"


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    """Return a tenant with two alerts and no telemetry."""
    return Tenant.of([made.alert(id="da1"), made.alert(id="da2")])


def busiest(requests: Sequence[Request], seconds: float) -> int:
    """Return the most requests in any stretch of so many seconds."""
    return max(sum(0 <= other.at - one.at < seconds for other in requests) for one in requests)


def child(sandbox: Sandbox, shared: Record, *numbers: int) -> "subprocess.Popen[str]":
    """Start a process that hammers the sandbox and counts its calls in a record of this one's."""
    folder, name = str(shared.path.parent.parent), os.environ["QUOTA_OF_TEST"]
    command = [sys.executable, str(CHECKOUT / "tests" / "hammer.py"), folder, name]
    return subprocess.Popen(  # noqa: S603 - this interpreter
        [*command, *map(str, numbers)],
        env=bare(sandbox.environment) | {"PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_threads_and_processes_never_pass_the_limit_together(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four threads here and two processes of two threads stay within one limit, and all finish."""
    limit, each = 12, 6
    monkeypatch.setenv("QUOTA_OF_TEST", "threads and processes")
    shared = record(os.environ["QUOTA_OF_TEST"])
    with Sandbox(tenant, faults=generous()) as sandbox:
        children = [child(sandbox, shared, limit, 2, each) for _ in range(2)]
        asking = client(sandbox.environment, shared, limit)
        here = hammer(asking, 4, each)
        there = [int(one.communicate(timeout=60)[0]) for one in children]
        asking.close()
        listed = [request for request in sandbox.requests if request.path == LISTING]

    assert (here, there) == (4 * each, [2 * each, 2 * each])
    assert len(listed) == 8 * each
    assert {request.status for request in listed} == {200}
    assert busiest(listed, SECOND) <= limit
    bursts = len(listed) // limit
    lasted = max(request.at for request in listed) - min(request.at for request in listed)
    assert lasted < 2 * SECOND * (bursts - 1) + 4  # nobody waits without need


def test_a_process_that_is_killed_blocks_nobody() -> None:
    """The lock of a process that was killed while it held the record is free at once."""
    kept = record()
    hold = (
        "import sys, time; from pathlib import Path; from etl.access.record import Record\n"
        "with Record(Path(sys.argv[1])).held(): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(  # noqa: S603 - this interpreter
        [sys.executable, "-c", hold, str(kept.path)],
        env=bare({"PYTHONPATH": str(CHECKOUT)}),
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(Limiter(kept, 1).take)
            time.sleep(0.2)
            kept_out = not waiting.done()
            holder.send_signal(signal.SIGKILL)
            taken = waiting.result(timeout=10)

    assert kept_out
    assert taken == 0


@pytest.mark.parametrize("header", [True, False], ids=["header", "text"])
def test_a_storm_of_429_is_sat_out(tenant: Tenant, header: bool) -> None:  # noqa: FBT001
    """Whoever is told to wait, all who share the quota wait, and every query is answered."""
    storm, workers = 6, 3
    faults = generous(throttle_first=storm, retry_after=header)
    with (
        Sandbox(tenant, faults=faults) as sandbox,
        Connected.connect(Settings.read(sandbox.environment | state())) as connected,
    ):
        asking = connected.hunting.client
        asking.limiter = limiter(jitter=0.0)

        def hunt(_: int) -> object:
            return asking.post(HUNTING, "hunt", {"Query": "DeviceInfo | take 1"}).body["results"]

        with ThreadPoolExecutor(workers) as pool:
            started = time.process_time()
            found = list(pool.map(hunt, range(2 * workers)))
            busy = time.process_time() - started
        asked = [request for request in sandbox.requests if request.path == HUNTING]
    refused = [request for request in asked if request.status == 429]
    told = 1.0 if header else 2.0

    assert found == [[]] * (2 * workers)
    assert (len(asked), len(refused)) == (storm + 2 * workers, storm)
    for first in refused:  # only what was under way already comes before the wait is over
        assert sum(0 <= request.at - first.at < 0.9 * told for request in asked) <= workers
    assert busy < 2.0


def state() -> dict[str, str]:
    """Return the setting of where calls are counted."""
    return {"DEFENDER_STATE": os.environ["DEFENDER_STATE"]}


def test_a_token_that_expires_under_many_is_renewed_once_each(tenant: Tenant) -> None:
    """With tokens that last for a few requests, threads renew each of them once and go on."""
    lasts, each, threads = 8, 10, 4
    with Sandbox(tenant, faults=generous(expire=lasts)) as sandbox:
        asking = client(sandbox.environment, record(), 100_000)
        found = hammer(asking, threads, each)
        asking.close()
        tokens = [request for request in sandbox.requests if request.path.endswith("/token")]

    assert found == threads * each
    assert len(tokens) == threads * each // lasts


def test_a_quota_is_the_same_in_every_lake(tenant: Tenant, tmp_path: Path) -> None:
    """Ways into a tenant count together for any lake, and apart by permission and by state."""
    chosen = {"DEFENDER_HUNTING_CALLS_PER_MINUTE": "2", "DEFENDER_HUNTING_RESERVE_PERCENT": "0"}
    with Sandbox(tenant) as sandbox:
        ways = [
            sandbox.environment | chosen | {"DEFENDER_LAKE": str(tmp_path / lake)} | kept
            for lake, kept in [
                ("a", {"DEFENDER_STATE": str(tmp_path / "state")}),
                ("b", {"DEFENDER_STATE": str(tmp_path / "state")}),
                ("b", {"DEFENDER_STATE": str(tmp_path / "other")}),
            ]
        ]
        one, other, apart = [Connected.connect(Settings.read(way)) for way in ways]
        with one, other, apart:
            taken = [way.hunting.client.limiter.take() for way in (one, other)]
            waits = [way.hunting.client.limiter.pause() for way in (one, other, apart)]
            listing = client_of(one).limiter.pause()

    assert taken == [0, 0]
    assert waits[0] == pytest.approx(62, abs=5)
    assert waits[1] == pytest.approx(62, abs=5)
    assert (waits[2], listing) == (0, 0)


def client_of(connected: Connected) -> Client:
    """Return the client that lists alerts."""
    found = connected.alerts.client  # type: ignore[attr-defined]
    assert isinstance(found, Client)
    return found


def test_the_reserve_is_left_alone(tenant: Tenant) -> None:
    """Of ten calls a minute with a reserve of 40 %, four are never taken."""
    chosen = {"DEFENDER_HUNTING_CALLS_PER_MINUTE": "10", "DEFENDER_HUNTING_RESERVE_PERCENT": "40"}
    with (
        Sandbox(tenant) as sandbox,
        Connected.connect(Settings.read(sandbox.environment | state() | chosen)) as connected,
    ):
        hunts = connected.hunting.client.limiter
        taken = [hunts.take() for _ in range(8)]

    assert [pause > 0 for pause in taken] == [False] * 6 + [True] * 2


def test_where_calls_cannot_be_counted_nothing_is_asked(tenant: Tenant, tmp_path: Path) -> None:
    """A state folder that cannot be used is told before the first request."""
    (tmp_path / "state").write_text("")
    with Sandbox(tenant) as sandbox:
        settings = Settings.read(sandbox.environment | {"DEFENDER_STATE": str(tmp_path / "state")})
        with pytest.raises(ConfigError, match=r"^DEFENDER_STATE: .*state/quotas"):
            Connected.connect(settings)
        bad = environment(sandbox, tmp_path / "lake", DEFENDER_STATE=str(tmp_path / "state"))
        done = call(["run", "--from", DAY], bad, tmp_path)
        (line,) = lines_of(done)

        assert line.startswith("defender-etl: DEFENDER_STATE: ")
        assert done.returncode == 2
        assert sandbox.requests == []


Ended = Callable[[], None]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Return an instance that records the runs of one test."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def step(
    instance: dg.DagsterInstance, endings: Mapping[str, Sequence[Ended]]
) -> tuple[list[str], dg.ExecuteInProcessResult, dict[str, str]]:
    """Run a step over tenants whose work ends as told, time after time.

    Returns who was worked for, in order, the result, and who was marked failed.
    """
    worked: list[str] = []
    left = {name: iter(ends) for name, ends in endings.items()}

    def stage(tenant: Connected, days: Sequence[date]) -> dict[date, dict[str, Report]]:
        worked.append(tenant.name)
        next(left[tenant.name])()
        return {day: {"T": Report.of(1, changed=True)} for day in days}

    @dg.asset(partitions_def=dg.DailyPartitionsDefinition(DAY))
    def table(context: dg.AssetExecutionContext) -> None:
        fakes = tuple(SimpleNamespace(name=name) for name in endings)
        done = Tenants(fakes).each(context, stage)  # type: ignore[arg-type]
        context.add_output_metadata({"done": sorted(done.get("T", {}).get(DAY, {}))})

    result = dg.materialize([table], partition_key=DAY, instance=instance, raise_on_error=False)
    return worked, result, failures(instance, result.run_id)


def throttled() -> None:
    """Say that the quota is used up for a moment."""
    raise Throttled("pull", 0.01)


def refused() -> None:
    """Say that the tenant cannot be asked."""
    raise SignInRefused(7000112, "the application is disabled", "enable it")


def fine() -> None:
    """Say nothing."""


def test_a_tenant_over_quota_lets_the_others_go_first(instance: dg.DagsterInstance) -> None:
    """The others are done, then the step is run again, and nobody is marked failed."""
    worked, result, failed = step(instance, {"north": [throttled, fine], "south": [fine, fine]})
    (output,) = result.get_asset_materialization_events()
    metadata = output.step_materialization_data.materialization.metadata

    assert result.success
    assert worked == ["north", "south", "north", "south"]
    assert failed == {}
    assert metadata["done"].value == ["north", "south"]


def test_a_tenant_over_quota_for_good_has_failed(instance: dg.DagsterInstance) -> None:
    """After the last time a step is run again, the tenant is marked as any that failed."""
    times = RETRIES + 1
    ends = {"north": [throttled] * times, "south": [fine] * times, "west": [refused]}
    worked, result, failed = step(instance, ends)

    assert result.success
    assert [worked.count(name) for name in ends] == [times, times, 1]
    assert set(failed) == {"north", "west"}
    assert "over the tenant's quota" in failed["north"]
