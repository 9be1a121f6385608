"""Telemetry that landed after its pull: which days have misses that may be decided otherwise now.

A miss that waits for telemetry, or for a pull that was not complete, is due once there has been
time for it. A miss that was closed is opened again where its devices have more rows by now than
were pulled, which one count over all days tells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import polars as pl

from etl import ticks
from etl.contracts.core import ALERT_DEVICES
from etl.contracts.hunting import EVENT_TABLES
from etl.contracts.mart import ALERT_CORRELATION
from etl.contracts.ops import DEVICE_HOURS
from etl.lake.lake import Lake
from etl.models.correlation import RETENTION
from etl.sources.counts import Cells, count
from etl.sources.hunting import Runs
from etl.sources.scope import Scope
from etl.stages import around
from etl.stages.options import Options
from etl.windows import Window

WAITING: Final = ("not_landed_yet", "incomplete_pull")
CLOSED: Final = ("no_match", "device_silent")


@dataclass(frozen=True, slots=True)
class _Misses:
    """A day with closed misses, and what telemetry could still open them."""

    day: date
    scope: Scope
    held: dict[str, Cells]


def find(hunting: Runs, lake: Lake, now: datetime, options: Options) -> tuple[date, ...]:
    """Return the days to pull again, oldest first; asks one count, where a miss was closed.

    Raises an AccessError.
    """
    due: set[date] = set()
    misses: list[_Misses] = []
    for day in _retained(lake, now):
        found = lake.read(ALERT_CORRELATION, day).filter(pl.col("Reason").is_not_null())
        if _waited(found, now, options.landing):
            due.add(day)
            continue
        scope = around.scope(lake, day).only(_devices(lake, day, found))
        if scope.groups:
            held = around.as_cells(lake.read(DEVICE_HOURS, day))
            misses.append(_Misses(day, scope, held))
    return tuple(sorted(due | _landed(hunting, misses, options.max_rows)))


def _retained(lake: Lake, now: datetime) -> list[date]:
    """Return the days whose telemetry the service may still have."""
    oldest = (now - timedelta(microseconds=RETENTION // ticks.PER_MICROSECOND)).date()
    return [day for day in lake.days(ALERT_CORRELATION) if day >= oldest]


def _waited(found: pl.DataFrame, now: datetime, landing: int) -> bool:
    """Return whether a miss has waited for as long as it was to."""
    created = ticks.instant(pl.col("ProcessCreationTicks"))
    moment = pl.max_horizontal(created, "CreatedTime")
    deadline = moment + pl.duration(microseconds=landing // ticks.PER_MICROSECOND)
    return not found.filter(pl.col("Reason").is_in(WAITING), deadline <= now).is_empty()


def _devices(lake: Lake, day: date, found: pl.DataFrame) -> list[str]:
    """Return the devices on which closed misses could still be found, merged ones included."""
    closed = found.filter(pl.col("Reason").is_in(CLOSED)).select("AlertId", Own="DeviceId")
    named = lake.read(ALERT_DEVICES, day).select("AlertId", "DeviceId")
    either = closed.join(named, on="AlertId", how="left").select(pl.coalesce("Own", "DeviceId"))
    devices = set(either.to_series().drop_nulls())
    others = around.aliases(lake, day)
    return sorted(devices.union(*(others.get(device, ()) for device in devices)))


def _landed(hunting: Runs, misses: Sequence[_Misses], max_rows: int) -> set[date]:
    """Return the days of which the service has rows that were not pulled."""
    if not misses:
        return set()
    windows: dict[str, list[Window]] = {}
    for miss in misses:
        for group in miss.scope.groups:
            for device in group.devices:
                windows.setdefault(device, []).append(group.window)
    spans = [miss.scope.span for miss in misses]
    whole = Window(min(span.start for span in spans), max(span.end for span in spans))
    counts = count(hunting, EVENT_TABLES, Scope.around(windows, whole), max_rows)
    return {
        miss.day
        for miss in misses
        for table, cells in counts.cells.items()
        if _more(cells, miss, table)
    }


def _more(cells: Cells, miss: _Misses, table: str) -> bool:
    held = miss.held.get(table, {})
    return any(
        cells.get((device, hour), 0) > held.get((device, hour), 0)
        for device, hour in miss.scope.cells
    )
