"""Literals: the datetime and timespan texts of KQL and ISO 8601 as exact counts of ticks."""

import re
from datetime import date

from duckdb_kql import timespans

from etl.sandbox import moments

_INSTANT = re.compile(
    r"\s*(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?\s*(Z|[+-]\d{2}:?\d{2})?)?\s*",
    re.IGNORECASE,
)
_DURATION = re.compile(
    r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,7}))?S)?)?", re.IGNORECASE
)
_LATEST = {"hour": 23, "minute": 59, "second": 59}


def instant(text: str) -> int:
    """Read a datetime as ticks since 1970; without a zone it is UTC.

    Raises ValueError where the text is no datetime.
    """
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no datetime")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    fraction, zone = found.group(7) or "", found.group(8) or "Z"
    for name, value in (("hour", hour), ("minute", minute), ("second", second)):
        if value > _LATEST[name]:
            raise ValueError(f"{text!r} has the {name} {value}")
    ticks = (date(year, month, day).toordinal() - 1) * moments.DAY - moments.UNIX_EPOCH
    ticks += hour * moments.HOUR + minute * moments.MINUTE + second * moments.SECOND
    return ticks + int(fraction.ljust(7, "0")) - _offset(zone)


def _offset(zone: str) -> int:
    if zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "")
    ticks = int(digits[:2]) * moments.HOUR + int(digits[2:]) * moments.MINUTE
    return -ticks if zone[0] == "-" else ticks


def duration(text: str) -> int:
    """Read an ISO 8601 duration such as `P30D` or `PT1H30M` as ticks.

    Raises ValueError where the text is none.
    """
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        raise ValueError(f"{text!r} is no duration")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[:5])
    ticks = (weeks * 7 + days) * moments.DAY + hours * moments.HOUR + minutes * moments.MINUTE
    return ticks + seconds * moments.SECOND + int((found.group(6) or "").ljust(7, "0"))


def span(text: str) -> int:
    """Read a KQL timespan such as `1h`, `1tick` or `time(1.02:03:04)` as ticks.

    Raises ValueError where the text is none.
    """
    return timespans.ticks(text)


def scaled_span(ticks: int) -> str:
    """Write ticks as the KQL timespan that holds as many microseconds."""
    days, rest = divmod(abs(ticks), 86_400_000_000)
    hours, rest = divmod(rest, 3_600_000_000)
    minutes, rest = divmod(rest, 60_000_000)
    seconds, rest = divmod(rest, 1_000_000)
    sign = "-" if ticks < 0 else ""
    return f"{sign}{days}.{hours:02d}:{minutes:02d}:{seconds:02d}.{rest:06d}"
