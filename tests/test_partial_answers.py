"""Listings that go wrong half-way: what is kept, what is said, and that nothing is lost for it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from queues import (
    DAY,
    NOON,
    Queue,
    Record,
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
from etl.contracts import raw
from etl.errors import AccessError, Forbidden, ServiceFailed, SignInRefused, Throttled
from etl.lake.lake import Lake
from etl.sandbox.gate import GraphError
from etl.stages import model, watermarks

BEFORE = NOON - 6 * ticks.PER_HOUR
ALWAYS = 10_000
"""Times after which a fault would end; no test asks so often."""


@pytest.fixture(scope="module")
def healthy() -> Iterator[Queue]:
    """Serve a queue in good health, whose alerts each test puts there."""
    with queue([]) as served:
        yield served


@pytest.fixture
def lake(healthy: Queue, tmp_path: Path) -> Lake:
    """Return a lake that has the three alerts of the morning, published."""
    healthy.alerts[:] = many(3, start=BEFORE)
    lake = lake_of(tmp_path, healthy)
    settle(healthy, lake)
    assert reached(lake) == BEFORE + 2 * ticks.PER_MINUTE
    return lake


def grow(healthy: Queue, records: list[Record] | None = None) -> list[Record]:
    """Change the first alert of the morning and add the given ones, or twelve of the afternoon."""
    healthy.alerts[0] = touched(healthy.alerts[0], NOON, status="resolved")
    healthy.alerts.extend(many(12, start=NOON)[3:] if records is None else records)
    return healthy.alerts


def held_back(lake: Lake, known: set[str]) -> None:
    """Assert that the watermark stays, the day is to be made again, and raw only grew."""
    model.publish(lake, DAY)
    assert watermarks.move(lake, "graph", [DAY]) == []
    assert reached(lake) == BEFORE + 2 * ticks.PER_MINUTE
    assert watermarks.unsettled(lake, "graph", [DAY]) == [DAY]
    assert known <= states(lake)


def healed(healthy: Queue, lake: Lake, known: set[str]) -> None:
    """Assert that a pull in good health brings everything and moves the watermark."""
    report = settle(healthy, lake)
    updates = [str(record["lastUpdateDateTime"]) for record in healthy.alerts]
    assert report.adds_up
    assert report.incomplete == ()
    assert (ledger(lake)["Status"], ledger(lake)["Detail"]) == ("complete", None)
    assert known | shown(healthy.alerts) <= states(lake)
    newest = ticks.from_text(max(updates))
    assert reached(lake) == newest - newest % ticks.PER_MICROSECOND
    assert watermarks.unsettled(lake, "graph", [DAY]) == []


PARTIAL = {
    "a part of one answer": ({"partial": 1}, "HTTP 206 with warning 199"),
    "parts of all answers": ({"partial": ALWAYS}, "alerts announced"),
    "a warning": ({"warnings": 1}, "HTTP 200 with warning 199"),
    "a count too high": ({"count_off": 3}, "alerts announced, "),
}


@pytest.mark.parametrize(("faults", "said"), PARTIAL.values(), ids=PARTIAL)
def test_a_partial_answer_is_called_partial(
    healthy: Queue, lake: Lake, faults: dict[str, int], said: str
) -> None:
    """What came is kept, what is missing is said, and the watermark waits for a whole answer."""
    known = states(lake)
    with queue(grow(healthy), **faults) as ill:
        report = pulled(ill, lake)

    assert report.adds_up
    assert said in "; ".join(report.incomplete)
    assert ledger(lake)["Status"] == "partial"
    assert said in ledger(lake)["Detail"]
    assert "\n" not in ledger(lake)["Detail"]
    held_back(lake, known)
    healed(healthy, lake, known)


@pytest.mark.parametrize(("faults", "said"), [*PARTIAL.values()][::3], ids=[*PARTIAL][::3])
def test_an_incremental_answer_can_be_partial_too(
    healthy: Queue, tmp_path: Path, faults: dict[str, int], said: str
) -> None:
    """The same holds where only what changed since the watermark is asked for."""
    healthy.alerts[:] = many(9, start=BEFORE, step=20 * ticks.PER_MINUTE)
    lake = lake_of(tmp_path, healthy)
    settle(healthy, lake)
    mark, known = reached(lake), states(lake)
    with queue(grow(healthy, [alert(f"new{n}", NOON + n) for n in range(8)]), **faults) as ill:
        report = pulled(ill, lake)

    assert ledger(lake)["Slice"] == "changed"
    assert ledger(lake)["Status"] == "partial"
    assert said in "; ".join(report.incomplete)
    model.publish(lake, DAY)
    assert watermarks.move(lake, "graph", [DAY]) == []
    assert reached(lake) == mark
    healed(healthy, lake, known)


@pytest.mark.parametrize("dead", [1, 2])
def test_a_next_link_that_dies_ends_the_listing(healthy: Queue, lake: Lake, dead: int) -> None:
    """Alerts created in one instant come by links; a dead one leaves the pages before it."""
    known = states(lake)
    tied = [alert(f"tied{number}", NOON, NOON) for number in range(9)]
    statuses = []
    with queue(grow(healthy, tied), page_size=3, dead_links=dead) as ill:
        for _ in range(dead):
            report = pulled(ill, lake)
            statuses.append(report.incomplete[-1].split(":")[1].split()[1])
            assert ledger(lake)["Status"] == "partial"
            held_back(lake, known)
            assert known < states(lake) < known | shown(healthy.alerts)
        healed(ill, lake, known)

    assert statuses == ["410", "400"][:dead]
    healed(healthy, lake, known)


@pytest.mark.parametrize(
    ("faults", "attempts", "page"),
    [({"cut": 1}, 8, 5), ({"cut": 2}, 2, 60), ({"expire": 1}, 8, 5), ({"expire": 2}, 8, 3)],
    ids=["one cut answer", "cut until smaller pages", "tokens of one use", "tokens of two uses"],
)
def test_what_another_attempt_cures_is_complete(
    healthy: Queue, lake: Lake, faults: dict[str, int], attempts: int, page: int
) -> None:
    """A page that stops in the middle, or a token that ends between pages, costs a request."""
    known = states(lake)
    with queue(grow(healthy), attempts=attempts, page=page, **faults) as ill:
        report = settle(ill, lake)
        calls = ill.listings

    assert report.incomplete == ()
    assert ledger(lake)["Status"] == "complete"
    assert ledger(lake)["Calls"] == report.figures["api_calls"]
    assert calls > -(-len(healthy.alerts) // page)
    assert known | shown(healthy.alerts) == states(lake)
    assert watermarks.unsettled(lake, "graph", [DAY]) == []


@pytest.mark.parametrize("faults", [{"shift": 1}, {"shift": 2}, {"unordered": 1}], ids=str)
def test_pages_that_shift_lose_no_alert(healthy: Queue, lake: Lake, faults: dict[str, int]) -> None:
    """Alerts that change while they are listed, or that come in another order, all come."""
    known = states(lake)
    with queue(grow(healthy), **faults) as ill:
        report = pulled(ill, lake)
        names = set(lake.read(raw.ALERTS, DAY)["AlertId"])

    assert report.adds_up
    assert ledger(lake)["Status"] == "complete"
    assert names == {record["id"] for record in healthy.alerts}
    healed(healthy, lake, known)


def broken_off(number: int, error: Callable[[], Exception]) -> Callable[[int], None]:
    """Return what lets so many listings through and fails all others."""

    def watch(listing: int) -> None:
        if listing > number:
            raise error()

    return watch


def down() -> GraphError:
    """Return what a service says that is down."""
    return GraphError(503, "ServiceUnavailable", "The service is temporarily unavailable.")


def forbidden() -> GraphError:
    """Return what a service says whose administrator took back a permission."""
    return GraphError(403, "Forbidden", "Missing application role.")


@pytest.mark.parametrize(("pages", "error"), [(1, down), (2, forbidden)])
def test_a_listing_that_breaks_off_keeps_its_pages(
    healthy: Queue, lake: Lake, pages: int, error: Callable[[], GraphError]
) -> None:
    """The pages before a failure are in raw, the failure is in the report and in the ledger."""
    known = states(lake)
    with queue(grow(healthy), attempts=2) as ill:
        ill.sandbox.before_listing = broken_off(pages, error)
        report = pulled(ill, lake)

    assert report.adds_up
    assert len(report.incomplete) == 1
    assert ledger(lake)["Status"] == "partial"
    assert ledger(lake)["Detail"] == report.incomplete[0]
    assert known < states(lake) < known | shown(healthy.alerts)
    held_back(lake, known)
    healed(healthy, lake, known)


def test_a_sign_in_that_is_refused_between_pages_is_partial(healthy: Queue, lake: Lake) -> None:
    """A secret that is taken back while alerts are listed ends the listing, not the account."""
    known = states(lake)
    with queue(grow(healthy), expire=2) as ill:
        (application,) = ill.sandbox.applications.values()

        def watch(listing: int) -> None:
            if listing == 2:
                application.secret = "another"

        ill.sandbox.before_listing = watch
        report = pulled(ill, lake)
        with pytest.raises(SignInRefused):
            pulled(ill, lake)

    assert "sign-in refused" in report.incomplete[0]
    assert ledger(lake)["Status"] == "failed"
    held_back(lake, known)
    healed(healthy, lake, known)


FAILED = {
    "down": ({"errors_first": ALWAYS}, ServiceFailed),
    "cut always": ({"cut": ALWAYS}, ServiceFailed),
    "without the permission": ({"roles": ("ThreatHunting.Read.All",)}, Forbidden),
}


@pytest.mark.parametrize(("faults", "error"), FAILED.values(), ids=FAILED)
def test_a_failure_before_the_first_page_changes_nothing(
    healthy: Queue, lake: Lake, faults: dict[str, int], error: type[AccessError]
) -> None:
    """Nothing came: that is raised and in the ledger, and raw and watermark are as they were."""
    known, path = states(lake), lake.path(raw.ALERTS, DAY)
    content = path.read_bytes()
    with queue(grow(healthy), attempts=2, **faults) as ill, pytest.raises(error) as raised:
        pulled(ill, lake)

    assert path.read_bytes() == content
    assert ledger(lake)["Status"] == "failed"
    assert ledger(lake)["Detail"] == str(raised.value)
    assert (ledger(lake)["Rows"], ledger(lake)["Calls"]) == (0, 0)
    held_back(lake, known)
    healed(healthy, lake, known)


def test_a_failure_on_a_new_day_publishes_no_empty_day(healthy: Queue, tmp_path: Path) -> None:
    """A day that was never heard of is not taken for one without alerts."""
    lake = lake_of(tmp_path, healthy)
    with queue([], attempts=2, cut=ALWAYS) as ill, pytest.raises(ServiceFailed):
        pulled(ill, lake)

    assert not lake.path(raw.ALERTS, DAY).exists()
    assert watermarks.move(lake, "graph", [DAY]) == []
    assert watermarks.unsettled(lake, "graph", [DAY]) == [DAY]


@pytest.mark.parametrize("requests", [0, 2])
def test_a_quota_that_is_used_up_is_raised_and_keeps_what_came(
    healthy: Queue, lake: Lake, requests: int
) -> None:
    """Whoever holds a slot is told to wait; the pages before are in raw, and it is partial."""
    known = states(lake)
    with queue(grow(healthy), alert_requests_per_minute=requests) as ill:
        ill.source.client.longest_wait = 0
        with pytest.raises(Throttled):
            pulled(ill, lake)

    assert ledger(lake)["Status"] == ("partial" if requests else "failed")
    assert (states(lake) > known) is bool(requests)
    held_back(lake, known)
    healed(healthy, lake, known)
