"""The stage that pulls telemetry around the alerts by a plan, and keeps account of each slice.

The plan is made from one count; every answer is kept as it comes, so that a pull that was killed
goes on where it was. What is asked for beyond these windows belongs to `etl.stages.hunts`.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import polars as pl

from etl.contracts import raw
from etl.contracts.hunting import EVENT_TABLES
from etl.contracts.ops import DEVICE_HOURS
from etl.errors import AccessError
from etl.lake.lake import Lake
from etl.lake.spool import Spool
from etl.sources import slices
from etl.sources.hunting import Hunting, Runs
from etl.sources.outcomes import Pulled
from etl.sources.plan import COUNT, Plan, plan
from etl.sources.slices import Limit
from etl.stages import around
from etl.stages.landing import Landing
from etl.stages.options import Options
from etl.stages.remembered import Remembered
from etl.stages.report import Report
from etl.windows import Window

log = logging.getLogger(__name__)

LEDGER_PART: Final = "hunting"
"""The part of the ledger that is about telemetry around alerts."""

_HELD: Final = "held"
_PACES: Final = "paces"


def make_plan(asked: Runs, lake: Lake, day: date, max_rows: int, spool: Spool) -> Plan | None:
    """Count, and plan what to pull for `day`; None where its alerts name no device.

    What the plan depends on besides the alerts is kept in the spool, so that a pull that is resumed
    goes by the same plan. Raises an AccessError and LakeError.
    """
    scope = around.scope(lake, day)
    if not scope.groups:
        return None
    held = around.as_cells(_kept(spool, _HELD, lambda: _held(lake, day)))
    paces = around.as_paces(_kept(spool, _PACES, lambda: around.paces(lake)))
    return plan(asked, EVENT_TABLES, scope, max_rows, held=held, paces=paces)


def pull(
    hunting: Hunting, lake: Lake, day: date, options: Options, folder: Path
) -> tuple[dict[str, Report], tuple[str, ...]]:
    """Add to the raw telemetry around the alerts of `day`, and replace that part of its ledger.

    Returns a report per event table, and the tables that the tenant has. `folder` takes what is not
    published yet. Raises an AccessError that asking for less does not cure; what came before it is
    kept, and the ledger says where it stopped.
    """
    spool = Spool.open(lake, day)
    asked = Remembered(hunting, spool)
    landing = Landing(lake, day, folder)
    failure: AccessError | None = None
    planned, whole = None, []
    try:
        planned = make_plan(asked, lake, day, options.max_rows, spool)
        for outcome in planned.settled if planned else (_nobody(day),):
            landing.add(outcome)
        if planned:
            log.info("%s: %s", day, told(planned))
            _announce(planned, landing, options)
            take = _telling(day, landing.add)
            limit = Limit(options.max_rows)
            whole = slices.pull(asked, planned, limit, take, options.parallel)
    except AccessError as error:
        failure = error
        span = planned.scope.span if planned else Window.of_day(day)
        landing.add(Pulled.stopped(span, str(error)))
    reports = {table: landing.publish(table)[0] for table in EVENT_TABLES}
    landing.record(LEDGER_PART, options.portal)
    if failure:
        raise failure
    if planned:
        before = lake.read(DEVICE_HOURS, day)
        lake.publish(DEVICE_HOURS, day, around.device_hours(lake, planned, whole, before))
    ending = (hunting.ending,) if hunting.ending else ()
    unknown = planned.counts.unknown if planned else {}
    known = tuple(table for table in EVENT_TABLES if table not in unknown)
    return {table: replace(report, doubts=ending) for table, report in reports.items()}, known


def told(planned: Plan) -> str:
    """Return a plan as a line of progress."""
    total = sum(planned.counts.total(table) or 0 for table in planned.counts.cells)
    return (
        f"{total:,} telemetry rows counted around the alerts, "
        f"{planned.rows:,} of them to pull in {len(planned.slices)} calls"
    )


def _announce(planned: Plan, landing: Landing, options: Options) -> None:
    """Put what is going to be asked into the ledger, as long as it has not come."""
    now = datetime.now(UTC)
    announced = Landing(landing.lake, landing.day, landing.folder)
    announced.outcomes += landing.outcomes
    for piece in planned.slices:
        announced.add(
            Pulled(
                piece.table,
                piece.window,
                piece.part,
                "partial",
                "planned, not pulled yet",
                piece.expected,
                [],
                now,
                now,
            )
        )
    announced.record(LEDGER_PART, options.portal)


def _telling(day: date, take: Callable[[Pulled], None]) -> Callable[[Pulled], None]:
    """Return what takes an outcome and tells of it."""

    def taking(pulled: Pulled) -> None:
        take(pulled)
        end = "" if pulled.status == "complete" else f", {pulled.status}: {pulled.detail}"
        log.info("%s: %s rows of %s pulled%s", day, f"{pulled.rows:,}", pulled.table, end)

    return taking


def _nobody(day: date) -> Pulled:
    now = datetime.now(UTC)
    return Pulled(
        "*", Window.of_day(day), COUNT, "complete", "no alert names a device", 0, [], now, now
    )


def _held(lake: Lake, day: date) -> pl.DataFrame:
    """Return what was pulled of each hour of a device, of tables whose rows are still there."""
    there = [t for t in EVENT_TABLES if lake.path(raw.telemetry(t), day).exists()]
    return lake.read(DEVICE_HOURS, day).filter(pl.col("Table").is_in(there))


def _kept(spool: Spool, key: str, make: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    frame = spool.frame(key)
    if frame is None:
        frame = make()
        spool.keep(key, frame)
    return frame
