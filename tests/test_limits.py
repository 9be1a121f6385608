import fcntl
import heapq
import os
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limiters import limiter, record

from etl.access.limits import JITTER, LONGEST, Full, Limiter
from etl.access.record import Record
from etl.errors import ConfigError

WINDOW = 60.0
START = 1_000_000.0


@dataclass(slots=True)
class Clock:
    """A clock that moves only when somebody sleeps, and a little more than asked, as real ones."""

    now: float = START
    slept: list[float] = field(default_factory=list)

    def read(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.slept.append(seconds)
        self.now += seconds + 1e-6

    def limiter(self, calls: int, *more: int) -> Limiter:
        """Return a limiter that goes by this clock."""
        return limiter(calls, *more, clock=self.read, sleep=self.sleep)


@settings(deadline=None)
@given(st.integers(1, 6), st.lists(st.floats(0, 100) | st.just(0.0), max_size=40))
def test_never_more_than_the_limit_in_a_minute(limit: int, pauses: list[float]) -> None:
    """Whenever calls come, no window of a minute holds more of them than allowed."""
    clock = Clock()
    one = clock.limiter(limit)
    taken = []
    for pause in pauses:
        clock.now += pause
        one.wait()
        taken.append(clock.now)
    for first, over in zip(taken, taken[limit:], strict=False):
        assert over - first >= WINDOW - 1e-9


@settings(deadline=None)
@given(st.integers(1, 6), st.lists(st.floats(0, 100), max_size=30))
def test_waits_are_told_and_no_longer_than_a_minute(limit: int, pauses: list[float]) -> None:
    """The wait returned is the wait slept, and no call waits more than the window."""
    clock = Clock()
    one = clock.limiter(limit)
    for pause in pauses:
        clock.now += pause
        clock.slept.clear()
        assert one.wait() == pytest.approx(sum(clock.slept))
        assert sum(clock.slept) <= WINDOW + JITTER + 2e-3


@settings(deadline=None)
@given(
    st.integers(1, 5), st.integers(1, 12), st.lists(st.floats(0, 1000) | st.just(0.0), max_size=40)
)
def test_an_hour_is_kept_to_as_well_as_a_minute(
    minute: int, hour: int, pauses: list[float]
) -> None:
    """With a limit for the hour, neither a minute nor an hour holds more calls than allowed."""
    clock = Clock()
    one = clock.limiter(minute, hour)
    taken = []
    for pause in pauses:
        clock.now += pause
        one.wait()
        taken.append(clock.now)
    for limit, window in ((minute, WINDOW), (hour, 60 * WINDOW)):
        for first, over in zip(taken, taken[limit:], strict=False):
            assert over - first >= window - 1e-9


@settings(deadline=None)
@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(0, 3), st.floats(0, 90) | st.just(0.0)), max_size=30),
)
def test_limiters_of_one_quota_count_together(
    limit: int, arrivals: list[tuple[int, float]]
) -> None:
    """Whoever asks when, no minute holds more than the limit, and nobody waits without need."""
    clock, shared = Clock(), record()
    several = [Limiter(shared, limit, clock=clock.read) for _ in range(4)]
    events, taken, when = [], [], START
    for number, (which, gap) in enumerate(arrivals):
        when += gap
        events.append((when, number, which))
    first_asked = {number: at for at, number, _ in events}
    while events:
        clock.now, number, which = heapq.heappop(events)
        pause = several[which].take()
        if pause > 0:
            heapq.heappush(events, (clock.now + pause + 1e-6, number, which))
        else:
            taken.append((clock.now, number))
    times = [at for at, _ in taken]

    assert len(times) == len(arrivals)
    for index, (at, number) in enumerate(taken):
        before = times[index - limit] if index >= limit else -WINDOW
        assert at - before >= WINDOW - 1e-9
        needed = max(first_asked[number], before + WINDOW + JITTER)
        assert at <= needed + 1e-2


