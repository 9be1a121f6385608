"""Listings that go wrong on request: parts, cuts, dead links, false counts and shifting pages."""

import copy
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests

from etl.sandbox import Faults, Sandbox, Tenant
from etl.sandbox.chronicle import Chronicle
from etl.sandbox.crowd import crowd
from etl.sandbox.literals import instant

SignIn = Callable[[Sandbox], requests.Session]
Listed = list[requests.Response]
PATH = "/v1.0/security/alerts_v2"


@pytest.fixture
def own(small: Tenant) -> Tenant:
    """Return a tenant of this test alone, with a queue of ten alerts."""
    return replace(small, alerts=copy.deepcopy([a for a in small.alerts if a["id"]][:10]))


@pytest.fixture
def listing(own: Tenant, sign_in: SignIn) -> Callable[..., Listed]:
    """Return what lists alerts so many times in a row from a sandbox with faults."""

    def listing(faults: str, times: int = 1, **options: str) -> Listed:
        params = {f"${name}": value for name, value in options.items()}
        with (
            Sandbox(own, faults=Faults.parse(faults)) as sandbox,
            sign_in(sandbox) as session,
        ):
            return [
                session.get(sandbox.url + PATH, params=params, timeout=30) for _ in range(times)
            ]

    return listing


def names(response: requests.Response) -> list[str]:
    """Return the ids of a page."""
    return [alert["id"] for alert in response.json()["value"]]


def pages(session: requests.Session, url: str) -> list[list[str]]:
    """Return the ids on every page that links lead to."""
    found = []
    link: str | None = url
    while link:
        answer = session.get(link, timeout=30)
        found.append(names(answer))
        link = answer.json().get("@odata.nextLink")
    return found


def test_partial_answers_say_so(listing: Callable[..., Listed]) -> None:
    """The first are 206 with a warning and half the records, as if the count were met."""
    first, second = listing("partial=1", 2, count="true")

    assert (first.status_code, second.status_code) == (206, 200)
    assert first.headers["Warning"] == '199 - "Microsoft/MDATP/504/10000"'
    assert "Warning" not in second.headers
    assert first.json()["@odata.count"] == 10
    assert names(first) == names(second)[:5]


def test_warned_answers_are_whole(listing: Callable[..., Listed]) -> None:
    """A warning can come with everything."""
    first, second = listing("warnings=1", 2)

    assert first.status_code == 200
    assert first.headers["Warning"].startswith("199 - ")
    assert "Warning" not in second.headers
    assert names(first) == names(second)


def test_cut_answers_look_complete(listing: Callable[..., Listed]) -> None:
    """A cut answer is 200 with the length it has, and no JSON."""
    first, second = listing("cut=1", 2)

    assert first.status_code == 200
    assert int(first.headers["Content-Length"]) == len(first.content)
    assert second.content.startswith(first.content)
    with pytest.raises(requests.JSONDecodeError):
        first.json()


