"""Crowd: very many alerts at once, quickly made, for tests of quotas, paging and memory.

They have no history and no telemetry; alerts that change are written by `chronicle`.
"""

from bisect import bisect_left
from datetime import UTC, date, datetime
from random import Random

from etl.sandbox import moments
from etl.sandbox.alerts import Alert
from etl.sandbox.evidence import Item
from etl.sandbox.fleet import Device
from etl.sandbox.specimens import Specimens, rounded

_TIED, _SWEPT = 0.3, 0.4
"""Shares of alerts updated by the next tie after their creation, and by it or the last one."""

_MOST_PROCESSES = 3


def crowd(number: int, *, days: int, seed: int, until: date | None = None) -> list[Alert]:
    """Make so many alerts on the days before `until`, today by default, oldest created first.

    Each day has one instant at which many alerts were updated together; the last of them touched a
    tenth of all. Alerts share their items about devices, users and files: replace those of an
    alert, don't change them.
    """
    end = moments.midnight(until or datetime.now(UTC).date())
    maker = _Maker(Random(seed), end - days * moments.DAY, end)
    return [maker.alert((index + 0.5) / number) for index in range(number)]


class _Maker:
    """Makes alerts between two ticks."""

    def __init__(self, random: Random, start: int, end: int) -> None:
        self._random = random
        self._span = start, end
        self._specimens = Specimens(random)
        self._kept: dict[str, list[Item]] = {}
        self._ties = [
            rounded(midnight + moments.DAY - random.randrange(moments.MINUTE, moments.HOUR))
            for midnight in range(start, end, moments.DAY)
        ]

    def alert(self, share: float) -> Alert:
        """Make an alert created after a share of the time."""
        start, end = self._span
        jitter = self._random.randrange(moments.SECOND)
        created = start + round(share * (end - start - moments.DAY // 12)) + jitter
        alert = self._specimens.alert(created, self._evidence(created))
        alert["lastUpdateDateTime"] = moments.text(self._updated(created))
        return alert

    def _updated(self, created: int) -> int:
        drawn = self._random.random()
        following = self._ties[bisect_left(self._ties, created)]
        if drawn < _TIED:
            return following
        if drawn < _SWEPT:
            return self._ties[-1]
        return rounded(created + self._random.randrange(self._ties[-1] - created))

    def _evidence(self, created: int) -> list[Item]:
        device = self._specimens.device()
        processes = [
            self._specimens.process(device, created)
            for _ in range(self._random.randint(1, _MOST_PROCESSES))
        ]
        first, *others = self._about(device)
        found = self._random.sample(others, self._random.randint(2, len(others)))
        return [first, *processes, *found]

    def _about(self, device: Device) -> list[Item]:
        """Return a device's own item, and what else was found there, the same for all alerts."""
        if device.id not in self._kept:
            made, day = self._specimens, self._span[0]
            files = [made.file(device, day) for _ in range(3)]
            self._kept[device.id] = [made.machine(device, day), made.account(device, day), *files]
        return self._kept[device.id]
