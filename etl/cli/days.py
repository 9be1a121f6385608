"""Days as they are written on the command line."""

from datetime import UTC, date, datetime

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
