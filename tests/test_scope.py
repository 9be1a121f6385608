import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl import ticks
from etl.sources.scope import Group, Scope
from etl.windows import Window

HOUR = ticks.PER_HOUR
LIMITS = Window(5 * HOUR + 17, 90 * HOUR + 3)
WINDOWS = st.builds(
    lambda start, length: Window(start, start + length),
    st.integers(0, 100 * HOUR),
    st.integers(1, 10 * HOUR),
)
ACTIVITY = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d", "e"]), st.lists(WINDOWS, max_size=4), max_size=5
)


def windows_of(scope: Scope, device: str) -> list[Window]:
    """Return the windows in which a scope has a device."""
    return [group.window for group in scope.groups if device in group.devices]


def length_of(scope: Scope) -> int:
    """Return the ticks of all devices of a scope together."""
    return sum(group.window.length * len(group.devices) for group in scope.groups)


@given(ACTIVITY)
def test_every_activity_inside_the_limits_is_covered(activity: dict[str, list[Window]]) -> None:
    """Every instant that matters is in one window of its device, as far as the limits go."""
    scope = Scope.around(activity, LIMITS)
    for device, windows in activity.items():
        for window in windows:
            inside = window.common(LIMITS)
            found = [part.common(inside) for part in windows_of(scope, device) if inside]
            assert [part for part in found if part] == ([inside] if inside else [])


@given(ACTIVITY)
def test_a_devices_windows_are_disjoint_and_inside_the_limits(
    activity: dict[str, list[Window]],
) -> None:
    """No instant of a device is asked for twice, and none outside the limits."""
    scope = Scope.around(activity, LIMITS)
    for device in scope.devices:
        windows = windows_of(scope, device)
        assert all(window.common(LIMITS) == window for window in windows)
        assert all(a.end < b.start for a, b in pairwise(windows))


@given(ACTIVITY)
def test_halves_share_the_devices_out(activity: dict[str, list[Window]]) -> None:
    """Halves hold every device once with all its windows; a single device has no halves."""
    scope = Scope.around(activity, LIMITS)
    halves = scope.halves()
    if halves is None:
        assert len(scope.devices) < 2
        return
    first, second = halves
    assert first.devices + second.devices == scope.devices
    assert abs(len(first.devices) - len(second.devices)) <= 1
    for device in scope.devices:
        assert windows_of(first, device) + windows_of(second, device) == windows_of(scope, device)


@given(ACTIVITY, st.integers(LIMITS.start + 1, LIMITS.end - 1))
def test_parts_in_time_add_up(activity: dict[str, list[Window]], at: int) -> None:
    """Cutting a scope in two windows that touch loses no tick of any device."""
    scope = Scope.around(activity, LIMITS)
    before, after = scope.within(Window(LIMITS.start, at)), scope.within(Window(at, LIMITS.end))
    assert length_of(before) + length_of(after) == length_of(scope)
    assert all(group.window.end <= at for group in before.groups)
    assert all(group.window.start >= at for group in after.groups)


def test_windows_widen_to_whole_hours_and_are_shared() -> None:
    """Devices with much the same activity share one group."""
    activity = {
        "b": [Window(10 * HOUR + 5, 10 * HOUR + 9)],
        "a": [Window(10 * HOUR + 70, 11 * HOUR)],
    }
    expected = Group(("a", "b"), Window(10 * HOUR, 11 * HOUR))
    assert Scope.around(activity, LIMITS).groups == (expected,)


def test_a_scope_outside_the_limits_is_empty() -> None:
    """What lies before the retention or after now is not asked for."""
    scope = Scope.around({"a": [Window(0, HOUR), Window(95 * HOUR, 99 * HOUR)]}, LIMITS)
    assert scope == Scope(())
    assert scope.devices == ()
    with pytest.raises(ValueError, match="empty"):
        _ = scope.span


def test_the_span_reaches_from_first_to_last() -> None:
    """The span covers every group, also one inside another."""
    scope = Scope((Group(("a",), Window(10, 90)), Group(("b",), Window(20, 30))))
    assert scope.span == Window(10, 90)


def test_the_condition_names_each_group() -> None:
    """The condition holds each group's devices and window, joined by `or`."""
    scope = Scope((Group(("a", 'b"'), Window(0, 1)), Group(("c",), Window(1, 2))))
    condition = scope.condition().kql
    assert re.findall(r"in~ \((.*?)\) and", condition) == [r'"a", "b\""', '"c"']
    assert condition.count("\n    or ") == 1
