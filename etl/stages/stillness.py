"""Stillness: telling by three counts that nothing changed, where reading it all again costs more.

The overlap before a watermark is read again by every pull. Where it holds more alerts than a
request brings, as after a bulk update, three counts say the same for less: none updated after the
newest state known, as many updated within the overlap as known, no alert more than known. A state
that became visible late in place of another one of the overlap escapes them; so the watermark does
not move on their word, and after one overlap's time everything is read again.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import polars as pl

from etl import ticks
from etl.contracts.raw import ALERTS
from etl.lake.lake import Lake
from etl.sources.alerts import AlertSource
from etl.stages import watermarks
from etl.windows import Window


def heard_of(lake: Lake, source: str, days: Sequence[date]) -> pl.DataFrame:
    """Return the alerts created on some days that a source has named: Updated, in ticks, or -1.

    Grain: one alert, with its newest state's last update.
    """
    paths = [path for day in days if (path := lake.path(ALERTS, day)).exists()]
    if not paths:
        return pl.DataFrame(schema={"Updated": pl.Int64})
    states = pl.scan_parquet(paths, glob=False, hive_partitioning=False)
    updated = ticks.parse(pl.col("LastUpdateDateTime")).fill_null(-1)
    return (
        states.filter(pl.col("AlertSource") == source)
        .group_by(pl.coalesce("AlertId", "ContentHash"))
        .agg(Updated=updated.max())
        .select("Updated")
        .collect()
    )


def still(source: AlertSource, lake: Lake, window: Window, since: int, overlap: int) -> bool:
    """Return whether counts show that nothing of a window changed; `since` begins its overlap.

    False where the overlap is small, or was read too long ago. Raises an AccessError.
    """
    known = heard_of(lake, source.name, window.days)
    recent = known.filter(pl.col("Updated") >= since)
    newest = recent["Updated"].max()
    read = watermarks.pulled_at(lake, source.name, window.days)
    age = timedelta(microseconds=overlap // ticks.PER_MICROSECOND)
    if recent.height < source.page or read is None or datetime.now(UTC) - read > age:
        return False
    return (
        isinstance(newest, int)
        and (newest == ticks.LAST or source.count(window, newest + 1) == 0)
        and source.count(window, since) == recent.height
        and source.count(window) == known.height
    )
