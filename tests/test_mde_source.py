import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from limiters import limiter
from runs import generous

from etl import ticks
from etl.access.client import Answer, Client
from etl.errors import Forbidden, RequestRefused, ServiceFailed, Unreachable
from etl.sandbox import Sandbox, Tenant
from etl.sources import hunting, kql, mde
from etl.sources.alerts import Page
from etl.sources.graph import GraphAlerts
from etl.sources.hunting import Hunting
from etl.sources.mde import CAUTIOUS, PAGE, MdeAlerts, listing
from etl.windows import Window

DAY = Window.of_day(datetime(2026, 1, 2, tzinfo=UTC).date())
DEVICE = "a" * 40
OTHER = "b" * 40
_BOUND = re.compile(r"(?P<name>[a-zA-Z]+) (?P<operator>ge|lt) (?P<at>[0-9TZ:.-]+)")


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert: its number, when it was created and updated, and what else is said of it."""

    id: int
    created: int
    updated: int
    more: tuple[tuple[str, Any], ...] = ()

    @property
    def record(self) -> dict[str, Any]:
        """The alert as the service writes it."""
        return {
            "id": f"da{self.id}",
            "alertCreationTime": ticks.to_text(self.created),
            "lastUpdateTime": ticks.to_text(self.updated),
            "evidence": [{"entityType": "File", "sha1": "0"}],
            **dict(self.more),
        }


def newest_update_first(alert: Alert) -> tuple[int, int]:
    """Order alerts so that every change moves one across the pages."""
    return -alert.updated, alert.id


@dataclass(slots=True)
class Mde:
    """A stand-in for the client: pages by `$skip`, in whatever order, over alerts that change."""

    alerts: list[Alert] = field(default_factory=list)
    cap: int = 10_000
    order: Callable[[Alert], tuple[int, int]] = newest_update_first
    touched: list[int] = field(default_factory=list)
    links: bool = False
    deaf: bool = False
    largest: int = 10_000
    beside: dict[str, Any] = field(default_factory=dict)
    forbidden: frozenset[str] = frozenset()
    urls: list[str] = field(default_factory=list)

    def get(self, url: str, what: str) -> Answer:
        """Answer a listing of alerts, or what is kept beside them."""
        self.urls.append(url)
        path = urlsplit(url).path
        if path == "api/alerts":
            return self._list(url, what)
        if path.rpartition("/")[2] in self.forbidden:
            raise Forbidden(what, "whatever the client was made for")
        if path not in self.beside:
            raise RequestRefused(what, 404, "ResourceNotFound", "there is none")
        if isinstance(self.beside[path], Exception):
            raise self.beside[path]
        return Answer(self.beside[path], "beside", 10, 1, 0)

    def _list(self, url: str, what: str) -> Answer:
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert query["$expand"] == "evidence"
        assert "$orderby" not in query
        assert "$count" not in query
        top, skip = int(query["$top"]), 0 if self.deaf else int(query.get("$skip", "0"))
        if top > self.largest:
            raise ServiceFailed(what, "HTTP 500 after 8 attempts")
        bounds = [
            (bound["name"], bound["operator"], ticks.from_text(bound["at"]))
            for bound in _BOUND.finditer(query["$filter"])
        ]
        found = sorted((a for a in self.alerts if _asked(a, bounds)), key=self.order)
        size = min(top, self.cap)
        body: dict[str, Any] = {"value": [a.record for a in found[skip : skip + size]]}
        if self.links and skip + size < len(found):
            body["@odata.nextLink"] = "https://elsewhere.example/api/alerts?$skip=1"
        self._change()
        return Answer(body, f"request-{len(self.urls)}", 100, 1, 0)

    def _change(self) -> None:
        if self.touched and self.alerts:
            at = self.touched.pop() % len(self.alerts)
            moment = DAY.end + len(self.urls) * ticks.PER_HOUR
            self.alerts[at] = replace(self.alerts[at], updated=moment)


def _asked(alert: Alert, bounds: list[tuple[str, str, int]]) -> bool:
    values = {"alertCreationTime": alert.created, "lastUpdateTime": alert.updated}
    return all(
        values[name] >= at if operator == "ge" else values[name] < at
        for name, operator, at in bounds
    )


def pages(service: Mde, since: int | None = None, **options: Any) -> list[Page]:  # noqa: ANN401
    """Read all pages of the day."""
    return list(MdeAlerts(service, **options).changed(DAY, since))


def ids(read: list[Page]) -> set[str]:
    """Return the ids that came."""
    return {record["id"] for page in read for record in page.records}


def doubts(read: list[Page]) -> list[str]:
    """Return every doubt."""
    return [told for page in read for told in (*page.doubts, *page.remarks)]


def wanted(service: Mde) -> set[str]:
    """Return the ids that should come."""
    return {f"da{a.id}" for a in service.alerts if DAY.start <= a.created < DAY.end}


def many(number: int, **more: Any) -> list[Alert]:  # noqa: ANN401
    """Return alerts of the day, created a second apart."""
    return [
        Alert(i, DAY.start + i * ticks.PER_SECOND, DAY.end + i, tuple(more.items()))
        for i in range(number)
    ]


INSTANTS = st.sampled_from([DAY.start - 1, DAY.start, DAY.start + 1, DAY.end - 1, DAY.end])
ALERTS = st.lists(
    st.tuples(INSTANTS | st.integers(DAY.start, DAY.end - 1), st.integers(0, 6)), max_size=20
).map(
    lambda drawn: [
        Alert(number, created, DAY.end + minute * ticks.PER_MINUTE)
        for number, (created, minute) in enumerate(drawn)
    ]
)


@settings(deadline=None, max_examples=60)
@given(ALERTS, st.integers(1, 7), st.integers(1, 7), st.booleans())
def test_every_alert_comes_whatever_the_page(
    alerts: list[Alert],
    page: int,
    cap: int,
    links: bool,  # noqa: FBT001 - drawn, not passed
) -> None:
    """With any page size, any cap below it, links or none, all alerts of the window come."""
    service = Mde(alerts, cap=cap, links=links)
    read = pages(service, page=page)
    assert ids(read) == wanted(service)
    assert doubts(read) == []


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 300), min_size=1, max_size=20, unique=True),
    st.integers(2, 6),
    st.lists(st.integers(0, 19), max_size=12),
)
def test_nothing_is_lost_while_alerts_change(
    seconds: list[int], page: int, touched: list[int]
) -> None:
    """An alert that moves across pages while they are read is not lost."""
    alerts = [Alert(n, DAY.start + n * 7, DAY.end + n) for n in seconds]
    service = Mde(alerts, touched=touched)
    expected = wanted(service)
    assert ids(pages(service, page=page)) == expected


@settings(deadline=None, max_examples=60)
@given(ALERTS, st.integers(1, 7))
def test_reading_takes_few_requests(alerts: list[Alert], page: int) -> None:
    """However the alerts lie, requests are bounded by their number."""
    service = Mde(alerts)
    pages(service, page=page)
    assert len(service.urls) <= 10 + 6 * len(alerts)


def test_the_condition_is_half_open_to_the_last_digit() -> None:
    """The listing asks for creation in the window and, where given, for updates since."""
    query = parse_qs(urlsplit(listing(DAY, DAY.start + 1)).query)
    condition = (
        "alertCreationTime ge 2026-01-02T00:00:00.0000000Z"
        " and alertCreationTime lt 2026-01-03T00:00:00.0000000Z"
        " and lastUpdateTime ge 2026-01-02T00:00:00.0000001Z"
    )
    assert query == {"$expand": ["evidence"], "$filter": [condition], "$top": [str(PAGE)]}


def test_only_what_changed_since_comes() -> None:
    """With `since`, alerts updated before it stay away."""
    service = Mde(many(10))
    assert ids(pages(service, DAY.end + 7)) == {"da7", "da8", "da9"}


def test_a_quiet_day_is_two_requests() -> None:
    """One page, and one alert asked for behind it, to see that the service did not cut it."""
    service = Mde(many(5))
    (page,) = pages(service)
    assert (page.rows, page.calls, page.size, page.announced) == (5, 2, 200, None)
    assert [url.partition("top=")[2] for url in service.urls] == [f"{PAGE}", "1&%24skip=5"]


def test_an_empty_day_is_one_request() -> None:
    """Where nothing came there is nothing to look behind."""
    service = Mde()
    assert [page.rows for page in pages(service)] == [0]
    assert len(service.urls) == 1


def test_smaller_pages_than_one_seen_are_not_looked_behind() -> None:
    """A page smaller than the largest that came is whole without another request."""
    service = Mde(many(20))
    source = MdeAlerts(service)
    list(source.changed(DAY))
    before = len(service.urls)
    list(source.changed(Window(DAY.start, DAY.start + 5 * ticks.PER_SECOND)))
    assert len(service.urls) == before + 1


def test_a_crowd_of_one_instant_is_set_apart_at_once() -> None:
    """More alerts of one instant than a page holds are found in few requests, and come by skip."""
    crowd = [Alert(n, DAY.start + 99, DAY.end + n) for n in range(25)]
    service = Mde(crowd)
    assert ids(pages(service, page=10)) == wanted(service)
    assert len(service.urls) < 12


def test_a_crowd_that_moves_while_it_is_read_is_doubted() -> None:
    """Where only skip is left and alerts move between the pages, the doubt is told."""
    crowd = [Alert(n, DAY.start, DAY.end + n) for n in range(9)]
    read = pages(Mde(crowd, touched=list(range(8, -1, -1))), page=3)
    assert ["moved between pages" in doubt for doubt in doubts(read)] == [True]


def test_a_service_that_ignores_skip_is_an_error() -> None:
    """Pages that repeat for ever end in an error, not in a loop or a silent loss."""
    crowd = [Alert(n, DAY.start, DAY.end) for n in range(9)]
    with pytest.raises(ServiceFailed, match="repeat each other"):
        pages(Mde(crowd, deaf=True), page=3)


def test_a_service_that_ignores_the_window_is_read_by_skip() -> None:
    """Where alerts of another window come, splitting would never end and is not begun."""

    class Wide(Mde):
        def get(self, url: str, what: str) -> Answer:
            return super().get(re.sub(r"alertCreationTime\+(ge|lt)\+[^+&]+", "x", url), what)

    service = Wide([Alert(n, DAY.start - 7 + n, DAY.end) for n in range(30)])
    assert len(ids(pages(service, page=4))) == 30
    assert len(service.urls) < 40


def test_a_service_that_fails_at_large_pages_is_asked_for_small_ones() -> None:
    """Alerts with too much evidence for one answer come in smaller pages."""
    service = Mde(many(120), largest=100)
    assert ids(pages(service)) == wanted(service)
    with pytest.raises(ServiceFailed):
        pages(Mde(many(5), largest=CAUTIOUS - 1))


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": {}}])
def test_an_answer_without_values_is_a_failure(body: dict[str, Any]) -> None:
    """An answer that is no list is never taken for a day without alerts."""

    class Broken:
        def get(self, url: str, what: str) -> Answer:
            assert url
            assert what
            return Answer(body, "r", 0, 1, 0)

    with pytest.raises(ServiceFailed, match="no list of values"):
        list(MdeAlerts(Broken()).changed(DAY))


def test_records_that_are_no_alerts_are_handed_on() -> None:
    """Broken records come as they are; judging them is not the reader's business."""
    records = [None, 5, "x", [], {}, {"id": 7}, {"machineId": DEVICE}]

    class Odd(Mde):
        def _list(self, url: str, what: str) -> Answer:
            assert what
            return Answer({"value": [] if "skip" in url else records}, "r", 0, 1, 0)

    (page,) = pages(Odd())
    assert page.records == records