def test_a_full_hour_is_waited_for() -> None:
    """With the hour's calls spent, the next waits until the first of them is an hour old."""
    clock = Clock()
    one = clock.limiter(10, 3)
    assert [one.wait() for _ in range(3)] == [0.0, 0.0, 0.0]
    clock.now += 600
    assert one.wait() == pytest.approx(3000 + JITTER)


def test_calls_below_the_limit_do_not_wait() -> None:
    """With room nobody sleeps; the next call waits until the first is more than a minute old."""
    clock = Clock()
    one = clock.limiter(3)
    assert [one.wait() for _ in range(3)] == [0.0, 0.0, 0.0]
    clock.now += 20
    assert one.pause() == pytest.approx(40 + JITTER)
    assert one.wait() == pytest.approx(40 + JITTER)


def test_a_wait_that_is_too_long_is_handed_back() -> None:
    """Who does not wait that long is told how long it is, has not slept, and has no place."""
    clock = Clock()
    one = clock.limiter(1)
    one.wait()
    with pytest.raises(Full) as full:
        one.wait(WINDOW)
    assert full.value.seconds == pytest.approx(WINDOW + JITTER)
    assert clock.slept == []
    assert one.wait(WINDOW + JITTER) == pytest.approx(WINDOW + JITTER)


def test_a_clock_that_wakes_early_is_waited_for_again() -> None:
    """A sleep that ends too soon does not let a call through."""
    clock = Clock()

    def short(seconds: float) -> None:
        clock.sleep(seconds / 2 if len(clock.slept) < 3 else seconds)

    one = limiter(1, clock=clock.read, sleep=short)
    one.wait()
    start = clock.now
    one.wait()
    assert clock.now - start >= WINDOW


def test_threads_share_one_quota() -> None:
    """Calls of several threads at once count against the same limit."""
    clock, guard, taken = Clock(), threading.Lock(), []

    def sleep(seconds: float) -> None:
        with guard:
            clock.sleep(seconds)

    one = limiter(5, clock=clock.read, sleep=sleep)

    def work() -> None:
        for _ in range(3):
            one.wait()
            with guard:
                taken.append(clock.now)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(taken) == 15
    assert clock.now - START >= 2 * WINDOW


def test_an_order_to_wait_holds_for_all_of_the_quota() -> None:
    """After a block nobody calls before it ends, and the longest of several counts."""
    clock, shared = Clock(), record()
    one, other = (Limiter(shared, 9, clock=clock.read, sleep=clock.sleep) for _ in range(2))
    one.block(30)
    one.block(5)
    one.block(0)
    assert other.pause() == pytest.approx(30)
    assert other.wait() == pytest.approx(30)
    assert one.pause() == 0
    assert clock.limiter(9).pause() == 0  # of another quota


def test_an_order_to_wait_ends_with_the_day() -> None:
    """Whatever a service says, nobody waits for longer than a day."""
    clock = Clock()
    one = clock.limiter(1)
    one.block(1e12)
    assert one.pause() == pytest.approx(LONGEST)


def test_a_clock_that_was_set_back_stalls_nobody() -> None:
    """Calls and orders to wait from the future do not count, but a moment's difference does."""
    clock = Clock()
    one = clock.limiter(1)
    one.wait()
    clock.now -= JITTER / 2
    assert one.pause() == pytest.approx(WINDOW + JITTER)
    clock.now -= 3600
    one.block(0.5)
    clock.now -= 3600
    assert one.pause() == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 7,
        b"\xff" * 64,
        b"\x00" * 64,
        b"not a record of calls at all",
        os.urandom(999),
    ],
    ids=["empty", "half", "no numbers", "zeros", "text", "noise"],
)
def test_strange_contents_do_not_count(content: bytes) -> None:
    """A file that somebody else wrote, or half wrote, stalls nobody and is counted on in."""
    clock = Clock()
    one = clock.limiter(1)
    one.record.path.write_bytes(content)
    assert one.wait() == 0
    assert one.pause() == pytest.approx(WINDOW + JITTER)


