"""Staying inside a quota: at most so many calls in any minute and, where one is set, in any hour.

All limiters of a quota share its record, whatever thread or process they are in, and so do those
that were told by the service to wait. How the service tells belongs to `etl.access.waits`.
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from etl.access.record import Entry, Held, Record

log = logging.getLogger(__name__)

_HOUR: Final = 60
"""Minutes of an hour."""

JITTER: Final = 2.0
"""Seconds that a window is taken longer than it is: requests do not all travel equally fast. A call
from that much in the future counts as one of now; one from later was noted by another clock."""

LONGEST: Final = 86_400.0
"""Seconds that an order to wait may last: quotas begin anew each day at the latest."""

_KEPT: Final = 3700.0
"""Seconds that a call is kept for limiters with longer windows than one's own."""

_SPARE: Final = 64
"""Entries that mean nothing any more, before they are taken out."""

_LEAST: Final = 0.001
"""Seconds of the shortest pause."""


class Full(Exception):
    """There is no place for `seconds` yet, which is longer than the caller waits."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"no place for {seconds:.0f} s")


@dataclass(frozen=True, slots=True)
class Limiter:
    """Sliding windows: the N+1st call waits until the first of the last N leaves each of them."""

    record: Record
    calls_per_minute: int
    calls_per_hour: int | None = None
    minute: float = field(default=60.0, kw_only=True)
    """Seconds of a minute."""

    jitter: float = field(default=JITTER, kw_only=True)
    clock: Callable[[], float] = field(default=time.time, kw_only=True, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, kw_only=True, repr=False)

    def wait(self, longest: float = math.inf) -> float:
        """Take a place, waiting for one if need be; return the seconds waited.

        Raises Full where there is none within the seconds that one waits at `longest`.
        """
        waited = 0.0
        while True:
            pause = self.take()
            if pause <= 0:
                return waited
            if pause > longest:
                raise Full(pause)
            log.info("waiting for the quota seconds=%.0f limits=%s", pause, self._shown)
            self.sleep(pause)
            waited += pause

    def take(self) -> float:
        """Take a place and return 0, or return the seconds after which there may be one."""
        with self.record.held() as held:
            now = self.clock()
            entries = self._current(held, now)
            pause = self._pause(entries, now)
            if pause <= 0:
                held.add((now, 0.0))
            return pause

    def pause(self) -> float:
        """Return the seconds that a call would wait now; 0 where there is room."""
        with self.record.held() as held:
            now = self.clock()
            return self._pause(self._current(held, now), now)

    def block(self, seconds: float) -> None:
        """Let nobody call for some seconds: the service has said so."""
        if seconds > 0:
            with self.record.held() as held:
                now = self.clock()
                self._current(held, now)
                held.add((now, now + min(seconds, LONGEST)))

    def _current(self, held: Held, now: float) -> list[Entry]:
        """Return the entries that mean something still; where many do not, take those out."""
        found = held.read()
        kept = max(_KEPT, _HOUR * self.minute + self.jitter)
        current = [
            (made, until)
            for made, until in found
            if made <= now + JITTER
            and (now < until <= made + LONGEST if until else made > now - kept)
        ]
        if len(found) > 2 * len(current) + _SPARE:
            held.replace(current)
        return current

    def _pause(self, entries: Sequence[Entry], now: float) -> float:
        """Return the seconds until every window has room and nobody has to wait; 0 if so now."""
        calls = sorted(min(made, now) for made, until in entries if not until)
        pauses = [until - now for _, until in entries if until]
        pauses += [
            window + self.jitter - (now - calls[-limit])
            for limit, window in self._limits
            if len(calls) >= limit
        ]
        longest = max(pauses, default=0.0)
        return max(longest, _LEAST) if longest > 0 else 0.0

    @property
    def _limits(self) -> list[tuple[int, float]]:
        limits = [(self.calls_per_minute, self.minute)]
        if self.calls_per_hour is not None:
            limits.append((self.calls_per_hour, _HOUR * self.minute))
        return limits

    @property
    def _shown(self) -> str:
        return ", ".join(f"{limit} in {window:.0f} s" for limit, window in self._limits)
