"""What matters around a day's alerts: which devices when, and how much of it is pulled already."""

from datetime import date
from typing import Final

import polars as pl

from etl import ticks
from etl.contracts.core import ALERT_DEVICES, ALERT_EVIDENCE, ALERTS
from etl.contracts.hunting import DEVICE_INFO, hunting
from etl.contracts.ops import LEDGER
from etl.lake import engine
from etl.lake.lake import Lake
from etl.models import relations
from etl.models.correlation import NEAR, RETENTION
from etl.sources.counts import Cells
from etl.sources.pace import Pace
from etl.sources.plan import Plan, Slice
from etl.sources.scope import Scope
from etl.windows import Window

AROUND_CREATION: Final = 5 * ticks.PER_MINUTE
"""How far around the creation of a process that evidence names telemetry is pulled."""

LEARNED_FROM: Final = 7
"""Days of the ledger that the pace of a table is learned from, the newest."""

_ENOUGH_ROWS: Final = 100
_ACTIVITY: Final = ("FirstActivityTime", "LastActivityTime")


def scope(lake: Lake, day: date, creation: int = AROUND_CREATION) -> Scope:
    """Return the devices that the day's alerts name and the windows that matter.

    Ids that were merged with one of them matter when it does, as far as DeviceInfo was pulled;
    `creation` is how far around the creation of a process to look, in ticks. How far back there is
    any telemetry is for the service to say.
    """
    named = _windows(lake, day, creation)
    windows = {device: list(several) for device, several in named.items()}
    others = aliases(lake, day)
    for device, several in named.items():
        for other in others.get(device, ()):
            windows.setdefault(other, []).extend(several)
    return Scope.around(windows, limits(day))


def own(lake: Lake, day: date, creation: int = AROUND_CREATION) -> Scope:
    """Return the same without ids that were merged: the same whatever is known of these."""
    return Scope.around(_windows(lake, day, creation), limits(day))


def named(lake: Lake, day: date) -> frozenset[str]:
    """Return the devices that the day's alerts name, by whatever id."""
    return frozenset(_windows(lake, day, AROUND_CREATION))


def limits(day: date) -> Window:
    """Return all that can matter to the alerts of a day.

    What an alert says of its time may be far off: windows reach as far from its creation as
    telemetry is kept.
    """
    of_day = Window.of_day(day)
    return Window(of_day.start - RETENTION, of_day.end + RETENTION)


def aliases(lake: Lake, day: date) -> dict[str, list[str]]:
    """Return the other ids of the machine behind each device id, by what was pulled for a day."""
    info = lake.path(hunting(DEVICE_INFO), day)
    if not info.exists():
        return {}
    with lake.staging() as folder, engine.connection(folder) as duck:
        return relations.aliases(duck, info)


def _windows(lake: Lake, day: date, creation: int) -> dict[str, list[Window]]:
    """Return when each device that the day's alerts name matters: activity, and creations."""
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
    windows: dict[str, list[Window]] = {}
    for frame, margin in ((activity, NEAR), (processes, creation)):
        for device, start, end in frame.iter_rows():
            windows.setdefault(device, []).append(Window(start - margin, end + margin))
    return windows


def paces(lake: Lake) -> pl.DataFrame:
    """Return what a row of each table took in the last pulls: Table, Bytes, Seconds."""
    days = lake.days(LEDGER)[-LEARNED_FROM:]
    rows = [lake.read(LEDGER, day, "hunting") for day in days]
    return (
        pl.concat([LEDGER.empty(), *rows])
        .filter(Status="complete")
        .filter(pl.col("Rows") >= _ENOUGH_ROWS, pl.col("Table") != "*")
        .group_by("Table")
        .agg(
            Bytes=pl.col("Bytes").sum() / pl.col("Rows").sum(),
            Seconds=(pl.col("EndedAt") - pl.col("StartedAt")).dt.total_microseconds().sum()
            / 1e6
            / pl.col("Rows").sum(),
        )
        .sort("Table")
    )


def as_paces(frame: pl.DataFrame) -> dict[str, Pace]:
    """Return the frame of `paces` as what a plan takes."""
    return {table: Pace(size, seconds) for table, size, seconds in frame.iter_rows()}


def as_cells(frame: pl.DataFrame) -> dict[str, Cells]:
    """Return ops/DeviceHours as how many rows of each hour of a device were pulled."""
    cells: dict[str, Cells] = {}
    chosen = frame.select("Table", "DeviceId", _ticks(pl.col("Hour")), "Pulled")
    for table, device, hour, rows in chosen.iter_rows():
        cells.setdefault(table, {})[device, hour] = rows
    return cells


def device_hours(
    lake: Lake, planned: Plan, whole: list[Slice], before: pl.DataFrame
) -> pl.DataFrame:
    """Return ops/DeviceHours after a pull: what was counted, and what the whole slices brought.

    What was not counted anew stays as it was `before`.
    """
    counts, held = planned.counts, as_cells(before)
    pulled = {(piece.table, *cell) for piece in whole for cell in piece.scope.cells}
    rows = []
    for table, cells in counts.cells.items():
        for (device, hour), events in cells.items():
            known = held.get(table, {}).get((device, hour), 0)
            came = events if (table, device, hour) in pulled else 0
            rows.append((table, device, hour, events, max(known, came)))
    frame = pl.DataFrame(
        rows, schema=["Table", "DeviceId", "Hour", "Events", "Pulled"], orient="row"
    ).select(
        pl.lit(lake.tenant).alias("TenantId"),
        pl.col("Table").cast(pl.String),
        pl.col("DeviceId").cast(pl.String),
        ticks.instant(pl.col("Hour").cast(pl.Int64)).alias("Hour"),
        pl.col("Events").cast(pl.Int64),
        pl.col("Pulled").cast(pl.Int64),
        pl.lit(counts.ended).cast(pl.Datetime("us", "UTC")).alias("IngestedAt"),
        pl.lit(counts.request_id).alias("SourceRequestId"),
    )
    key = ["Table", "DeviceId", "Hour"]
    return pl.concat([frame, before.join(frame, on=key, how="anti")]).sort(key)


def _ticks(moment: pl.Expr) -> pl.Expr:
    return moment.dt.epoch("us") * ticks.PER_MICROSECOND + ticks.UNIX_EPOCH
