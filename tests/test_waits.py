from email.utils import formatdate

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from etl.access import waits

QUARTER = 900.0


def header(value: str, date: str | None = None) -> float | None:
    """Return what is read off a Retry-After header, beside the service's own date."""
    response = requests.Response()
    response.headers["Retry-After"] = value
    if date is not None:
        response.headers["Date"] = date
    return waits.in_header(response)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45 seconds.", 45),
        ("1 second.", 1),
        ("1.5 seconds.", 1.5),
        ("12 minutes.", 720),
        ("12 min", 720),
        ("15m", 900),
        ("1h 5m", 3900),
        ("1h5m10s", 3910),
        ("1 hour, 5 minutes and 10 seconds", 3910),
        ("an hour", 3600),
        ("1 day", 86_400),
        ("2 days", 86_400),
        ("500 ms", 0.5),
        ("500 milliseconds", 0.5),
        ("00:15:00", 900),
        ("0:00:45.1234567", 45),
        ("00:15:00.", 900),
        ("0.01:00:00", 3600),
        ("01:30", 90),
        ("PT1H5M", 3900),
        ("P0DT15M", 900),
        ("2 minutes. Wait 3 days to be safe.", 120),
    ],
)
def test_a_duration_is_read_in_any_of_its_forms(text: str, seconds: float) -> None:
    """However the service words a duration, its seconds are read."""
    assert waits.in_text(f"No. You can run queries again in {text}") == pytest.approx(seconds)
    assert waits.in_text(f"RETRY AFTER {text.upper()}") == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Too many requests.",
        "You can run queries again in a few moments.",
        "You can run queries again in 12.",
        "You can run queries again in 5 months.",
        "You can run queries again in soon, 5 minutes.",
        "Never try again in",
        "The last 5 minutes were too many.",
    ],
)
def test_a_text_without_a_duration_says_nothing(text: str) -> None:
    """Numbers that are no announced duration are not waited for."""
    assert waits.in_text(text) is None


@given(st.text(max_size=90))
def test_no_text_is_too_strange(text: str) -> None:
    """Whatever is announced, it is nothing or a wait of a day at most."""
    found = waits.in_text(f"again in {text}")
    assert found is None or 0 <= found <= 86_400


@given(st.text(st.characters(codec="latin-1"), max_size=40))
def test_no_header_is_too_strange(text: str) -> None:
    """Whatever a header says, it is nothing or a wait of a day at most."""
    found = header(text)
    assert found is None or 0 <= found <= 86_400


def test_a_date_is_read_by_the_clock_of_the_service() -> None:
    """A date counts from the service's own, so that a clock that is off here changes nothing."""
    now = 1_700_000_000
    service = formatdate(now, usegmt=True)

    assert header(formatdate(now + 90, usegmt=True), service) == 90
    assert header(formatdate(now - 90, usegmt=True), service) == 0
    assert header(formatdate(now + 10**6, usegmt=True), service) == 86_400
    assert header(formatdate(now + 90, usegmt=True)) == 0  # long ago by the clock here


@given(st.floats(0, 4e9))
def test_the_next_quarter_is_waited_for(now: float) -> None:
    """The wait ends a second or two after a quarter of an hour, the very next one."""
    until = waits.until_quarter(now)

    assert 1 <= until <= QUARTER + 2
    assert 0.99 <= (now + until) % QUARTER <= 2.01
