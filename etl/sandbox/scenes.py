"""Scenes: one device, one attacker and a clock; what stories write their processes and events on.

A scene records what truly happened. How alerts and telemetry show it belongs elsewhere.
"""

from dataclasses import dataclass, field
from random import Random

from etl.sandbox import moments
from etl.sandbox.fleet import Device
from etl.sandbox.software import Image

FIRST_EXEC_GAP = 300
"""Shortest time between fork and exec: 30 microseconds."""
LAST_EXEC_GAP = 136_000


@dataclass(frozen=True, slots=True)
class Process:
    """A process of an attack; `parent` is a row number among all processes, if it is known."""

    device: int
    pid: int
    created: int
    parent: int | None
    image: Image
    command: str
    as_user: bool = True
    recorded: bool = True


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a process did."""

    table: str
    ticks: int
    initiator: int
    columns: dict[str, object]


@dataclass(slots=True)
class Ledger:
    """The attack processes and events of the whole tenant; `base` ordinary processes precede."""

    base: int
    roots: dict[tuple[int, str], int]
    processes: list[Process] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def add(self, process: Process) -> int:
        """Record a process and return its row number among all processes."""
        self.processes.append(process)
        return self.base + len(self.processes) - 1

    def __getitem__(self, index: int) -> Process:
        return self.processes[index - self.base]


@dataclass(slots=True)
class Scene:
    """One attack as it unfolds on one device."""

    device: Device
    random: Random
    ledger: Ledger
    now: int
    execs: bool = False
    crowded: bool = False
    """Whether a fork and its exec share one 10 ms of the clock."""

    suspects: list[int] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        """Let up to `seconds` pass, at the precision of the device's sensor."""
        self.now += round(self.random.uniform(0.1, seconds) * moments.SECOND)
        self._settle()

    def _settle(self) -> None:
        if self.device.platform != "windows":
            self.now -= self.now % moments.MICROSECOND

    def root(self, name: str) -> int:
        """Return the long-running process of a name."""
        return self.ledger.roots[self.device.index, name]

    def pid(self) -> int:
        """Draw a process number that fits the platform and that no ordinary process has."""
        if self.device.platform == "windows":
            return 4 * self.random.randrange(3_300, 16_000)
        if self.device.platform == "macos":
            return self.random.randrange(60_000, 99_000)
        return self.random.choice((0, 4_500_000)) + self.random.randrange(300_000, 900_000)

    def spawn(self, parent: int, image: Image, command: str | None = None) -> int:
        """Start a process, and suspect it; where `execs` is set, fork first and then exec."""
        self.wait(20)
        shown = image.command if command is None else command
        pid = self.pid()
        if self.execs:
            parent = self._fork(parent, pid)
        return self.suspect(self.start(parent, image, shown, pid=pid))

    def start(
        self, parent: int | None, image: Image, command: str, *, pid: int, recorded: bool = True
    ) -> int:
        """Start a process now without suspecting it."""
        return self.ledger.add(
            Process(self.device.index, pid, self.now, parent, image, command, recorded=recorded)
        )

    def suspect(self, process: int) -> int:
        """Have the alert name a process."""
        self.suspects.append(process)
        return process

    def _fork(self, parent: int, pid: int) -> int:
        image = Image("/usr/bin/bash" if self.device.platform == "linux" else "/bin/zsh")
        last = LAST_EXEC_GAP
        if self.crowded:
            self.now += moments.CENTISECOND - self.now % moments.CENTISECOND
            last = moments.CENTISECOND
        fork = self.suspect(self.start(parent, image, image.name, pid=pid))
        gap = self.random.randrange(FIRST_EXEC_GAP, last, moments.MICROSECOND)
        self.now += gap
        return fork

    def do(self, table: str, action: str, by: int, **columns: object) -> None:
        """Let a process do something a moment later."""
        self.wait(4)
        self.ledger.events.append(Event(table, self.now, by, {"ActionType": action, **columns}))
