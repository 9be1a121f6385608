from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl import ticks
from etl.access.client import Answer
from etl.errors import ServiceFailed
from etl.sources.alerts import Page
from etl.sources.graph import PAGE, GraphAlerts, listing
from etl.windows import Window

DAY = Window.of_day(date(2026, 1, 2))
NOW = ticks.from_datetime(datetime(2026, 2, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert, as far as paging is concerned."""

    id: int
    created: int
    updated: int

    @property
    def record(self) -> dict[str, Any]:
        """The alert as the service writes it."""
        return {
            "id": str(self.id),
            "createdDateTime": ticks.to_text(self.created),
            "lastUpdateDateTime": ticks.to_text(self.updated),
        }


def by_update(alert: Alert) -> tuple[int, int]:
    """Order alerts as asked."""
    return alert.updated, alert.id


def by_id(alert: Alert) -> tuple[int, int]:
    """Order alerts as some server likes."""
    return -alert.id, 0


@dataclass(slots=True)
class Graph:
    """A stand-in for the client: pages by `$skip`, as Graph does, over alerts that may change."""

    alerts: list[Alert]
    page: int = 3
    order: Callable[[Alert], tuple[int, int]] = by_update
    touched: list[int] = field(default_factory=list)
    links: bool = True
    loops: bool = False
    deepest: int = 1_000_000
    urls: list[str] = field(default_factory=list)

    def get(self, url: str, what: str, headers: dict[str, str]) -> Answer:
        """Answer one page; then the next of `touched` changes."""
        assert what
        assert headers == {"Prefer": "include-unknown-enum-members"}
        self.urls.append(url)
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        skip = int(query.get("$skip", "0"))
        bounds = _bounds(query["$filter"])
        found = [alert for alert in self.alerts if _asked(alert, bounds)]
        found.sort(key=self.order)
        size = min(int(query["$top"]), self.page)
        body: dict[str, Any] = {"value": [alert.record for alert in found[skip : skip + size]]}
        if self.links and skip + size < min(len(found), self.deepest):
            body["@odata.nextLink"] = f"{url.split('&$skip', maxsplit=1)[0]}&$skip={skip + size}"
        if self.loops:
            body["@odata.nextLink"] = f"{url.split('&$skip', maxsplit=1)[0]}&$skip=0"
        body["@odata.count"] = len(found)
        self._change()
        return Answer(body, f"request-{len(self.urls)}", 100, 1, 0)

    def _change(self) -> None:
        if self.touched:
            at = self.touched.pop() % len(self.alerts)
            moment = NOW + len(self.urls) * ticks.PER_SECOND
            self.alerts[at] = replace(self.alerts[at], updated=moment)


def _bounds(condition: str) -> list[tuple[str, str, int]]:
    parts = [part.split() for part in condition.split(" and ")]
    return [(name, operator, ticks.from_text(text)) for name, operator, text in parts]


def _asked(alert: Alert, bounds: list[tuple[str, str, int]]) -> bool:
    values = {"createdDateTime": alert.created, "lastUpdateDateTime": alert.updated}
    return all(
        values[name] >= bound if {"ge": True, "lt": False}[operator] else values[name] < bound
        for name, operator, bound in bounds
    )


def listed(graph: Any, window: Window, since: int | None = None) -> list[Page]:  # noqa: ANN401
    """Return all pages of a window, through whatever stands in for the client."""
    return list(GraphAlerts(graph).changed(window, since))


def collected(graph: Graph, window: Window = DAY) -> set[str]:
    """Read all pages and return the ids that came."""
    return {record["id"] for page in listed(graph, window) for record in page.records}


def ids(graph: Graph, window: Window = DAY) -> set[str]:
    """Return the ids that should come."""
    return {str(a.id) for a in graph.alerts if window.start <= a.created < window.end}


def many(number: int, *, updated: Callable[[int], int] = lambda number: number) -> list[Alert]:
    """Return alerts of the day, created a second apart."""
    return [
        Alert(i, DAY.start + i * ticks.PER_SECOND, DAY.start + updated(i) * ticks.PER_MINUTE)
        for i in range(number)
    ]


ALERTS = st.lists(
    st.tuples(
        st.sampled_from([DAY.start - 1, DAY.start, DAY.start + 1, DAY.end - 1, DAY.end])
        | st.integers(DAY.start, DAY.end - 1),
        st.integers(0, 6),
    ),
    max_size=20,
).map(
    lambda drawn: [
        Alert(number, created, DAY.end + minute * ticks.PER_MINUTE)
        for number, (created, minute) in enumerate(drawn)
    ]
)


@settings(deadline=None)
@given(ALERTS, st.integers(1, 7))
def test_every_alert_comes_whatever_the_page(alerts: list[Alert], page: int) -> None:
    """With any page size and any ties, all alerts of the window come and no other."""
    graph = Graph(alerts, page=page)
    assert collected(graph) == ids(graph)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=20),
    st.integers(2, 6),
    st.lists(st.integers(0, 19), max_size=12),
)
def test_nothing_is_lost_while_alerts_change(
    minutes: list[int], page: int, touched: list[int]
) -> None:
    """An alert that changes between two pages moves to the end and pushes none out of sight."""
    alerts = [
        Alert(n, DAY.start + n, DAY.end + minute * ticks.PER_MINUTE)
        for n, minute in enumerate(minutes)
    ]
    graph = Graph(alerts, page=page, touched=touched)
    wanted = ids(graph)
    assert collected(graph) == wanted


@settings(deadline=None)
@given(ALERTS, st.integers(1, 7), st.lists(st.integers(0, 19), max_size=8))
def test_reading_ends_whatever_changes(alerts: list[Alert], page: int, touched: list[int]) -> None:
    """Alerts that keep changing cost a bounded number of requests."""
    graph = Graph(alerts, page=page, touched=touched if alerts else [])
    collected(graph)
    assert len(graph.urls) <= 10 + 4 * (len(alerts) + len(touched))


def test_ties_across_a_page_boundary() -> None:
    """Alerts that share an instant on both sides of a page's end all come."""
    graph = Graph(many(9, updated=lambda number: number // 2), page=3)
    assert collected(graph) == ids(graph)


def test_all_ties_are_read_in_halves_of_creation() -> None:
    """Where every alert has one instant, no link is followed: pages shift behind links."""
    graph = Graph(many(10, updated=lambda _: 5), page=3)
    assert collected(graph) == ids(graph)
    assert not [url for url in graph.urls if "$skip" in url]


def test_an_order_that_only_looks_kept_is_found_out() -> None:
    """Fewer alerts than announced make halves of the window the way, from the start."""
    alerts = many(9, updated=lambda number: number % 3)
    graph = Graph(alerts, page=3, order=lambda alert: (-(alert.id // 3), alert.id))
    assert collected(graph) == ids(graph)
    assert not [url for url in graph.urls if "$skip" in url]


@pytest.mark.parametrize("page", [1, 100, PAGE, 10 * PAGE])
def test_the_service_decides_the_page_size(page: int) -> None:
    """Smaller pages than asked for are no end, and larger ones are never asked for."""
    graph = Graph(many(30), page=page)
    assert collected(graph) == ids(graph)
    assert all(f"%24top={PAGE}" in url for url in graph.urls)


def test_full_pages_without_a_link_are_no_end() -> None:
    """A full page is followed by a request for what comes after it, link or not."""
    graph = Graph(many(2 * PAGE + 7), page=PAGE, links=False)
    assert collected(graph) == ids(graph)


def test_ties_beyond_the_services_depth_are_halved() -> None:
    """Where one instant holds more than the service pages through, creation is halved."""
    graph = Graph(many(3 * PAGE, updated=lambda _: 5), page=PAGE, deepest=PAGE)
    assert collected(graph) == ids(graph)


def test_one_instant_of_creation_beyond_a_page_is_said() -> None:
    """What cannot be halved is an error, not a silent loss."""
    alerts = [Alert(n, DAY.start, DAY.end) for n in range(PAGE + 1)]
    with pytest.raises(ServiceFailed, match="no next link"):
        collected(Graph(alerts, page=PAGE, links=False))


def test_a_service_that_ignores_the_order() -> None:
    """Where pages do not come in the order asked for, the window is read in halves."""
    graph = Graph(many(20), page=4, order=by_id)
    assert collected(graph) == ids(graph)
    assert "lastUpdateDateTime+ge" not in "".join(graph.urls)


def test_links_in_a_circle_end_in_an_error() -> None:
    """Links that lead back are followed once; the alerts that came are not called complete."""
    graph = Graph(many(5, updated=lambda _: 5), page=3, loops=True)
    with pytest.raises(ServiceFailed):
        collected(graph)
    assert len(graph.urls) < 1000


def test_a_quiet_day_is_one_request() -> None:
    """A day whose alerts fit on one page is asked for once."""
    graph = Graph(many(5), page=PAGE)
    (page,) = listed(graph, DAY)
    assert (len(page.records), page.request_id, page.calls) == (5, "request-1", 1)


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": {}}, {"error": "x"}])
def test_an_answer_without_values_is_a_failure(body: dict[str, Any]) -> None:
    """An answer that is no list is never taken for a day without alerts."""

    class Broken:
        def get(self, url: str, what: str, headers: dict[str, str]) -> Answer:
            assert url
            assert what
            assert headers
            return Answer(body, "r", 0, 1, 0)

    with pytest.raises(ServiceFailed, match="no list of values"):
        listed(Broken(), DAY)


def test_records_that_are_no_alerts_are_handed_on() -> None:
    """Broken records come with the others; judging them is not the reader's business."""
    records = [None, 5, "x", [], {}, {"lastUpdateDateTime": 7}, {"id": "1"}]

    class Odd:
        def get(self, url: str, what: str, headers: dict[str, str]) -> Answer:
            assert url
            assert what
            assert headers
            return Answer({"value": records}, "r", 0, 1, 0)

    (page,) = listed(Odd(), DAY)
    assert page.records == records


def test_the_condition_is_half_open_to_the_last_digit() -> None:
    """The listing asks for creation from the window's start up to, not including, its end."""
    query = parse_qs(urlsplit(listing(Window(DAY.start, DAY.end), DAY.start + 1)).query)
    (condition,) = query["$filter"]
    assert condition == (
        "createdDateTime ge 2026-01-02T00:00:00.0000000Z"
        " and createdDateTime lt 2026-01-03T00:00:00.0000000Z"
        " and lastUpdateDateTime ge 2026-01-02T00:00:00.0000001Z"
    )
    assert query["$orderby"] == ["lastUpdateDateTime asc"]


@settings(deadline=None)
@given(ALERTS, st.integers(1, 7), st.integers(0, 6))
def test_since_is_inclusive(alerts: list[Alert], page: int, minute: int) -> None:
    """Asked from an update on, exactly the alerts updated then or later come."""
    since = DAY.end + minute * ticks.PER_MINUTE
    graph = Graph(alerts, page=page)
    found = {record["id"] for page in listed(graph, DAY, since) for record in page.records}
    assert found == {i for i in ids(graph) if graph.alerts[int(i)].updated >= since}


def test_a_count_that_is_not_reached_is_a_doubt() -> None:
    """Alerts that the service announces and never gives are told, not passed over."""

    class Boastful(Graph):
        def get(self, url: str, what: str, headers: dict[str, str]) -> Answer:
            answer = Graph.get(self, url, what, headers)
            answer.body["@odata.count"] += 2
            return answer

    pages = listed(Boastful(many(4), page=PAGE), DAY)
    assert [doubt for page in pages for doubt in page.doubts] == ["6 alerts announced, 4 came"]


def test_a_page_that_fails_is_asked_for_smaller() -> None:
    """Where the service fails at many alerts at once, few at once still come through."""

    class Weak(Graph):
        def get(self, url: str, what: str, headers: dict[str, str]) -> Answer:
            if f"%24top={PAGE}" in url:
                raise ServiceFailed(what, "HTTP 500")
            return Graph.get(self, url, what, headers)

    graph = Weak(many(120), page=PAGE)
    assert collected(graph) == ids(graph)
