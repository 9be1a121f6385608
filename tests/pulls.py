"""Pulling one day of a served tenant stage by stage, here or in a process to be killed."""

import multiprocessing
from collections.abc import Mapping
from datetime import date
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import polars as pl

from etl.lake.lake import Lake
from etl.settings import Settings
from etl.stages import alert_tables, alerts, devices, events, evidence, model, pull
from etl.stages.options import Options
from etl.stages.report import Report
from etl.tenant import Tenant

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["pulls"])

WHEN = {"IngestedAt", "SourceRequestId", "StartedAt", "EndedAt", "HuntedAt", "CountedAt"}
"""Columns that say when and by which request something came; no two runs agree on them."""


def model_day(settings: Mapping[str, str], day: date) -> None:
    """Pull and model the alerts of a day, so that its telemetry can be pulled."""
    with Tenant.connect(Settings.read(settings)) as tenant:
        alerts.pull(tenant.alerts, tenant.lake, [day], tenant.overlap)
        model.publish(tenant.lake, day)
        evidence.publish(tenant.lake, day)


def pull_day(settings: Mapping[str, str], day: date) -> dict[str, Report]:
    """Ask hunting everything about a day whose alerts are in the lake."""
    read = Settings.read(settings)
    with Tenant.connect(read) as tenant:
        options = Options.of(read)
        alert_tables.pull(tenant.hunting, tenant.lake, day, options)
        for table in ("AlertInfo", "AlertEvidence"):
            events.publish(tenant.lake, day, table)
        devices.pull(tenant.hunting, tenant.lake, day, options)
        return pull.pull(tenant.hunting, tenant.lake, day, options)


def start_pull(settings: Mapping[str, str], day: date) -> ForkServerProcess:
    """Pull a day in a process of its own, which a test may kill."""
    process = _PROCESSES.Process(target=pull_day, args=(dict(settings), day), daemon=True)
    process.start()
    return process


def options(max_rows: int = 100_000, *, parallel: int = 1, landing: int = 0) -> Options:
    """Return options for a pull that is not made from settings."""
    return Options(max_rows, parallel, "portal.example", landing, 100_000)


def lake_of(settings: Mapping[str, str]) -> Lake:
    """Return the lake that settings name."""
    read = Settings.read(settings)
    return Lake(read.lake, read.tenant_id)


def contents(lake: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return what every table of a lake says, whenever and by whichever request it came."""
    found = {}
    for folder in sorted(path for path in lake.glob("*/*") if not path.parent.name.startswith(".")):
        frame = pl.concat(
            [pl.read_parquet(file, hive_partitioning=False) for file in folder.rglob("*.parquet")],
            how="diagonal",
        )
        kept = frame.select(pl.exclude(*(WHEN & set(frame.columns))))
        found[f"{folder.parent.name}.{folder.name}"] = sorted(map(repr, kept.iter_rows()))
    return found
