"""Veil: telemetry that has happened but has not arrived, so that hunting does not see it yet.

Only rows of devices arrive late; what hunting says of alerts does not.
"""

import threading
from collections.abc import Collection
from dataclasses import dataclass, field

from etl.sandbox import moments

_LATE = "Device"


@dataclass(slots=True)
class Veil:
    """What is held back; may be changed from any thread while queries run."""

    _devices: frozenset[str] = frozenset()
    _after: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def withhold(self, devices: Collection[str]) -> None:
        """Hold back the rows of more devices, by their ids."""
        with self._lock:
            self._devices |= {device.lower() for device in devices}

    def withhold_after(self, ticks: int) -> None:
        """Hold back the rows of all devices that are later than an instant, in .NET ticks."""
        with self._lock:
            self._after = ticks

    def release(self) -> None:
        """Hold back nothing any more."""
        with self._lock:
            self._devices, self._after = frozenset(), None

    def condition(self, table: str) -> str:
        """Return the SQL that lets the rows of a table through that have arrived."""
        with self._lock:
            devices, after = self._devices, self._after
        if not table.startswith(_LATE):
            return "TRUE"
        tests = ["TRUE"]
        if devices:
            listed = ", ".join("'" + device.replace("'", "''") + "'" for device in sorted(devices))
            tests.append(f'coalesce("DeviceId" NOT IN ({listed}), TRUE)')
        if after is not None:
            tests.append(f'"Timestamp" <= make_timestamp({after - moments.UNIX_EPOCH})')
        return " AND ".join(tests)
