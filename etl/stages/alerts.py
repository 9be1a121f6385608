"""The stage that pulls alerts as they are, with a ledger of what was asked and what came."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from etl import ticks
from etl.contracts.ops import LEDGER
from etl.contracts.raw import ALERTS
from etl.errors import AccessError, Throttled
from etl.lake import engine
from etl.lake.lake import Lake
from etl.sources.alerts import AlertSource, Page, instants
from etl.stages import watermarks
from etl.stages.report import Report
from etl.stages.stillness import heard_of, still
from etl.values import digest, part, text
from etl.windows import Window, of_days

log = logging.getLogger(__name__)

_FEW: Final = 3
"""Alerts that the day before had by this hour, on average, for their lack to be worth a word."""

_KEY: Final = "coalesce(AlertId, Record), ContentHash"
_OF_DAY: Final = f"""
with Given as (
    select * from read_parquet($staged, hive_partitioning = false) where Day = $day
), Known as (
    select * from read_parquet($known, hive_partitioning = false)
), Every as (select * exclude (Day) from Given union all by name select * from Known)
select * from Every
qualify row_number() over (partition by {_KEY} order by IngestedAt) = 1
order by AlertId, IngestedAt, ContentHash
"""  # noqa: S608 - constants of this module
_FIRST_SEEN: Final = f"""
select count(*) from (
    select distinct {_KEY} from read_parquet($staged, hive_partitioning = false) where Day = $day
    except
    select {_KEY} from read_parquet($known, hive_partitioning = false)
)
"""  # noqa: S608 - likewise


@dataclass(slots=True)
class _Listing:
    """What one listing of a window brought so far; the alerts themselves are in files."""

    window: Window
    since: int | None
    started: datetime
    pages: list[Page] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    rows: dict[date, int] = field(default_factory=dict)
    newest: int | None = None
    failure: AccessError | None = None

    @property
    def doubts(self) -> tuple[str, ...]:
        """What may be missing, one line each."""
        told = [doubt for page in self.pages for doubt in page.doubts]
        return tuple(dict.fromkeys([*told, *([str(self.failure)] if self.failure else [])]))

    @property
    def status(self) -> str:
        """How it ended, in the ledger's words."""
        if self.failure and not self.pages:
            return "failed"
        return "partial" if self.doubts else "complete"


def pull(source: AlertSource, lake: Lake, days: Sequence[date], overlap: int) -> dict[date, Report]:
    """Add to raw/Alerts of `days` what the service has now, and replace their ledger of it.

    Days that follow each other are one listing. Where the lake holds more of them than a request
    brings, only what was updated since their watermark is asked for, `overlap` ticks before it
    included; and all of it where the service then counts more alerts than are known.
    A listing that breaks off keeps what came and is `partial`, in the ledger and in the reports.
    Raises an AccessError where nothing came, and Throttled always.
    """
    reports: dict[date, Report] = {}
    for window in of_days(days):
        since = watermarks.since(lake, source.name, window.days, overlap)
        if heard_of(lake, source.name, window.days).height <= source.page:
            since = None
        unsettled = watermarks.unsettled(lake, source.name, window.days)
        if since is not None and not unsettled and still(source, lake, window, since, overlap):
            log.info("%s: nothing changed", window)
            reports |= _as_they_were(lake, window)
            continue
        reports |= _pull(source, lake, window, since)
        if since is not None and _falls_short(source, lake, window, reports):
            log.warning("%s: alerts are missing; all are asked for", window)
            reports |= _pull(source, lake, window, None)
    return {day: reports[day] for day in days}


def _pull(source: AlertSource, lake: Lake, window: Window, since: int | None) -> dict[date, Report]:
    listing = _Listing(window, since, datetime.now(UTC))
    with lake.staging() as folder:
        try:
            for page in source.changed(window, since):
                _keep(listing, page, lake, source, folder)
        except AccessError as error:
            listing.failure = error
        reports = {} if listing.status == "failed" else _publish(lake, source, listing)
    for day in window.days:
        row = _ledger(lake, source, listing, day)
        lake.publish(LEDGER, day, row, watermarks.ALERTS_PART)
    if listing.failure and (listing.status == "failed" or isinstance(listing.failure, Throttled)):
        raise listing.failure
    return reports


def _keep(listing: _Listing, page: Page, lake: Lake, source: AlertSource, folder: Path) -> None:
    """Write the alerts of a page aside, each with the day it belongs to."""
    listing.pages.append(page.without_records())
    if not page.records:
        return
    rows = ALERTS.frame([_row(record, page, lake, source) for record in page.records])
    days = [_day(moment, listing.window) for moment in instants(page.records, source.created)]
    for day in days:
        listing.rows[day] = listing.rows.get(day, 0) + 1
    newest = max(instants(page.records, source.updated))
    listing.newest = max(newest, listing.newest or newest)
    listing.files.append(folder / f"page-{len(listing.files)}.parquet")
    rows.with_columns(Day=pl.Series(days, dtype=pl.Date)).write_parquet(
        listing.files[-1], compression="zstd"
    )
    log.info("%d alerts listed", sum(listing.rows.values()))


def _day(created: int, window: Window) -> date:
    """Return the day of an alert; the first one for what the window should not hold."""
    inside = window.start <= created < window.end
    return ticks.to_datetime(created if inside else window.start).date()


def _row(record: object, page: Page, lake: Lake, source: AlertSource) -> dict[str, object]:
    alert = part(record)
    return {
        "TenantId": lake.tenant,
        "AlertId": text(alert.get("id")),
        "AlertSource": source.name,
        "CreatedDateTime": text(alert.get(source.created)),
        "LastUpdateDateTime": text(alert.get(source.updated)),
        "ContentHash": digest(record),
        "Record": json.dumps(record),
        "IngestedAt": datetime.now(UTC),
        "SourceRequestId": page.request_id,
    }


