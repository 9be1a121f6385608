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
from etl.errors import Forbidden, ResultTooLarge, ServiceFailed, TableUnknown
from etl.sources.hunting import Hunting
from etl.sources.scope import Group, Scope
from etl.sources.slices import Pulled, pull
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
    unknown: frozenset[str] = frozenset()
    failing: frozenset[str] = frozenset()
    gone_after_count: frozenset[Row] = frozenset()
    asked: list[str] = field(default_factory=list)

    def post(self, url: str, what: str, body: dict[str, Any]) -> Answer:
        """Answer one query by what its text says."""
        assert url == "v1.0/security/runHuntingQuery"
        query = body["Query"]
        self.asked.append(query)
        tables = query.splitlines()[0].removeprefix("union withsource=SourceTable ").split(", ")
        if self.unknown & set(tables):
            raise TableUnknown(what, 400, "BadRequest", "'where' operator: failed to resolve table")
        first = len(self.asked) == 1
        found = [
            row
            for row in self._matching(query, tables)
            if first or row not in self.gone_after_count
        ]
        if "summarize" in query:
            counted = list(_counted(found, alone="union" not in query))
            return self._answer(counted[: self.most_counts])
        if self.failing & set(tables):
            raise ServiceFailed(what, "HTTP 503 after 8 attempts")
        if len(found) > self.refuses_above:
            raise ResultTooLarge(what, 400, "BadRequest", "the result exceeds 64 MB")
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
        return Answer({"schema": [], "results": records}, "request", 100 * len(records), 1, 0)


def _window(match: re.Match[str]) -> tuple[int, int]:
    return _ticks(match["start"]), _ticks(match["end"])


def _ticks(text: str) -> int:
    second = datetime.fromisoformat(f"{text[:19]}+00:00")
    return ticks.from_datetime(second) + int(text[20:27])


def _counted(rows: list[Row], *, alone: bool) -> Iterator[dict[str, Any]]:
    hours = Counter((row.table, row.at // HOUR * HOUR) for row in rows)
    for (table, hour), events in hours.items():
        name = {} if alone else {"SourceTable": table}
        yield {**name, "Hour": ticks.to_text(hour), "Events": events}


def _record(row: Row) -> dict[str, Any]:
    return {"table": row.table, "device": row.device, "at": row.at, "number": row.number}


def around(hours: int, *devices: str) -> Scope:
    """Return a scope of some hours for some devices."""
    return Scope((Group(devices, Window(BASE, BASE + hours * HOUR)),))


def pulled(service: Service, scope: Scope, max_rows: int, *tables: str) -> list[Pulled]:
    """Pull with a stand-in for the client."""
    return list(pull(Hunting(service), tables or (PROCESS,), scope, max_rows))


def received(outcomes: list[Pulled]) -> Counter[Row]:
    """Return how often every row came."""
    return Counter(Row(**record) for outcome in outcomes for record in outcome.records)


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
            places = {(outcome.table, record["device"], record["at"]) for record in outcome.records}
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


def test_nothing_in_scope_asks_nothing() -> None:
    """An empty scope is no request at all."""
    service = Service(spread(5))
    assert pulled(service, Scope(()), 1000) == []
    assert service.asked == []


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
        def post(self, url: str, what: str, body: dict[str, Any]) -> Answer:
            raise Forbidden(what, f"a permission for {url} {len(body)}")

    with pytest.raises(Forbidden):
        list(pull(Hunting(Closed()), (PROCESS,), around(1, "a"), 10))


def test_names_in_answers_have_any_case() -> None:
    """Both spellings of the envelope and of the count's columns are read."""

    @dataclass(frozen=True, slots=True)
    class Shouting:
        inner: Service

        def post(self, url: str, what: str, body: dict[str, Any]) -> Answer:
            answer = self.inner.post(url, what, body)
            records = answer.body["results"]
            if "summarize" in body["Query"]:
                records = [{key.upper(): value for key, value in row.items()} for row in records]
            return Answer({"Schema": [], "Results": records}, "r", 0, 1, 0)

    shouting = Shouting(Service(spread(6)))
    outcomes = list(pull(Hunting(shouting), (PROCESS,), around(4, "a"), 100))
    assert sum(received(outcomes).values()) == 6


@pytest.mark.parametrize("body", [{}, {"results": None}, {"results": {}}, {"results": ["x"]}])
def test_an_answer_without_rows_is_a_failure(body: dict[str, Any]) -> None:
    """An answer that is no list of rows is never taken for an empty result."""

    class Broken:
        def post(self, url: str, what: str, body_: dict[str, Any]) -> Answer:
            assert url
            assert what
            assert body_
            return Answer(body, "r", 0, 1, 0)

    with pytest.raises(ServiceFailed, match="no list of rows"):
        list(pull(Hunting(Broken()), (PROCESS,), around(1, "a"), 10))


@pytest.mark.parametrize("silent", [0, 1], ids=["the count as well", "not the count"])
def test_an_answer_that_says_it_lacks_something_is_partial(silent: int) -> None:
    """A warning of the service makes a slice partial; a count with one counts for nothing."""

    class Hesitant(Service):
        def post(self, url: str, what: str, body: dict[str, Any]) -> Answer:
            answer = Service.post(self, url, what, body)
            return replace(answer, doubts=("HTTP 206",)) if len(self.asked) > silent else answer

    rows = (Row(PROCESS, "a", BASE + HOUR), Row(PROCESS, "a", BASE + 2 * HOUR))
    outcomes = pulled(Hesitant(rows), around(4, "a"), 100)
    (slice_,) = [outcome for outcome in outcomes if outcome.part != "count"]

    assert (slice_.status, slice_.detail, slice_.rows) == ("partial", "HTTP 206", 2)
