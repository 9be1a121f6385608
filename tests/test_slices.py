import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl import ticks
from etl.access.client import Answer
from etl.errors import Forbidden, ResultTooLarge, ServiceFailed, TableUnknown, TooHeavy
from etl.sources import rows
from etl.sources.hunting import Hunting
from etl.sources.outcomes import Pulled
from etl.sources.pace import Pace
from etl.sources.plan import plan
from etl.sources.scope import Group, Scope
from etl.sources.slices import Limit, pull
from etl.windows import Window

HOUR = ticks.PER_HOUR
BASE = ticks.from_datetime(datetime(2026, 1, 2, tzinfo=UTC))
PROCESS, NETWORK, FILE = "DeviceProcessEvents", "DeviceNetworkEvents", "DeviceFileEvents"
UNLIMITED = 1_000_000

_INSTANT = r"datetime\((?P<{0}>[^)]+)\)"
_WINDOW = re.compile(
    rf"Timestamp >= {_INSTANT.format('start')} and Timestamp < {_INSTANT.format('end')}"
)
_GROUP = re.compile(
    r"DeviceId in~ \((?P<devices>[^)]*)\) and Timestamp >= "
    rf"{_INSTANT.format('start')} and Timestamp < {_INSTANT.format('end')}"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One telemetry event: its table, device and instant, and what tells it from others."""

    table: str
    device: str
    at: int
    number: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """A stand-in for the client of a service that cuts results and says nothing."""

    rows: tuple[Row, ...]
    cap: int = UNLIMITED
    most_counts: int = UNLIMITED
    refuses_above: int = UNLIMITED
    gives_up_above: int = UNLIMITED
    unknown: frozenset[str] = frozenset()
    failing: frozenset[str] = frozenset()
    gone_after_count: frozenset[Row] = frozenset()
    asked: list[str] = field(default_factory=list)

    def post(self, url: str, what: str, body: dict[str, Any], read: object) -> Answer:
        """Answer one query by what its text says."""
        assert url == "v1.0/security/runHuntingQuery"
        assert read is rows.read
        query = body["Query"]
        self.asked.append(query)
        source = query.splitlines()[1 if "summarize" in query else 0].strip()
        tables = source.removeprefix("union withsource=SourceTable ").split(", ")
        if self.unknown & set(tables):
            raise TableUnknown(what, 400, "BadRequest", "'where' operator: failed to resolve table")
        first = len(self.asked) == 1
        found = [
            row
            for row in self._matching(query, tables)
            if first or row not in self.gone_after_count
        ]
        if "summarize" in query:
            counted = list(_counted(found, alone="union withsource" not in query))
            return self._answer(counted[: self.most_counts])
        if self.failing & set(tables):
            raise ServiceFailed(what, "HTTP 503 after 8 attempts")
        if len(found) > self.refuses_above:
            raise ResultTooLarge(what, 400, "BadRequest", "the result exceeds 64 MB")
        if len(found) > self.gives_up_above:
            raise TooHeavy(what, 504, "without a code", "no answer in time")
        return self._answer([_record(row) for row in found[: self.cap]])

    def _matching(self, query: str, tables: list[str]) -> Iterator[Row]:
        whole = _WINDOW.search(query)
        assert whole
        groups = [
            (set(re.findall(r'"([^"]*)"', group["devices"].lower())), _window(group))
            for group in _GROUP.finditer(query)
        ]
        for row in self.rows:
            inside = any(
                row.device.lower() in devices and window[0] <= row.at < window[1]
                for devices, window in groups
            )
            start, end = _window(whole)
            if row.table in tables and start <= row.at < end and inside:
                yield row

    @staticmethod
    def _answer(records: list[dict[str, Any]]) -> Answer:
        texts = [json.dumps(record) for record in records]
        return Answer(texts, "request", 100 * len(records), 1, 0)


def _window(match: re.Match[str]) -> tuple[int, int]:
    return _ticks(match["start"]), _ticks(match["end"])


def _ticks(text: str) -> int:
    second = datetime.fromisoformat(f"{text[:19]}+00:00")
    return ticks.from_datetime(second) + int(text[20:27])


def _counted(rows: list[Row], *, alone: bool) -> Iterator[dict[str, Any]]:
    hours = Counter((row.table, row.device, row.at // HOUR * HOUR) for row in rows)
    for (table, device, hour), events in hours.items():
        name = {} if alone else {"SourceTable": table}
        yield {**name, "DeviceId": device, "Hour": ticks.to_text(hour), "Events": events}
    name = {} if alone else {"SourceTable": None}
    yield {**name, "DeviceId": None, "Hour": None, "Events": len(rows)}


def _record(row: Row) -> dict[str, Any]:
    return {"table": row.table, "device": row.device, "at": row.at, "number": row.number}


def around(hours: int, *devices: str) -> Scope:
    """Return a scope of some hours for some devices."""
    return Scope((Group(devices, Window(BASE, BASE + hours * HOUR)),))


def pulled(service: Service, scope: Scope, max_rows: int, *tables: str) -> list[Pulled]:
    """Pull with a stand-in for the client."""
    hunting, outcomes = Hunting(service), list[Pulled]()
    planned = plan(hunting, tables or (PROCESS,), scope, max_rows)
    pull(hunting, planned, Limit(max_rows), outcomes.append)
    return [*planned.settled, *outcomes]


def received(outcomes: list[Pulled]) -> Counter[Row]:
    """Return how often every row came."""
    return Counter(Row(**record) for outcome in outcomes for record in records(outcome))


def records(outcome: Pulled) -> list[dict[str, Any]]:
    """Return the rows of an outcome."""
    return [json.loads(text) for text in outcome.texts]


def status_of(outcomes: list[Pulled], table: str = PROCESS) -> set[str]:
    """Return the statuses of a table."""
    return {outcome.status for outcome in outcomes if outcome.table == table}


@st.composite
def services(draw: st.DrawFn) -> tuple[tuple[Row, ...], Scope]:
    """Draw rows, many of them at one instant, and a scope that leaves some of them out."""
    instants = st.builds(
        lambda hour, tick: BASE + hour * HOUR + tick,
        st.integers(-1, 6),
        st.sampled_from([0, 1, 2, HOUR // 2, HOUR - 1]) | st.integers(0, HOUR - 1),
    )
    places = draw(
        st.lists(
            st.tuples(
                st.sampled_from([PROCESS, NETWORK]), st.sampled_from(["a", "b", "c"]), instants
            ),
            min_size=1,
            max_size=12,
        )
    )
    seen: Counter[tuple[str, str, int]] = Counter()
    rows = []
    for table, device, at in places + draw(st.permutations(places)):
        seen[table, device, at] += 1
        rows.append(Row(table, device, at, seen[table, device, at]))
    activity = draw(
        st.dictionaries(
            st.sampled_from(["a", "b", "c"]),
            st.lists(
                st.builds(
                    lambda start, hours: Window(BASE + start, BASE + start + hours * HOUR),
                    st.integers(0, 5 * HOUR),
                    st.integers(1, 4),
                ),
                min_size=1,
                max_size=2,
            ),
            min_size=1,
        )
    )
    limits = Window(BASE + draw(st.integers(0, HOUR)), BASE + 5 * HOUR + draw(st.integers(1, HOUR)))
    return tuple(rows), Scope.around(activity, limits)


def matters(row: Row, scope: Scope) -> bool:
    """Tell whether a scope covers a row."""
    return any(
        row.device in group.devices and group.window.start <= row.at < group.window.end
        for group in scope.groups
    )


def crowded(rows: tuple[Row, ...], limit: int) -> set[tuple[str, str, int]]:
    """Return the instants of a device that fill a result on their own."""
    places = Counter((row.table, row.device, row.at) for row in rows)
    return {place for place, number in places.items() if number >= limit}


@settings(deadline=None, max_examples=200)
@given(services(), st.integers(1, 9), st.sampled_from([-3, -1, 0, 1, 5, UNLIMITED]))
def test_every_row_comes_exactly_once(
    drawn: tuple[tuple[Row, ...], Scope], cap: int, more: int
) -> None:
    """Whatever the rows, the cap and the configured limit, no row is lost or comes twice."""
    rows, scope = drawn
    limit = max(1, cap + more)
    outcomes = pulled(Service(rows, cap=cap), scope, limit, PROCESS, NETWORK)
    full = crowded(rows, min(cap, limit))
    came = received(outcomes)
    expected = [row for row in rows if matters(row, scope)]
    assert max(came.values(), default=1) == 1
    assert came.keys() <= set(expected)
    assert {row for row in expected if (row.table, row.device, row.at) not in full} <= came.keys()
    for outcome in outcomes:
        if outcome.status == "truncated":
            places = {
                (outcome.table, record["device"], record["at"]) for record in records(outcome)
            }
            assert len(places) == 1
            assert places <= full
    lost = set(expected) - came.keys()
    assert {row.table for row in lost} <= {o.table for o in outcomes if o.status != "complete"}


@settings(deadline=None, max_examples=200)
@given(services(), st.integers(1, 9))
def test_a_refused_size_is_halved(drawn: tuple[tuple[Row, ...], Scope], most: int) -> None:
    """Where the service refuses large results instead of cutting them, every row comes as well."""
    rows, scope = drawn
    outcomes = pulled(Service(rows, refuses_above=most), scope, UNLIMITED, PROCESS, NETWORK)
    full = crowded(rows, most + 1)
    came = received(outcomes)
    expected = {row for row in rows if matters(row, scope)}
    assert max(came.values(), default=1) == 1
    assert came.keys() == {r for r in expected if (r.table, r.device, r.at) not in full}
    lost = {(r.table, r.device, r.at) for r in expected - came.keys()}
    assert len([o for o in outcomes if o.status == "truncated"]) == len(lost)


@settings(deadline=None, max_examples=200)
@given(services(), st.integers(1, 9))
def test_a_cut_count_is_noticed(drawn: tuple[tuple[Row, ...], Scope], cap: int) -> None:
    """The count is a result like any other: cut at the limit, it is made again in parts."""
    rows, scope = drawn
    limit = cap + 2
    service = Service(rows, most_counts=limit)
    outcomes = pulled(service, scope, limit, PROCESS, NETWORK)
    full = crowded(rows, limit)
    expected = {row for row in rows if matters(row, scope)}
    wanted = {row for row in expected if (row.table, row.device, row.at) not in full}
    assert wanted <= received(outcomes).keys()


def spread(number: int, *, table: str = PROCESS, hours: int = 4) -> tuple[Row, ...]:
    """Return rows of device `a`, evenly over some hours."""
    return tuple(Row(table, "a", BASE + index * hours * HOUR // number) for index in range(number))


def test_a_quiet_scope_takes_one_query_a_table() -> None:
    """Where everything fits, one count and one query a table are all that is asked."""
    service = Service(spread(50) + spread(20, table=NETWORK))
    outcomes = pulled(service, around(4, "a"), 1000, PROCESS, NETWORK)
    assert len(service.asked) == 3
    assert [(o.table, o.status, o.rows) for o in outcomes] == [
        ("*", "complete", 0),
        (PROCESS, "complete", 50),
        (NETWORK, "complete", 20),
    ]


def test_slices_are_planned_below_the_limit() -> None:
    """Hours are packed into slices that stay under the limit, so that nothing is asked twice."""
    service = Service(spread(400, hours=8), cap=100)
    outcomes = pulled(service, around(8, "a"), 100)
    assert sum(received(outcomes).values()) == 400
    assert len(service.asked) == 1 + 8


def test_a_table_without_rows_is_not_asked() -> None:
    """A table in which the count found nothing is complete without a query of its own."""
    service = Service(spread(5))
    outcomes = pulled(service, around(4, "a"), 1000, PROCESS, NETWORK)
    assert len(service.asked) == 2
    assert status_of(outcomes, NETWORK) == {"complete"}


def test_a_refused_table_fails_alone() -> None:
    """A table that the tenant does not have is `failed` with the reason; the others come whole."""
    service = Service(spread(5) + spread(3, table=FILE), unknown=frozenset({NETWORK}))
    outcomes = pulled(service, around(4, "a"), 1000, PROCESS, NETWORK, FILE)
    assert sum(received(outcomes).values()) == 8
    assert status_of(outcomes) == status_of(outcomes, FILE) == {"complete"}
    (failed,) = [outcome for outcome in outcomes if outcome.table == NETWORK]
    assert failed.status == "failed"
    assert "failed to resolve" in (failed.detail or "")


def test_a_failing_service_fails_the_slice() -> None:
    """A slice that the service fails on is `failed`, and the next table is pulled all the same."""
    service = Service(spread(5) + spread(3, table=FILE), failing=frozenset({PROCESS}))
    outcomes = pulled(service, around(4, "a"), 1000, PROCESS, FILE)
    assert status_of(outcomes) == {"failed"}
    assert status_of(outcomes, FILE) == {"complete"}
    assert sum(received(outcomes).values()) == 3


def test_a_query_that_takes_too_long_is_halved() -> None:
    """However often a slice has to be halved until it is answered in time, all of it comes."""
    service = Service(spread(4000, hours=8), gives_up_above=40)
    outcomes = pulled(service, around(8, "a"), UNLIMITED)
    assert sum(received(outcomes).values()) == 4000
    assert status_of(outcomes) == {"complete"}


def test_a_service_that_answers_nothing_is_not_asked_for_every_part() -> None:
    """Where no part is answered, however small, the slice has failed after few calls."""
    service = Service(spread(4000, hours=8), gives_up_above=0)
    outcomes = pulled(service, around(8, "a"), UNLIMITED)
    assert "complete" not in status_of(outcomes)
    assert "failed" in status_of(outcomes)
    assert len(service.asked) < 30


def test_a_cut_below_the_configured_limit_is_halved() -> None:
    """A result shorter than counted is taken for a cut one, and the limit is learned from it."""
    service = Service(spread(40), cap=10)
    outcomes = pulled(service, around(4, "a"), 100_000)
    assert sum(received(outcomes).values()) == 40
    assert status_of(outcomes) == {"complete"}


def test_rows_that_went_away_since_the_count_are_not_missing() -> None:
    """A result shorter than counted is whole where a second count says so."""
    rows = spread(40)
    service = Service(rows, gone_after_count=frozenset(rows[::4]))
    outcomes = pulled(service, around(4, "a"), 100_000)
    assert sum(received(outcomes).values()) == 30
    assert status_of(outcomes) == {"complete"}


def test_devices_are_told_apart_within_one_tick() -> None:
    """Where all rows share one instant, the slice is halved by device."""
    rows = tuple(Row(PROCESS, d, BASE + 7, n) for d in "abcd" for n in range(3))
    outcomes = pulled(Service(rows, cap=4), around(1, *"abcd"), 4)
    assert received(outcomes) == Counter(rows)
    assert status_of(outcomes) == {"complete"}


def test_one_tick_of_one_device_above_the_cap_is_truncated() -> None:
    """What cannot be halved any more is called truncated, and keeps the rows that came."""
    crowd = tuple(Row(PROCESS, "a", BASE + 7, n) for n in range(9))
    outcomes = pulled(Service(crowd + spread(10), cap=5), around(4, "a"), 5)
    (truncated,) = [outcome for outcome in outcomes if outcome.status == "truncated"]
    assert truncated.rows == 5
    assert truncated.window == Window(BASE + 7, BASE + 8)
    assert sum(received(outcomes).values()) == 5 + 10


def test_a_truncated_instant_disturbs_no_later_table() -> None:
    """After a truncated instant, other slices and tables are pulled as if it were not there."""
    crowd = tuple(Row(PROCESS, "a", BASE + 7, n) for n in range(9))
    service = Service(crowd + spread(10, table=NETWORK), cap=5)
    outcomes = pulled(service, around(4, "a"), 5, PROCESS, NETWORK)
    assert status_of(outcomes, NETWORK) == {"complete"}
    assert sum(received(outcomes).values()) == 5 + 10


def test_no_call_goes_uncounted() -> None:
    """The ledger's calls add up to what was asked, halvings included."""
    service = Service(spread(40), cap=10)
    outcomes = pulled(service, around(4, "a"), 10)
    assert sum(outcome.calls for outcome in outcomes) == len(service.asked)


def test_a_missing_permission_ends_the_pull() -> None:
    """An error that asking for less does not cure is not hidden in an outcome."""

    class Closed:
        def post(self, url: str, what: str, body: dict[str, Any], read: object) -> Answer:
            raise Forbidden(what, f"a permission for {url} {len(body)} {read}")

    with pytest.raises(Forbidden):
        plan(Hunting(Closed()), (PROCESS,), around(1, "a"), 10)


def test_names_in_a_count_have_any_case() -> None:
    """The count's columns are read in any spelling."""

    @dataclass(frozen=True, slots=True)
    class Shouting:
        inner: Service

        def post(self, url: str, what: str, body: dict[str, Any], read: object) -> Answer:
            answer = self.inner.post(url, what, body, read)
            if "summarize" not in body["Query"]:
                return answer
            found = [json.loads(text) for text in answer.body]
            shouted = [{key.upper(): value for key, value in row.items()} for row in found]
            return replace(answer, body=[json.dumps(row) for row in shouted])

    outcomes = pulled(Shouting(Service(spread(6))), around(4, "a"), 100)
    assert sum(received(outcomes).values()) == 6


@pytest.mark.parametrize("most", range(1, 9))
def test_a_count_that_was_cut_in_silence_does_not_add_up(most: int) -> None:
    """A count cut below the limit that was said is made again in parts, or counts for nothing."""
    service = Service(spread(40) + spread(20, table=NETWORK), most_counts=most)
    outcomes = pulled(service, around(4, "a"), UNLIMITED, PROCESS, NETWORK)
    assert sum(received(outcomes).values()) == 60
    assert status_of(outcomes) == status_of(outcomes, NETWORK) == {"complete"}


def test_only_hours_with_more_rows_than_before_are_asked_for() -> None:
    """What was pulled of a device in an hour is not asked for again while the count stays."""
    rows = spread(40) + tuple(Row(PROCESS, "b", row.at) for row in spread(8))
    service, scope = Service(rows), around(4, "a", "b")
    hunting, outcomes = Hunting(service), list[Pulled]()
    counted = plan(hunting, (PROCESS,), scope, 100).counts.cells[PROCESS]
    held = {PROCESS: counted | {("b", BASE + HOUR): 1}}
    planned = plan(hunting, (PROCESS,), scope, 100, held=held)
    whole = pull(hunting, planned, Limit(100), outcomes.append)

    assert [set(piece.scope.cells) for piece in whole] == [{("b", BASE + HOUR)}]
    expected = [r for r in rows if r.device == "b" and BASE + HOUR <= r.at < BASE + 2 * HOUR]
    assert received(outcomes) == Counter(expected)
    assert plan(hunting, (PROCESS,), scope, 100, held={PROCESS: counted}).slices == ()


@settings(deadline=None, max_examples=100)
@given(services(), st.integers(1, 9), st.integers(2, 4))
def test_requests_side_by_side_bring_the_same(
    drawn: tuple[tuple[Row, ...], Scope], cap: int, parallel: int
) -> None:
    """However many slices are pulled at once, the rows are the same."""
    rows, scope = drawn
    one, several = list[Pulled](), list[Pulled]()
    for workers, into in ((1, one), (parallel, several)):
        hunting = Hunting(Service(rows, cap=cap))
        planned = plan(hunting, (PROCESS, NETWORK), scope, cap)
        pull(hunting, planned, Limit(cap), into.append, workers)
    assert received(one) == received(several)


def test_a_wide_row_makes_smaller_slices() -> None:
    """Slices are packed by what a row of the table was seen to take, in bytes and in seconds."""
    service = Service(spread(400, hours=8))
    for pace, slices in ((Pace(1000.0), 1), (Pace(500_000.0), 8), (Pace(1.0, 1.0), 4)):
        planned = plan(
            Hunting(service), (PROCESS,), around(8, "a"), UNLIMITED, paces={PROCESS: pace}
        )
        assert len(planned.slices) == slices


@pytest.mark.parametrize("silent", [0, 1], ids=["the count as well", "not the count"])
def test_an_answer_that_says_it_lacks_something_is_partial(silent: int) -> None:
    """A warning of the service makes a slice partial; a count with one counts for nothing."""

    class Hesitant(Service):
        def post(self, url: str, what: str, body: dict[str, Any], read: object) -> Answer:
            answer = Service.post(self, url, what, body, read)
            return replace(answer, doubts=("HTTP 206",)) if len(self.asked) > silent else answer

    rows = (Row(PROCESS, "a", BASE + HOUR), Row(PROCESS, "a", BASE + 2 * HOUR))
    outcomes = pulled(Hesitant(rows), around(4, "a"), 100)
    (slice_,) = [outcome for outcome in outcomes if outcome.part != "count"]

    assert (slice_.status, slice_.detail, slice_.rows) == ("partial", "HTTP 206", 2)
