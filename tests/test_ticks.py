from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl import ticks

LAST = ticks.from_datetime(datetime(9999, 12, 31, tzinfo=UTC)) + ticks.PER_DAY - 1
MOMENT = ticks.from_datetime(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def parsed(*texts: str | None) -> list[int | None]:
    """Parse texts as one column."""
    frame = pl.DataFrame({"text": list(texts)}, schema={"text": pl.String})
    return frame.select(ticks.parse(pl.col("text"))).to_series().to_list()


def told(*values: int | None) -> list[int | None]:
    """Pass ticks through `without_sentinels`."""
    frame = pl.DataFrame({"ticks": list(values)}, schema={"ticks": pl.Int64})
    return frame.select(ticks.without_sentinels(pl.col("ticks"))).to_series().to_list()


@settings(deadline=None)
@given(st.lists(st.integers(0, LAST), min_size=1))
def test_text_of_any_ticks_parses_back(values: list[int]) -> None:
    """What is written for a query is read back to the last digit, over the whole range."""
    assert parsed(*map(ticks.to_text, values)) == values


@settings(deadline=None)
@given(st.integers(0, LAST), st.integers(0, 20))
def test_printed_digits_are_no_precision(value: int, extra: int) -> None:
    """Dropping trailing zeros or adding digits after the seventh changes nothing."""
    text = ticks.to_text(value).removesuffix("Z")
    trimmed = text.rstrip("0").rstrip(".")
    assert parsed(f"{trimmed}Z", f"{text}{'9' * extra}Z") == [value, value]


@pytest.mark.parametrize(
    ("fraction", "expected"),
    [
        ("", 0),
        (".1", 1_000_000),
        (".12", 1_200_000),
        (".123", 1_230_000),
        (".1234", 1_234_000),
        (".12345", 1_234_500),
        (".123456", 1_234_560),
        (".1234567", 1_234_567),
        (".0000001", 1),
        (".12345678", 1_234_567),
        (".99999999999", 9_999_999),
    ],
)
def test_fraction_of_any_length(fraction: str, expected: int) -> None:
    """A fraction of 0 to 7 digits is exact, and what follows the seventh is cut, not rounded."""
    assert parsed(f"2026-01-02T03:04:05{fraction}Z") == [MOMENT + expected]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02t03:04:05z",
        "2026-01-02 03:04:05",
        "2026-01-02 03:04:05Z",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04:05+00:00",
        "2026-01-02T03:04:05-00:00",
        "2026-01-02T04:04:05+01:00",
        "2026-01-02T08:34:05+0530",
        "2026-01-02 08:34:05 +05:30",
        "2026-01-01T19:04:05-08:00",
        "2026-01-02T02:34:05-00:30",
        "  2026-01-02T03:04:05Z\r\n",
    ],
)
def test_spellings_of_one_instant(text: str) -> None:
    """Space for T, offsets with and without colon, and a missing zone all mean one instant."""
    assert parsed(text) == [MOMENT]


@settings(deadline=None)
@given(
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_offsets_agree_with_datetime(moment: datetime, minutes: int) -> None:
    """An instant with any offset is what Python's datetime takes it for."""
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parsed(aware.isoformat()) == [ticks.from_datetime(aware)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-02-29T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-10T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T03:60:00Z",
        "2026-01-02T03:04:60Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05.12a4Z",
        "2026-01-02T03:04:05Zulu",
        "2026-01-02T03:04:05+1",
        "26-01-02T03:04:05Z",
        "2026-1-2T03:04:05Z",
        "٢٠٢٦-01-02T03:04:05Z",
        "1767323045",
        "/Date(1767323045000)/",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2026-01-02T03:04:05Z; drop table Alerts",
    ],
)
def test_what_is_no_instant_is_null(text: str) -> None:
    """Impossible dates, instants out of range and other text are null, and raise one by one."""
    assert parsed(text) == [None]
    with pytest.raises(ValueError, match="is not an ISO 8601 instant"):
        ticks.from_text(text)


@given(st.text())
@settings(deadline=None)
def test_any_text_is_read_or_null(text: str) -> None:
    """No text makes the parser fail, and what it reads is in range."""
    (value,) = parsed(text)
    assert value is None or 0 <= value <= LAST


def test_null_stays_null_beside_others() -> None:
    """A null in a column is null and disturbs no neighbour."""
    assert parsed(None, "2026-01-02T03:04:05Z", "x") == [None, MOMENT, None]


def test_leap_day() -> None:
    """The 29th of February of a leap year is a day like any other."""
    assert parsed("2024-02-29T00:00:00Z") == [
        ticks.from_datetime(datetime(2024, 2, 29, tzinfo=UTC))
    ]


@pytest.mark.parametrize("year", [1, 1601, 1970])
@pytest.mark.parametrize("within", [0, 1, ticks.PER_HOUR, ticks.PER_DAY - 1])
def test_sentinel_days_are_no_time(year: int, within: int) -> None:
    """Any instant of the first day of 0001, 1601 or 1970 stands for "no time"."""
    day = ticks.from_datetime(datetime(year, 1, 1, tzinfo=UTC))
    assert told(day + within) == [None]


@pytest.mark.parametrize("year", [1, 1601, 1970])
def test_neighbours_of_sentinel_days_are_instants(year: int) -> None:
    """The tick after a sentinel day is an instant again; null stays null."""
    after = ticks.from_datetime(datetime(year, 1, 1, tzinfo=UTC)) + ticks.PER_DAY
    assert told(after, None) == [after, None]


def test_parsing_alone_keeps_sentinels() -> None:
    """A sentinel is a readable instant: that it means nothing is another step."""
    assert parsed("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z") == [0, ticks.UNIX_EPOCH]


@settings(deadline=None)
@given(st.integers(0, LAST))
def test_instants_are_cut_to_microseconds(value: int) -> None:
    """Instants are cut downward, before 1970 as after, and agree with the single-value form."""
    found = pl.select(ticks.instant(pl.lit(value, pl.Int64))).item()
    assert found == ticks.to_datetime(value)
    assert 0 <= value - ticks.from_datetime(found) < ticks.PER_MICROSECOND


def test_the_last_tick_before_1970() -> None:
    """One tick before 1970 is the last microsecond of 1969, not the first of 1970."""
    found = pl.select(ticks.instant(pl.lit(ticks.UNIX_EPOCH - 1))).item()
    assert found == datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
