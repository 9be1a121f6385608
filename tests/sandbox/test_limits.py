"""Limits and faults: quotas, sizes, retention, failures on request, and how they are spelt."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from etl.sandbox import Faults, Sandbox, Tenant

SignIn = Callable[[Sandbox], requests.Session]
HUNTING = "/v1.0/security/runHuntingQuery"
ALERTS = "/v1.0/security/alerts_v2"


def hunt(
    session: requests.Session, url: str, query: str = "DeviceInfo | count"
) -> requests.Response:
    """Run a query."""
    return session.post(url + HUNTING, json={"Query": query}, timeout=30)


def test_calls_over_the_quota_are_throttled(small: Tenant, sign_in: SignIn) -> None:
    """The call after the last allowed one is 429 with the seconds to wait."""
    with Sandbox(small, faults=Faults(calls_per_minute=3)) as sandbox, sign_in(sandbox) as session:
        answers = [hunt(session, sandbox.url) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 50 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[-1].json()["error"]["code"] == "TooManyRequests"
    assert "You can run queries again in" in answers[-1].json()["error"]["message"]


def test_alert_requests_have_a_quota_of_their_own(small: Tenant, sign_in: SignIn) -> None:
    """Too many alert requests are 429 while hunting goes on."""
    faults = Faults(alert_requests_per_minute=2)
    with Sandbox(small, faults=faults) as sandbox, sign_in(sandbox) as session:
        answers = [session.get(sandbox.url + ALERTS, timeout=30).status_code for _ in range(3)]
        hunting = hunt(session, sandbox.url).status_code

    assert answers == [200, 200, 429]
    assert hunting == 200


def test_rows_are_cut_without_a_word(small: Tenant, sign_in: SignIn) -> None:
    """A result over the limit of rows is cut to it."""
    with Sandbox(small, faults=Faults(rows=50)) as sandbox, sign_in(sandbox) as session:
        body = hunt(session, sandbox.url, "DeviceFileEvents | project Timestamp").json()

    assert len(body["results"]) == 50


def test_results_that_are_too_large_are_refused(small: Tenant, sign_in: SignIn) -> None:
    """A result over the limit of bytes is 400 and says so."""
    faults = Faults(result_bytes=10_000)
    with Sandbox(small, faults=faults) as sandbox, sign_in(sandbox) as session:
        answer = hunt(session, sandbox.url, "DeviceFileEvents | take 100")

    assert answer.status_code == 400
    assert "exceeded the allowed result size" in answer.json()["error"]["message"]


def test_rows_older_than_thirty_days_are_gone(small: Tenant, sign_in: SignIn) -> None:
    """With a clock 28 days later only the last rows are seen, and none nine days after that."""
    seen: list[int] = []
    for days in (0, 28, 37):
        later = datetime.now(UTC) + timedelta(days=days)
        with (
            Sandbox(small, clock=lambda later=later: later) as sandbox,
            sign_in(sandbox) as session,
        ):
            seen.append(hunt(session, sandbox.url).json()["results"][0]["Count"])

    assert seen[0] == len(small.tables["DeviceInfo"])
    assert 0 < seen[1] < seen[0]
    assert seen[2] == 0


def test_missing_tables_do_not_resolve(small: Tenant, sign_in: SignIn) -> None:
    """A table that the tenant lacks is refused like an unknown one."""
    faults = Faults(missing_tables=("DeviceInfo",))
    with Sandbox(small, faults=faults) as sandbox, sign_in(sandbox) as session:
        answer = hunt(session, sandbox.url)

    assert answer.status_code == 400
    assert "expression named 'DeviceInfo'" in answer.json()["error"]["message"]


def test_the_first_calls_can_be_throttled_without_a_header(small: Tenant, sign_in: SignIn) -> None:
    """`throttle_first` answers 429 so many times; the header can be left out."""
    faults = Faults(throttle_first=2, retry_after=False)
    with Sandbox(small, faults=faults) as sandbox, sign_in(sandbox) as session:
        answers = [hunt(session, sandbox.url) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert "Retry-After" not in answers[0].headers


def test_the_first_calls_can_fail(small: Tenant, sign_in: SignIn) -> None:
    """`errors_first` answers 503 and 500 in turn, on any Graph route."""
    with Sandbox(small, faults=Faults(errors_first=2)) as sandbox, sign_in(sandbox) as session:
        statuses = [
            session.get(sandbox.url + ALERTS, timeout=30).status_code,
            hunt(session, sandbox.url).status_code,
            hunt(session, sandbox.url).status_code,
        ]

    assert statuses == [503, 500, 200]


def test_pages_can_be_made_small(small: Tenant, sign_in: SignIn) -> None:
    """`page_size` caps pages below what the client asks for."""
    with Sandbox(small, faults=Faults(page_size=4)) as sandbox, sign_in(sandbox) as session:
        body = session.get(f"{sandbox.url}{ALERTS}?$top=1000", timeout=30).json()

    assert len(body["value"]) == 4
    assert "@odata.nextLink" in body


def test_queries_run_side_by_side(sandbox: Sandbox, sign_in: SignIn) -> None:
    """Many queries at once all get their own answer."""

    def ask(number: int) -> int:
        with sign_in(sandbox) as session:
            answer = hunt(session, sandbox.url, f"DeviceFileEvents | take {number} | count")
            found: int = answer.json()["results"][0]["Count"]
            return found

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(1, 25))) == list(range(1, 25))


def test_large_answers_come_whole(sandbox: Sandbox, graph: requests.Session) -> None:
    """Several thousand wide rows are one answer."""
    rows = hunt(graph, sandbox.url, "DeviceProcessEvents | take 7000").json()["results"]

    assert len(rows) == 7000


def test_faults_are_read_from_text() -> None:
    """The command line's spelling covers every fault."""
    text = "rows=500,calls=45, throttle=3,errors=2,no-retry-after,page=10,lifetime=5,bytes=9"

    assert Faults.parse(text) == Faults(
        rows=500, calls_per_minute=45, throttle_first=3, errors_first=2, retry_after=False,
        page_size=10, token_lifetime=5, result_bytes=9,
    )  # fmt: skip
    listings = "expire=1,partial=2,warnings=3,cut=4,dead-links=5,count-off=6,shift=1,unordered=1"
    assert Faults.parse(listings) == Faults(
        expire=1, partial=2, warnings=3, cut=4, dead_links=5, count_off=6, shift=1, unordered=1
    )
    assert Faults.parse("missing=A+B,alert-requests=7") == Faults(
        missing_tables=("A", "B"), alert_requests_per_minute=7
    )
    assert Faults.parse("") == Faults()


@pytest.mark.parametrize(
    ("text", "named"),
    [("rows=many", "'many'"), ("speed=5", "'speed'"), ("rows", "'rows'"), ("calls=-1", "'-1'"),
     ("no-retry-after=1", "'no-retry-after'"), ("missing=", "'missing'")],
)  # fmt: skip
def test_bad_faults_are_named_in_one_line(text: str, named: str) -> None:
    """What cannot be read is named, with its value and what is allowed."""
    with pytest.raises(ValueError, match=named) as caught:
        Faults.parse(text)

    assert "\n" not in str(caught.value)
    assert "no-retry-after" in str(caught.value)


def test_the_certificate_goes_with_the_sandbox(small: Tenant) -> None:
    """The folder of the certificates is private and is removed at the end."""
    with Sandbox(small) as sandbox:
        authority = Path(sandbox.environment["REQUESTS_CA_BUNDLE"])
        mode = authority.parent.stat().st_mode & 0o777

    assert mode == 0o700
    assert not authority.exists()
