"""A day's pull: telemetry around the alerts, then hunts for what is still without a match."""

from datetime import date

import polars as pl

from etl.contracts.hunting import EVENT_TABLES
from etl.contracts.mart import ALERT_HUNTS
from etl.contracts.ops import LEDGER
from etl.lake.lake import Lake
from etl.lake.spool import Spool
from etl.sources.hunting import Hunting
from etl.sources.plan import COUNT
from etl.stages import alert_tables, devices, events, hunts, telemetry
from etl.stages.options import Options
from etl.stages.report import Report

LOCK = "telemetry"
"""The work on a tenant's telemetry that one process does at a time."""


def pull(hunting: Hunting, lake: Lake, day: date, options: Options) -> dict[str, Report]:
    """Bring raw and typed telemetry of `day` up to date, windows and hunts.

    Returns a report per table, by layer and table. Raises an AccessError that asking for less does
    not cure, and LakeError; what came before it is kept, and the next pull goes on from there.
    """
    with lake.alone(LOCK), lake.staging() as folder:
        raw, known = telemetry.pull(hunting, lake, day, options, folder)
        typed = {table: events.publish(lake, day, table) for table in EVENT_TABLES}
        found = hunts.pull(hunting, lake, day, options, known, folder)
    return {
        **{f"raw.{table}": _both(raw[table], found.raw.get(table)) for table in EVENT_TABLES},
        **{f"hunting.{table}": _both(typed[table], found.typed.get(table)) for table in typed},
        ".".join(ALERT_HUNTS.key): found.hunts,
        ".".join(LEDGER.key): _spent(lake, day),
    }


def close(lake: Lake, day: date) -> None:
    """Forget the answers of a day's pull: all that was made of them is published.

    Where another process pulls the tenant's telemetry they are left to it.
    """
    with lake.alone(LOCK, wait=False) as alone:
        if alone:
            Spool.open(lake, day).close()


def _spent(lake: Lake, day: date) -> Report:
    """Return what hunting took for a day, as the ledger has it."""
    stages = (alert_tables, devices, telemetry, hunts)
    parts = [lake.read(LEDGER, day, stage.LEDGER_PART) for stage in stages]
    ledger = pl.concat([LEDGER.empty(), *parts])
    took = (ledger["EndedAt"] - ledger["StartedAt"]).dt.total_microseconds()
    return Report.of(
        ledger.height,
        changed=True,
        hunting_calls=int(ledger["Calls"].sum()),
        throttled=int(ledger["Throttled"].sum()),
        rows_counted=int(ledger.filter(Slice=COUNT)["Expected"].sum()),
        rows_received=int(ledger["Rows"].sum()),
        megabytes=round(int(ledger["Bytes"].sum()) / 1e6, 1),
        query_seconds=round(int(took.sum()) / 1e6, 1),
    )


def _both(first: Report, second: Report | None) -> Report:
    return first if second is None else second.after(first)