def test_the_api_counts_nothing() -> None:
    """There is no count to hold the alerts against."""
    assert MdeAlerts(Mde()).count(DAY) is None


MACHINE = {
    "id": DEVICE, "computerDnsName": "ws1.contoso.example", "osPlatform": "Windows11",
    "version": "23H2", "osBuild": 22631, "aadDeviceId": "d1", "rbacGroupName": "all",
    "lastSeen": "2026-01-02T03:04:05Z", "healthStatus": "Active", "riskScore": "High",
    "exposureLevel": "Low", "lastIpAddress": "10.0.0.1", "ipAddresses": [{"ipAddress": "10.0.0.1"}],
}  # fmt: skip
STABLE = {
    "id": DEVICE, "computerDnsName": "ws1.contoso.example", "osPlatform": "Windows11",
    "version": "23H2", "osBuild": 22631, "aadDeviceId": "d1", "rbacGroupName": "all",
}  # fmt: skip
HISTORY = {"lastSeen": "2026-02-02T03:04:05Z", "healthStatus": "Inactive", "riskScore": "None"}


def records(read: list[Page]) -> Iterator[dict[str, Any]]:
    """Yield every record that came."""
    for page in read:
        yield from page.records


def test_machines_come_from_one_listing() -> None:
    """However many alerts name machines, the inventory is listed once, and its stable part kept."""
    service = Mde(many(30, machineId=DEVICE.upper()), beside={"api/machines": {"value": [MACHINE]}})
    read = pages(service, page=7)
    assert all(record["machine"] == STABLE for record in records(read))
    assert [url for url in service.urls if "machine" in url] == ["api/machines"]
    assert sum(page.calls for page in read) == len(service.urls)


