"""Faults: how the sandbox misbehaves on request, and how tight its limits are.

Only the settings and their spelling belong here; each route applies its own.
"""

from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

_NO_RETRY_AFTER = "no-retry-after"
_MUTE = "mute"
_MISSING = "missing"


def _number(spelling: str, default: int | None = 0) -> Any:  # noqa: ANN401 - of a field's type
    """Return a field that the text of faults sets with `spelling=N`."""
    return field(default=default, metadata={"spelling": spelling})


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong, and when; the default is a service in good health."""

    rows: int = _number("rows", 100_000)
    """Rows of a hunting result, which is cut to them without a word."""

    result_bytes: int = _number("bytes", 50_000_000)
    calls_per_minute: int = _number("calls", 45)
    alert_requests_per_minute: int = _number("alert-requests", 150)
    throttle_first: int = _number("throttle")
    """The first so many hunting calls are 429."""

    errors_first: int = _number("errors")
    """The first so many Graph requests are 503 and 500 in turn."""

    page_size: int | None = _number("page", None)
    mde_requests_per_minute: int = _number("mde-requests", 100)
    """Requests to Defender for Endpoint's own API, apart from hunting."""

    mde_page_size: int = _number("mde-page", 10_000)
    """The most alerts or machines that Defender for Endpoint's own API puts on a page."""

    token_lifetime: int = _number("lifetime", 3599)
    """Seconds that a token lasts."""

    expire: int = _number("expire")
    """Every access token is refused after so many requests; 0 for never."""

    partial: int = _number("partial")
    """The first so many listings are 206: a part of the page, and a Warning header."""

    warnings: int = _number("warnings")
    """The first so many listings have a Warning header, though they are whole."""

    cut: int = _number("cut")
    """The first so many listings stop in the middle of their JSON text."""

    dead_links: int = _number("dead-links")
    """The first so many requests with a skip token are 410 and 400 in turn."""

    count_off: int = _number("count-off")
    """The count of a listing says so many more than there are."""

    shift: int = _number("shift")
    """After each page an alert not yet given is updated; from 2 on, one just given as well."""

    unordered: int = _number("unordered")
    """From 1 on, the order asked for is ignored: the newest created comes first."""

    storm: int = _number("storm")
    """Every so manieth hunting call is 429, for ever; 1 lets none through."""

    cpu: int = _number("cpu")
    """After so many hunting calls all are 429 until the next quarter of an hour of the clock."""

    slow: int | None = _number("slow", None)
    """A query that would return more rows than so many fails as a timeout, 400."""

    gateway: int | None = _number("gateway", None)
    """A query that would return more rows than so many fails at the gateway, 504."""

    lag: int = _number("lag")
    """Milliseconds that each hunting answer takes longer."""

    drift: int = _number("drift")
    """From 1 on, columns of hunting tables come, go and change their type."""

    retry_after: bool = True
    """Whether a 429 says in its header how long to wait; `no-retry-after` says no."""

    mute: bool = False
    """Whether a 429 of hunting says nowhere how long to wait; `mute` says yes."""

    missing_tables: tuple[str, ...] = ()
    roles: tuple[str, ...] = (
        "SecurityAlert.Read.All", "ThreatHunting.Read.All", "Alert.Read.All", "Machine.Read.All",
        "File.Read.All", "Ip.Read.All", "URL.Read.All", "User.Read.All", "AdvancedQuery.Read.All",
    )  # fmt: skip
    """What the application may do, over all APIs."""

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
        if name == _MUTE and not equals:
            return replace(self, mute=True)
        if name == _MISSING and value:
            return replace(self, missing_tables=tuple(value.split("+")))
        numbers = self._numbers()
        if name in numbers and value.isdecimal() and value.isascii():
            number: dict[str, Any] = {numbers[name]: int(value)}
            return replace(self, **number)
        allowed = ", ".join(f"{known}=N" for known in numbers)
        raise ValueError(
            f"fault {name!r} cannot have the value {value!r}; allowed are {allowed}, "
            f"{_MISSING}=TABLE+TABLE, {_MUTE} and {_NO_RETRY_AFTER}"
        )

    @classmethod
    def _numbers(cls) -> dict[str, str]:
        """Return the fields that are numbers by their spelling."""
        return {
            one.metadata["spelling"]: one.name for one in fields(cls) if "spelling" in one.metadata
        }
