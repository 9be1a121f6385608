"""Worlds: devices, the processes that truly ran on them, what these did, and what alerts say.

Instants and spans are ticks: 100 ns since 0001-01-01, UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

US: Final = 10
MS: Final = 10_000
SECOND: Final = 10_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

PROCESS: Final = "DeviceProcessEvents"
TABLES: Final = (
    PROCESS,
    "DeviceNetworkEvents",
    "DeviceFileEvents",
    "DeviceRegistryEvents",
    "DeviceImageLoadEvents",
    "DeviceLogonEvents",
    "DeviceEvents",
)

FILE_FACTS: Final = ("FileName", "FolderPath", "SHA1", "SHA256", "ProcessCommandLine")
"""What exec changes; whose process it is, and who started that, stays as it was."""

FACTS: Final = (*FILE_FACTS, "AccountName", "AccountSid")
PARENT: Final = "Parent"
EVERYTHING: Final = frozenset((*FACTS, PARENT))


def instant(text: str) -> int:
    """Return an instant, written without a zone, in ticks."""
    since = datetime.fromisoformat(text) - datetime(1, 1, 1)  # noqa: DTZ001
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds * US


FIRST: Final = instant("2025-10-01T00:00:00")
"""What says that it is older has no time at all."""

LATELY: Final = instant("2026-01-09T12:00:00")


@dataclass(frozen=True, slots=True)
class Device:
    """A device: its id and its platform, which is windows, macos or linux."""

    id: str
    platform: str


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """A process that truly ran: one start, or one exec, of a pid on a device."""

    device: Device
    pid: int
    created: int
    facts: Mapping[str, str]
    parent: "Process | None" = None
    shows: frozenset[str] = EVERYTHING
    """The facts that telemetry tells of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """A row of telemetry: the process it is about, and the one that caused it."""

    id: str
    table: str
    subject: Process | None
    initiator: Process | None
    action: str = "Something"
    says: frozenset[str] = EVERYTHING
    """The facts that it tells of the one that caused it."""

    @property
    def of(self) -> Process:
        """The process that it tells most of."""
        told = self.subject or self.initiator
        if told is None:
            raise ValueError("an event is of some process")
        return told

    @property
    def device(self) -> Device:
        """The device that reports it."""
        return self.of.device

    @property
    def time(self) -> int:
        """When it happened; a process that says that it started in 1601 did so lately."""
        return (self.of.created if self.of.created > FIRST else LATELY) + MS


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert: the devices it names, its last activity, and the source that tells of it.

    `told` says whether it tells its devices' platform.
    """

    id: str
    devices: tuple[Device, ...]
    active: int
    told: bool = True
    source: str = "graph"


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """Process evidence as an alert shows it, and the process that it truly means."""

    id: str
    alert: Alert
    means: Process
    pid: int | None
    time: int | None
    device: str | None
    facts: Mapping[str, str] = field(default_factory=dict)
    parent: tuple[int, int] | None = None
    hunts: tuple[str, ...] = ()
    """How hunts for it ended, the first one first."""


@dataclass(slots=True)
class World:
    """One seed's world of a case."""

    case: str
    seed: int
    events: list[Event] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)

    def __str__(self) -> str:
        """Return what finds it again."""
        return f"{self.case}, seed {self.seed}"
