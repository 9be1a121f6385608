"""Telling by counts that nothing changed, and by the same counts that something did."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from queues import (
    DAY,
    NOON,
    OVERLAP,
    Queue,
    alert,
    lake_of,
    ledger,
    many,
    pulled,
    queue,
    reached,
    settle,
    shown,
    states,
    touched,
)

from etl import ticks
from etl.errors import ServiceFailed
from etl.lake.lake import Lake
from etl.sandbox.gate import GraphError
from etl.stages import changes, watermarks
from etl.stages.watermarks import Watermark
from etl.windows import Window

SWEEP = NOON + 4 * ticks.PER_HOUR
"""When all alerts but the oldest ones were updated at once."""

MORNING, SWEPT = 3, 8


@pytest.fixture(scope="module")
def served() -> Iterator[Queue]:
    """Serve a queue whose alerts each test puts there."""
    with queue([]) as served:
        yield served


@pytest.fixture
def lake(served: Queue, tmp_path: Path) -> Lake:
    """Return a lake that has a day whose overlap holds more alerts than a page."""
    old = many(MORNING, start=NOON - 6 * ticks.PER_HOUR)
    swept = [touched(record, SWEEP, status="resolved") for record in many(MORNING + SWEPT)]
    served.alerts[:] = [*old, *swept[MORNING:]]
    lake = lake_of(tmp_path, served)
    settle(served, lake)
    assert reached(lake) == SWEEP
    return lake


def spent(served: Queue, ask: Callable[[], object]) -> int:
    """Return how many requests something takes."""
    before = served.listings
    ask()
    return served.listings - before


def read_long_ago(lake: Lake) -> None:
    """Let the last pull be longer ago than the overlap."""
    ago = datetime.now(UTC) - timedelta(microseconds=OVERLAP // ticks.PER_MICROSECOND, seconds=1)
    window = Window.of_day(DAY)
    watermarks.claim(lake, "graph", Watermark(window, SWEEP, ago))


def test_nothing_new_costs_three_requests(served: Queue, lake: Lake) -> None:
    """An unchanged day is neither read nor written again, and says that it is as it was."""
    known, row = states(lake), ledger(lake)
    assert spent(served, lambda: pulled(served, lake)) == 3
    report = pulled(served, lake)

    assert (report.rows, report.read, report.published) == (MORNING + SWEPT, 0, 0)
    assert not report.changed
    assert (report.incomplete, report.doubts) == ((), ())
    assert (states(lake), ledger(lake)) == (known, row)
    assert watermarks.move(lake, "graph", [DAY]) == [Window.of_day(DAY)]
    assert reached(lake) == SWEEP


def test_looking_for_changes_costs_three_requests(served: Queue, lake: Lake) -> None:
    """Whoever looks every minute asks three questions, not for the whole overlap."""
    changes.find(served.source, lake, DAY, OVERLAP)  # from here on, tomorrow is known as well
    assert spent(served, lambda: changes.find(served.source, lake, DAY, OVERLAP)) == 3
    assert changes.find(served.source, lake, DAY, OVERLAP).days == ()


def new(served: Queue) -> None:
    """Create an alert after the sweep."""
    served.alerts.append(alert("new", SWEEP + ticks.PER_HOUR))


def updated(served: Queue) -> None:
    """Update an alert that was known before the overlap."""
    served.alerts[0] = touched(served.alerts[0], SWEEP + 1, status="inProgress")


def swept_again(served: Queue) -> None:
    """Update an alert of the sweep by a tick."""
    served.alerts[-1] = touched(served.alerts[-1], SWEEP + 1, status="new")


def late(served: Queue) -> None:
    """Show an alert that was created, and updated last, hours before the overlap."""
    served.alerts.append(alert("late", NOON - 5 * ticks.PER_HOUR))


def late_within(served: Queue) -> None:
    """Show an alert late whose last update is within the overlap."""
    served.alerts.append(alert("late", SWEEP - ticks.PER_MINUTE))


def late_update(served: Queue) -> None:
    """Show late that an alert was updated just before the sweep."""
    served.alerts[0] = touched(served.alerts[0], SWEEP - ticks.PER_MINUTE, status="inProgress")


CHANGES = [new, updated, swept_again, late, late_within, late_update]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_pulled(served: Queue, lake: Lake, change: Callable[[Queue], None]) -> None:
    """Whatever the counts tell apart from stillness is read at once, the old states kept."""
    known = states(lake)
    change(served)
    report = settle(served, lake)

    assert report.published == 1
    assert report.changed
    assert states(lake) == known | shown(served.alerts)
    assert ledger(lake)["Status"] == "complete"
    assert spent(served, lambda: pulled(served, lake)) == 3


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found(served: Queue, lake: Lake, change: Callable[[Queue], None]) -> None:
    """Looking for changes names the day, until the day is made again."""
    change(served)
    assert changes.find(served.source, lake, DAY, OVERLAP).days == (DAY,)
    settle(served, lake)
    assert changes.find(served.source, lake, DAY, OVERLAP).days == ()


def test_the_overlap_is_read_again_in_its_time(served: Queue, lake: Lake) -> None:
    """What counts cannot tell comes when the last reading is an overlap's time ago."""
    served.alerts[-1] = served.alerts[-1] | {"assignedTo": "late@contoso.example"}
    pulled(served, lake)
    missed = shown(served.alerts) - states(lake)
    read_long_ago(lake)
    found = changes.find(served.source, lake, DAY, OVERLAP).days
    report = settle(served, lake)

    assert len(missed) == 1
    assert found == (DAY,)
    assert report.published == 1
    assert shown(served.alerts) <= states(lake)
    assert spent(served, lambda: pulled(served, lake)) == 3


def test_reading_again_in_vain_begins_the_time_anew(served: Queue, lake: Lake) -> None:
    """An overlap that was read and brought nothing is not read again the next minute."""
    read_long_ago(lake)
    assert spent(served, lambda: settle(served, lake)) > 3
    assert spent(served, lambda: settle(served, lake)) == 3


def test_a_small_overlap_is_read_rather_than_counted(served: Queue, lake: Lake) -> None:
    """Where a page holds the overlap, one request reads it all and no count is asked for."""
    updated(served)
    served.alerts[0] = touched(served.alerts[0], SWEEP + 4 * ticks.PER_HOUR)
    settle(served, lake)
    assert spent(served, lambda: pulled(served, lake)) == 2  # and one to count the day
    assert ledger(lake)["Slice"] == "changed"


def test_a_count_that_fails_changes_nothing(served: Queue, lake: Lake) -> None:
    """A service that is down is neither still nor changed: it is raised, and all is as it was."""
    known = states(lake)
    new(served)

    def down(_: int) -> None:
        raise GraphError(503, "ServiceUnavailable", "The service is temporarily unavailable.")

    served.sandbox.before_listing, served.source.client.attempts = down, 1
    with pytest.raises(ServiceFailed):
        pulled(served, lake)
    served.sandbox.before_listing, served.source.client.attempts = None, 8

    assert (states(lake), reached(lake)) == (known, SWEEP)
    settle(served, lake)
    assert shown(served.alerts) <= states(lake)
