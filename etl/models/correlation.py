"""Running the correlation of one day: its relations in order, its two marts as staged files."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import polars as pl

from etl import ticks
from etl.contracts.contract import Contract
from etl.contracts.mart import ALERT_CORRELATION, CORRELATED_ALERTS
from etl.lake import engine
from etl.lake.engine import Engine

RETENTION: Final = 30 * ticks.PER_DAY
"""How long hunting keeps telemetry (learn.microsoft.com/defender-xdr/advanced-hunting-limits)."""

LANDING: Final = 40 * ticks.PER_MINUTE
"""How long telemetry has been seen to take to arrive."""

_STEPS: Final = (
    ("event_keys", "EventKeys", "view"),
    ("device_paths", "DevicePaths", "view"),
    ("speaking_devices", "SpeakingDevices", "table"),
    ("platforms", "Platforms", "table"),
    ("evidence_keys", "EvidenceKeys", "table"),
    ("process_keys", "ProcessKeys", "table"),
    ("instances", "Instances", "table"),
    ("homes", "Homes", "table"),
    ("candidates", "Candidates", "table"),
    ("matches", "Matches", "table"),
    ("matched_events", "MatchedEvents", "table"),
    ("events", "Events", "table"),
)


@dataclass(frozen=True, slots=True)
class Marts:
    """The staged files of one day's marts."""

    correlated: Path
    correlation: Path


def correlate(
    duck: Engine, inputs: Mapping[str, Path | pl.DataFrame], tolerance: int, folder: Path
) -> Marts:
    """Correlate one day; `tolerance` is in ticks.

    `inputs` are AlertDevices, AlertEvidence, Alerts, Ledger and the event tables, each as a Parquet
    file or, where there is none yet, as a frame.
    """
    for name, source in inputs.items():
        _offer(duck, name, source)
    parameters = pl.DataFrame({"Tolerance": tolerance, "Landing": LANDING, "Retention": RETENTION})
    _offer(duck, "Parameters", parameters)
    for file, name, kind in _STEPS:
        duck.execute(f"create temp {kind} {name} as {sql(file)}")
    marts = Marts(folder / "correlated.parquet", folder / "correlation.parquet")
    _write(duck, "correlated_alerts", CORRELATED_ALERTS, marts.correlated)
    _write(duck, "alert_correlation", ALERT_CORRELATION, marts.correlation)
    return marts


@cache
def sql(file: str) -> str:
    """Return the select of one file of `sql`."""
    return resources.files(__package__).joinpath("sql", f"{file}.sql").read_text()


def _offer(duck: Engine, name: str, source: Path | pl.DataFrame) -> None:
    if isinstance(source, Path):
        duck.read_parquet(engine.literal(source), hive_partitioning=False).create_view(name)
    else:
        duck.register(name, source.to_arrow())


def _write(duck: Engine, file: str, contract: Contract, target: Path) -> None:
    columns = ", ".join(contract.types)
    engine.write(duck, f"select {columns} from ({sql(file)}\n)", target)  # noqa: S608
