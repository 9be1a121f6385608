"""Sources: how each of them shows a true time, and how much of it can be believed.

Windows shows 100 ns everywhere, macOS 1 us everywhere. Linux shows 1 us in a process's own creation
row; elsewhere, and mostly in evidence, times are cut to 10 ms. A whole source can be coarser: every
time in it cut, or rounded, to milliseconds or seconds.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from accuracy.worlds import MS, PROCESS, SECOND, US, Event, Process

SLOT: Final = 10 * MS
"""What Linux cuts times to."""


@dataclass(frozen=True, slots=True)
class Call:
    """One day's pull as a whole: what holds for all of its worlds."""

    name: str
    step: int = 1
    """What all times of its alerts are multiples of, in ticks."""

    coarse: tuple[str, ...] = ("graph", "mde")
    """The sources of alerts for which that holds."""

    rounded: bool = False
    """Whether they are rounded to that, not cut."""

    remembers: bool = False
    """Whether it has telemetry older than all evidence."""

    statuses: tuple[str, ...] = ("complete",)
    """How its hunting slices ended."""

    def of(self, source: str) -> "Call":
        """Return the call as it is for the alerts of one source."""
        return self if source in self.coarse else replace(self, step=1)


def unit(platform: str, *, own: bool) -> int:
    """Return how finely telemetry of a platform shows creation times, in its own rows or not."""
    if platform == "windows":
        return 1
    return SLOT if platform == "linux" and not own else US


def cut(time: int, step: int) -> int:
    """Cut a time to a multiple of a step."""
    return time - time % step


def own(event: Event) -> bool:
    """Tell whether a row is its subject's own: the one of its creation."""
    return event.table == PROCESS and event.subject is not None


def in_telemetry(process: Process, *, own: bool) -> int:
    """Return a process's creation time as telemetry shows it."""
    return cut(process.created, unit(process.device.platform, own=own))


def in_evidence(process: Process, call: Call, *, fine: bool = False) -> int:
    """Return a process's creation time as an alert of a call shows it; `fine` is uncut Linux."""
    time = cut(process.created, unit(process.device.platform, own=fine))
    return cut(time + call.step // 2 * call.rounded, call.step)


def read_unit(platform: str, time: int, call: Call) -> int:
    """Return how finely evidence is known, as its reader can tell."""
    return max(call.step, unit(platform, own=time % SLOT != 0))


def agree(evidence: int, telemetry: int, level: int, call: Call) -> bool:
    """Tell whether two times are the same at a precision; a coarse source may have rounded."""
    if cut(evidence, level) == cut(telemetry, level):
        return True
    return level == call.step > 1 and -level // 2 <= telemetry - evidence < level


_ZONES: Final = ("Z", "Z", "+00:00", "")


def text(time: int) -> str:
    """Write a time as services do: trailing zeros dropped, the zone in one of three ways."""
    whole = datetime(1, 1, 1) + timedelta(seconds=time // SECOND)  # noqa: DTZ001
    digits = f"{time % SECOND:07}".rstrip("0")
    fraction = f".{digits}" if digits else ""
    return f"{whole.isoformat()}{fraction}{_ZONES[time // US % len(_ZONES)]}"
