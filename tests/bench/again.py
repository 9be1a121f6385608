"""A day published twice: from nothing, and again when one alert in a hundred has changed.

Run in a process of its own: `python -m bench.again LOAD` prints what both took, as JSON.
"""

import json
import shutil
import sys
import time

import duckdb
import polars as pl

from bench.telemetry import DAY, Load
from etl.contracts.core import ALERT_DEVICES, ALERT_EVIDENCE, ALERTS
from etl.contracts.hunting import EVENT_TABLES, hunting
from etl.contracts.ops import LEDGER
from etl.lake import engine
from etl.lake.lake import Lake
from etl.stages import marts

ONE_IN = 100
"""One alert of so many changes."""


def main(load: Load) -> dict[str, float]:
    """Publish a day twice; return how many alerts there are, and what each run took in seconds."""
    lake, day = _lake(load), DAY.date()
    first = _publish(lake)
    alerts = lake.read(ALERTS, day)
    changed = pl.int_range(pl.len()) % ONE_IN == 0
    status = pl.when(changed).then(pl.lit("Resolved")).otherwise("Status")
    lake.publish(ALERTS, day, alerts.with_columns(Status=status))
    return {"alerts": load.number, "first": first, "again": _publish(lake)}


def _publish(lake: Lake) -> float:
    started = time.perf_counter()
    marts.publish(lake, DAY.date(), tolerance_ms=10)
    return time.perf_counter() - started


def _lake(load: Load) -> Lake:
    """Return a lake with the telemetry in one file, as the pull leaves it, and the alerts."""
    lake = Lake(load.telemetry.folder / f"{load.telemetry.rows}" / "lake", "t")
    target = lake.path(hunting(EVENT_TABLES[0]), DAY.date())
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        config = {"memory_limit": "2GB", "temp_directory": str(lake.root / ".spilled")}
        with duckdb.connect(config=config) as duck:
            files = [str(file) for file in load.telemetry.files("sorted")]
            engine.write(duck, "from read_parquet($files)", part, {"files": files})
        part.rename(target)
    shutil.rmtree(lake.root / ".made", ignore_errors=True)
    frames = load.alerts()
    for contract in (ALERTS, ALERT_DEVICES, ALERT_EVIDENCE):
        lake.publish(contract, DAY.date(), frames[contract.table])
    lake.publish(LEDGER, DAY.date(), frames["Ledger"], "hunting")
    return lake


if __name__ == "__main__":
    print(json.dumps(main(Load.of(sys.argv[1]))))  # noqa: T201
