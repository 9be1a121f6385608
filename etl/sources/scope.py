"""A scope: which devices matter when, so that one query serves many devices.

Windows are widened to whole hours, so that devices with much the same activity share a condition.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from etl import ticks
from etl.sources import kql
from etl.sources.kql import Literal
from etl.windows import Window, merge


@dataclass(frozen=True, slots=True)
class Group:
    """Devices that matter in the same window."""

    devices: tuple[str, ...]
    window: Window


@dataclass(frozen=True, slots=True)
class Scope:
    """Groups of devices and windows, sorted; empty where nothing matters."""

    groups: tuple[Group, ...]

    @classmethod
    def around(cls, activity: Mapping[str, Iterable[Window]], limits: Window) -> "Scope":
        """Build a scope from each device's windows, cut to `limits`."""
        members: dict[Window, list[str]] = {}
        for device, windows in activity.items():
            for window in merge(w.widened(ticks.PER_HOUR) for w in windows):
                inside = window.common(limits)
                if inside:
                    members.setdefault(inside, []).append(device)
        return cls(tuple(Group(tuple(sorted(members[w])), w) for w in sorted(members)))

    @property
    def span(self) -> Window:
        """The window from the first instant that matters to the last.

        Raises ValueError for an empty scope.
        """
        starts = [group.window.start for group in self.groups]
        return Window(min(starts), max(group.window.end for group in self.groups))

    @property
    def devices(self) -> tuple[str, ...]:
        """Every device, once, sorted."""
        return tuple(sorted({device for group in self.groups for device in group.devices}))

    @property
    def hours(self) -> int:
        """How many hours of a device there are, over all devices."""
        return sum(
            len(group.devices) * -(-group.window.length // ticks.PER_HOUR) for group in self.groups
        )

    @property
    def cells(self) -> Iterator[tuple[str, int]]:
        """The hours of devices that it touches: device, first tick of the hour."""
        for group in self.groups:
            first = group.window.start // ticks.PER_HOUR * ticks.PER_HOUR
            for hour in range(first, group.window.end, ticks.PER_HOUR):
                for device in group.devices:
                    yield device, hour

    def within(self, window: Window) -> "Scope":
        """Return the part that lies in `window`."""
        cut = ((group.devices, group.window.common(window)) for group in self.groups)
        return Scope(tuple(Group(devices, inside) for devices, inside in cut if inside))

    def halves(self) -> "tuple[Scope, Scope] | None":
        """Split the devices in two; None where one device is left."""
        devices = self.devices
        if len(devices) < 2:  # noqa: PLR2004
            return None
        first = frozenset(devices[: len(devices) // 2])
        return self._only(first, keep=True), self._only(first, keep=False)

    def only(self, devices: Iterable[str]) -> "Scope":
        """Return the part about some devices."""
        return self._only(frozenset(devices), keep=True)

    def condition(self) -> Literal:
        """Return the scope as a KQL condition."""
        return kql.either(
            kql.bind(
                "device_window",
                devices=kql.texts(group.devices),
                start=kql.instant(group.window.start),
                end=kql.instant(group.window.end),
            )
            for group in self.groups
        )

    def _only(self, chosen: frozenset[str], *, keep: bool) -> "Scope":
        parts = (
            (tuple(d for d in group.devices if (d in chosen) == keep), group.window)
            for group in self.groups
        )
        return Scope(tuple(Group(devices, window) for devices, window in parts if devices))