def test_a_call_half_written_is_lost_alone() -> None:
    """The entries before and after one that was cut off count."""
    clock = Clock()
    one = clock.limiter(2)
    one.wait()
    with one.record.path.open("ab") as file:
        file.write(b"\x01" * 9)
    one.wait()
    assert one.pause() == pytest.approx(WINDOW + JITTER)


def test_the_record_stays_small() -> None:
    """Calls that no window can hold any more are taken out of the file."""
    clock = Clock()
    one = clock.limiter(1000)
    sizes = []
    for _ in range(600):
        clock.now += 60
        one.wait()
        sizes.append(one.record.path.stat().st_size)
    assert max(sizes) < 5000
    assert sizes[-1] < 5000


def test_only_the_owner_may_read_and_nothing_of_the_quota_shows(tmp_path: Path) -> None:
    """Folder and file are the user's own, and are not named for what they count."""
    kept = Record.of(tmp_path / "a" / "state", "https://graph", "../tenant", "Right.All")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (kept.path.parent, kept.path)]

    assert modes == [0o700, 0o600]
    assert kept.path.parent == tmp_path / "a" / "state" / "quotas"
    assert kept.path.stem.isalnum()
    assert Record.of(tmp_path / "a" / "state", "https://graph", "../tenant", "Right.All") == kept
    assert Record.of(tmp_path / "a" / "state", "https://graph", "..", "Right.All") != kept


def block_with_file(state: Path) -> None:
    """Put a file where the folder should be."""
    state.write_text("")


def block_with_link(state: Path) -> None:
    """Put a link where the file should be."""
    kept = Record.of(state, "quota")
    kept.path.unlink()
    kept.path.symlink_to(state.parent / "elsewhere")


def block_with_pipe(state: Path) -> None:
    """Put a pipe where the file should be."""
    kept = Record.of(state, "quota")
    kept.path.unlink()
    os.mkfifo(kept.path)


@pytest.mark.parametrize("obstacle", [block_with_file, block_with_link, block_with_pipe])
def test_a_folder_that_cannot_be_used_is_named(
    obstacle: Callable[[Path], None], tmp_path: Path
) -> None:
    """Where calls cannot be counted together, one line names the setting and the folder."""
    obstacle(tmp_path / "state")
    with pytest.raises(ConfigError, match=r"^DEFENDER_STATE: ") as error:
        Record.of(tmp_path / "state", "quota")

    assert str(tmp_path / "state") in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_is_deleted_meanwhile_is_made_again(tmp_path: Path) -> None:
    """Who cleans the caches during a run does not stop it."""
    kept = Record.of(tmp_path / "state", "quota")
    kept.path.unlink()
    kept.path.parent.rmdir()
    one = Limiter(kept, 1)

    assert one.take() == 0
    assert one.take() > 0


def test_records_of_yesterday_are_swept(tmp_path: Path) -> None:
    """A file that nobody touched for a day goes, unless somebody holds it just now."""
    old, held, new = (Record.of(tmp_path, name).path for name in ("old", "held", "new"))
    foreign = old.with_name("notes.txt")
    foreign.write_text("")
    yesterday = time.time() - 86_500
    for path in (old, held, foreign):
        os.utime(path, (yesterday, yesterday))
    with held.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        latest = Record.of(tmp_path, "latest").path

    assert sorted(old.parent.iterdir()) == sorted([held, foreign, new, latest])


def test_a_record_that_is_swept_while_it_is_waited_for_is_opened_anew(tmp_path: Path) -> None:
    """A call is never noted in a file that nobody else will see."""
    kept = Record.of(tmp_path, "quota")
    one, other = Limiter(kept, 1), Limiter(kept, 1)
    with kept.path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        thread = threading.Thread(target=one.wait)
        thread.start()
        time.sleep(0.1)
        kept.path.unlink()
    thread.join(10)

    assert not thread.is_alive()
    assert other.pause() > 0
