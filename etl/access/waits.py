"""How long the service asks to wait: as a header says, else the text, else its own rhythm.

A quota of hunting begins anew with each quarter of an hour, which counts where nothing is said.
What a wait leads to belongs to `etl.access.client`.
"""

import random
import re
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import requests

from etl.access.limits import LONGEST

_QUARTER: Final = 900.0
_ANNOUNCED: Final = re.compile(r"\b(?:again|retry) (?:in|after)\s+(.{1,80})", re.IGNORECASE)
_CLOCK: Final = re.compile(r"(?:([0-9]{1,4})[.:])?([0-9]{1,4}):([0-9]{2}):([0-9]{2})(?![0-9])")
_SHORT_CLOCK: Final = re.compile(r"([0-9]{1,4}):([0-9]{2})(?![0-9:])")
_PART: Final = re.compile(
    r"(?:[\s,]|and\b|P?T(?=[0-9])|P(?=[0-9]))*([0-9]{1,9}(?:\.[0-9]{1,9})?|an?\b|one\b)\s*"
    r"(milliseconds?|ms|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)"
    r"(?:(?=T[0-9])|(?![a-z]))",
    re.IGNORECASE,
)
_SECONDS: Final = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_MILLISECONDS: Final = ("ms", "milli")


def in_header(response: requests.Response) -> float | None:
    """Return the seconds of a Retry-After header: a number, or a date by the service's clock."""
    header = response.headers.get("Retry-After", "").strip()
    if header.isascii() and header.isdigit():
        return float(min(int(header[:12]), LONGEST))
    until = _instant(header)
    if until is None:
        return None
    now = _instant(response.headers.get("Date", ""))
    return min(max(0.0, until - (time.time() if now is None else now)), LONGEST)


def in_text(text: str) -> float | None:
    """Return the seconds of a text such as `You can run queries again in 1h 5m`."""
    announced = _ANNOUNCED.search(text)
    if announced is None:
        return None
    duration = announced[1]
    clock = _CLOCK.match(duration)
    if clock:
        days, hours, minutes, rest = (int(part or 0) for part in clock.groups())
        return min(days * 86_400.0 + hours * 3600 + minutes * 60 + rest, LONGEST)
    short = _SHORT_CLOCK.match(duration)
    if short:
        return min(int(short[1]) * 60.0 + int(short[2]), LONGEST)
    total, at = None, 0
    while part := _PART.match(duration, at):
        unit = part[2].lower()
        seconds = 0.001 if unit.startswith(_MILLISECONDS) else _SECONDS[unit[0]]
        count = 1.0 if part[1].isalpha() else float(part[1])
        total, at = (total or 0.0) + count * seconds, part.end()
    return None if total is None else min(total, LONGEST)


def until_quarter(now: float) -> float:
    """Return the seconds until the next quarter of an hour, and one or two for clocks to differ."""
    return _QUARTER - now % _QUARTER + random.uniform(1, 2)  # noqa: S311 - no secret


def back_off(attempt: int) -> float:
    """Return the seconds to wait after an attempt that failed without a word on when to ask."""
    return min(8.0, 2.0 ** (attempt - 2)) * random.uniform(0.75, 1.25)  # noqa: S311 - no secret


def _instant(text: str) -> float | None:
    """Return the seconds since 1970 of a date as HTTP writes it."""
    try:
        parsed = parsedate_to_datetime(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
