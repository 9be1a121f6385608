"""Small days: rows of alerts, evidence and telemetry by hand, and what the model makes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from etl import ticks
from etl.contracts.contract import Contract
from etl.contracts.core import ALERT_DEVICES, ALERT_EVIDENCE, ALERTS
from etl.contracts.hunting import EVENT_TABLES, hunting
from etl.contracts.mart import ALERT_CORRELATION, ALERT_HUNTS, ALERT_VALIDATION, CORRELATED_ALERTS
from etl.contracts.ops import LEDGER
from etl.contracts.story import ALERT_TIMELINE, PROCESS_TREE
from etl.lake import engine
from etl.models.correlation import LANDING, Open, correlate, open_leads, tell

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
ACTIVE = datetime(2026, 1, 9, 12, tzinfo=UTC)
T = ticks.from_text("2026-01-10T03:04:05.1200000Z")
MS = 10_000
US = 10
TEN_MS = 10 * MS
TOLERANCE = 10 * MS
PROCESS = "DeviceProcessEvents"

Row = dict[str, Any]


def alert(name: str = "a1", **more: object) -> Row:
    """Return an alert."""
    return {
        "AlertId": name, "Title": "Title", "CreatedTime": NOW, "AlertSource": "graph", **more,
    }  # fmt: skip


def active(name: str = "a1", **more: object) -> Row:
    """Return an alert about one instant, ACTIVE, long before it was pulled."""
    return alert(name, FirstActivityTime=ACTIVE, LastActivityTime=ACTIVE, **more)


def device(name: str = "d1", platform: str | None = "Windows11", alert_id: str = "a1") -> Row:
    """Return a device of an alert."""
    return {"AlertId": alert_id, "DeviceId": name, "OSPlatform": platform}


def process(
    pid: int | None = 7, at: int | None = T, device_id: str | None = "d1", **more: object
) -> Row:
    """Return process evidence."""
    return {
        "AlertId": "a1", "EvidenceId": "e1", "EvidenceType": "processEvidence", "Raw": "{}",
        "EntityType": "Process", "DeviceId": device_id, "ProcessId": pid,
        "ProcessCreationTicks": at, **more,
    }  # fmt: skip


def item(kind: str, **more: object) -> Row:
    """Return evidence of another entity type."""
    return {
        "AlertId": "a1", "EvidenceId": "e1", "EntityType": kind, "Raw": "{}",
        "EvidenceType": f"{kind[0].lower()}{kind[1:]}Evidence", **more,
    }  # fmt: skip


def event(name: str, *, hours: float = 0, **more: object) -> Row:
    """Return an event of the device, some hours after ACTIVE."""
    at = ticks.from_datetime(ACTIVE) + round(hours * ticks.PER_HOUR)
    return {"EventId": name, "DeviceId": "d1", "TimestampTicks": at, **more}


def hunt(status: str = "complete", evidence: str | None = "e1", **more: object) -> Row:
    """Return a hunt."""
    return {
        "AlertId": "a1", "EvidenceId": evidence, "HuntId": "h", "Kind": "file", "Reach": "near",
        "WindowStart": NOW, "WindowEnd": NOW, "Query": "q", "Status": status, "Rows": 0,
        "HuntedAt": NOW, **more,
    }  # fmt: skip


def started(event: str, pid: int | None = 7, at: int | None = T, **more: object) -> Row:
    """Return a process's own row."""
    return {
        "EventId": event, "DeviceId": "d1", "ProcessId": pid, "ProcessCreationTicks": at,
        "InitiatingProcessFolderPath": r"c:\windows\explorer.exe", **more,
    }  # fmt: skip


def caused(event: str, pid: int | None = 7, at: int | None = T, **more: object) -> Row:
    """Return an event that a process caused."""
    return {
        "EventId": event, "DeviceId": "d1", "InitiatingProcessId": pid,
        "InitiatingProcessCreationTicks": at,
        "InitiatingProcessFolderPath": r"c:\windows\explorer.exe", **more,
    }  # fmt: skip


