"""Moments: instants as .NET ticks of 100 ns, their text, and each platform's precision.

How the fake service counts and prints time. Windows of time and parsing of other people's text do
not belong here: the sandbox shares no time code with the pipeline, so that one can test the other.
"""

from datetime import date, datetime

import polars as pl

MICROSECOND = 10
MILLISECOND = 10_000
SECOND = 10_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
CENTISECOND = 100_000
UNIX_EPOCH = 719_162 * DAY
"""Ticks between 0001-01-01 and 1970-01-01."""


def midnight(day: date) -> int:
    """Return the ticks at which a UTC day begins."""
    return (day.toordinal() - 1) * DAY


def unix_ticks(moment: datetime) -> int:
    """Return an aware datetime as ticks since 1970."""
    whole = int(moment.timestamp() // 1)
    return whole * SECOND + moment.microsecond * MICROSECOND


def text(ticks: int, digits: int = 7) -> str:
    """Write ticks as ISO 8601 in UTC, at most `digits` of a fraction, without trailing zeros."""
    day = date.fromordinal(ticks // DAY + 1)
    hours, rest = divmod(ticks % DAY, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    seconds, rest = divmod(rest, SECOND)
    fraction = f"{rest:07d}"[:digits].rstrip("0")
    dot = "." if fraction else ""
    return f"{day.isoformat()}T{hours:02d}:{minutes:02d}:{seconds:02d}{dot}{fraction}Z"


def texts(ticks: pl.Expr) -> pl.Expr:
    """Write a column of .NET ticks as `text` does."""
    second = (ticks - UNIX_EPOCH).floordiv(SECOND)
    fraction = ((ticks - UNIX_EPOCH) - second * SECOND).cast(pl.String).str.zfill(7)
    shown = pl.concat_str(pl.lit("."), fraction).str.strip_chars_end("0").str.strip_chars_end(".")
    whole = (second * 1_000_000).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%S")
    return pl.concat_str(whole, shown, pl.lit("Z"))
