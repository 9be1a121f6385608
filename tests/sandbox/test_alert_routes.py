"""The alert routes: filters, order, paging, selection, masked members and error envelopes."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from etl.sandbox import Sandbox, Tenant
from etl.sandbox.literals import instant

PATH = "/v1.0/security/alerts_v2"
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(sandbox: Sandbox, graph: requests.Session) -> Ask:
    """Return what lists alerts with some query options."""

    def ask(expected: int = 200, prefer: str = "", **options: str) -> dict[str, Any]:
        response = graph.get(
            sandbox.url + PATH,
            params={f"${name}": value for name, value in options.items()},
            headers={"Prefer": prefer},
            timeout=30,
        )
        assert response.status_code == expected, response.text
        body: dict[str, Any] = response.json()
        return body

    return ask


def test_alerts_come_newest_first(ask: Ask, small: Tenant) -> None:
    """Without an order the latest created is first, and all are there."""
    created = [instant(alert["createdDateTime"]) for alert in ask()["value"]]

    assert created == sorted(created, reverse=True)
    assert len(created) == len(small.alerts)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_pages_join_up(ask: Ask, graph: requests.Session, small: Tenant, size: int) -> None:
    """Following next links yields every alert once, in order."""
    body = ask(top=str(size), orderby="lastUpdateDateTime asc")
    seen = body["value"]
    while link := body.get("@odata.nextLink"):
        body = graph.get(link, timeout=30).json()
        seen += body["value"]

    updates = [instant(alert["lastUpdateDateTime"]) for alert in seen]
    assert updates == sorted(updates)
    assert sorted(alert["incidentId"] for alert in seen) == sorted(
        str(alert["incidentId"]) for alert in small.alerts
    )


def test_next_links_stay_on_the_host(ask: Ask, sandbox: Sandbox) -> None:
    """A next link is opaque and leads to the same host."""
    assert ask(top="1")["@odata.nextLink"].startswith(f"{sandbox.url}{PATH}?$skiptoken=")


def test_filters_compare_all_seven_digits(ask: Ask, small: Tenant) -> None:
    """A boundary one tick away from an alert's time decides about it."""
    time = max(str(alert["createdDateTime"]) for alert in small.alerts)
    digits = f"{instant(time) % 10_000_000:07d}"
    exact = f"{time.partition('.')[0].removesuffix('Z')}.{digits}Z"

    assert len(ask(filter=f"createdDateTime eq {exact}")["value"]) >= 1
    assert len(ask(filter=f"createdDateTime gt {exact}")["value"]) == 0
    assert len(ask(filter=f"createdDateTime ge {exact}")["value"]) >= 1


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("severity eq 'high'", lambda a: a["severity"] == "high"),
        ("severity ne 'high'", lambda a: a["severity"] != "high"),
        ("not (status eq 'new')", lambda a: a["status"] != "new"),
        ("assignedTo eq null", lambda a: a["assignedTo"] is None),
        (
            "status eq 'new' or status eq 'resolved' and severity eq 'high'",
            lambda a: (
                a["status"] == "new" or (a["status"] == "resolved" and a["severity"] == "high")
            ),
        ),
        (
            "(status eq 'new' or status eq 'resolved') and severity eq 'high'",
            lambda a: a["status"] in ("new", "resolved") and a["severity"] == "high",
        ),
    ],
)
def test_filters_mean_what_they_say(
    ask: Ask, small: Tenant, text: str, holds: Callable[[dict[str, Any]], bool]
) -> None:
    """Comparisons, and, or, not and parentheses select the alerts they should."""
    wanted = sorted(str(alert["incidentId"]) for alert in small.alerts if holds(alert))

    assert sorted(alert["incidentId"] for alert in ask(filter=text)["value"]) == wanted


