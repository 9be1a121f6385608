"""From what has no match to what to hunt for: how far each lead is followed, and which kin.

Evidence by its process key in all that is retained, at once; by what it names within the activity,
where the windows around the alert's devices have not shown that already, and once more within a
day around it. Ancestors without end, descendants for some generations.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from typing import Any, Final

import polars as pl

from etl import ticks
from etl.contracts.core import ALERTS
from etl.lake.lake import Lake
from etl.models.correlation import BELOW, NEAR, RETENTION, WIDE, Open
from etl.sources.hunts import Hunt, Lead
from etl.windows import Window

_FACTS: Final = {
    "process_id": "ProcessId",
    "creation": "ProcessCreationTicks",
    "sha1": "SHA1",
    "sha256": "SHA256",
    "file_name": "FileName",
    "folder_path": "FolderPath",
    "command_line": "ProcessCommandLine",
    "remote_ip": "RemoteIP",
    "remote_url": "RemoteUrl",
    "registry_key": "RegistryKey",
    "registry_value_name": "RegistryValueName",
    "registry_value_data": "RegistryValueData",
    "account_sid": "AccountSid",
    "account_name": "AccountName",
    "account_domain": "AccountDomain",
}
"""What a lead knows, by the column that tells it."""


def hunts(found: Open, lake: Lake, day: date) -> Iterator[list[Hunt]]:
    """Yield, for each thing that could be hunted for, its hunts from the nearest to the widest."""
    limits = Window.of_day(day)
    retained = Window(limits.start - RETENTION, limits.end + RETENTION)
    for row in found.leads.iter_rows(named=True):
        yield list(_of_evidence(row, retained))
    for hunt in _of_kin(found.ancestors, "ancestors", dict.fromkeys(_alerts(found), retained)):
        yield [hunt]
    children = found.matched.filter(pl.col("Depth") < BELOW)
    for hunt in _of_kin(children, "descendants", _activity(lake, day, retained)):
        yield [hunt]


def about(hunt: Hunt) -> str:
    """Return what a hunt is about, whatever part of its window is asked for."""
    return json.dumps([hunt.alert, hunt.evidence, hunt.reach, asdict(hunt.lead)])


def as_text(hunt: Hunt) -> str:
    """Return a hunt as JSON text."""
    return json.dumps(asdict(hunt))


def from_text(text: str) -> Hunt:
    """Return a hunt from its JSON text."""
    values: dict[str, Any] = json.loads(text)
    lead, window = values.pop("lead"), values.pop("window")
    devices = tuple(lead.pop("devices"))
    return Hunt(**values, lead=Lead(**lead, devices=devices), window=Window(**window))


def _alerts(found: Open) -> list[str]:
    return found.ancestors["AlertId"].unique().to_list()


def _of_evidence(row: dict[str, Any], retained: Window) -> Iterator[Hunt]:
    facts = {name: row.get(column) for name, column in _FACTS.items()}
    devices = tuple(row["Devices"] or ())
    lead = Lead(kind=row["Kind"], devices=devices, unit=row["Unit"] or 1, **facts)
    alert, evidence = row["AlertId"], row["EvidenceId"]
    if lead.kind == "process":
        yield Hunt(alert, evidence, lead, retained, "key")
        return
    for reach, margin in (("near", NEAR), ("wide", WIDE)):
        around = Window(row["StartTicks"] - margin, row["EndTicks"] + margin + 1)
        window = around.common(retained)
        if window and (reach == "wide" or not devices):
            yield Hunt(alert, evidence, lead, window, reach)


def _of_kin(processes: pl.DataFrame, kind: str, windows: dict[str, Window]) -> Iterator[Hunt]:
    """Yield hunts for the creation rows of processes, or of their children."""
    reach = "key" if kind == "ancestors" else "wide"
    key = ["AlertId", "DeviceId", "ProcessId", "ProcessCreationTicks", "Unit"]
    for alert, device, pid, created, unit in processes.select(key).unique().sort(key).iter_rows():
        lead = Lead(kind=kind, devices=(device,), process_id=pid, creation=created, unit=unit)
        if alert in windows:
            yield Hunt(alert, None, lead, windows[alert], reach)


def _activity(lake: Lake, day: date, retained: Window) -> dict[str, Window]:
    """Return when each alert's descendants matter: a day around its activity."""
    first, last = pl.col("FirstActivityTime"), pl.col("LastActivityTime")
    alerts = lake.read(ALERTS, day).select(
        "AlertId",
        Start=pl.coalesce(pl.min_horizontal(first, last), "CreatedTime"),
        End=pl.coalesce(pl.max_horizontal(first, last), "CreatedTime"),
    )
    windows = {}
    for alert, start, end in alerts.iter_rows():
        span = Window(ticks.from_datetime(start) - WIDE, ticks.from_datetime(end) + WIDE)
        window = span.common(retained)
        if window:
            windows[alert] = window
    return windows
