"""Faults: how the sandbox misbehaves on request, and how tight its limits are.

Only the settings and their spelling belong here; each route applies its own.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

_NUMBERS = {
    "rows": "rows",
    "bytes": "result_bytes",
    "calls": "calls_per_minute",
    "alert-requests": "alert_requests_per_minute",
    "throttle": "throttle_first",
    "errors": "errors_first",
    "page": "page_size",
    "lifetime": "token_lifetime",
}
_NO_RETRY_AFTER = "no-retry-after"
_MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong, and when; the default is a service in good health."""

    rows: int = 100_000
    result_bytes: int = 50_000_000
    calls_per_minute: int = 45
    alert_requests_per_minute: int = 150
    throttle_first: int = 0
    errors_first: int = 0
    retry_after: bool = True
    page_size: int | None = None
    token_lifetime: int = 3599
    missing_tables: tuple[str, ...] = ()
    roles: tuple[str, ...] = ("SecurityAlert.Read.All", "ThreatHunting.Read.All")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `rows=500,calls=45,missing=DeviceEvents+DeviceInfo,no-retry-after`.

        Raises ValueError with one line that names the fault, the value and the allowed names.
        """
        faults = cls()
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            faults = faults._with(part)
        return faults

    def _with(self, part: str) -> Self:
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if name == _NO_RETRY_AFTER and not equals:
            return replace(self, retry_after=False)
        if name == _MISSING and value:
            return replace(self, missing_tables=tuple(value.split("+")))
        if name in _NUMBERS and value.isdecimal() and value.isascii():
            number: dict[str, Any] = {_NUMBERS[name]: int(value)}
            return replace(self, **number)
        allowed = ", ".join(f"{known}=N" for known in _NUMBERS)
        raise ValueError(
            f"fault {name!r} cannot have the value {value!r}; allowed are {allowed}, "
            f"{_MISSING}=TABLE+TABLE and {_NO_RETRY_AFTER}"
        )
