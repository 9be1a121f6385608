import threading
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.access.limits import JITTER, Limiter

WINDOW = 60.0


@dataclass(slots=True)
class Clock:
    """A clock that moves only when somebody sleeps, and a little more than asked, as real ones."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def read(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.slept.append(seconds)
        self.now += seconds + 1e-6


@settings(deadline=None)
@given(st.integers(1, 6), st.lists(st.floats(0, 100) | st.just(0.0), max_size=40))
def test_never_more_than_the_limit_in_a_minute(limit: int, pauses: list[float]) -> None:
    """Whenever calls come, no window of a minute holds more of them than allowed."""
    clock = Clock()
    limiter = Limiter(limit, clock=clock.read, sleep=clock.sleep)
    taken = []
    for pause in pauses:
        clock.now += pause
        limiter.wait()
        taken.append(clock.now)
    for first, over in zip(taken, taken[limit:], strict=False):
        assert over - first >= WINDOW - 1e-9


@settings(deadline=None)
@given(st.integers(1, 6), st.lists(st.floats(0, 100), max_size=30))
def test_waits_are_told_and_no_longer_than_a_minute(limit: int, pauses: list[float]) -> None:
    """The wait returned is the wait slept, and no call waits more than the window."""
    clock = Clock()
    limiter = Limiter(limit, clock=clock.read, sleep=clock.sleep)
    for pause in pauses:
        clock.now += pause
        clock.slept.clear()
        assert limiter.wait() == pytest.approx(sum(clock.slept))
        assert sum(clock.slept) <= WINDOW + JITTER + 1e-3


@settings(deadline=None)
@given(
    st.integers(1, 5), st.integers(1, 12), st.lists(st.floats(0, 1000) | st.just(0.0), max_size=40)
)
def test_an_hour_is_kept_to_as_well_as_a_minute(
    minute: int, hour: int, pauses: list[float]
) -> None:
    """With a limit for the hour, neither a minute nor an hour holds more calls than allowed."""
    clock = Clock()
    limiter = Limiter(minute, hour, clock=clock.read, sleep=clock.sleep)
    taken = []
    for pause in pauses:
        clock.now += pause
        limiter.wait()
        taken.append(clock.now)
    for limit, window in ((minute, WINDOW), (hour, 60 * WINDOW)):
        for first, over in zip(taken, taken[limit:], strict=False):
            assert over - first >= window - 1e-9


def test_a_full_hour_is_waited_for() -> None:
    """With the hour's calls spent, the next waits until the first of them is an hour old."""
    clock = Clock()
    limiter = Limiter(10, 3, clock=clock.read, sleep=clock.sleep)
    assert [limiter.wait() for _ in range(3)] == [0.0, 0.0, 0.0]
    clock.now += 600
    assert limiter.wait() == pytest.approx(3000 + JITTER)


def test_calls_below_the_limit_do_not_wait() -> None:
    """With room nobody sleeps; the next call waits until the first is more than a minute old."""
    clock = Clock()
    limiter = Limiter(3, clock=clock.read, sleep=clock.sleep)
    assert [limiter.wait() for _ in range(3)] == [0.0, 0.0, 0.0]
    clock.now += 20
    assert limiter.pause() == pytest.approx(40 + JITTER)
    assert limiter.wait() == pytest.approx(40 + JITTER)


def test_a_clock_that_wakes_early_is_waited_for_again() -> None:
    """A sleep that ends too soon does not let a call through."""
    clock = Clock()

    def short(seconds: float) -> None:
        clock.sleep(seconds / 2 if len(clock.slept) < 3 else seconds)

    limiter = Limiter(1, clock=clock.read, sleep=short)
    limiter.wait()
    start = clock.now
    limiter.wait()
    assert clock.now - start >= WINDOW


def test_threads_share_one_quota() -> None:
    """Calls of several threads at once count against the same limit."""
    clock, guard, taken = Clock(), threading.Lock(), []

    def sleep(seconds: float) -> None:
        with guard:
            clock.sleep(seconds)

    limiter = Limiter(5, clock=clock.read, sleep=sleep)

    def work() -> None:
        for _ in range(3):
            limiter.wait()
            with guard:
                taken.append(clock.now)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(taken) == 15
    assert clock.now - 1000 >= 2 * WINDOW
