"""A forecast: what pulling a day would ask of the service and how long it would take, unpulled.

One count is asked, and kept where the day's pull will find it. Where the lake does not have the
day's alerts yet, they are listed into a lake of their own that is gone afterwards.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from etl.contracts.core import ALERT_DEVICES, ALERT_EVIDENCE, ALERTS
from etl.contracts.hunting import ALERT_TABLES
from etl.lake.lake import Lake
from etl.lake.spool import Spool
from etl.sources.hunted import MOST_TEXT
from etl.sources.plan import Plan
from etl.stages import alerts, evidence, model, telemetry
from etl.stages.options import Options
from etl.stages.pull import LOCK
from etl.stages.remembered import Remembered
from etl.tenant import Tenant

_HUNT_TEXT: Final = 400
"""Characters of a query that the hunts for an evidence item and its kin take, roughly."""

_ROUNDS: Final = 4
"""Rounds of hunts that most days take."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a day's pull would come to."""

    day: date
    alerts: int
    evidence: int
    devices: int
    plan: Plan | None
    rate: int
    """Calls a minute."""

    @property
    def counts(self) -> int:
        """Calls that the counting took."""
        return self.plan.counts.calls if self.plan else 0

    @property
    def slices(self) -> int:
        """Calls for telemetry around the alerts."""
        return len(self.plan.slices) if self.plan else 0

    @property
    def others(self) -> int:
        """Calls for what hunting says of alerts and devices, and about how many for hunts."""
        hunts = _ROUNDS + self.evidence * _HUNT_TEXT // MOST_TEXT if self.evidence else 0
        return len(ALERT_TABLES) + (1 if self.devices else 0) + hunts

    @property
    def calls(self) -> int:
        """All calls, the counting included."""
        return self.counts + self.slices + self.others

    @property
    def minutes(self) -> float:
        """How long the quota makes the calls take at least."""
        return max(0, self.calls - self.rate) / self.rate


def forecast(tenant: Tenant, day: date, options: Options) -> Forecast:
    """Return what pulling `day` would come to, without pulling it.

    Raises an AccessError, and LakeError where a count cannot be kept.
    """
    with _with_alerts(tenant, day) as lake, lake.alone(LOCK):
        spool = Spool.open(lake, day)
        asked = Remembered(tenant.hunting, spool)
        return Forecast(
            day,
            lake.rows(ALERTS, day),
            lake.rows(ALERT_EVIDENCE, day),
            lake.read(ALERT_DEVICES, day)["DeviceId"].n_unique(),
            telemetry.make_plan(asked, lake, day, options.max_rows, spool),
            tenant.settings.hunting_rate,
        )


@contextmanager
def _with_alerts(tenant: Tenant, day: date) -> Iterator[Lake]:
    """Lend a lake that has the day's alerts: the tenant's own, else one for now."""
    if day in tenant.lake.days(ALERTS):
        yield tenant.lake
        return
    with tempfile.TemporaryDirectory(prefix="defender-etl-") as folder:
        lake = Lake(Path(folder), tenant.lake.tenant)
        alerts.pull(tenant.alerts, lake, [day], tenant.overlap)
        model.publish(lake, day)
        evidence.publish(lake, day)
        yield lake
