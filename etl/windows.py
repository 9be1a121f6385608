"""Half-open windows of time in ticks: what is asked for, merged and halved without gap or overlap.

Knows nothing of devices, tables or the service.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from etl import ticks


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The instants from `start` up to, not including, `end`, both in ticks."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"an empty window: {self.start} to {self.end}")

    @classmethod
    def of_day(cls, day: date) -> "Window":
        """Return the UTC day."""
        start = ticks.from_datetime(datetime.combine(day, time(), UTC))
        return cls(start, start + ticks.PER_DAY)

    @property
    def days(self) -> list[date]:
        """The UTC days that the window touches."""
        first, last = ticks.to_datetime(self.start).date(), ticks.to_datetime(self.end - 1).date()
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]

    @property
    def length(self) -> int:
        """Ticks in the window."""
        return self.end - self.start

    @property
    def instants(self) -> tuple[datetime, datetime]:
        """Both ends as aware datetimes."""
        return ticks.to_datetime(self.start), ticks.to_datetime(self.end)

    def halves(self) -> "tuple[Window, Window] | None":
        """Split in the middle; None where a single tick is left."""
        middle = self.start + self.length // 2
        if middle == self.start:
            return None
        return Window(self.start, middle), Window(middle, self.end)

    def common(self, other: "Window") -> "Window | None":
        """Return the part that both cover, if any."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Window(start, end) if start < end else None

    def widened(self, unit: int) -> "Window":
        """Move both ends outward to whole multiples of `unit` ticks."""
        return Window(self.start // unit * unit, -(-self.end // unit) * unit)

    def __str__(self) -> str:
        return f"{ticks.to_text(self.start)}/{ticks.to_text(self.end)}"


def merge(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Unite what overlaps or touches; the result is sorted and disjoint."""
    merged: list[Window] = []
    for window in sorted(windows):
        if merged and window.start <= merged[-1].end:
            merged[-1] = Window(merged[-1].start, max(merged[-1].end, window.end))
        else:
            merged.append(window)
    return tuple(merged)


def of_days(days: Iterable[date]) -> tuple[Window, ...]:
    """Return the UTC days as windows; days that follow each other are one."""
    return merge(map(Window.of_day, days))
