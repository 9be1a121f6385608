"""A lead: what one thing that an alert names can be looked for by; a hunt: when to look for it.

Which questions a lead makes belongs to `etl.sources.hunts.questions`.
"""

from dataclasses import dataclass
from typing import Final

from etl import ticks
from etl.windows import Window

KINDS: Final = (
    "process",
    "ancestors",
    "descendants",
    "file",
    "ip",
    "url",
    "registry_key",
    "registry_value",
    "account",
    "device",
)
"""What a lead can be about. A process in any role; of `ancestors` its creation, of `descendants`
the processes that it created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """What to look for, and on which devices; no devices are all of them."""

    kind: str
    devices: tuple[str, ...] = ()
    process_id: int | None = None
    creation: int | None = None
    """Ticks."""

    unit: int = 1
    """How finely `creation` is known, in ticks."""

    sha1: str | None = None
    sha256: str | None = None
    file_name: str | None = None
    folder_path: str | None = None
    command_line: str | None = None
    remote_ip: str | None = None
    remote_url: str | None = None
    registry_key: str | None = None
    registry_value_name: str | None = None
    registry_value_data: str | None = None
    account_sid: str | None = None
    account_name: str | None = None
    account_domain: str | None = None


@dataclass(frozen=True, slots=True)
class Hunt:
    """A lead of an alert's evidence item, to be followed within a window.

    `evidence` is None for ancestors and descendants. `reach` says why the window is as wide as it
    is: `key` for all of the retention, `near` or `wide` of the alert's activity.
    """

    alert: str
    evidence: str | None
    lead: Lead
    window: Window
    reach: str

    @property
    def hours(self) -> Window:
        """The window in whole hours, outward, so that more hunts share one."""
        return self.window.widened(ticks.PER_HOUR)
