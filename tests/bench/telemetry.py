"""Telemetry of a chosen size: process rows with all columns, and alerts on a share of the devices.

The same rows twice: sorted by device and time, as the lake keeps them, and as they arrived, by time
with all devices mixed. Made once, by arithmetic on row numbers, and kept for the next run.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

import duckdb
import polars as pl

from etl import ticks
from etl.contracts.core import ALERT_DEVICES, ALERT_EVIDENCE, ALERTS
from etl.contracts.hunting import DEVICE_INFO, EVENT_TABLES, hunting
from etl.contracts.mart import ALERT_HUNTS
from etl.contracts.ops import LEDGER
from etl.lake.engine import LAYOUT

PER_DEVICE: Final = 2_000
"""Rows of each device, a day's."""

PER_FILE: Final = 1_000_000
ITEMS: Final = 3
"""Evidence items of an alert; each device with an alert has one."""

DAY: Final = datetime(2026, 1, 9, tzinfo=UTC)
PULLED: Final = datetime(2026, 1, 11, tzinfo=UTC)
_STEP: Final = ticks.PER_DAY // PER_DEVICE
_DEVICE: Final = "printf('%010x', d * 109951162) || substr(sha1('device ' || d), 1, 30)"
"""A device's id: forty hexadecimal digits that ascend with its number."""

_WORDS: Final = 40
"""Different values of a column that is nothing special."""

_PLACES: Final = {
    "sorted": (f"i // {PER_DEVICE}", f"i % {PER_DEVICE}"),
    "mixed": ("i % {devices}", "i // {devices}"),
}
_LAYOUTS: Final = {"sorted": LAYOUT, "mixed": "format parquet, compression zstd"}
"""Row groups and pages: as the lake writes them, and as DuckDB does unless told otherwise."""