def _publish(lake: Lake, source: AlertSource, listing: _Listing) -> dict[date, Report]:
    reports = {}
    calls = sum(page.calls for page in listing.pages)
    remarks = tuple(dict.fromkeys(r for page in listing.pages for r in page.remarks))
    for day in listing.window.days:
        read = listing.rows.get(day, 0)
        merged = _merge(lake, source, listing, day) if read else _as_it_was(lake, day)
        rows, new, changed = merged
        reports[day] = Report(
            rows=rows,
            read=read,
            published=new,
            duplicates=read - new,
            changed=changed,
            figures={"api_calls": calls if day == listing.window.days[0] else 0},
            incomplete=listing.doubts,
            doubts=(*_silence(lake, day, rows), *remarks),
        )
        log.info("%s: %d alerts read, %d states new", day, read, new)
    return reports


def _merge(lake: Lake, source: AlertSource, listing: _Listing, day: date) -> tuple[int, int, bool]:
    """Publish a day's known and given states; return the rows, the new ones, and whether any.

    The ledger says beforehand that something is under way: whoever finds that said still, after a
    crash, knows that the day has to be made again.
    """
    target = listing.files[0].parent / f"{day}.parquet"
    known = lake.path(ALERTS, day)
    if not known.exists():
        known = target.with_name("none.parquet")
        ALERTS.empty().write_parquet(known)
    files = [engine.literal(path) for path in listing.files]
    values = {"staged": files, "known": engine.literal(known), "day": day}
    with engine.connection(target.parent) as duck:
        rows = engine.write(duck, _OF_DAY, target, values)
        found = duck.execute(_FIRST_SEEN, values).fetchone()
    new = int(found[0]) if found else 0
    if new:
        begun = _ledger(lake, source, listing, day).with_columns(
            Status=pl.lit("partial"), Detail=pl.lit("being published")
        )
        lake.publish(LEDGER, day, begun, watermarks.ALERTS_PART)
    return rows, new, lake.publish_file(ALERTS, day, target)


def _as_they_were(lake: Lake, window: Window) -> dict[date, Report]:
    """Report days about which nothing was read."""
    rows = {day: lake.rows(ALERTS, day) for day in window.days}
    return {
        day: Report(rows=rows[day], read=0, published=0, changed=False,
                    doubts=_silence(lake, day, rows[day]))
        for day in window.days
    }  # fmt: skip


def _as_it_was(lake: Lake, day: date) -> tuple[int, int, bool]:
    """Return what `_merge` would of a day about which nothing came; nothing is a result as well."""
    path = lake.path(ALERTS, day)
    if path.exists():
        return lake.rows(ALERTS, day), 0, False
    return 0, 0, lake.publish(ALERTS, day, ALERTS.empty())


def _silence(lake: Lake, day: date, rows: int) -> tuple[str, ...]:
    """Return a doubt about a day without alerts after one that had some.

    A day that has only begun is given as much of itself as it takes to expect an alert or two.
    """
    if rows:
        return ()
    earlier = lake.rows(ALERTS, day - timedelta(days=1))
    start, now = Window.of_day(day).start, ticks.from_datetime(datetime.now(UTC))
    passed = min(1.0, max(0.0, (now - start) / ticks.PER_DAY))
    if earlier == 0 or (passed < 1 and earlier * passed < _FEW):
        return ()
    return (f"no alert was created on {day}; the day before had {earlier}",)


def _falls_short(
    source: AlertSource, lake: Lake, window: Window, reports: dict[date, Report]
) -> bool:
    """Return whether the service counts more alerts in a window than the lake has heard of."""
    if any(report.incomplete for report in reports.values()):
        return False
    counted = source.count(window)
    return counted is not None and counted > heard_of(lake, source.name, window.days).height


def _ledger(lake: Lake, source: AlertSource, listing: _Listing, day: date) -> pl.DataFrame:
    """Return a day's row of the ledger; the requests of a listing are booked on its first day."""
    start, end = Window.of_day(day).instants
    first = day == listing.window.days[0]
    pages = listing.pages if first else []
    reached = _reached(lake, source, listing, day)
    row = {
        "TenantId": lake.tenant,
        "Source": source.name,
        "Table": "Alerts",
        "WindowStart": start,
        "WindowEnd": end,
        "Slice": "created" if listing.since is None else "changed",
        "Status": listing.status,
        "Detail": "; ".join(listing.doubts) or None,
        "Expected": pages[0].announced if pages else None,
        "Rows": listing.rows.get(day, 0),
        "Bytes": sum(page.size for page in pages),
        "Calls": sum(page.calls for page in pages),
        "Throttled": sum(page.throttled for page in pages),
        "StartedAt": listing.started,
        "EndedAt": datetime.now(UTC),
        "QueryHash": digest([source.name, str(listing.window), listing.since]),
        "UpdatedThrough": None if reached is None else ticks.to_datetime(reached),
        "IngestedAt": listing.started,
        "SourceRequestId": listing.pages[-1].request_id if listing.pages else None,
    }
    return LEDGER.frame([row])


def _reached(lake: Lake, source: AlertSource, listing: _Listing, day: date) -> int | None:
    """Return the newest update that the day is known to, in ticks; no update is of tomorrow."""
    known = None if listing.since is None else watermarks.through(lake, source.name, [day])[day]
    moments = [moment for moment in (listing.newest, known) if moment is not None and moment > 0]
    return min(max(moments), ticks.from_datetime(listing.started)) if moments else None
