"""What is recorded of how far alerts are published: the laws of watermarks, and of their ledger."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from queues import (
    DAY,
    NOON,
    OVERLAP,
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
)

from etl import ticks
from etl.contracts import raw
from etl.contracts.contract import Contract
from etl.contracts.ops import LEDGER
from etl.lake.lake import Lake
from etl.stages import alerts, changes, model, watermarks
from etl.stages.watermarks import FOREVER, Watermark
from etl.windows import Window

DAYS = [DAY + timedelta(days=number) for number in range(5)]
EARLY = datetime(2026, 2, 1, tzinfo=UTC)

Stretch = tuple[int, int]


def after(minutes: int) -> datetime:
    """Return an instant so many minutes after the first pull of the tests."""
    return EARLY + timedelta(minutes=minutes)


def stretch(first: int, last: int) -> Window:
    """Return the window from one of the days to another, both included."""
    return Window(Window.of_day(DAYS[first]).start, Window.of_day(DAYS[last]).end)


def told(
    lake: Lake, day: date, ended: datetime, newest: int | None = None, status: str = "complete"
) -> None:
    """Write what a pull writes into the ledger of a day."""
    start, end = Window.of_day(day).instants
    row = {
        "TenantId": lake.tenant, "Source": "graph", "Table": "Alerts", "WindowStart": start,
        "WindowEnd": end, "Slice": "created", "Status": status, "Rows": 0, "Bytes": 0,
        "Calls": 1, "Throttled": 0, "StartedAt": ended, "EndedAt": ended, "IngestedAt": ended,
        "UpdatedThrough": None if newest is None else ticks.to_datetime(newest),
    }  # fmt: skip
    lake.publish(LEDGER, day, LEDGER.frame([row]), watermarks.ALERTS_PART)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Return an empty lake."""
    return Lake(tmp_path, "t")


STRETCHES = st.tuples(st.integers(0, 4), st.integers(0, 4)).map(lambda d: (min(d), max(d)))
CLAIMS = st.lists(
    st.tuples(STRETCHES, st.none() | st.integers(1, 99), st.integers(0, 99)), max_size=5
)


@settings(max_examples=20)
@given(CLAIMS)
def test_a_day_is_as_far_as_the_farthest_claim_that_covers_it(
    claims: list[tuple[Stretch, int | None, int]],
) -> None:
    """Claims may overlap; a claim takes the place of those that begin with it and reach no more."""
    stand: dict[Stretch, tuple[int | None, datetime]] = {}
    with TemporaryDirectory() as folder:
        lake = Lake(Path(folder), "t")
        for (first, last), minute, pull in claims:
            mark = None if minute is None else NOON + minute * ticks.PER_MINUTE
            watermarks.claim(lake, "graph", Watermark(stretch(first, last), mark, after(pull)))
            stand = {span: said for span, said in stand.items()
                     if span[0] != first or span[1] > last}  # fmt: skip
            stand[first, last] = mark, after(pull)
        for number, day in enumerate(DAYS):
            over = [said for (a, b), said in stand.items() if a <= number <= b]
            marks = [mark for mark, _ in over if mark is not None]
            assert watermarks.through(lake, "graph", [day]) == {day: max(marks, default=None)}
            pulls = [pull for _, pull in over]
            assert watermarks.pulled_at(lake, "graph", [day]) == max(pulls, default=None)
            assert watermarks.through(lake, "mde", [day]) == {day: None}
        every = watermarks.through(lake, "graph", DAYS).values()
        since = watermarks.since(lake, "graph", DAYS, OVERLAP)
        known = [mark for mark in every if mark is not None]
        assert since == (min(known) - OVERLAP if len(known) == len(DAYS) else None)


def test_days_are_as_far_as_the_least_of_them(lake: Lake) -> None:
    """A listing of several days begins at the earliest watermark and, without one, at nothing."""
    watermarks.claim(lake, "graph", Watermark(stretch(0, 1), NOON + 5, after(1)))
    watermarks.claim(lake, "graph", Watermark(stretch(2, 2), NOON + 90, after(9)))

    assert watermarks.since(lake, "graph", DAYS[:3], 50) == NOON - 50
    assert watermarks.pulled_at(lake, "graph", DAYS[:3]) == after(1)
    assert watermarks.since(lake, "graph", DAYS[:4], 50) is None
    assert watermarks.pulled_at(lake, "graph", DAYS[:4]) is None


def test_a_claim_that_reaches_into_a_day_does_not_cover_it(lake: Lake) -> None:
    """Only claims about all of a day count for it."""
    window = Window(stretch(0, 0).start, stretch(1, 1).end - 1)
    watermarks.claim(lake, "graph", Watermark(window, NOON, after(1)))

    assert watermarks.through(lake, "graph", DAYS[:2]) == {DAYS[0]: NOON, DAYS[1]: None}
    assert watermarks.unsettled(lake, "graph", DAYS[:2]) == DAYS[:2]


