"""Limits of the service, met by whole pulls: rows, requests at once, quotas, storms of refusals."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pulls import contents, lake_of, model_day, pull_day
from runs import CHECKOUT, bare, environment, generous

from etl.contracts.marts import CORRELATED
from etl.sandbox import Request, Sandbox, Tenant
from etl.stages import marts

CALLS = 14
"""Calls a minute, fewer than two runs need."""


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    """Return a small day."""
    return Tenant.generate(seed=9, scale=0.2, days=1)


def made(tenant: Tenant, lake: Path, faults: dict[str, int], **settings: str) -> list[Request]:
    """Pull and correlate the day into a lake, and return the hunting requests that it took."""
    day = tenant.days[0]
    with Sandbox(tenant, faults=generous(**faults)) as sandbox:
        given = environment(sandbox, lake, **settings)
        model_day(given, day)
        pull_day(given, day)
        marts.publish(lake_of(given), day, 10)
        return sandbox.hunting


def correlated(lake: Path) -> dict[str, list[str]]:
    """Return what the marts that are made of telemetry say."""
    names = {".".join(contract.key) for contract in CORRELATED}
    found = contents(lake)
    assert names <= found.keys()
    return {name: found[name] for name in names}


@pytest.fixture(scope="module")
def plain(tenant: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the lake of a pull with one request at a time and no limit that matters."""
    lake = tmp_path_factory.mktemp("plain")
    made(tenant, lake, {}, DEFENDER_HUNTING_PARALLEL="1")
    return lake


def test_requests_side_by_side_change_nothing(tenant: Tenant, plain: Path, tmp_path: Path) -> None:
    """Four requests at once lead to the same marts as one at a time, and do overlap."""
    requests = made(tenant, tmp_path, {"lag": 100}, DEFENDER_HUNTING_PARALLEL="4")
    at_once = max(sum(o.at <= one.at < o.ended for o in requests) for one in requests)

    assert correlated(tmp_path) == correlated(plain)
    assert 2 <= at_once <= 4


@pytest.mark.parametrize("limit", [500, 100_000], ids=["said", "not said"])
def test_a_low_row_limit_changes_nothing(
    limit: int, tenant: Tenant, plain: Path, tmp_path: Path
) -> None:
    """Results of 500 rows lead to the same marts by more calls, though nobody says they are cut."""
    requests = made(tenant, tmp_path, {"rows": 500}, DEFENDER_HUNTING_MAX_ROWS=str(limit))

    assert correlated(tmp_path) == correlated(plain)
    assert len(requests) > 14


@pytest.mark.parametrize(
    "faults",
    [{"storm": 3}, {"storm": 2, "retry_after": 0}, {"slow": 300}, {"gateway": 300}],
    ids=["429 with a header", "429 with a text", "too slow", "gateway"],
)
def test_an_ill_service_changes_nothing(
    faults: dict[str, int], tenant: Tenant, plain: Path, tmp_path: Path
) -> None:
    """Storms of refusals and queries that time out cost calls, and no row; nobody is hammered."""
    requests = made(tenant, tmp_path, faults)
    refused = [request for request in requests if request.status != 200]

    assert correlated(tmp_path) == correlated(plain)
    assert 0 < len(refused) < 200


def test_two_runs_at_once_keep_to_one_quota(tenant: Tenant, tmp_path: Path) -> None:
    """Two runs in processes of their own never make more calls in a minute than one may."""
    day = str(tenant.days[0])
    with Sandbox(tenant, faults=generous(calls_per_minute=CALLS)) as sandbox:
        runs = []
        for number in range(2):
            settings = environment(
                sandbox,
                tmp_path / f"lake {number}",
                DEFENDER_STATE=str(tmp_path / "state"),
                DEFENDER_HUNTING_CALLS_PER_MINUTE=str(CALLS),
                DEFENDER_HUNTING_RESERVE_PERCENT="0",
            )
            home = tmp_path / str(number)
            home.mkdir()
            runs.append(
                subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", "etl", "run", "--from", day],
                    env=bare(settings) | {"PYTHONPATH": str(CHECKOUT), "DAGSTER_HOME": str(home)},
                    cwd=home,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        told = [run.communicate(timeout=300)[1] for run in runs]
        requests = sandbox.hunting
    times = sorted(request.at for request in requests)
    most = max(sum(start <= at < start + 60 for at in times) for start in times)

    assert [run.returncode for run in runs] == [0, 0], told
    assert {request.status for request in requests} == {200}
    assert len(requests) > CALLS >= most
    assert correlated(tmp_path / "lake 0") == correlated(tmp_path / "lake 1")
