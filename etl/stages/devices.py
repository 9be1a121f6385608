"""The stage that pulls what hunting says of the alerts' devices: DeviceInfo, raw and typed.

It tells which ids stand for one machine, which is what telemetry is then asked for by, and when a
device was alive though it sent no event. A help, not a condition: where hunting refuses, the alerts
go on without it.
"""

import logging
from dataclasses import replace
from datetime import date
from typing import Final

import polars as pl

from etl.contracts.hunting import DEVICE_INFO, hunting
from etl.contracts.raw import telemetry
from etl.lake.lake import Lake
from etl.lake.spool import Spool
from etl.models.correlation import NEAR
from etl.sources import device_info
from etl.sources.hunting import Hunting
from etl.sources.scope import Scope
from etl.stages import around, events
from etl.stages.landing import Landing
from etl.stages.options import Options
from etl.stages.remembered import Remembered
from etl.stages.report import Report

log = logging.getLogger(__name__)

LEDGER_PART: Final = "devices"
"""The part of the ledger that is about this table."""

_MERGED: Final = "merged"


def pull(hunted: Hunting, lake: Lake, day: date, options: Options) -> dict[str, Report]:
    """Bring raw and typed DeviceInfo of `day` up to date, and replace its ledger.

    Asked about are the devices that alerts name and, once more, those that were merged with them.
    Returns a report per table, by layer and table, where what could not be had is a doubt; the
    ledger has it as it is. Raises Throttled and LakeError.
    """
    spool = Spool.open(lake, day)
    asked = Remembered(hunted, spool)
    with lake.staging() as folder:
        landing = Landing(lake, day, folder)

        def ask(scope: Scope) -> None:
            for pulled in device_info.pull(asked, scope, around.limits(day), options.max_rows):
                landing.add(pulled)
                log.info("%s: %d rows of %s pulled", day, pulled.rows, pulled.table)

        ask(around.own(lake, day, NEAR))
        raw, typed = landing.publish(DEVICE_INFO)[0], events.publish(lake, day, DEVICE_INFO)
        merged = _merged(lake, day, spool)
        if merged:
            ask(around.scope(lake, day, NEAR).only(merged))
            more, new = landing.publish(DEVICE_INFO)
            raw = more.after(replace(raw, incomplete=(), figures={}))
            if new is not None:
                typed = events.publish(lake, day, DEVICE_INFO, new).after(typed)
    landing.record(LEDGER_PART, options.portal)
    return {
        ".".join(telemetry(DEVICE_INFO).key): replace(raw, incomplete=(), doubts=raw.incomplete),
        ".".join(hunting(DEVICE_INFO).key): typed,
    }


def _merged(lake: Lake, day: date, spool: Spool) -> list[str]:
    """Return the ids merged with those that alerts name: the same when a pull is resumed."""
    kept = spool.frame(_MERGED)
    if kept is None:
        named, others = around.named(lake, day), around.aliases(lake, day)
        found = {other for device in named for other in others.get(device, ())} - named
        kept = pl.DataFrame({"DeviceId": sorted(found)}, schema={"DeviceId": pl.String})
        spool.keep(_MERGED, kept)
    return kept["DeviceId"].to_list()