def pull(status: str = "complete", begun: datetime = NOW) -> Row:
    """Return a line of the ledger."""
    return {
        "Source": "hunting", "Table": PROCESS, "Slice": "s", "Status": status, "WindowStart": NOW,
        "WindowEnd": NOW, "Rows": 0, "Bytes": 0, "Calls": 1, "Throttled": 0, "StartedAt": begun,
        "EndedAt": begun,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """The marts of one day."""

    correlated: pl.DataFrame
    correlation: pl.DataFrame
    validation: pl.DataFrame
    tree: pl.DataFrame
    timeline: pl.DataFrame

    @property
    def only(self) -> Row:
        """The single evidence item's line."""
        return self.correlation.row(0, named=True) if self.correlation.height == 1 else {}

    @property
    def verdict(self) -> tuple[str, int | None, str | None]:
        """Tier, instance and reason of the single evidence item."""
        row = self.only
        return row["MatchTier"], row["MatchedProcessCreationTicks"], row["Reason"]

    @property
    def judged(self) -> tuple[str, str]:
        """The single alert's verdict, and why."""
        row = self.validation.row(0, named=True) if self.validation.height == 1 else {}
        return row["Verdict"], row["Because"]

    @property
    def events(self) -> set[tuple[str, str, str]]:
        """Events, roles and tiers of the matched events."""
        columns = self.correlated.select("EventId", "MatchRole", "MatchTier")
        return set(columns.iter_rows())

    def of(self, alert_id: str) -> Row:
        """Return the line of the single evidence item of an alert."""
        return self.correlation.row(by_predicate=pl.col("AlertId") == alert_id, named=True)


def frame(contract: Contract, rows: Sequence[Row]) -> pl.DataFrame:
    """Return rows with what every row has."""
    common = {"TenantId": "t", "IngestedAt": NOW, "SourceRequestId": "r"}
    if contract.layer == "hunting":
        common |= {"Timestamp": NOW, "TimestampTicks": ticks.from_datetime(NOW)}
    return contract.frame([{**common, **row} for row in rows])


def day(
    evidence: Sequence[Row],
    *,
    devices: Sequence[Row] = (device(),),
    alerts: Sequence[Row] = (alert(),),
    ledger: Sequence[Row] = (pull(),),
    hunts: Sequence[Row] = (),
    extra: Mapping[str, pl.Expr] | None = None,
    **tables: Sequence[Row],
) -> dict[str, Path | pl.DataFrame]:
    """Return small tables as the model reads them; what is not given is empty.

    `extra` has undeclared columns by table.
    """
    more = extra or {}
    return {
        "Alerts": frame(ALERTS, alerts),
        "AlertDevices": frame(ALERT_DEVICES, devices),
        "AlertEvidence": frame(ALERT_EVIDENCE, evidence),
        "Hunts": frame(ALERT_HUNTS, hunts),
        "Ledger": frame(LEDGER, ledger),
        **{
            name: frame(hunting(name), tables.get(name, ())).with_columns(
                *([more[name]] if name in more else [])
            )
            for name in EVENT_TABLES
        },
    }


def match(
    evidence: Sequence[Row],
    *,
    tolerance: int = TOLERANCE,
    landing: int = LANDING,
    told: bool = False,
    **tables: Sequence[Row],
) -> Found:
    """Correlate a small day, tell its story if wanted, and hold the marts to their contracts."""
    inputs = day(evidence, **tables)
    with TemporaryDirectory() as name, engine.connection(Path(name)) as duck:
        marts = correlate(duck, inputs, tolerance, Path(name), landing)
        story = tell(duck, Path(name)) if told else None
        found = Found(
            pl.read_parquet(marts.correlated),
            pl.read_parquet(marts.correlation),
            pl.read_parquet(marts.validation),
            pl.read_parquet(story.tree) if story else PROCESS_TREE.empty(),
            pl.read_parquet(story.timeline) if story else ALERT_TIMELINE.empty(),
        )
    for contract, rows in (
        (CORRELATED_ALERTS, found.correlated),
        (ALERT_CORRELATION, found.correlation),
        (ALERT_VALIDATION, found.validation),
        (PROCESS_TREE, found.tree),
        (ALERT_TIMELINE, found.timeline),
    ):
        contract.schema.validate(rows, lazy=True)
        assert rows.select(contract.grain).is_unique().all()
    assert found.correlation.height == len(evidence)
    assert found.correlation["Events"].sum() == found.correlated.height
    assert found.validation["Events"].sum() == found.correlated.height
    return found


def still_open(evidence: Sequence[Row], **tables: Sequence[Row]) -> Open:
    """Return what is still open of a small day."""
    with TemporaryDirectory() as name, engine.connection(Path(name)) as duck:
        return open_leads(duck, day(evidence, **tables), TOLERANCE)


LINUX = (device(platform="Ubuntu"),)
MACOS = (device(platform="macOS"),)
