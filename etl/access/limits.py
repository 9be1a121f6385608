"""Staying inside a quota: at most so many calls in any minute and, where one is set, in any hour.

One limiter per tenant and API; it is thread-safe. What to do when the service says 429 all the same
belongs to `etl.access.client`.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

log = logging.getLogger(__name__)

_MINUTE = 60.0
_HOUR = 3600.0
JITTER = 1.0
"""Seconds that a window is taken longer than it is: requests do not all travel equally fast."""


class Limiter:
    """Sliding windows: the N+1st call waits until the first of the last N leaves each of them."""

    def __init__(
        self,
        calls_per_minute: int,
        calls_per_hour: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limits = [(calls_per_minute, _MINUTE)]
        if calls_per_hour is not None:
            self._limits.append((calls_per_hour, _HOUR))
        self._clock = clock
        self._sleep = sleep
        self._calls: deque[float] = deque(maxlen=max(limit for limit, _ in self._limits))
        self._lock = threading.Lock()

    def wait(self) -> float:
        """Take a place, waiting for one if need be; return the seconds waited."""
        waited = 0.0
        while True:
            with self._lock:
                now = self._clock()
                pause = self._pause(now)
                if pause <= 0:
                    self._calls.append(now)
                    return waited
            log.info("waiting for the quota seconds=%.0f limits=%s", pause, self._shown)
            self._sleep(pause)
            waited += pause

    def pause(self) -> float:
        """Return the seconds that a call would wait now; 0 where there is room."""
        with self._lock:
            return max(0.0, self._pause(self._clock()))

    def _pause(self, now: float) -> float:
        """Return the seconds until every window has room, or less than none."""
        pauses = (
            window + JITTER - (now - self._calls[-limit])
            for limit, window in self._limits
            if len(self._calls) >= limit
        )
        return max(pauses, default=0.0)

    @property
    def _shown(self) -> str:
        return ", ".join(f"{limit} in {window:.0f} s" for limit, window in self._limits)
