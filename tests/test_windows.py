from datetime import UTC, date, datetime
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl import ticks
from etl.windows import Window, merge

SMALL = st.builds(
    lambda start, length: Window(start, start + length), st.integers(0, 60), st.integers(1, 20)
)
LARGE = st.builds(
    lambda start, length: Window(start, start + length),
    st.integers(0, 2**61),
    st.integers(1, 400 * ticks.PER_DAY),
)


def covered(*windows: Window) -> set[int]:
    """Return every tick of small windows."""
    return {tick for window in windows for tick in range(window.start, window.end)}


@pytest.mark.parametrize(("start", "end"), [(5, 5), (5, 4)])
def test_an_empty_window_is_refused(start: int, end: int) -> None:
    """A window that holds no tick cannot be made."""
    with pytest.raises(ValueError, match="empty window"):
        Window(start, end)


def test_a_day_is_its_utc_day() -> None:
    """A day's window starts at its UTC midnight and ends at the next."""
    window = Window.of_day(date(2026, 3, 29))
    assert window.instants == (
        datetime(2026, 3, 29, tzinfo=UTC),
        datetime(2026, 3, 30, tzinfo=UTC),
    )


@given(LARGE)
def test_halves_tile_exactly(window: Window) -> None:
    """Halves meet in one tick, leave no gap, and differ by a tick at most; one tick has none."""
    halves = window.halves()
    if halves is None:
        assert window.length == 1
        return
    first, second = halves
    assert (first.start, first.end, second.end) == (window.start, second.start, window.end)
    assert 0 <= second.length - first.length <= 1


@given(st.lists(SMALL))
def test_merge_covers_the_same_ticks(windows: list[Window]) -> None:
    """Merging loses no tick and adds none."""
    assert covered(*merge(windows)) == covered(*windows)


@given(st.lists(SMALL))
def test_merged_windows_are_sorted_and_apart(windows: list[Window]) -> None:
    """Merged windows are sorted and neither overlap nor touch."""
    merged = merge(windows)
    assert all(a.end < b.start for a, b in pairwise(merged))


@given(st.lists(SMALL), st.randoms(use_true_random=False))
def test_merge_does_not_depend_on_order(windows: list[Window], random: Random) -> None:
    """The same windows in another order, or merged twice, give the same."""
    shuffled = list(windows)
    random.shuffle(shuffled)
    assert merge(shuffled) == merge(windows) == merge(merge(windows))


@given(SMALL, SMALL)
def test_common_is_the_intersection(one: Window, other: Window) -> None:
    """The common part holds the ticks of both, whichever comes first."""
    common = one.common(other)
    assert covered(*([common] if common else [])) == covered(one) & covered(other)
    assert other.common(one) == common


@given(LARGE, st.sampled_from([1, 7, ticks.PER_SECOND, ticks.PER_HOUR]))
def test_widened_moves_outward_to_whole_units(window: Window, unit: int) -> None:
    """Widening covers the window, ends on whole units, and moves each end by less than one."""
    wide = window.widened(unit)
    assert wide.start % unit == wide.end % unit == 0
    assert 0 <= window.start - wide.start < unit
    assert 0 <= wide.end - window.end < unit


def test_a_window_prints_to_the_last_digit() -> None:
    """A window's text is both its ends with seven digits."""
    assert str(Window(1, 2)) == "0001-01-01T00:00:00.0000001Z/0001-01-01T00:00:00.0000002Z"
