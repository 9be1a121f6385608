"""Options: how to hunt, as far as it is a matter of settings."""

from dataclasses import dataclass
from typing import Self

from etl import ticks
from etl.clouds import CLOUDS
from etl.settings import Settings


@dataclass(frozen=True, slots=True)
class Options:
    """The limits that a pull keeps to, and how long it waits for telemetry."""

    max_rows: int
    """Rows at which a hunting result counts as cut."""

    parallel: int
    """Requests at once."""

    portal: str
    """Host of the Defender portal, for links."""

    landing: int
    """Ticks after which telemetry is taken to have arrived."""

    tolerance: int
    """Ticks that creation times may lie apart at tier `tolerance`."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return what a tenant's settings say of hunting."""
        return cls(
            max_rows=settings.hunting_max_rows,
            parallel=settings.hunting_parallel,
            portal=CLOUDS[settings.cloud].portal,
            landing=settings.landing_minutes * ticks.PER_MINUTE,
            tolerance=settings.match_tolerance_ms * 1000 * ticks.PER_MICROSECOND,
        )
