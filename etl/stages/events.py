"""The stage that types one table's raw telemetry: judged, one row an event, sorted."""

import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from etl.contracts import raw
from etl.contracts.hunting import ALERT_TABLES, hunting
from etl.contracts.judge import judge
from etl.contracts.ops import QUARANTINE
from etl.lake import engine
from etl.lake.lake import Lake
from etl.normalise.telemetry import events
from etl.stages import batches
from etl.stages.report import Report

log = logging.getLogger(__name__)

SOURCE: Final = "hunting"
BATCH: Final = 20_000
"""Raw records typed at once; bounds the memory this stage takes."""

_ONE_ROW_AN_EVENT: Final = """
select * from read_parquet($typed, union_by_name = true, hive_partitioning = false)
qualify row_number() over (partition by EventId order by IngestedAt, SourceRequestId) = 1
order by {order}, TimestampTicks, EventId
"""


def publish(lake: Lake, day: date, table: str) -> Report:
    """Replace hunting/`table` of `day` by what its raw records say.

    Raises LakeError where the lake cannot be written.
    """
    contract = hunting(table)
    rejected = [QUARANTINE.empty()]
    read = 0
    with lake.staging() as folder:
        typed = [folder / "none.parquet"]
        contract.empty().write_parquet(typed[0])
        for number, batch in enumerate(batches.read(lake.path(raw.telemetry(table), day), BATCH)):
            found = events(table, batch)
            verdict = judge(
                found.rows, contract, source=SOURCE, raw=batch["Record"], faults=found.faults
            )
            read += batch.height
            rejected.append(verdict.rejected)
            typed.append(folder / f"{number}.parquet")
            verdict.accepted.write_parquet(typed[-1], compression="zstd")
        published, duplicates, changed = _replace(lake, day, table, typed, folder)
    log.info("%s: %d rows of %s published", day, published, table)
    turned_away = pl.concat(rejected).sort("Table", "Rule", "Raw")
    lake.publish(QUARANTINE, day, turned_away, table)
    return Report(
        rows=published,
        read=read,
        published=published,
        quarantined=turned_away.height,
        duplicates=duplicates,
        changed=changed,
    )


def _replace(
    lake: Lake, day: date, table: str, typed: Sequence[Path], folder: Path
) -> tuple[int, int, bool]:
    """Publish one row an event; return the rows, the copies left out, and whether it changed."""
    target = folder / "events.parquet"
    values = {"typed": [engine.literal(path) for path in typed]}
    with engine.connection(folder) as duck:
        order = "AlertId" if table in ALERT_TABLES else "DeviceId"
        rows = engine.write(duck, _ONE_ROW_AN_EVENT.format(order=order), target, values)
        duplicates = engine.repeated(duck, "EventId", typed)
    return rows, duplicates, lake.publish_file(hunting(table), day, target)
