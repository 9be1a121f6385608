"""What tests share: a sandbox tenant served over HTTPS, and the pipeline run against it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from runs import environment, generous, run

from etl.sandbox import Sandbox, Tenant

SCALE = 0.3
STATE = "DEFENDER_STATE"

settings.register_profile("noisy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("noisy")  # machines differ; time is for benchmarks


@pytest.fixture(scope="session", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let calls be counted together in a folder of these tests alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STATE, str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def tenant() -> Tenant:
    """Return a made-up tenant whose truth is known."""
    return Tenant.generate(seed=14, scale=SCALE, days=3)


@pytest.fixture(scope="session")
def served(tenant: Tenant) -> Iterator[Sandbox]:
    """Serve the tenant in good health, without a quota worth waiting for."""
    with Sandbox(tenant, faults=generous()) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def lake(tenant: Tenant, served: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the lake after one run over all days of the served tenant."""
    folder = tmp_path_factory.mktemp("lake")
    result = run(environment(served, folder), tenant)
    assert result.success
    return folder
