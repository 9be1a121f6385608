"""The stage that pulls telemetry around the alerts, as it is, with a ledger of each slice."""

import logging
from dataclasses import replace
from datetime import date
from typing import Final

import polars as pl

from etl import ticks
from etl.contracts.core import ALERT_DEVICES, ALERT_EVIDENCE, ALERTS
from etl.contracts.hunting import EVENT_TABLES
from etl.errors import AccessError
from etl.lake.lake import Lake
from etl.models.correlation import RETENTION
from etl.sources import slices
from etl.sources.hunting import Hunting
from etl.sources.scope import Scope
from etl.sources.slices import Pulled
from etl.stages.landing import Landing
from etl.stages.report import Report
from etl.windows import Window

log = logging.getLogger(__name__)

LEDGER_PART: Final = "hunting"
"""The part of the ledger that is about telemetry."""

AROUND_ACTIVITY = ticks.PER_HOUR
"""How far around an alert's activity telemetry is pulled, as in Microsoft's go-hunt."""

AROUND_CREATION = 5 * ticks.PER_MINUTE
"""The same around the creation of a process that evidence names."""

_ACTIVITY: Final = ("FirstActivityTime", "LastActivityTime")


def scope(lake: Lake, day: date) -> Scope:
    """Return the devices that the day's alerts name and the windows that matter.

    What an alert says of its time may be far off: windows reach as far from its creation as
    telemetry is kept. How far back there is any telemetry is for the service to say.
    """
    alerts = lake.read(ALERTS, day).select("AlertId", "CreatedTime", *_ACTIVITY)
    devices = lake.read(ALERT_DEVICES, day).select("AlertId", "DeviceId")
    processes = (
        lake.read(ALERT_EVIDENCE, day)
        .filter(pl.col("ProcessCreationTicks").is_not_null())
        .select("AlertId", "ProcessCreationTicks", Own="DeviceId")
        .join(devices, on="AlertId", how="left")
        .select(
            pl.coalesce("Own", "DeviceId").alias("DeviceId"),
            Start="ProcessCreationTicks",
            End="ProcessCreationTicks",
        )
        .drop_nulls()
    )
    activity = devices.join(alerts, on="AlertId").select(
        "DeviceId",
        Start=_ticks(pl.coalesce(pl.min_horizontal(*_ACTIVITY), "CreatedTime")),
        End=_ticks(pl.coalesce(pl.max_horizontal(*_ACTIVITY), "CreatedTime")),
    )
    of_day = Window.of_day(day)
    limits = Window(of_day.start - RETENTION, of_day.end + RETENTION)
    windows: dict[str, list[Window]] = {}
    for frame, margin in ((activity, AROUND_ACTIVITY), (processes, AROUND_CREATION)):
        for device, start, end in frame.iter_rows():
            windows.setdefault(device, []).append(Window(start - margin, end + margin))
    return Scope.around(windows, limits)


def pull(hunting: Hunting, lake: Lake, day: date, max_rows: int) -> dict[str, Report]:
    """Add to the raw telemetry of `day`, and replace its ledger.

    Returns a report per event table. Raises an AccessError that asking for less does not cure;
    what came before it is kept, and the ledger says where it stopped. An interrupt changes nothing.
    """
    around = scope(lake, day)
    failure: AccessError | None = None
    with lake.staging() as folder:
        landing = Landing(lake, day, folder)
        try:
            for pulled in slices.pull(hunting, EVENT_TABLES, around, max_rows):
                landing.add(pulled)
                log.info("%s: %s", day, _told(pulled))
        except AccessError as error:
            failure = error
            landing.add(Pulled.stopped(around.span, str(error)))
        reports = {table: landing.publish(table) for table in EVENT_TABLES}
    landing.record(LEDGER_PART)
    if failure:
        raise failure
    ending = (hunting.ending,) if hunting.ending else ()
    return {table: replace(report, doubts=ending) for table, report in reports.items()}


def _told(pulled: Pulled) -> str:
    """Return an outcome as a line of progress."""
    if pulled.part == slices.COUNT:
        return f"{pulled.expected or 0:,} telemetry rows counted around the alerts"
    end = "" if pulled.status == "complete" else f", {pulled.status}: {pulled.detail}"
    return f"{pulled.rows:,} rows of {pulled.table} pulled{end}"


def _ticks(moment: pl.Expr) -> pl.Expr:
    return moment.dt.epoch("us") * ticks.PER_MICROSECOND + ticks.UNIX_EPOCH
