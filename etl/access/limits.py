"""Staying inside a quota: at most so many calls in any window of a minute.

One limiter per tenant and API; it is thread-safe. What to do when the service says 429 all the same
belongs to `etl.access.client`.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

log = logging.getLogger(__name__)

_WINDOW = 60.0


class Limiter:
    """A sliding window: the N+1st call waits until the first of the last N is a minute old."""

    def __init__(
        self,
        calls_per_minute: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limit = calls_per_minute
        self._clock = clock
        self._sleep = sleep
        self._calls: deque[float] = deque()
        self._lock = threading.Lock()

    def wait(self) -> float:
        """Take a place, waiting for one if need be; return the seconds waited."""
        waited = 0.0
        while True:
            with self._lock:
                now = self._clock()
                while self._calls and now - self._calls[0] >= _WINDOW:
                    self._calls.popleft()
                if len(self._calls) < self._limit:
                    self._calls.append(now)
                    return waited
                pause = _WINDOW - (now - self._calls[0])
            log.info("waiting for the quota seconds=%.0f calls_per_minute=%d", pause, self._limit)
            self._sleep(pause)
            waited += pause