def test_times_of_creation_and_update_combine(ask: Ask, small: Tenant) -> None:
    """A half-open window of creation and a least update select and count what is in both."""
    created = sorted({str(alert["createdDateTime"]) for alert in small.alerts}, key=instant)
    updates = sorted({str(alert["lastUpdateDateTime"]) for alert in small.alerts}, key=instant)
    start, end, since = created[1], created[-2], updates[len(updates) // 3]
    wanted = [
        str(alert["incidentId"])
        for alert in small.alerts
        if instant(start) <= instant(str(alert["createdDateTime"])) < instant(end)
        and instant(str(alert["lastUpdateDateTime"])) >= instant(since)
    ]
    text = (
        f"createdDateTime ge {start} and createdDateTime lt {end} and lastUpdateDateTime ge {since}"
    )

    assert 0 < len(wanted) < len(small.alerts)
    assert sorted(alert["incidentId"] for alert in ask(filter=text)["value"]) == sorted(wanted)
    counted = ask(filter=text, count="true", top="1")
    assert counted["@odata.count"] == len(wanted)
    assert len(counted["value"]) == 1


@pytest.mark.parametrize("broken", [None, "yesterday", 5, ["x"]])
def test_an_alert_without_a_readable_time_is_listed(
    ask: Ask, small: Tenant, broken: object
) -> None:
    """It comes before all others in ascending order, and no comparison but `ne` is true of it."""
    small.alerts.append(small.alerts[0] | {"id": "odd", "lastUpdateDateTime": broken})
    try:
        first = ask(orderby="lastUpdateDateTime asc", top="1")["value"][0]["id"]
        found = {
            word: "odd" in ids(ask(filter=f"lastUpdateDateTime {word} 2026-01-01T00:00:00Z"))
            for word in ("eq", "ne", "gt", "ge", "lt", "le")
        }
    finally:
        small.alerts.pop()

    assert first == "odd"
    assert [word for word, holds in found.items() if holds] == ["ne"]


def ids(body: dict[str, Any]) -> list[str]:
    """Return the ids of a page."""
    return [alert["id"] for alert in body["value"]]


@pytest.mark.parametrize(
    "options",
    [
        {"filter": "investigationState eq 'running'"},
        {"filter": "severity eq 'enormous'"},
        {"filter": "severity eq high"},
        {"filter": "severity gt 'low'"},
        {"filter": "createdDateTime gt '2026-01-01T00:00:00Z'"},
        {"filter": "createdDateTime gt yesterday"},
        {"filter": "(status eq 'new'"},
        {"filter": "status eq 'new' and"},
        {"filter": "status eq 'new"},
        {"orderby": "title"},
        {"select": "nonsense"},
        {"skip": "501"},
        {"top": "0"},
        {"expand": "evidence"},
        {"skiptoken": "bm9uc2Vuc2U="},
    ],
)
def test_bad_options_are_refused(ask: Ask, options: dict[str, str]) -> None:
    """Whatever the service does not know is 400 BadRequest in an envelope."""
    error = ask(400, **options)["error"]

    assert error["code"] == "BadRequest"
    assert error["message"]
    assert {"date", "request-id"} <= error["innerError"].keys()


def test_top_is_clamped_not_refused(ask: Ask) -> None:
    """A page of more than 1000 is allowed and answered with at most 1000."""
    assert ask(top="5000")["value"]


def test_count_and_select_do_what_they_say(ask: Ask, small: Tenant) -> None:
    """The count is of all matches, and only selected properties are returned."""
    body = ask(count="true", select="id,severity", top="2")

    assert body["@odata.count"] == len(small.alerts)
    assert [set(alert) for alert in body["value"]] == [{"id", "severity"}] * 2


def test_new_members_are_masked_unless_asked_for(ask: Ask, small: Tenant) -> None:
    """Sentinel alerts are of an unknown future service without the Prefer header."""
    small.alerts.append(
        small.alerts[0]
        | {"id": "sn1", "serviceSource": "microsoftSentinel", "detectionSource": "scheduledAlerts"}
    )
    try:
        plain = {alert["id"]: alert for alert in ask()["value"]}["sn1"]
        told = ask(prefer="include-unknown-enum-members")["value"]
    finally:
        small.alerts.pop()
    shown = {alert["id"]: alert for alert in told}["sn1"]

    assert plain["serviceSource"] == plain["detectionSource"] == "unknownFutureValue"
    assert shown["serviceSource"] == "microsoftSentinel"
    assert shown["detectionSource"] == "scheduledAlerts"


def test_an_alert_is_found_by_its_id(sandbox: Sandbox, graph: requests.Session) -> None:
    """GET with an id answers that alert with all its evidence."""
    alert = next(one for one in sandbox.tenant.alerts if one["id"])
    found = graph.get(f"{sandbox.url}{PATH}/{alert['id']}", timeout=30)

    assert found.json()["evidence"] == alert["evidence"]
    assert found.headers["request-id"]


def test_an_unknown_id_is_not_found(sandbox: Sandbox, graph: requests.Session) -> None:
    """GET with another id answers 404 in an envelope."""
    found = graph.get(f"{sandbox.url}{PATH}/da1_1", timeout=30)

    assert found.status_code == 404
    assert found.json()["error"]["code"] == "NotFound"


def test_unknown_paths_are_not_found(sandbox: Sandbox, graph: requests.Session) -> None:
    """Any other path answers 404 in an envelope."""
    response = graph.get(f"{sandbox.url}/v1.0/security/nothing", timeout=30)

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "ResourceNotFound"
