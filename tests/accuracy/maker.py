"""The maker of worlds: what cases are told with, by one seed's dice."""

from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import Final

from accuracy import sources
from accuracy.sources import Call
from accuracy.worlds import (
    EVERYTHING,
    FACTS,
    HOUR,
    PARENT,
    PROCESS,
    TABLES,
    US,
    Alert,
    Device,
    Event,
    Item,
    Process,
    World,
    instant,
)

START: Final = instant("2026-01-09T00:00:00")
"""Worlds begin here and last 20 hours, unless their case says otherwise."""

_FOLDERS: Final = {
    "windows": ("C:\\Windows\\System32\\", "C:\\Users\\Public\\", "C:\\ProgramData\\x y\\"),
    "macos": ("/Applications/Some App.app/Contents/", "/Library/x/", "/System/Library/y/"),
    "linux": ("/usr/bin/", "/tmp/.x/", "/opt/some thing/"),  # noqa: S108
}
CHANGES: Final = {
    "name": ("FileName", "FolderPath"),
    "path": ("FolderPath",),
    "hash": ("SHA1", "SHA256"),
    "command line": ("ProcessCommandLine",),
    "account": ("AccountName", "AccountSid"),
    "parent": (),
}
"""What one process can differ from another by."""

PROGRAM: Final = ("name", "hash", "command line")
"""What exec mostly changes."""


class Maker:
    """Makes one world; every choice is the dice's."""

    def __init__(self, case: str, seed: int, call: Call) -> None:
        self.dice = Random(f"{case}/{seed}")
        self.world = World(case, seed)
        self.call = call
        self._roots: dict[Device, Process] = {}

    def device(self, platform: str) -> Device:
        """Return another device."""
        return Device(f"{self.dice.getrandbits(160):040x}", platform)

    def time(self, platform: str) -> int:
        """Return some time of the day, as finely as the platform counts."""
        at = START + self.dice.randrange(20 * HOUR)
        return sources.cut(at, sources.unit(platform, own=True))

    def process(
        self, device: Device, created: int | None = None, *, pid: int | None = None
    ) -> Process:
        """Return a process; nothing shows it yet."""
        return Process(
            device,
            pid or self.dice.randrange(100, 60_000),
            self.time(device.platform) if created is None else created,
            self._facts(device.platform),
            self.root(device),
        )

    def root(self, device: Device) -> Process:
        """Return the process that started all others of a device, weeks ago."""
        if device not in self._roots:
            at = START - 200 * HOUR + self.dice.randrange(HOUR) // US * US
            facts = self._facts(device.platform)
            self._roots[device] = Process(device, self.dice.randrange(5, 99), at, facts)
        return self._roots[device]

    def twin(self, process: Process, later: int, *changes: str) -> Process:
        """Return a process of the same pid, some ticks later, that differs in this and no more."""
        fresh = self._facts(process.device.platform)
        facts = dict(process.facts)
        for name in (name for change in changes for name in CHANGES[change]):
            facts[name] = fresh[name]
        if "path" in changes and "name" not in changes:
            facts["FolderPath"] = fresh["FolderPath"].replace(".exe", "") + "/" + facts["FileName"]
        parent = self.process(process.device) if "parent" in changes else process.parent
        return replace(process, created=process.created + later, facts=facts, parent=parent)

    def chain(self, first: Process, gaps: Iterable[int], *changes: str) -> list[Process]:
        """Return a process and what it became by exec, one after the other."""
        found = [first]
        for gap in gaps:
            found.append(self.twin(found[-1], gap, *changes))
        return found

    def starts(self, *processes: Process) -> None:
        """Let telemetry have the creation rows of processes."""
        for process in processes:
            self.event(PROCESS, process, process.parent, "ProcessCreated")

    def acts(self, process: Process, times: int = 1, tables: Iterable[str] = TABLES) -> None:
        """Let a process do things that telemetry has."""
        for _ in range(times):
            table = self.dice.choice(list(tables))
            child = self.process(process.device, process.created + HOUR // 7 // US * US)
            started = replace(child, pid=child.pid + 70_000, parent=process)
            self.event(table, started if table == PROCESS else None, process)

    def about(self, process: Process, by: Process) -> None:
        """Let telemetry have something that was done to a process."""
        self.event("DeviceEvents", process, by, "OpenProcessApiCall")

    def event(
        self,
        table: str,
        subject: Process | None,
        initiator: Process | None,
        action: str = "Something",
    ) -> None:
        """Add a row of telemetry."""
        name = f"{self.world}/{len(self.world.events)}"
        self.world.events.append(Event(name, table, subject, initiator, action))

    def crowd(self, device: Device) -> None:
        """Let others be busy on a device, one of them with a pid that is used again and again."""
        other = self.process(device, pid=self.dice.randrange(60_001, 65_000))
        self.starts(other, self.twin(other, HOUR, *PROGRAM))
        self.acts(other)

    def alert(
        self, active: int, *devices: Device, told: bool = True, source: str = "graph"
    ) -> Alert:
        """Return an alert about devices."""
        return Alert(f"{self.world}/{len(self.world.items)}", devices, active, told, source)

    def evidence(
        self,
        process: Process,
        alert: Alert | None = None,
        *,
        carries: Iterable[str] = (),
        **shown: object,
    ) -> Item:
        """Let an alert name a process, with the facts that it carries; `shown` overrides all."""
        fine = bool(shown.pop("fine", False))
        carried = frozenset(carries)
        parent = process.parent if PARENT in carried else None
        alert = alert or self.alert(process.created, process.device)
        call = self.call.of(alert.source)
        item = Item(
            id=f"e{len(self.world.items)}",
            alert=alert,
            means=process,
            pid=process.pid,
            time=sources.in_evidence(process, call, fine=fine),
            device=process.device.id,
            facts={k: self._spelled(k, process) for k in FACTS if k in carried},
            parent=(parent.pid, sources.in_evidence(parent, call, fine=fine)) if parent else None,
        )
        self.world.items.append(replace(item, **shown))  # type: ignore[arg-type]
        return self.world.items[-1]

    def some_facts(self) -> frozenset[str]:
        """Return some facts, or none."""
        return frozenset(name for name in sorted(EVERYTHING) if self.dice.random() < 0.5)

    def _spelled(self, fact: str, process: Process) -> str:
        """Return a fact as an alert may spell it: hashes, and names on Windows, in capitals."""
        value = process.facts[fact]
        names = (
            {"FileName", "FolderPath", "AccountName"}
            if process.device.platform == "windows"
            else set()
        )
        loose = fact in {"SHA1", "SHA256", *names} and value.isascii()
        return value.upper() if loose and self.dice.random() < 0.3 else value

    def _facts(self, platform: str) -> dict[str, str]:
        bits = self.dice.getrandbits
        name = f"tool{bits(32):x}" + (".exe" if platform == "windows" else "")
        return {
            "FileName": name,
            "FolderPath": self.dice.choice(_FOLDERS[platform]) + name,
            "SHA1": f"{bits(160):040x}",
            "SHA256": f"{bits(256):064x}",
            "ProcessCommandLine": f"{name} --run {bits(24):x}",
            "AccountName": f"user{bits(24):x}",
            "AccountSid": f"S-1-5-21-{bits(24)}-{bits(16)}",
        }