def test_alerts_without_machines_do_not_list_the_inventory() -> None:
    """Where no alert names a machine, machines are not asked for."""
    service = Mde(many(3, machineId=None))
    assert not any("machine" in record for record in records(pages(service)))
    assert not [url for url in service.urls if "machine" in url]


def test_an_unchanged_alert_stays_the_same_record() -> None:
    """What changes daily about a machine, or the order of lists, makes no other record."""
    lists = {
        "api/machines": [MACHINE],
        "api/alerts/da0/files": [{"sha1": "2", "globalPrevalence": 1}, {"sha1": "1"}],
        "api/alerts/da0/ips": [{"id": "10.0.0.2"}, {"id": "10.0.0.1"}],
    }
    later = {
        "api/machines": [MACHINE | HISTORY],
        "api/alerts/da0/files": [{"sha1": "1"}, {"sha1": "2", "globalPrevalence": 9}],
        "api/alerts/da0/ips": [{"id": "10.0.0.1"}, {"id": "10.0.0.2"}],
    }
    first, second = (
        list(records(pages(Mde(
            many(1, machineId=DEVICE, evidence=[]),
            beside={path: {"value": value} for path, value in found.items()},
        ))))
        for found in (lists, later)
    )  # fmt: skip
    assert first == second
    assert [file["sha1"] for file in first[0]["files"]] == ["1", "2"]


