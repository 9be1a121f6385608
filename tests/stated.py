"""States of alerts as their sources had them, put into raw alerts by hand, for tests."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import made
from made import Record

from etl import ticks
from etl.contracts import raw
from etl.lake.lake import Lake
from etl.stages import model
from etl.values import digest

DAY = date(2026, 1, 2)
SEEN = datetime(2026, 1, 10, tzinfo=UTC)
UPDATED = datetime(2026, 1, 3, tzinfo=UTC)


def hour(number: int) -> datetime:
    """Return an instant so many hours after the first update."""
    return UPDATED + timedelta(hours=number)


def minute(number: int) -> datetime:
    """Return an instant so many minutes after the first pull."""
    return SEEN + timedelta(minutes=number)


@dataclass(frozen=True, slots=True)
class Said:
    """A state of an alert as a source had it, and when that was seen."""

    record: Record
    seen: int = 0
    source: str = "graph"

    @property
    def hash(self) -> str:
        """The state's content hash."""
        return digest(self.record)


def graph(identity: str, updated: int | None = 0, *items: Record, **fields: object) -> Record:
    """Return an alert as Graph has it, updated an hour after another."""
    text = None if updated is None else ticks.to_text(ticks.from_datetime(hour(updated)))
    return made.alert(*items, id=identity, lastUpdateDateTime=text, **fields)


def mde(identity: str, updated: int = 0, title: str = "Title") -> Record:
    """Return an alert as Defender for Endpoint has it."""
    return {
        "id": identity, "title": title, "severity": "High", "status": "New",
        "alertCreationTime": made.AT, "evidence": [],
        "lastUpdateTime": ticks.to_text(ticks.from_datetime(hour(updated))),
    }  # fmt: skip


def publish(lake: Lake, said: Sequence[Said], day: date = DAY) -> dict[str, int]:
    """Put states into raw alerts and publish the model; return the rows by table."""
    rows = [
        {"TenantId": lake.tenant, "AlertId": one.record.get("id"), "AlertSource": one.source,
         "ContentHash": one.hash, "Record": json.dumps(one.record),
         "IngestedAt": minute(one.seen), "SourceRequestId": f"r{one.seen}"}
        for one in said
    ]  # fmt: skip
    lake.publish(raw.ALERTS, day, raw.ALERTS.frame(rows))
    reports = model.publish(lake, day)
    assert all(report.adds_up for report in reports.values())
    return {table: report.rows for table, report in reports.items()}
