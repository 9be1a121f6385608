"""The chronicle of an alert queue, and crowds of alerts: what tests rely on when they poll them."""

import json
from collections import defaultdict
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.sandbox import moments
from etl.sandbox.chronicle import Chronicle, State
from etl.sandbox.crowd import crowd
from etl.sandbox.literals import instant

UNTIL = date(2026, 3, 8)
seeds = st.integers(0, 10_000)


def made(seed: int = 3, **sizes: Any) -> Chronicle:  # noqa: ANN401
    """Return a chronicle of a fixed week."""
    return Chronicle.generate(seed, until=UNTIL, **sizes)


def canonical(alert: dict[str, Any]) -> str:
    """Return the text of an alert without regard to the order of keys."""
    return json.dumps(alert, sort_keys=True)


def when(alert: dict[str, Any], name: str = "lastUpdateDateTime") -> int:
    """Return an instant of an alert in .NET ticks."""
    return instant(alert[name]) + moments.UNIX_EPOCH


def lives(chronicle: Chronicle) -> list[list[State]]:
    """Return the states of each alert."""
    found = defaultdict(list)
    for state in chronicle.states:
        found[state.alert["id"]].append(state)
    return list(found.values())


def news(life: list[State]) -> list[State]:
    """Return the states that are not the one before served again."""
    return life[:1] + [
        after
        for before, after in pairwise(life)
        if canonical(before.alert) != canonical(after.alert)
    ]


@settings(max_examples=10)
@given(seed=seeds, days=st.integers(1, 9), alerts=st.integers(1, 30), late=st.integers(2, 90))
def test_updates_are_late_within_bounds(seed: int, days: int, alerts: int, late: int) -> None:
    """Updates show after their time and within the bound, and all of it before the end."""
    chronicle = made(seed, days=days, alerts=alerts, late_minutes=late)

    assert len(lives(chronicle)) == alerts
    assert len(chronicle.days) == days
    assert chronicle.moments()[-1] <= chronicle.end == moments.midnight(UNTIL)
    for life in map(news, lives(chronicle)):
        visible = [state.visible for state in life]
        updates = [when(state.alert) for state in life]
        assert visible == sorted(set(visible))
        assert updates == sorted(updates)
        for state in life[1:]:
            assert 0 <= state.visible - when(state.alert) <= late * moments.MINUTE


@settings(max_examples=10)
@given(seed=seeds, polls=st.integers(1, 40))
def test_the_newest_visible_state_is_shown(seed: int, polls: int) -> None:
    """At any poll each alert is as its last state by then, and polls are ordered up to the end."""
    chronicle = made(seed)
    ticks = chronicle.ticks(polls)

    assert len(ticks) == polls
    assert ticks == sorted(set(ticks))
    assert ticks[-1] == chronicle.end
    for tick in ticks:
        wanted = [
            [state.alert for state in life if state.visible <= tick][-1]
            for life in lives(chronicle)
            if life[0].visible <= tick
        ]
        assert sorted(map(json.dumps, chronicle.as_of(tick))) == sorted(map(json.dumps, wanted))


def test_what_is_shown_can_be_changed_without_harm() -> None:
    """A change to what was shown, however deep, does not reach the chronicle."""
    chronicle = made()
    for alert in chronicle.as_of(chronicle.end):
        alert["evidence"][0]["tags"].append("changed")  # type: ignore[index]

    assert "changed" not in json.dumps(chronicle.as_of(chronicle.end))


@pytest.mark.parametrize("seed", range(5))
def test_the_same_seed_tells_the_same_week(seed: int) -> None:
    """A seed decides everything, and another one tells another week."""
    assert made(seed).states == made(seed).states
    assert made(seed).ticks(9) == made(seed).ticks(9)
    assert made(seed).states != made(seed + 1).states


@pytest.mark.parametrize("seed", range(5))
def test_a_week_has_everything_that_makes_pulling_hard(seed: int) -> None:
    """Ties over days, twins, states served again, late alerts, moves, growth and shrinking."""
    chronicle = made(seed)
    stories = [news(life) for life in lives(chronicle)]
    steps = [step for life in stories for step in pairwise(life)]
    ties: dict[int, set[str]] = defaultdict(set)
    for state in chronicle.states:
        ties[when(state.alert)].add(str(state.alert["createdDateTime"])[:10])
    late = [life for life in stories if life[0].visible > when(life[0].alert) + 4 * moments.HOUR]
    again = [
        (before.alert, after.alert)
        for life in lives(chronicle)
        for before, after in pairwise(life)
        if canonical(before.alert) == canonical(after.alert)
    ]
    sizes = [(len(a.alert["evidence"]), len(b.alert["evidence"])) for a, b in steps]  # type: ignore[arg-type]

    assert max(len(days) for days in ties.values()) > 2
    assert any(when(a.alert) == when(b.alert) for a, b in steps)
    assert any(json.dumps(before) != json.dumps(after) for before, after in again)
    assert 2 <= len(late) <= 6
    assert any(len(life) == 1 for life in late)
    assert any(len(life) > 1 for life in late)
    assert any(after > before for before, after in sizes)
    assert any(after < before for before, after in sizes)
    for name in ("status", "severity", "assignedTo", "incidentId"):
        assert any(a.alert[name] != b.alert[name] for a, b in steps)


def test_records_are_whole_and_rounded_as_by_the_service() -> None:
    """Every documented property is there, and updates are at a 300th of a second."""
    documented = """id actorDisplayName additionalData alertPolicyId alertWebUrl assignedTo
        categories category classification comments createdDateTime customDetails description
        detectionSource detectorId determination evidence firstActivityDateTime incidentId
        incidentWebUrl investigationState lastActivityDateTime lastUpdateDateTime mitreTechniques
        productName providerAlertId recommendedActions resolvedDateTime serviceSource severity
        status systemTags tenantId threatDisplayName threatFamilyName title"""
    for state in made().states:
        items: Any = state.alert["evidence"]
        assert sorted(state.alert) == sorted(documented.split())
        assert items[0]["@odata.type"].endswith(".deviceEvidence")
        rest = when(state.alert) * 300 % moments.SECOND
        assert min(rest, moments.SECOND - rest) <= 150
    shown = json.dumps(made().as_of(made().end))
    assert shown.count(".processEvidence") > 40


def test_too_little_lateness_is_refused() -> None:
    """Two states of one update need time to be seen one after the other."""
    with pytest.raises(ValueError, match="late_minutes is 1"):
        made(late_minutes=1)


def test_a_crowd_is_spread_tied_and_repeatable() -> None:
    """Alerts are on every day, ids differ, items number 3 to 8, and many share an update."""
    alerts: Any = crowd(3_000, days=6, seed=4, until=UNTIL)
    updates = [when(alert) for alert in alerts]
    most = max(updates.count(update) for update in set(updates))

    assert alerts == crowd(3_000, days=6, seed=4, until=UNTIL)
    assert alerts != crowd(3_000, days=6, seed=5, until=UNTIL)
    assert len({alert["id"] for alert in alerts}) == 3_000
    assert {alert["createdDateTime"][:10] for alert in alerts} == {
        f"2026-03-{day:02d}" for day in range(2, 8)
    }
    assert {len(alert["evidence"]) for alert in alerts} <= set(range(3, 9))
    assert most > 300
    assert all(
        when(alert, "createdDateTime") <= update <= moments.midnight(UNTIL)
        for alert, update in zip(alerts, updates, strict=True)
    )
