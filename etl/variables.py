"""Reading one environment variable as what it has to be: text, a host, a number, a file.

Each function raises a `ConfigError` that names the variable and the remedy. An optional variable
that is set to nothing counts as unset. Which variables there are is told in `etl.settings`.
"""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from etl.errors import ConfigError

SEE: Final = "see the README's table of settings"
_TENANT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,127}")


def optional(environment: Mapping[str, str], name: str) -> str | None:
    """Return a variable without the blanks around it, or None where nothing is left."""
    return environment.get(name, "").strip() or None


def required(environment: Mapping[str, str], name: str) -> str:
    """Return a variable that has to be set."""
    value = optional(environment, name)
    if value is None:
        raise ConfigError(name, "is not set", f"set it to the app registration's value; {SEE}")
    return value


def choice(
    environment: Mapping[str, str], name: str, choices: Collection[str], default: str
) -> str:
    """Return one of several words; the default where none is set."""
    value = environment.get(name) or default
    if value not in choices:
        raise ConfigError(name, f"{value!r} is no choice", f"use {', '.join(choices)}")
    return value


def tenant(environment: Mapping[str, str], name: str) -> str:
    """Return a directory id that is fit to stand in addresses and in names of folders."""
    value = required(environment, name)
    if not _TENANT.fullmatch(value):
        raise ConfigError(name, f"{value!r} is no tenant", "use the directory (tenant) id, a GUID")
    return value.lower()


def host(environment: Mapping[str, str], name: str, default: str) -> str:
    """Return the root of an HTTPS host, without a slash at its end."""
    text = environment.get(name) or default
    value = (text if "://" in text else f"https://{text}").rstrip("/")
    try:
        parts = urlsplit(value)
        sound = parts.scheme == "https" and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound or parts.path or parts.query or parts.fragment or parts.username:
        shown = "the value" if "@" in value else repr(value)  # it may hold a password
        raise ConfigError(name, f"{shown} is no https host", f"use a form such as {default}")
    return value


def number(
    environment: Mapping[str, str], name: str, default: int, least: int, most: int | None = None
) -> int:
    """Return a whole number that is neither below `least` nor, where that is set, above `most`."""
    text = environment.get(name) or str(default)
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least or (most is not None and value > most):
        allowed = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ConfigError(name, f"{text!r} is not a number {allowed}", f"try {default}")
    return value


def path(name: str, text: str) -> Path:
    """Return an absolute path; `name` is the variable that `text` comes from."""
    try:
        return Path(text).expanduser().absolute()
    except (RuntimeError, OSError) as error:
        raise ConfigError(name, f"{text!r} has no home", "name a whole path") from error


def present(environment: Mapping[str, str], name: str) -> Path | None:
    """Return the path of a file or folder that exists, or None where none is set."""
    text = environment.get(name)
    if not text:
        return None
    found = path(name, text)
    if not found.exists():
        raise ConfigError(name, f"{text!r} does not exist", "name a PEM file")
    return found
