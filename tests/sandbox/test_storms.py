"""Storms: hunting calls that are turned away, queries that fail for their size, and the journal."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import requests

from etl.sandbox import Faults, Sandbox, Tenant

SignIn = Callable[..., requests.Session]
PATH = "/v1.0/security/runHuntingQuery"


def hunt(
    session: requests.Session, sandbox: Sandbox, query: str = "DeviceInfo | count"
) -> requests.Response:
    """Run a query."""
    return session.post(sandbox.url + PATH, json={"Query": query}, timeout=60)


def message(answer: requests.Response) -> str:
    """Return what an error says."""
    text: str = answer.json()["error"]["message"]
    return text


def test_a_storm_never_ends_and_lets_others_through(small: Tenant, sign_in: SignIn) -> None:
    """Every third call is 429, however many there are."""
    with Sandbox(small, faults=Faults(storm=3)) as sandbox, sign_in(sandbox) as session:
        statuses = [hunt(session, sandbox).status_code for _ in range(9)]

    assert statuses == [200, 200, 429] * 3


def test_a_mute_refusal_says_nothing_of_waiting(small: Tenant, sign_in: SignIn) -> None:
    """Neither the header nor the text of a 429 says for how long."""
    faults = Faults.parse("mute,throttle=1")
    with Sandbox(small, faults=faults) as sandbox, sign_in(sandbox) as session:
        first, second = hunt(session, sandbox), hunt(session, sandbox)

    assert (first.status_code, second.status_code) == (429, 200)
    assert "Retry-After" not in first.headers
    assert message(first) == "You have exceeded processing resources allocated to this tenant."


def test_a_budget_is_spent_until_the_next_quarter_of_an_hour(
    small: Tenant, sign_in: SignIn
) -> None:
    """Two calls are let through in each quarter; the others are told the minutes that remain."""
    time_of_day = [datetime.now(UTC).replace(hour=10, minute=7, second=30, microsecond=0)]
    with (
        Sandbox(small, faults=Faults(cpu=2), clock=lambda: time_of_day[0]) as sandbox,
        sign_in(sandbox) as session,
    ):
        early = [hunt(session, sandbox) for _ in range(4)]
        time_of_day[0] = time_of_day[0].replace(minute=14, second=59)
        still = hunt(session, sandbox)
        time_of_day[0] = time_of_day[0].replace(minute=15, second=0)
        later = [hunt(session, sandbox) for _ in range(3)]

    assert [answer.status_code for answer in early] == [200, 200, 429, 429]
    assert message(early[2]).endswith("You can run queries again in 8 minutes.")
    assert early[2].headers["Retry-After"] == "450"
    assert message(still).endswith("You can run queries again in 1 minutes.")
    assert [answer.status_code for answer in later] == [200, 200, 429]


@pytest.mark.parametrize(
    ("faults", "status", "code", "text"),
    [
        ("slow=100", 400, "BadRequest", "Query exceeded the timeout period."),
        ("gateway=100", 504, "UnknownError", ""),
    ],
)
def test_queries_for_too_many_rows_fail(
    small: Tenant, sign_in: SignIn, faults: str, status: int, code: str, text: str
) -> None:
    """A query of 100 rows is answered, one of 101 is not, and a count of many rows is."""
    with Sandbox(small, faults=Faults.parse(faults)) as sandbox, sign_in(sandbox) as session:
        whole = hunt(session, sandbox, "DeviceFileEvents | take 100")
        failed = hunt(session, sandbox, "DeviceFileEvents | take 101")
        counted = hunt(session, sandbox, "DeviceFileEvents | count")

    assert (whole.status_code, len(whole.json()["results"])) == (200, 100)
    assert counted.status_code == 200
    assert failed.status_code == status
    assert (failed.json()["error"]["code"], message(failed)) == (code, text)


def test_the_row_limit_hides_no_slow_query(small: Tenant, sign_in: SignIn) -> None:
    """What a query would return counts, not what is left of it."""
    faults = Faults(slow=100, rows=50)
    with Sandbox(small, faults=faults) as sandbox, sign_in(sandbox) as session:
        failed = hunt(session, sandbox, "DeviceFileEvents | take 101")
        cut = hunt(session, sandbox, "DeviceFileEvents | take 100")

    assert failed.status_code == 400
    assert len(cut.json()["results"]) == 50


def test_answers_lag_side_by_side(small: Tenant, sign_in: SignIn) -> None:
    """Each answer takes its time, and four at once take hardly more than one."""
    with Sandbox(small, faults=Faults(lag=1000)) as sandbox:
        sessions = [sign_in(sandbox) for _ in range(4)]
        hunt(sessions[0], sandbox)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda session: hunt(session, sandbox), sessions))
        alone, *together = sandbox.hunting
        for session in sessions:
            session.close()

    assert alone.ended - alone.at >= 1
    assert all(one.ended - one.at >= 1 for one in together)
    assert max(one.at for one in together) < min(one.ended for one in together)


def test_the_journal_says_how_long_and_how_much(small: Tenant, sign_in: SignIn) -> None:
    """A request tells when it arrived and ended, and a hunting query its rows."""
    before = time.monotonic()
    with Sandbox(small) as sandbox, sign_in(sandbox) as session:
        hunt(session, sandbox, "DeviceInfo | take 7")
        hunt(session, sandbox, "Nowhere")
        session.get(f"{sandbox.url}/v1.0/security/alerts_v2", timeout=30)
        every, hunting = sandbox.requests, sandbox.hunting
    after = time.monotonic()

    assert [(one.status, one.rows) for one in hunting] == [(200, 7), (400, None)]
    assert [one.body_query for one in hunting] == ["DeviceInfo | take 7", "Nowhere"]
    assert len(every) > len(hunting)
    assert all(before < one.at <= one.ended < after for one in every)


def test_storms_are_spelt_as_faults() -> None:
    """The command line's spelling covers all of them."""
    text = "storm=3,mute,cpu=4,slow=5,gateway=6,lag=7,drift=1"

    assert Faults.parse(text) == Faults(
        storm=3, mute=True, cpu=4, slow=5, gateway=6, lag=7, drift=1
    )
    with pytest.raises(ValueError, match="mute"):
        Faults.parse("mute=1")