def test_the_inventory_is_listed_to_its_end() -> None:
    """Machines behind a next link are asked for by skip, on the configured host."""
    other = MACHINE | {"id": OTHER}
    link = "https://elsewhere.example/api/machines?$skip=1"

    class Paged(Mde):
        def get(self, url: str, what: str) -> Answer:
            if url == "api/machines?$skip=1":
                self.urls.append(url)
                return Answer({"value": [other]}, "r", 0, 1, 0)
            return super().get(url, what)

    beside = {"api/machines": {"value": [MACHINE], "@odata.nextLink": link}}
    service = Paged(many(2, machineId=OTHER), beside=beside)
    assert [record["machine"]["id"] for record in records(pages(service))] == [OTHER, OTHER]


def test_a_machine_that_the_inventory_lacks_is_asked_for_once() -> None:
    """An alert's own machine is asked for where the listing has none; not again for the next."""
    beside = {"api/machines": {"value": []}, "api/alerts/da2/machine": MACHINE | HISTORY}
    service = Mde(many(3, machineId=DEVICE), beside=beside)
    assert [record["machine"] for record in records(pages(service))] == [STABLE] * 3
    assert [url for url in service.urls if url.endswith("/machine")] == ["api/alerts/da2/machine"]


def test_no_machines_at_all_are_an_answer_of_404() -> None:
    """An empty inventory is how the service says 404, and no doubt."""
    read = pages(Mde(many(2, machineId=DEVICE)))
    assert doubts(read) == []
    assert not any("machine" in record for record in records(read))


