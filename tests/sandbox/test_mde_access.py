"""Defender for Endpoint's own API: its hunting, whom it lets in, its quotas and its failures."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from etl.sandbox import Faults, Sandbox, Tenant
from etl.sandbox.mde import AUDIENCE as MDE

ALERTS = "/api/alerts"
MACHINES = "/api/machines"
RUN = "/api/advancedqueries/run"
SignIn = Callable[..., requests.Session]


def test_hunting_has_its_own_envelope(sandbox: Sandbox, endpoint: requests.Session) -> None:
    """Keys are capitalised, there are statistics, and values have no note of their type."""
    query = "DeviceProcessEvents | where ProcessId > 0 | project Timestamp, ProcessId | take 3"
    body = endpoint.post(sandbox.url + RUN, json={"Query": query}, timeout=30).json()

    assert set(body) == {"Schema", "Results", "Stats"}
    assert body["Schema"] == [
        {"Name": "Timestamp", "Type": "DateTime"}, {"Name": "ProcessId", "Type": "Int64"},
    ]  # fmt: skip
    assert len(body["Results"]) == 3
    assert all(set(row) == {"Timestamp", "ProcessId"} for row in body["Results"])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"query":"DeviceInfo"}', "MissingRequiredParameter"),
        (b"[]", "InvalidRequestBody"),
        (b"{", "InvalidRequestBody"),
        (b'{"Query":"EmailEvents"}', "BadRequest"),
        (b'{"Query":"DeviceInfo | where"}', "BadRequest"),
    ],
)
def test_hunting_refuses_what_it_does_not_know(
    sandbox: Sandbox, endpoint: requests.Session, content: bytes, code: str
) -> None:
    """Keys in another case, bodies that are none, tables of other products, and bad queries."""
    answer = endpoint.post(sandbox.url + RUN, data=content, timeout=30)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


def test_hunting_shares_its_quota_with_graph(small: Tenant, sign_in: SignIn) -> None:
    """Calls of both APIs count together, as the quota is the tenant's."""
    with Sandbox(small, faults=Faults(calls_per_minute=2)) as sandbox:
        graph, own = sign_in(sandbox), sign_in(sandbox, resource=MDE)
        body = {"Query": "DeviceInfo | count"}
        path = f"{sandbox.url}/v1.0/security/runHuntingQuery"
        statuses = [
            graph.post(path, json=body, timeout=30).status_code,
            own.post(sandbox.url + RUN, json=body, timeout=30).status_code,
            own.post(sandbox.url + RUN, json=body, timeout=30).status_code,
        ]

    assert statuses == [200, 200, 429]


def test_requests_over_the_quota_are_throttled(small: Tenant, sign_in: SignIn) -> None:
    """Alerts and machines share a quota, apart from Graph's."""
    with Sandbox(small, faults=Faults(mde_requests_per_minute=2)) as sandbox:
        session = sign_in(sandbox, resource=MDE)
        answers = [
            session.get(sandbox.url + path, timeout=30) for path in (ALERTS, MACHINES, ALERTS)
        ]
        graph = sign_in(sandbox).get(f"{sandbox.url}/v1.0/security/alerts_v2", timeout=30)

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 50 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[-1].json()["error"]["code"] == "TooManyRequests"
    assert graph.status_code == 200


def test_tokens_for_graph_are_forbidden(sandbox: Sandbox, graph: requests.Session) -> None:
    """The wrong audience is 403 here; no token at all is 401."""
    forbidden = graph.get(sandbox.url + ALERTS, timeout=30)
    bare = requests.get(sandbox.url + ALERTS, verify=graph.verify, timeout=30)

    assert (forbidden.status_code, forbidden.json()["error"]["code"]) == (403, "Forbidden")
    assert (bare.status_code, bare.json()["error"]["code"]) == (401, "Unauthorized")


def test_tokens_for_this_api_do_not_open_graph(
    sandbox: Sandbox, endpoint: requests.Session
) -> None:
    """Graph answers 401 to a token that is for another API."""
    answer = endpoint.get(f"{sandbox.url}/v1.0/security/alerts_v2", timeout=30)

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("path", "role"),
    [
        (ALERTS, "Alert.Read.All"),
        (ALERTS, "Alert.ReadWrite.All"),
        (MACHINES, "Machine.Read.All"),
        (f"{ALERTS}/{{}}/files", "File.Read.All"),
        (f"{ALERTS}/{{}}/ips", "Ip.Read.All"),
        (f"{ALERTS}/{{}}/domains", "URL.Read.All"),
        (f"{ALERTS}/{{}}/user", "User.Read.All"),
    ],
)
def test_each_route_needs_its_role(small: Tenant, sign_in: SignIn, path: str, role: str) -> None:
    """With the one role a route answers, with all others but it is 403."""
    alerts: list[dict[str, Any]] = small.alerts
    alert = next(
        one["id"]
        for one in alerts
        if "userEvidence" in str(one["evidence"]) and one["id"][:2] == "da"
    )
    others = {"Alert.Read.All", "Alert.ReadWrite.All", *Faults().roles} - {role}
    if path == ALERTS:
        others -= {"Alert.Read.All", "Alert.ReadWrite.All"}
    statuses: list[int] = []
    with Sandbox(small) as sandbox:
        for roles in ((role,), tuple(others)):
            sandbox.applications[small.id].roles = roles
            session = sign_in(sandbox, resource=MDE)
            url = sandbox.url + path.format(alert)
            statuses.append(session.get(url, timeout=30).status_code)

    assert statuses == [200, 403]


def test_failures_are_worded_in_this_apis_way(small: Tenant, sign_in: SignIn) -> None:
    """A service that is unwell says so with its own code."""
    with Sandbox(small, faults=Faults(errors_first=1)) as sandbox:
        answer = sign_in(sandbox, resource=MDE).get(sandbox.url + ALERTS, timeout=30)

    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "InternalServerError"


def test_its_faults_are_read_from_text() -> None:
    """The command line's spelling covers its quota and its pages."""
    assert Faults.parse("mde-page=5,mde-requests=7") == Faults(
        mde_page_size=5, mde_requests_per_minute=7
    )
