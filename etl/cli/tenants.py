"""The tenants that a command is for."""

from collections.abc import Mapping

from etl.errors import ConfigError
from etl.settings import Settings


def chosen(environment: Mapping[str, str], only: str | None) -> tuple[Settings, ...]:
    """Return the settings of the tenants to work for: all, or the one that is named.

    Raises ConfigError for a name that the settings do not have.
    """
    every = Settings.every(environment)
    found = tuple(one for one in every if only in {None, one.name})
    if not found:
        names = ", ".join(one.name for one in every)
        raise ConfigError("--tenant", f"{only!r} is no tenant of the settings", f"use {names}")
    return found