def test_what_lies_beside_is_asked_only_where_evidence_is_empty() -> None:
    """Files, addresses, domains and the user are asked for no alert that holds evidence."""
    full, bare = many(2, machineId=DEVICE)
    bare = replace(bare, more=(("machineId", DEVICE), ("evidence", [])))
    nothing = replace(full, id=7, more=(("evidence", []),))
    beside = {
        "api/machines": {"value": [MACHINE]},
        "api/alerts/da1/domains": {"value": [{"host": "evil.example"}]},
        "api/alerts/da1/user": {"id": "c\\ada", "accountName": "ada", "lastSeen": "2026-01-01"},
    }
    service = Mde([full, bare, nothing], beside=beside)
    found = {record["id"]: record for record in records(pages(service))}
    assert found["da1"]["domains"] == [{"host": "evil.example"}]
    assert found["da1"]["user"] == [{"id": "c\\ada", "accountName": "ada"}]
    assert "files" not in found["da1"]
    asked = {url.split("/")[2] for url in service.urls if url.startswith("api/alerts/")}
    assert asked == {"da1"}


def test_the_quota_bounds_what_is_asked_one_by_one() -> None:
    """Beyond the budget alerts come without what lies beside them, and the doubt says how many."""
    service = Mde(many(9, relatedUser={"userName": "ada"}, evidence=[]))
    read = pages(service, budget=4, page=3)
    assert ids(read) == wanted(service)
    assert ["5 alerts were not asked" in doubt for doubt in doubts(read)] == [True]
    asked = [url for url in service.urls if url.startswith("api/alerts/")]
    assert len(asked) == 4 * 4


@pytest.mark.parametrize(
    ("path", "permission"),
    [
        ("machines", "Machine.Read.All"),
        ("files", "File.Read.All"),
        ("ips", "Ip.Read.All"),
        ("domains", "URL.Read.All"),
        ("user", "User.Read.All"),
    ],
)
def test_a_missing_permission_costs_only_what_it_guards(path: str, permission: str) -> None:
    """Without a permission the alerts come all the same, with one doubt that names it."""
    service = Mde(many(3, machineId=DEVICE, evidence=[]), forbidden=frozenset({path}))
    read = pages(service)
    assert ids(read) == wanted(service)
    assert [permission in doubt for doubt in doubts(read)] == [True]
    assert len([url for url in service.urls if url.endswith(path)]) == 1


def test_a_service_that_fails_beside_the_alerts_fails_the_pull() -> None:
    """What another attempt may cure is not put down as absent: the alert would change twice."""
    gone = Unreachable("host", "no answer", "wait")
    with pytest.raises(Unreachable):
        pages(Mde(many(1, machineId=DEVICE), beside={"api/machines": gone}))


def test_a_refusal_beside_the_alerts_is_doubted_once() -> None:
    """A refused request for a machine is told once, however many alerts it is made for."""
    bad = RequestRefused("get an alert's machine", 400, "BadRequest", "no")
    beside = {f"api/alerts/da{n}/machine": bad for n in range(3)}
    alerts = [replace(a, more=(("machineId", f"{a.id}"),)) for a in many(3)]
    read = pages(Mde(alerts, beside=beside))
    assert ["HTTP 400" in doubt for doubt in doubts(read)] == [True]


def test_ids_cannot_lead_to_another_path() -> None:
    """An id is one segment of the path, whatever it holds."""
    alert = replace(many(1)[0], more=(("id", "../x?y"), ("machineId", DEVICE), ("evidence", [])))
    service = Mde([alert])
    pages(service)
    assert "api/alerts/..%2Fx%3Fy/files" in service.urls


def test_keys_of_the_service_are_never_replaced() -> None:
    """Should the service begin to send a machine itself, its own word stands."""
    service = Mde(many(1, machineId=DEVICE, machine="theirs"))
    service.beside["api/machines"] = {"value": [MACHINE]}
    assert [record["machine"] for record in records(pages(service))] == ["theirs"]


def test_pages_come_in_order_of_creation_where_split() -> None:
    """Parts of a window are read from its start, so that an interrupted pull is a prefix."""
    service = Mde(many(40))
    firsts = [min(r["alertCreationTime"] for r in p.records) for p in pages(service, page=5)[-8:]]
    assert all(one <= other for one, other in pairwise(firsts))


