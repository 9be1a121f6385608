"""Frames: worlds as the correlation reads them: what services write, read as the pipeline reads it.

Of the pipeline these know its tables, its parser of times and its spelling of device ids.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from accuracy import sources
from accuracy.sources import Call
from accuracy.truth import PULLED
from accuracy.worlds import (
    FACTS,
    FILE_FACTS,
    MS,
    PARENT,
    PROCESS,
    TABLES,
    US,
    Alert,
    Event,
    Item,
    Process,
    World,
)
from etl import ticks
from etl.contracts.contract import Contract
from etl.contracts.core import ALERT_DEVICES, ALERT_EVIDENCE, ALERTS
from etl.contracts.hunting import TICKS, hunting
from etl.contracts.mart import ALERT_HUNTS
from etl.contracts.ops import LEDGER
from etl.normalise.entities import device_id

Row = dict[str, object]

PLATFORMS: Final = {"windows": "Windows11", "macos": "macOS", "linux": "Ubuntu"}
_KEYS: Final = {**TICKS, "ParentProcessCreationTime": "ParentProcessCreationTicks"}


def frames(worlds: Iterable[World], call: Call) -> dict[str, pl.DataFrame]:
    """Return the inputs of the correlation of one call."""
    worlds = list(worlds)
    items = [item for world in worlds for item in world.items]
    alerts = list({item.alert.id: item.alert for item in items}.values())
    events = [event for world in worlds for event in world.events]
    by_table: dict[str, list[Row]] = {table: [] for table in TABLES}
    for event in events:
        by_table[event.table].append(_event(event))
    return {
        "Alerts": _frame(ALERTS, [_alert(alert) for alert in alerts]),
        "AlertDevices": _frame(ALERT_DEVICES, [row for alert in alerts for row in _devices(alert)]),
        "AlertEvidence": _frame(ALERT_EVIDENCE, [_item(item) for item in items]),
        "Hunts": _frame(ALERT_HUNTS, [row for item in items for row in _hunts(item)]),
        "Ledger": _frame(LEDGER, [_slice(*slice_) for slice_ in enumerate(call.statuses)]),
        **{table: _frame(hunting(table), rows) for table, rows in by_table.items()},
    }


def _frame(contract: Contract, rows: list[Row]) -> pl.DataFrame:
    """Return rows of a table, read of their times' texts what the pipeline reads of them."""
    types = contract.types
    common: Row = {"TenantId": "t", "IngestedAt": _time(PULLED), "SourceRequestId": "r"}
    keys = {time: twin for time, twin in _KEYS.items() if twin in types}
    frame = pl.DataFrame(
        [{**common, **{k: v for k, v in row.items() if k in types}} for row in rows],
        schema={**types, **dict.fromkeys(keys, pl.String)},
        orient="row",
    )
    read = {time: ticks.without_sentinels(ticks.parse(pl.col(time))) for time in keys}
    return frame.with_columns(
        *(read[time].alias(twin) for time, twin in keys.items()),
        *(ticks.instant(value).alias(time) for time, value in read.items()),
    )


def _time(at: int) -> datetime:
    return datetime(1, 1, 1, tzinfo=UTC) + timedelta(microseconds=at // US)


def _alert(alert: Alert) -> Row:
    times = ("CreatedTime", "FirstActivityTime", "LastActivityTime")
    told = {"Title": "Title", "AlertSource": alert.source, "ContentHash": "c"}
    return {"AlertId": alert.id, **told, **dict.fromkeys(times, _time(alert.active))}


def _devices(alert: Alert) -> list[Row]:
    return [
        {
            "AlertId": alert.id,
            "DeviceId": device.id,
            "OSPlatform": PLATFORMS[device.platform] if alert.told else None,
        }
        for device in alert.devices
    ]


def _item(item: Item) -> Row:
    parent = item.parent and {
        "ParentProcessId": item.parent[0],
        "ParentProcessCreationTime": sources.text(item.parent[1]),
    }
    return {
        "AlertId": item.alert.id, "EvidenceId": item.id, "EvidenceType": "processEvidence",
        "EntityType": "Process", "KeySource": "api", "Raw": "{}",
        "DeviceId": device_id({"mdeDeviceId": item.device}), "ProcessId": item.pid,
        "ProcessCreationTime": None if item.time is None else sources.text(item.time),
        **item.facts, **(parent or {}),
    }  # fmt: skip


def _event(event: Event) -> Row:
    own = sources.own(event)
    return {
        "EventId": event.id,
        "DeviceId": event.device.id,
        "ActionType": event.action,
        "Timestamp": sources.text(event.time),
        **_subject(event.subject, own=own),
        **_initiator(event.initiator, event.says),
    }


def _subject(process: Process | None, *, own: bool) -> Row:
    if process is None:
        return {"FileName": "some file", "FolderPath": "/some file"}
    facts = FACTS if own else FILE_FACTS
    return {
        "ProcessId": process.pid,
        "ProcessCreationTime": sources.text(sources.in_telemetry(process, own=own)),
        **{name: process.facts[name] for name in facts if name in process.shows},
    }


_OF_INITIATOR: Final = {
    name: f"Initiating{name}" if name.startswith("Process") else f"InitiatingProcess{name}"
    for name in FACTS
}


def _initiator(process: Process | None, says: frozenset[str]) -> Row:
    if process is None:
        return {}
    told = process.shows & says
    row: Row = {
        "InitiatingProcessId": process.pid,
        "InitiatingProcessCreationTime": sources.text(sources.in_telemetry(process, own=False)),
        **{_OF_INITIATOR[name]: _lowered(name, process) for name in FACTS if name in told},
    }
    if process.parent and PARENT in says:
        time = sources.in_telemetry(process.parent, own=False)
        row["InitiatingProcessParentId"] = process.parent.pid
        row["InitiatingProcessParentCreationTime"] = sources.text(time)
    return row


def _lowered(fact: str, process: Process) -> str:
    """Return a fact as it is told of initiators, whose files are in small letters on Windows."""
    value = process.facts[fact]
    files = fact in {"FileName", "FolderPath"} and process.device.platform == "windows"
    return value.lower() if files and value.isascii() else value


def _slice(number: int, status: str) -> Row:
    at = _time(PULLED)
    return {
        "Source": "hunting", "Table": PROCESS, "Slice": str(number), "Status": status, "Rows": 0,
        "WindowStart": at, "WindowEnd": at, "Bytes": 0, "Calls": 1, "Throttled": 0,
        "StartedAt": at, "EndedAt": at,
    }  # fmt: skip


def _hunts(item: Item) -> list[Row]:
    return [
        {
            "AlertId": item.alert.id, "EvidenceId": item.id, "HuntId": str(number), "Rows": 0,
            "Kind": "process", "Reach": "key", "Query": "q", "Status": status,
            "WindowStart": _time(PULLED), "WindowEnd": _time(PULLED),
            "HuntedAt": _time(PULLED + number * MS),
        }
        for number, status in enumerate(item.hunts)
    ]  # fmt: skip
