"""Days as they are written on the command line."""

from datetime import UTC, date, datetime, timedelta

from etl.errors import ConfigError


def day(option: str, text: str) -> date:
    """Read a UTC day.

    Raises ConfigError where it is malformed or still to come.
    """
    try:
        value = date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(option, f"{text!r} is not a day", "write it as 2026-01-31") from error
    if value > datetime.now(UTC).date():
        raise ConfigError(option, f"{text} is still to come", "name today (UTC) or a day before it")
    return value


def days(first: str, last: str | None) -> list[date]:
    """Read the days from `first` to `last`, both included; only the first where there is no last.

    Raises ConfigError.
    """
    start = day("--from", first)
    end = day("--to", last) if last else start
    if end < start:
        raise ConfigError("--to", f"{end} is before --from {start}", "swap the two")
    return [start + timedelta(days=number) for number in range((end - start).days + 1)]