def test_tenants_and_sources_have_their_own(tmp_path: Path) -> None:
    """What one source of one tenant reached says nothing of another."""
    mine, other = Lake(tmp_path, "t"), Lake(tmp_path, "u")
    told(mine, DAY, after(1), NOON)
    watermarks.move(mine, "graph", [DAY])

    assert watermarks.unsettled(mine, "graph", [DAY]) == []
    assert watermarks.unsettled(mine, "mde", [DAY]) == [DAY]
    assert watermarks.unsettled(other, "graph", [DAY]) == [DAY]


def test_a_stretch_moves_where_all_of_it_is_complete(lake: Lake) -> None:
    """Days that follow each other move together or not at all; others are no matter of theirs."""
    for day in (DAYS[0], DAYS[2], DAYS[3]):
        told(lake, day, after(3), NOON + 20)
    told(lake, DAYS[2], after(5), NOON + 10)
    told(lake, DAYS[0], after(5), NOON, "partial")
    days = [DAYS[0], DAYS[2], DAYS[3]]

    assert watermarks.move(lake, "graph", days) == [stretch(2, 3)]
    assert watermarks.through(lake, "graph", days) == {
        DAYS[0]: None, DAYS[2]: NOON + 10, DAYS[3]: NOON + 10,
    }  # fmt: skip
    assert watermarks.pulled_at(lake, "graph", DAYS[2:4]) == after(5)
    assert watermarks.unsettled(lake, "graph", DAYS[:4]) == DAYS[:2]

    assert watermarks.move(lake, "graph", DAYS[1:4]) == []
    told(lake, DAYS[0], after(6), NOON)
    told(lake, DAYS[1], after(6), NOON)
    assert watermarks.move(lake, "graph", DAYS[:4]) == [stretch(0, 3)]
    assert watermarks.unsettled(lake, "graph", DAYS) == DAYS[4:]


@pytest.mark.parametrize("status", ["partial", "failed", "truncated"])
def test_a_day_that_is_not_whole_neither_moves_nor_is_settled(lake: Lake, status: str) -> None:
    """A day that was published and then was pulled in part is not settled any more."""
    told(lake, DAY, after(1), NOON)
    watermarks.move(lake, "graph", [DAY])
    told(lake, DAY, after(2), NOON + 5, status)

    assert watermarks.unsettled(lake, "graph", [DAY]) == [DAY]
    assert watermarks.move(lake, "graph", [DAY]) == []
    assert reached(lake) == NOON


def test_a_pull_is_not_published_before_it_is_said_so(lake: Lake) -> None:
    """A complete pull is unsettled until the watermark moves; one a moment later is so again."""
    told(lake, DAY, after(1), NOON)
    before = watermarks.unsettled(lake, "graph", [DAY])
    watermarks.move(lake, "graph", [DAY])
    between = watermarks.unsettled(lake, "graph", [DAY])
    told(lake, DAY, after(1) + timedelta(microseconds=1), NOON)

    assert (before, between) == ([DAY], [])
    assert watermarks.unsettled(lake, "graph", [DAY]) == [DAY]


def test_a_day_without_alerts_is_settled_without_a_mark(lake: Lake) -> None:
    """There is no update to begin at, so all of an empty day is asked for again; but it is done."""
    told(lake, DAY, after(1))

    assert watermarks.move(lake, "graph", [DAY]) == [stretch(0, 0)]
    assert watermarks.unsettled(lake, "graph", [DAY]) == []
    assert watermarks.since(lake, "graph", [DAY], OVERLAP) is None
    assert watermarks.pulled_at(lake, "graph", [DAY]) == after(1)


@pytest.mark.parametrize(("end", "settled"), [(FOREVER, True), (stretch(0, 4).end, False)])
def test_a_claim_for_good_settles_days_that_were_never_pulled(
    lake: Lake, end: int, *, settled: bool
) -> None:
    """Only a claim without an end says of a day that nothing of it is missing."""
    watermarks.claim(lake, "graph", Watermark(Window(stretch(0, 0).start, end), NOON, after(1)))

    assert watermarks.unsettled(lake, "graph", DAYS) == ([] if settled else DAYS)
    assert set(watermarks.through(lake, "graph", DAYS).values()) == {NOON}


