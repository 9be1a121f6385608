"""Running the whole job against a sandbox, and reading what it left, for tests of the pipeline."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from assets.automation import RANGE_END, RANGE_START, daily
from assets.definitions import build
from assets.tenants import connected
from etl.sandbox import Faults, Sandbox, Tenant

UNHURRIED = 100_000
"""Calls a minute where a test is about something else than the quota."""


def generous(**faults: Any) -> Faults:  # noqa: ANN401
    """Return faults with quotas that no test reaches."""
    return Faults(
        **{
            "calls_per_minute": UNHURRIED,
            "alert_requests_per_minute": UNHURRIED,
            "mde_requests_per_minute": UNHURRIED,
            **faults,
        }
    )


def environment(sandbox: Sandbox, lake: Path, **settings: str) -> dict[str, str]:
    """Return the settings of a client of `sandbox`."""
    return {
        **sandbox.environment,
        "DEFENDER_LAKE": str(lake),
        "DEFENDER_HUNTING_CALLS_PER_MINUTE": str(UNHURRIED),
        **settings,
    }


def run(settings: Mapping[str, str], tenant: Tenant) -> dg.ExecuteInProcessResult:
    """Run the job over all days of `tenant`, as the command line does, in a passing instance."""
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with connected(settings) as tenants:
        names = [one.name for one in tenants.every]
        definitions = build(dg.ResourceDefinition.hardcoded_resource(tenants), names)
        with dg.DagsterInstance.ephemeral() as instance:
            return definitions.resolve_job_def(daily.name).execute_in_process(
                instance=instance,
                run_config=quiet,
                tags={RANGE_START: str(tenant.days[0]), RANGE_END: str(tenant.days[-1])},
                raise_on_error=False,
            )


def table(lake: Path, layer: str, name: str) -> pl.DataFrame:
    """Read one table of a lake without the project."""
    return pl.read_parquet(lake / layer / name / "**/*.parquet", hive_partitioning=False)


def bare(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child process: this one's without settings, and the given."""
    ours = ("AZURE_", "DEFENDER_", "DAGSTER_", "REQUESTS_")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)} | dict(settings)
