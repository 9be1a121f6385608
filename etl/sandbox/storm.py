"""Storm: which hunting calls are turned away, in what words, and for how long.

The quota of calls a minute, the budget of processor time until the next quarter of an hour, and the
refusals that only faults bring.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

from etl.sandbox import moments
from etl.sandbox.faults import Faults
from etl.sandbox.gate import Countdown, Gate, GraphError, Quota

Clock = Callable[[], datetime]
_QUARTER: Final = 15 * moments.MINUTE
_SPENT: Final = "You have exceeded processing resources allocated to this tenant."
_UNIT_MINUTES: Final = 60


class Storm:
    """Counts the hunting calls of a tenant."""

    def __init__(self, faults: Faults, gate: Gate, clock: Clock) -> None:
        self._faults = faults
        self._gate = gate
        self._clock = clock
        self._quota = Quota(faults.calls_per_minute)
        self._throttle = Countdown(faults.throttle_first)
        self._lock = threading.Lock()
        self._calls = 0
        self._spent = 0
        self._blocked_until = 0

    def count(self) -> None:
        """Count a call.

        Raises GraphError with 429 where it is turned away.
        """
        if self._throttle.hit() or self._strikes():
            raise self._turned_away(1.0)
        seconds = self._out_of_budget()
        if seconds:
            raise self._turned_away(seconds, unit=_UNIT_MINUTES)
        seconds = self._quota.wait()
        if seconds:
            raise self._turned_away(seconds)

    def _strikes(self) -> bool:
        with self._lock:
            self._calls += 1
            return self._faults.storm > 0 and self._calls % self._faults.storm == 0

    def _out_of_budget(self) -> float:
        """Return the seconds until the next quarter of an hour, or 0 where the budget suffices."""
        if not self._faults.cpu:
            return 0.0
        now = moments.unix_ticks(self._clock())
        with self._lock:
            if now >= self._blocked_until:
                self._blocked_until = now - now % _QUARTER + _QUARTER
                self._spent = 0
            self._spent += 1
            if self._spent <= self._faults.cpu:
                return 0.0
            return (self._blocked_until - now) / moments.SECOND

    def _turned_away(self, seconds: float, unit: int = 1) -> GraphError:
        if self._faults.mute:
            error = self._gate.throttled(seconds, _SPENT)
            error.retry_after = None
            return error
        name = "seconds" if unit == 1 else "minutes"
        wait = int(seconds + 1) if unit == 1 else int(-(-seconds // unit))
        return self._gate.throttled(
            seconds, f"{_SPENT} You can run queries again in {wait} {name}."
        )
