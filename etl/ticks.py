"""Ticks: instants to 100 ns as INT64, counted from 0001-01-01T00:00:00Z as .NET does.

The one parser for the service's instants, as a polars expression and for single values. Python's
datetime keeps six digits of a second and would join the wrong process, so no instant passes
through it on its way into a key. Windows of time belong to `etl.windows`.
"""

from datetime import UTC, datetime, timedelta

import polars as pl

PER_MICROSECOND = 10
PER_SECOND = 10_000_000
PER_MINUTE = 60 * PER_SECOND
PER_HOUR = 60 * PER_MINUTE
PER_DAY = 24 * PER_HOUR
UNIX_EPOCH = 621_355_968_000_000_000
"""Ticks at 1970-01-01T00:00:00Z."""

SENTINEL_DAYS = (0, 584_388 * PER_DAY, UNIX_EPOCH)
"""First tick of 0001-01-01, 1601-01-01 and 1970-01-01, days that stand for "no time"."""

LAST = 3_155_378_975_999_999_999
"""The last tick of 9999, behind which no instant can be written."""

_SHAPE = (
    r"^\s*([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?"
    r"\s*([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?\s*$"
)
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)


def parse(text: pl.Expr) -> pl.Expr:
    """Read instants from text as ticks; null where the text is no instant.

    Takes 0 to any number of fractional digits and cuts after the seventh; `T` or a space; `Z`, an
    offset or no zone, which is read as UTC. Sentinel days are kept: see `without_sentinels`.
    """
    group = text.str.extract_groups(_SHAPE).struct
    number = [group.field(str(i)).cast(pl.Int64, strict=False) for i in range(1, 7)]
    year, month, day, hour, minute, second = number
    whole = hour.fill_null(0), minute.fill_null(0), second.fill_null(0)
    sound = (
        month.is_between(1, 12)
        & day.is_between(1, 31)
        & (whole[0] <= 23)  # noqa: PLR2004
        & (whole[1] <= 59)  # noqa: PLR2004
        & (whole[2] <= 59)  # noqa: PLR2004
    )
    days = (
        pl.concat_str(group.field("1"), group.field("2"), group.field("3"))
        .str.to_date("%Y%m%d", strict=False)
        .cast(pl.Int32)
        .cast(pl.Int64)
    )
    fraction = group.field("7").fill_null("").str.pad_end(7, "0").str.slice(0, 7).cast(pl.Int64)
    zone = group.field("8").fill_null("Z")
    sign = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    offset = (
        zone.str.slice(1, 2).cast(pl.Int64, strict=False).fill_null(0) * 60
        + zone.str.slice(-2, 2).cast(pl.Int64, strict=False).fill_null(0)
    ) * sign
    ticks = (
        UNIX_EPOCH
        + days * PER_DAY
        + whole[0] * PER_HOUR
        + (whole[1] - offset) * PER_MINUTE
        + whole[2] * PER_SECOND
        + fraction
    )
    return pl.when(sound & year.is_not_null() & ticks.is_between(0, LAST)).then(ticks)


def without_sentinels(ticks: pl.Expr) -> pl.Expr:
    """Make the days that stand for "no time" null."""
    sentinel = pl.any_horizontal(
        *[ticks.is_between(day, day + PER_DAY - 1) for day in SENTINEL_DAYS]
    )
    return pl.when(~sentinel).then(ticks)


def instant(ticks: pl.Expr) -> pl.Expr:
    """Turn ticks into UTC microsecond instants, for people; the last digit is cut."""
    return ((ticks - UNIX_EPOCH) // PER_MICROSECOND).cast(pl.Datetime("us", "UTC"))


def from_text(text: str) -> int:
    """Read one instant as ticks.

    Raises ValueError where the text is none.
    """
    value = pl.select(parse(pl.lit(text))).item()
    if value is None:
        raise ValueError(
            f"{text!r} is not an ISO 8601 instant such as 2026-01-02T03:04:05.1234567Z"
        )
    return int(value)


def from_datetime(value: datetime) -> int:
    """Turn an aware datetime into ticks."""
    return (value - _EPOCH) // timedelta(microseconds=1) * PER_MICROSECOND


def to_datetime(value: int) -> datetime:
    """Turn ticks into an aware datetime; the seventh digit is cut."""
    return _EPOCH + timedelta(microseconds=value // PER_MICROSECOND)


def to_text(value: int) -> str:
    """Write ticks with seven fractional digits and `Z`, as the service reads them in a query."""
    second = to_datetime(value - value % PER_SECOND).replace(tzinfo=None)
    return f"{second.isoformat()}.{value % PER_SECOND:07d}Z"
