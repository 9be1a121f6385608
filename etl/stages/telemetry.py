"""The stage that pulls telemetry around the alerts, as it is, with a ledger of each slice."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow.parquet as pq

from etl import ticks
from etl.access.client import Client
from etl.contracts import raw
from etl.contracts.core import ALERT_DEVICES, ALERT_EVIDENCE, ALERTS
from etl.contracts.hunting import EVENT_TABLES
from etl.contracts.ops import LEDGER
from etl.errors import AccessError
from etl.lake import engine
from etl.lake.lake import Lake
from etl.models.correlation import RETENTION
from etl.sources import slices
from etl.sources.scope import Scope
from etl.sources.slices import Pulled
from etl.stages.report import Report
from etl.values import text
from etl.windows import Window

log = logging.getLogger(__name__)

SOURCE = "hunting"
AROUND_ACTIVITY = ticks.PER_HOUR
"""How far around an alert's activity telemetry is pulled, as in Microsoft's go-hunt."""

AROUND_CREATION = 5 * ticks.PER_MINUTE
"""The same around the creation of a process that evidence names."""

_ONE_ROW_A_RECORD: Final = """
select * from read_parquet($files, hive_partitioning = false)
qualify row_number() over (partition by Record order by IngestedAt) = 1
order by DeviceId, Timestamp, Record
"""
_ACTIVITY: Final = ("FirstActivityTime", "LastActivityTime")


@dataclass(frozen=True, slots=True)
class _Kept:
    """A raw partition: its rows, those this pull added, and those that were there or came twice."""

    rows: int
    new: int
    duplicates: int
    changed: bool


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


def pull(client: Client, lake: Lake, day: date, max_rows: int) -> dict[str, Report]:
    """Add to the raw telemetry of `day`, and replace its ledger.

    Returns a report per event table. Raises an AccessError that asking for less does not cure;
    what came before it is kept, and the ledger says where it stopped. An interrupt changes nothing.
    """
    around = scope(lake, day)
    outcomes: list[Pulled] = []
    failure: AccessError | None = None
    with lake.staging() as folder:
        files: dict[str, list[Path]] = {table: [] for table in EVENT_TABLES}
        try:
            for number, pulled in enumerate(slices.pull(client, EVENT_TABLES, around, max_rows)):
                if pulled.records:
                    file = folder / f"{number}.parquet"
                    _records(lake, pulled).write_parquet(file, compression="zstd")
                    files[pulled.table].append(file)
                outcomes.append(pulled.without_records())
                log.info("%s: %s", day, _told(pulled))
        except AccessError as error:
            failure = error
            outcomes.append(Pulled.stopped(around.span, str(error)))
        kept = {t: _publish(lake, day, t, files[t], folder) for t in EVENT_TABLES}
    lake.publish(LEDGER, day, _ledger(lake, outcomes), "hunting")
    if failure:
        raise failure
    return {t: _report(t, outcomes, kept[t]) for t in EVENT_TABLES}


def _told(pulled: Pulled) -> str:
    """Return an outcome as a line of progress."""
    if pulled.part == slices.COUNT:
        return f"{pulled.expected or 0:,} telemetry rows counted around the alerts"
    end = "" if pulled.status == "complete" else f", {pulled.status}: {pulled.detail}"
    return f"{pulled.rows:,} rows of {pulled.table} pulled{end}"


def _records(lake: Lake, pulled: Pulled) -> pl.DataFrame:
    now = datetime.now(UTC)
    return raw.telemetry(pulled.table).frame([
        {
            "TenantId": lake.tenant,
            "DeviceId": text(record.get("DeviceId")),
            "Timestamp": text(record.get("Timestamp")),
            "ReportId": text(record.get("ReportId")),
            "Record": json.dumps(record),
            "IngestedAt": now,
            "SourceRequestId": pulled.request_id,
        }
        for record in pulled.records
    ])  # fmt: skip


def _publish(lake: Lake, day: date, table: str, files: Sequence[Path], folder: Path) -> _Kept:
    """Add a table's slices to its raw partition; a record that is there stays as it came."""
    contract = raw.telemetry(table)
    empty, target = folder / f"{table}.none.parquet", folder / f"{table}.parquet"
    contract.empty().write_parquet(empty)
    known = lake.path(contract, day)
    before = pq.read_metadata(known).num_rows if known.exists() else 0
    sources = [empty, *files, *([known] if before else [])]
    values = {"files": [engine.literal(file) for file in sources]}
    with engine.connection(folder) as duck:
        rows = engine.write(duck, _ONE_ROW_A_RECORD, target, values)
        duplicates = engine.repeated(duck, "Record", sources)
    return _Kept(rows, rows - before, duplicates, lake.publish_file(contract, day, target))


def _report(table: str, outcomes: Sequence[Pulled], kept: _Kept) -> Report:
    mine = [outcome for outcome in outcomes if outcome.table == table]
    read = sum(outcome.rows for outcome in mine)
    return Report(
        rows=kept.rows,
        read=read,
        published=kept.new,
        duplicates=kept.duplicates,
        changed=kept.changed,
        figures={
            "hunting_calls": sum(outcome.calls for outcome in mine),
            "throttled": sum(outcome.throttled for outcome in mine),
            "slices": len(mine),
        },
        incomplete=tuple(
            f"{table} {outcome.window}: {outcome.status}, {outcome.detail}"
            for outcome in mine
            if outcome.status != "complete"
        ),
    )


def _ledger(lake: Lake, outcomes: Sequence[Pulled]) -> pl.DataFrame:
    rows = []
    for outcome in outcomes:
        start, end = outcome.window.instants
        rows.append(
            {
                "TenantId": lake.tenant,
                "Source": SOURCE,
                "Table": outcome.table,
                "WindowStart": start,
                "WindowEnd": end,
                "Slice": outcome.part,
                "Status": outcome.status,
                "Detail": outcome.detail,
                "Expected": outcome.expected,
                "Rows": outcome.rows,
                "Bytes": outcome.size,
                "Calls": outcome.calls,
                "Throttled": outcome.throttled,
                "StartedAt": outcome.started,
                "EndedAt": outcome.ended,
                "QueryHash": outcome.query_hash,
                "IngestedAt": outcome.ended,
                "SourceRequestId": outcome.request_id,
            }
        )
    return LEDGER.frame(rows)


def _ticks(moment: pl.Expr) -> pl.Expr:
    return moment.dt.epoch("us") * ticks.PER_MICROSECOND + ticks.UNIX_EPOCH