def test_a_claim_for_good_outlives_the_claims_of_its_days(lake: Lake) -> None:
    """A day that moves within it neither shortens it nor gets less than it said."""
    forever = Window(stretch(0, 0).start, FOREVER)
    watermarks.claim(lake, "graph", Watermark(forever, NOON, after(1)))
    told(lake, DAYS[0], after(9), NOON + 50)
    told(lake, DAYS[3], after(9), NOON - 50)
    watermarks.move(lake, "graph", [DAYS[0], DAYS[3]])

    assert list(watermarks.through(lake, "graph", DAYS).values()) == [NOON + 50, *[NOON] * 4]
    assert watermarks.unsettled(lake, "graph", DAYS) == []
    watermarks.claim(lake, "graph", Watermark(forever, NOON + 70, after(10)))
    assert set(watermarks.through(lake, "graph", DAYS).values()) == {NOON + 70}


def test_no_request_begins_before_time_does(lake: Lake) -> None:
    """An overlap that is longer than all time before the watermark is cut."""
    watermarks.claim(lake, "graph", Watermark(stretch(0, 0), 10 * ticks.PER_SECOND, after(1)))

    assert watermarks.since(lake, "graph", [DAY], OVERLAP) == 0


class Crash(BaseException):
    """The process dies."""


@dataclass(frozen=True, slots=True)
class Mortal(Lake):
    """A lake whose process dies when raw alerts are published, before or after it took place."""

    before: bool = True

    def publish_file(self, contract: Contract, day: date, staged: Path, part: str = "data") -> bool:
        """Publish, but not and live."""
        if contract is raw.ALERTS and self.before:
            raise Crash
        # slots: no zero-argument super
        changed = Lake.publish_file(self, contract, day, staged, part)
        if contract is raw.ALERTS:
            raise Crash
        return changed


@pytest.mark.parametrize("before", [True, False])
def test_a_crash_while_raw_is_published_leaves_the_day_unsettled(
    tmp_path: Path, *, before: bool
) -> None:
    """What is under way is in the ledger before it begins, so that whoever comes next finds it."""
    with queue(many(9)) as served:
        lake = lake_of(tmp_path, served)
        settle(served, lake)
        mark = reached(lake)
        served.alerts.append(alert("new", NOON + 3 * ticks.PER_HOUR))
        with pytest.raises(Crash):
            alerts.pull(served.source, Mortal(tmp_path, lake.tenant, before), [DAY], OVERLAP)
        died = ledger(lake)
        unsettled = watermarks.unsettled(lake, "graph", [DAY])
        model.publish(lake, DAY)
        moved = watermarks.move(lake, "graph", [DAY])
        at = reached(lake)
        settle(served, lake)

    assert (died["Status"], died["Detail"]) == ("partial", "being published")
    assert (unsettled, moved, at) == ([DAY], [], mark)
    assert states(lake) == shown(served.alerts)
    assert reached(lake) == NOON + 3 * ticks.PER_HOUR
    assert watermarks.unsettled(lake, "graph", [DAY]) == []


@pytest.mark.parametrize(
    ("far", "number"), [("2999-01-01T00:00:00Z", 1), ("9999-12-31T23:59:59.9999999Z", 9)]
)
def test_an_update_in_the_future_carries_no_watermark_there(
    tmp_path: Path, far: str, number: int
) -> None:
    """An alert that says it was updated after now does not hide what is updated from now on."""
    ahead = ticks.from_text(far)
    with queue([*many(4), *[alert(f"far{n}", NOON, ahead) for n in range(number)]]) as served:
        lake = lake_of(tmp_path, served)
        settle(served, lake)
        now = ticks.from_datetime(datetime.now(UTC))
        first = reached(lake)
        pulled(served, lake)
        settle(served, lake)
        served.alerts[0] = served.alerts[0] | {"lastUpdateDateTime": ticks.to_text(now)}
        found = changes.find(served.source, lake, DAY, OVERLAP).days
        settle(served, lake)
        still = changes.find(served.source, lake, DAY, OVERLAP).days
        last = reached(lake)

    assert first is not None
    assert last is not None
    assert now - ticks.PER_MINUTE < first <= last < now + ticks.PER_MINUTE
    assert (found, still) == ((DAY,), ())
    assert shown(served.alerts) < states(lake)


def test_what_another_run_pulled_meanwhile_is_not_claimed(tmp_path: Path) -> None:
    """The watermark stays while raw has states that the standard model was not made of."""
    with queue(many(3)) as served:
        lake = lake_of(tmp_path, served)
        settle(served, lake)
        served.alerts.append(alert("new", NOON + 3 * ticks.PER_HOUR))
        pulled(served, lake)
        early = watermarks.move(lake, "graph", [DAY])
        model.publish(lake, DAY)

        assert early == []
        assert watermarks.move(lake, "graph", [DAY]) == [Window.of_day(DAY)]
