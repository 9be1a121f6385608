"""Running the whole job against a sandbox, and reading what it left, for tests of the pipeline."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from assets.automation import RANGE_END, RANGE_START, daily
from assets.definitions import build
from assets.tenants import ONLY, connected
from etl.sandbox import Faults, Sandbox, Tenant

CHECKOUT = Path(__file__).parent.parent
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
        "DEFENDER_STATE": os.environ["DEFENDER_STATE"],
        "DEFENDER_LAKE": str(lake),
        "DEFENDER_HUNTING_CALLS_PER_MINUTE": str(UNHURRIED),
        **settings,
    }


def run(
    settings: Mapping[str, str],
    tenant: Tenant,
    *,
    only: str | None = None,
    instance: dg.DagsterInstance | None = None,
) -> dg.ExecuteInProcessResult:
    """Run the job over all days of `tenant`, as the command line does, in a passing instance.

    `only` names the one tenant of the settings to do it for; `instance` records the run instead.
    """
    return run_days(settings, tenant.days, only=only, instance=instance)


def run_days(
    settings: Mapping[str, str],
    days: Sequence[date],
    *,
    only: str | None = None,
    instance: dg.DagsterInstance | None = None,
) -> dg.ExecuteInProcessResult:
    """Run the job from the first to the last of some days."""
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    tags = {RANGE_START: str(days[0]), RANGE_END: str(days[-1]), **({ONLY: only} if only else {})}
    with connected(settings) as tenants, ExitStack() as stack:
        names = [one.name for one in tenants.every]
        definitions = build(dg.ResourceDefinition.hardcoded_resource(tenants), names)
        return definitions.resolve_job_def(daily.name).execute_in_process(
            instance=instance or stack.enter_context(dg.DagsterInstance.ephemeral()),
            run_config=quiet,
            tags=tags,
            raise_on_error=False,
        )


def table(lake: Path, layer: str, name: str) -> pl.DataFrame:
    """Read one table of a lake without the project."""
    return pl.read_parquet(lake / layer / name / "**/*.parquet", hive_partitioning=False)


def bare(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child process: this one's without settings, and the given.

    Where calls are counted stays the same.
    """
    ours = ("AZURE_", "DEFENDER_", "DAGSTER_", "REQUESTS_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "DEFENDER_STATE" or not name.startswith(ours)
    }
    return kept | dict(settings)


def call(
    arguments: Sequence[str], settings: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a child process in `folder`, with nothing but `settings` set."""
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "etl", *arguments],
        env=bare(settings) | {"PYTHONPATH": str(CHECKOUT)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def lines_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the lines in which a command says what is wrong."""
    assert "Traceback" not in done.stderr + done.stdout
    return [line for line in done.stderr.splitlines() if line.startswith("defender-etl:")]