_SPECIAL: Final = {
    "TenantId": "'t'",
    "DeviceId": "{device}",
    "DeviceName": "'wks-' || d || '.contoso.example'",
    "TimestampTicks": "begun",
    "ProcessCreationTicks": "begun",
    "ProcessId": "1000 + hash(d, k) % 60000",
    "InitiatingProcessId": "1000 + hash(d, k // 10 * 10) % 60000",
    "InitiatingProcessCreationTicks": "parent",
    "InitiatingProcessParentCreationTicks": "parent - {step}",
    "ProcessCommandLine": "'\"C:\\Program Files\\Vendor ' || d % 40 || '\\tool.exe\" --run ' "
    "|| md5(d || ' ' || k) || ' --log C:\\ProgramData\\Vendor\\' || k || '.log --quiet'",
    "InitiatingProcessCommandLine": "'C:\\Windows\\System32\\svchost.exe -k netsvcs -s ' "
    "|| md5('' || hash(d, k // 10))",
    "SHA1": "sha1('file ' || hash(d, k) % 5000)",
    "SHA256": "sha256('file ' || hash(d, k) % 5000)",
    "EventId": "md5(d || ' event ' || k)",
    "AdditionalFields": "'{{\"Rank\":' || k || '}}'",
    "ActionType": "'ProcessCreated'",
    "ReportId": "k",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Telemetry:
    """So many process rows in a folder, in both orders."""

    folder: Path
    rows: int

    @property
    def devices(self) -> int:
        """How many devices there are."""
        return self.rows // PER_DEVICE

    def files(self, order: str) -> list[Path]:
        """Return the files of an order, `sorted` or `mixed`."""
        return sorted((self.folder / f"{self.rows}" / order).glob("*.parquet"))

    def make(self, order: str) -> None:
        """Write the files of an order, unless they are there; some at once."""
        target = self.folder / f"{self.rows}" / order
        target.mkdir(parents=True, exist_ok=True)
        config = {"memory_limit": "2GB", "temp_directory": str(target / ".spilled")}
        with duckdb.connect(config=config) as duck, ThreadPoolExecutor() as pool:
            several = [
                pool.submit(self._write, duck.cursor(), order, first, target)
                for first in range(0, self.rows, PER_FILE)
            ]
            for one in several:
                one.result()

    def _write(self, duck: duckdb.DuckDBPyConnection, order: str, first: int, folder: Path) -> None:
        file = folder / f"{first:012d}.parquet"
        if not file.exists():
            part = file.with_suffix(".part")
            select = self._select(order, first, min(first + PER_FILE, self.rows))
            duck.execute(f"copy ({select}) to '{part}' ({_LAYOUTS[order]})")
            part.rename(file)

    def _select(self, order: str, first: int, last: int) -> str:
        device, place = (text.format(devices=self.devices) for text in _PLACES[order])
        columns = ", ".join(f'{value} as "{name}"' for name, value in _columns())
        times = f"{_begun('k')} as begun, {_begun('(k // 10 * 10)')} as parent"
        rows = f"select i, {device} as d, {place} as k from range({first}, {last}) as r(i)"  # noqa: S608
        return f"select {columns} from (select *, {times} from ({rows}))"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Load:
    """Alerts on some telemetry: on one in so many devices, and how many on each."""

    telemetry: Telemetry
    one_in: int
    each: int = 1

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the load that a text is about."""
        folder, rows, one_in, each = json.loads(text)
        return cls(Telemetry(Path(folder), rows), one_in, each)

    def text(self) -> str:
        """Return what another process may know the load by."""
        told = (str(self.telemetry.folder), self.telemetry.rows, self.one_in, self.each)
        return json.dumps(told)

    @property
    def number(self) -> int:
        """How many alerts there are."""
        return -(-self.telemetry.devices // self.one_in) * self.each

    def alerts(self) -> dict[str, pl.DataFrame]:
        """Return the alerts as the correlation reads them, with what else it reads but events.

        Each has so many items of evidence, spread over its device's day.
        """
        items = ITEMS * self.each
        apart = PER_DEVICE // items
        named = duckdb.sql(
            f"select {_DEVICE} as DeviceId, d || '-' || n // {ITEMS} as Alert, "  # noqa: S608
            f"1000 + hash(d, k) % 60000 as Pid, {_begun('k')} as Ticks, n from "
            f"(select d, n, (n * {apart} + hash(d, n) % {apart})::bigint as k from "
            f"(select unnest(range(0, {self.telemetry.devices}, {self.one_in})) as d), "
            f"range({items}) as r(n)) order by d, n"
        ).pl()
        common = {"TenantId": "t", "IngestedAt": PULLED, "SourceRequestId": "r"}
        alerts = [
            {**common, "AlertId": alert, "Title": "Title", "AlertSource": "graph",
             "CreatedTime": DAY, "FirstActivityTime": DAY, "LastActivityTime": DAY}
            for alert in named["Alert"].unique(maintain_order=True)
        ]  # fmt: skip
        devices = [
            {**common, "AlertId": alert, "DeviceId": device, "OSPlatform": "Windows11"}
            for device, alert in named.select("DeviceId", "Alert").unique().iter_rows()
        ]
        evidence = [
            {**common, "AlertId": alert, "EvidenceId": f"e{n}", "EvidenceType": "processEvidence",
             "EntityType": "Process", "Raw": "{}", "DeviceId": device, "ProcessId": pid,
             "ProcessCreationTicks": begun}
            for device, alert, pid, begun, n in named.iter_rows()
        ]  # fmt: skip
        pull = {
            **common, "Source": "hunting", "Table": "DeviceProcessEvents", "Slice": "s",
            "Status": "complete", "WindowStart": DAY, "WindowEnd": PULLED, "Rows": 0, "Bytes": 0,
            "Calls": 1, "Throttled": 0, "StartedAt": PULLED, "EndedAt": PULLED,
        }  # fmt: skip
        return {
            "Alerts": ALERTS.frame(alerts),
            "AlertDevices": ALERT_DEVICES.frame(devices),
            "AlertEvidence": ALERT_EVIDENCE.frame(evidence),
            "Hunts": ALERT_HUNTS.empty(),
            "Ledger": LEDGER.frame([pull]),
            **{table: hunting(table).empty() for table in (*EVENT_TABLES[1:], DEVICE_INFO)},
        }


def _begun(place: str) -> str:
    """Return when the process at a place of a device's day was created, in ticks."""
    start = ticks.from_datetime(DAY)
    return f"({start} + {place} * {_STEP} + (hash(d, {place}, 'begun') % {_STEP})::bigint)"


def _columns() -> Iterator[tuple[str, str]]:
    for name, kind in hunting(EVENT_TABLES[0]).types.items():
        if name in _SPECIAL:
            value = _SPECIAL[name].format(step=_STEP, device=_DEVICE)
        elif kind == pl.Int64:
            value = f"hash(k, '{name}') % 100000"
        elif kind == pl.Boolean:
            value = "k % 7 = 0"
        elif kind == pl.String:
            value = f"'{name[-24:]} ' || hash(d, k // 3, '{name}') % {_WORDS}"
        else:
            value = f"make_timestamptz((begun - {ticks.UNIX_EPOCH}) // 10)"
        sql = {pl.Int64: "bigint", pl.Boolean: "boolean", pl.String: "varchar"}.get(kind)  # type: ignore[call-overload]
        yield name, f"({value})::{sql}" if sql else f"({value})"
