"""What tests share: a sandbox tenant served over HTTPS, and the pipeline run against it."""

import os
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from etl.sandbox import Faults, Sandbox, Tenant

UNTIL = None
SCALE = 0.3
UNHURRIED = 100_000
"""Calls a minute where a test is about something else than the quota."""


@pytest.fixture(scope="session")
def tenant() -> Tenant:
    """Return a made-up tenant whose truth is known."""
    return Tenant.generate(seed=11, scale=SCALE, days=3)


@pytest.fixture(scope="session")
def served(tenant: Tenant) -> Iterator[Sandbox]:
    """Serve the tenant without faults and without a quota worth waiting for."""
    with Sandbox(tenant, faults=generous()) as sandbox:
        yield sandbox


def generous(**faults: object) -> Faults:
    """Return faults with quotas that no test reaches."""
    return Faults(
        **{"calls_per_minute": UNHURRIED, "alert_requests_per_minute": UNHURRIED, **faults}
    )


def environment(sandbox: Sandbox, lake: Path, **settings: str) -> dict[str, str]:
    """Return the whole environment of a client of `sandbox`."""
    return {
        **sandbox.environment,
        "DEFENDER_LAKE": str(lake),
        "DEFENDER_HUNTING_CALLS_PER_MINUTE": str(UNHURRIED),
        **settings,
    }


def days(tenant: Tenant) -> tuple[date, date]:
    """Return the first and the last day with alerts."""
    return tenant.days[0], tenant.days[-1]


def table(lake: Path, layer: str, name: str) -> pl.DataFrame:
    """Read one table of a lake without the project."""
    frame = pl.read_parquet(lake / layer / name / "**" / "*.parquet", hive_partitioning=False)
    return frame


def plain(environment_: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for a child process: this one's without settings, and the given."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AZURE_", "DEFENDER_", "DAGSTER_"))}
    return {**kept, **environment_}