@dataclass(slots=True)
class SignIn:
    """Tokens of a sandbox, for each of some resources in turn."""

    sandbox: Sandbox
    resources: list[str]

    def token(self, *, refused: str | None = None) -> str:
        """Sign in for the first resource, or for the next one."""
        if refused is not None:
            self.resources.append(self.resources.pop(0))
        settings = self.sandbox.environment
        answer = requests.post(
            f"{self.sandbox.url}/{settings['AZURE_TENANT_ID']}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": settings["AZURE_CLIENT_ID"],
                "client_secret": settings["AZURE_CLIENT_SECRET"],
                "scope": f"{self.resources[0]}/.default",
            },
            verify=settings["REQUESTS_CA_BUNDLE"],
            timeout=30,
        )
        return str(answer.json()["access_token"])

    def close(self) -> None:
        """Hold nothing open."""


GRAPH_NAME, MDE_NAME = "https://graph.microsoft.com", "https://api.securitycenter.microsoft.com"


def client(sandbox: Sandbox, *resources: str, permission: str = mde.PERMISSION) -> Client:
    """Return a client of a sandbox that signs in for some resources."""
    bundle = sandbox.environment["REQUESTS_CA_BUNDLE"]
    signed_in = SignIn(sandbox, list(resources))
    return Client(sandbox.url, signed_in, limiter(), permission, bundle, audience_by_403=True)


def whole(tenant: Tenant) -> Window:
    """Return the window of all days of a tenant."""
    return Window(Window.of_day(tenant.days[0]).start, Window.of_day(tenant.days[-1]).end)


def test_the_sandbox_serves_its_alerts_page_by_page(tenant: Tenant) -> None:
    """Over HTTPS, behind a low page cap, every alert that the API has comes with its machine."""
    with Sandbox(tenant, faults=generous(mde_page_size=7, mde_requests_per_minute=9999)) as sandbox:
        source = MdeAlerts(client(sandbox, MDE_NAME))
        read = list(source.changed(whole(tenant)))
        source.close()
    known = {str(a["id"]) for a in tenant.alerts if str(a["id"]).startswith(("da", "ed"))}
    assert ids(read) == known
    assert doubts(read) == []
    assert all(r["machine"]["id"] == r["machineId"] for r in records(read) if r["machineId"])


def test_either_source_has_the_same_alerts(tenant: Tenant, served: Sandbox) -> None:
    """What this API has is what Graph has of the same ids, update for update."""
    graph = GraphAlerts(client(served, GRAPH_NAME, permission="SecurityAlert.Read.All"))
    updates = {
        record["id"]: record["lastUpdateDateTime"]
        for page in graph.changed(whole(tenant), None)
        for record in page.records
    }
    source = MdeAlerts(client(served, MDE_NAME))
    found = {r["id"]: r["lastUpdateTime"] for r in records(list(source.changed(whole(tenant))))}
    assert found
    assert found == {one: updates[one] for one in found}


def test_a_token_for_another_audience_gives_way_to_the_next(
    tenant: Tenant, served: Sandbox
) -> None:
    """A 403 for a wrong audience is not taken for a missing permission."""
    source = MdeAlerts(client(served, GRAPH_NAME, MDE_NAME))
    assert ids(list(source.changed(whole(tenant))))


def test_a_role_that_is_missing_is_named(tenant: Tenant) -> None:
    """Without its role the API answers 403 for any audience, which names the permission."""
    with (
        Sandbox(tenant, faults=generous(), roles=("Machine.Read.All",)) as sandbox,
        pytest.raises(Forbidden, match=r"Alert\.Read\.All"),
    ):
        list(MdeAlerts(client(sandbox, MDE_NAME)).changed(whole(tenant)))


def test_the_older_hunting_api_answers_for_graph(tenant: Tenant) -> None:
    """With the older role alone, queries are answered, and the end of that way is told."""
    query = kql.bind("newest", table=kql.tables(["DeviceProcessEvents"]))
    with Sandbox(tenant, faults=generous(), roles=(hunting.LEGACY_PERMISSION,)) as sandbox:
        hunts = Hunting(
            client(sandbox, GRAPH_NAME, permission=hunting.PERMISSION),
            client(sandbox, MDE_NAME, permission=hunting.LEGACY_PERMISSION),
        )
        result = hunts.run(query, "hunt")
        hunts.close()
    assert result.records
    assert hunts.ending
