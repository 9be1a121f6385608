"""Watermarks: how far the alerts of a window are published, and so where the next pull begins.

A watermark is a claim about the lake: every state of every alert created in the window, up to a
last update, is published with all that hangs on it. It is recorded once that is so, from what the
ledger says of the pull, and never where a pull was partial or a stage failed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import polars as pl

from etl import ticks
from etl.contracts.core import ALERT_VERSIONS
from etl.contracts.ops import LEDGER, QUARANTINE, WATERMARKS
from etl.contracts.raw import ALERTS
from etl.lake.lake import Lake
from etl.windows import Window, of_days

FOREVER: Final = ticks.from_datetime(datetime(9999, 12, 31, tzinfo=UTC))
"""End of a window that takes in the days to come: what is created later is updated later, too."""

ALERTS_PART: Final = "alerts"
"""The part of the ledger, and of the quarantine, that is about alerts."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """One claim: a window of creation, the last update (ticks) and the pulls that are published."""

    window: Window
    reached: int | None
    pulled: datetime

    def covers(self, day: date) -> bool:
        """Return whether all of a day lies in the window."""
        of_day = Window.of_day(day)
        return self.window.common(of_day) == of_day


def since(lake: Lake, source: str, days: Sequence[date], overlap: int) -> int | None:
    """Return the last update, in ticks, from which days have to be asked for; None for all of it.

    What became visible late is looked for `overlap` ticks further back.
    """
    reached = through(lake, source, days)
    known = [moment for moment in reached.values() if moment is not None]
    return max(min(known) - overlap, 0) if known and len(known) == len(reached) else None


def through(lake: Lake, source: str, days: Sequence[date]) -> dict[date, int | None]:
    """Return up to which last update, in ticks, each day is published; None where nothing says."""
    marks = list(_read(lake, source))
    return {
        day: max(
            (mark.reached for mark in marks if mark.reached and mark.covers(day)), default=None
        )
        for day in days
    }


def pulled_at(lake: Lake, source: str, days: Sequence[date]) -> datetime | None:
    """Return when the longest ago of some days' published pulls ended; None where one has none."""
    marks = list(_read(lake, source))
    ended = [max((m.pulled for m in marks if m.covers(day)), default=None) for day in days]
    known = [moment for moment in ended if moment is not None]
    return min(known) if len(known) == len(ended) else None


def unsettled(lake: Lake, source: str, days: Iterable[date]) -> list[date]:
    """Return the days that were never pulled, not whole, or whose last pull is not published."""
    marks = list(_read(lake, source))
    found = []
    for day in days:
        pull = _pull(lake, source, day)
        published = max((mark.pulled for mark in marks if mark.covers(day)), default=None)
        if pull is None:
            settled = any(mark.covers(day) and mark.window.end == FOREVER for mark in marks)
        else:
            settled = pull.status == "complete" and published is not None
            settled = settled and pull.ended <= (published or pull.ended)
        if not settled:
            found.append(day)
    return found


def move(lake: Lake, source: str, days: Sequence[date]) -> list[Window]:
    """Record what the last pull of some days reached; return the windows that moved.

    A stretch of days moves where the ledger says of all of them that they are complete, and every
    raw state has its row in AlertVersions or in quarantine: another run may have pulled meanwhile.
    To be called when everything made of the pull is published. Raises LakeError.
    """
    moved = []
    for window in of_days(days):
        pulls = [_pull(lake, source, day) for day in window.days]
        whole = [pull for pull in pulls if pull is not None and pull.status == "complete"]
        if len(whole) == len(pulls) and all(_modelled(lake, day) for day in window.days):
            reached = [pull.reached for pull in whole if pull.reached is not None]
            ended = max(pull.ended for pull in whole)
            claim(lake, source, Watermark(window, min(reached, default=None), ended))
            moved.append(window)
    return moved


def claim(lake: Lake, source: str, mark: Watermark) -> None:
    """Record a watermark, in place of those of its window that say less.

    Raises LakeError where the lake cannot be written.
    """
    start, end = mark.window.instants
    row = {
        "TenantId": lake.tenant,
        "Source": source,
        "WindowStart": start,
        "WindowEnd": end,
        "UpdatedThrough": None if mark.reached is None else ticks.to_datetime(mark.reached),
        "PulledAt": mark.pulled,
        "IngestedAt": datetime.now(UTC),
    }
    known = lake.read(WATERMARKS, start.date(), source)
    known = known.filter(pl.col("WindowEnd") > end)
    lake.publish(WATERMARKS, start.date(), pl.concat([known, WATERMARKS.frame([row])]), source)


def _modelled(lake: Lake, day: date) -> bool:
    """Return whether the standard model was made of all that raw has now."""
    states = lake.rows(ALERTS, day)
    rejected = lake.read(QUARANTINE, day, ALERTS_PART)
    turned_away = rejected.filter(pl.col("Table") == ALERT_VERSIONS.table).height
    return states == lake.rows(ALERT_VERSIONS, day) + turned_away


def _read(lake: Lake, source: str) -> Iterator[Watermark]:
    for first in lake.days(WATERMARKS):
        rows = lake.read(WATERMARKS, first, source)
        for row in rows.iter_rows(named=True):
            window = Window(*(ticks.from_datetime(row[n]) for n in ("WindowStart", "WindowEnd")))
            reached = row["UpdatedThrough"]
            yield Watermark(
                window, None if reached is None else ticks.from_datetime(reached), row["PulledAt"]
            )


@dataclass(frozen=True, slots=True)
class _Pull:
    """How the last pull of a day ended, when, and the newest update it saw, in ticks."""

    status: str
    ended: datetime
    reached: int | None


def _pull(lake: Lake, source: str, day: date) -> _Pull | None:
    ledger = lake.read(LEDGER, day, ALERTS_PART).filter(pl.col("Source") == source)
    for row in ledger.iter_rows(named=True):
        reached = row["UpdatedThrough"]
        newest = None if reached is None else ticks.from_datetime(reached)
        return _Pull(row["Status"], row["EndedAt"], newest)
    return None