def test_dead_links_are_gone_and_bad_in_turn(own: Tenant, sign_in: SignIn) -> None:
    """The first links are 410 and 400, then they work; first pages are not concerned."""
    faults = Faults(dead_links=2)
    with Sandbox(own, faults=faults) as sandbox, sign_in(sandbox) as session:
        first = session.get(f"{sandbox.url}{PATH}?$top=6", timeout=30)
        link = first.json()["@odata.nextLink"]
        answers = [session.get(link, timeout=30) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [410, 400, 200]
    assert [answer.json().get("error", {}).get("code") for answer in answers] == [
        "Gone", "BadRequest", None,
    ]  # fmt: skip
    assert len(names(answers[-1])) == 4


def test_counts_can_be_off(listing: Callable[..., Listed]) -> None:
    """The count is too high by what the fault says, the records are not concerned."""
    (answer,) = listing("count-off=3", count="true", top="1")

    assert answer.json()["@odata.count"] == 13
    assert len(names(answer)) == 1


def test_tokens_wear_out(own: Tenant, sign_in: SignIn) -> None:
    """A token is refused after so many requests as if it had expired, and a new one works."""
    with Sandbox(own, faults=Faults(expire=2)) as sandbox:
        statuses = []
        for _ in range(2):
            with sign_in(sandbox) as session:
                answers = [session.get(sandbox.url + PATH, timeout=30) for _ in range(3)]
            statuses.append([answer.status_code for answer in answers])

    assert statuses == [[200, 200, 401]] * 2
    assert answers[-1].json()["error"]["code"] == "InvalidAuthenticationToken"


def test_order_can_be_ignored(listing: Callable[..., Listed]) -> None:
    """Whatever order is asked for, the newest created comes first."""
    (answer,) = listing("unordered=1", orderby="lastUpdateDateTime asc")
    created = [instant(alert["createdDateTime"]) for alert in answer.json()["value"]]

    assert created == sorted(created, reverse=True)


@pytest.mark.parametrize(("shift", "order"), [(1, "desc"), (2, "asc")])
def test_shifting_pages_lose_alerts_by_links(
    own: Tenant, sign_in: SignIn, shift: int, order: str
) -> None:
    """Whoever follows links through pages that shift misses alerts that are there throughout."""
    with Sandbox(own, faults=Faults(shift=shift)) as sandbox, sign_in(sandbox) as session:
        url = f"{sandbox.url}{PATH}?$top=3&$orderby=lastUpdateDateTime {order}"
        seen = {name for page in pages(session, url) for name in page}

    assert seen < {str(alert["id"]) for alert in own.alerts}


def test_shifting_gives_an_alert_the_newest_update(own: Tenant, sign_in: SignIn) -> None:
    """After a page exactly one alert that was not on it is newer than all others."""
    before = copy.deepcopy(own.alerts)
    with Sandbox(own, faults=Faults(shift=1)) as sandbox, sign_in(sandbox) as session:
        given = names(session.get(f"{sandbox.url}{PATH}?$top=3", timeout=30))

    (moved,) = [a for a, b in zip(own.alerts, before, strict=True) if a != b]
    latest = max(instant(str(alert["lastUpdateDateTime"])) for alert in before)
    assert instant(str(moved["lastUpdateDateTime"])) > latest
    assert moved["id"] not in given


def test_a_test_can_change_alerts_before_each_listing(own: Tenant, sign_in: SignIn) -> None:
    """The hook is told the number of each listing, and what it changes is listed."""
    chronicle = Chronicle.generate(1, alerts=8)
    polls = chronicle.ticks(4)
    told = []

    def turn(listing: int) -> None:
        told.append(listing)
        own.alerts[:] = chronicle.as_of(polls[listing - 1])

    with Sandbox(own) as sandbox, sign_in(sandbox) as session:
        sandbox.before_listing = turn
        seen = [session.get(sandbox.url + PATH, timeout=30).json()["value"] for _ in polls]
        sandbox.before_listing = None
        session.get(sandbox.url + PATH, timeout=30)

    assert told == [1, 2, 3, 4]
    for shown, poll in zip(seen, polls, strict=True):
        assert sorted(shown, key=by_id) == sorted(chronicle.as_of(poll), key=by_id)


def by_id(alert: dict[str, Any]) -> str:
    """Return the id of an alert."""
    return str(alert["id"])


def test_twenty_thousand_alerts_are_listed_quickly(own: Tenant, sign_in: SignIn) -> None:
    """A filtered, ordered page of many alerts takes a fraction of a second, and sees changes."""
    own.alerts[:] = crowd(20_000, days=5, seed=1)
    created = own.alerts[0]["createdDateTime"]
    options = {
        "$filter": f"createdDateTime ge {created} and createdDateTime lt 2100-01-01T00:00:00Z"
        f" and lastUpdateDateTime ge {created}",
        "$orderby": "lastUpdateDateTime desc",
        "$top": "1",
        "$count": "true",
    }
    with Sandbox(own) as sandbox, sign_in(sandbox) as session:
        session.get(sandbox.url + PATH, params=options, timeout=30)
        started = time.monotonic()
        answer = session.get(sandbox.url + PATH, params=options, timeout=30).json()
        seconds = time.monotonic() - started
        own.alerts[7]["lastUpdateDateTime"] = "2099-01-01T00:00:00Z"
        changed = session.get(sandbox.url + PATH, params=options, timeout=30)

    assert answer["@odata.count"] == 20_000
    assert seconds < 0.5
    assert names(changed) == [own.alerts[7]["id"]]
