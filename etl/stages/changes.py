"""Finding the days whose alerts changed since they were published, and keeping that watermark.

Asks what the service updated since the watermark, the overlap before it included, and holds it
against the lake. Where all of it is there and every day is published, the watermark moves; where
not, the days behind are named and it stays, however often that takes. Making those days again is
for whoever runs the stages.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from etl import ticks
from etl.contracts.raw import ALERTS
from etl.lake.lake import Lake
from etl.sources.alerts import AlertSource, instants
from etl.stages import watermarks
from etl.stages.stillness import heard_of, still
from etl.stages.watermarks import FOREVER, Watermark
from etl.values import digest
from etl.windows import Window

log = logging.getLogger(__name__)

FIRST_DAYS: Final = 3
"""Days up to today that an empty lake begins with."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The days to make again, oldest first, and what the service said it kept back."""

    days: tuple[date, ...]
    doubts: tuple[str, ...] = ()


@dataclass(slots=True)
class _Seen:
    """What was listed: the days behind, and the newest update."""

    behind: set[date]
    newest: int = -1
    doubts: tuple[str, ...] = ()


def find(source: AlertSource, lake: Lake, today: date, overlap: int) -> Changes:
    """Return the days behind the service; with none, move the watermark.

    Days count from the lake's first one; an alert of a day before that is not asked for. `overlap`
    is in ticks. Raises an AccessError, and LakeError where the lake cannot be written.
    """
    started = datetime.now(UTC)
    first = next(iter(lake.days(ALERTS)), today - timedelta(days=FIRST_DAYS - 1))
    days = Window(Window.of_day(first).start, Window.of_day(today).end).days
    unsettled = watermarks.unsettled(lake, source.name, days)
    if len(unsettled) == len(days):
        return Changes(tuple(days))
    window = Window(Window.of_day(first).start, Window.of_day(today + timedelta(days=1)).end)
    settled = [day for day in days if day not in unsettled]
    since = watermarks.since(lake, source.name, settled, overlap)
    known = heard_of(lake, source.name, days).height
    if known <= source.page:
        since = None
    if since is not None and not unsettled and still(source, lake, window, since, overlap):
        return Changes(())
    seen = _compare(lake, source, window, since)
    if since is not None and not seen.behind and (source.count(window) or 0) > known:
        log.warning("alerts created since %s are missing; all are asked for", first)
        seen = _compare(lake, source, window, None)
    behind = tuple(sorted({*unsettled, *seen.behind}))
    if not behind and not seen.doubts:
        reached = max(seen.newest, -1 if since is None else since + overlap)
        reached = min(reached, ticks.from_datetime(started))
        mark = Watermark(Window(window.start, FOREVER), reached if reached > 0 else None, started)
        watermarks.claim(lake, source.name, mark)
    return Changes(behind, seen.doubts)


def _compare(lake: Lake, source: AlertSource, window: Window, since: int | None) -> _Seen:
    """Hold what the service lists against raw/Alerts, state by state."""
    seen, known = _Seen(set()), dict[date, set[str]]()
    for page in source.changed(window, since):
        seen.doubts += page.doubts
        seen.newest = max([seen.newest, *instants(page.records, source.updated)])
        moments = instants(page.records, source.created)
        for record, created in zip(page.records, moments, strict=True):
            if window.start <= created < window.end:
                day = ticks.to_datetime(created).date()
                hashes = known.setdefault(day, _hashes(lake, day))
                if digest(record) not in hashes:
                    seen.behind.add(day)
    return seen


def _hashes(lake: Lake, day: date) -> set[str]:
    return set(lake.read(ALERTS, day)["ContentHash"])
