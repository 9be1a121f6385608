"""Small queues of alerts served over HTTPS, and what a lake says of pulling them, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import made
from limiters import limiter
from runs import environment, generous

from etl import ticks
from etl.contracts import raw
from etl.contracts.ops import LEDGER
from etl.lake.lake import Lake
from etl.sandbox import Sandbox, Tenant
from etl.settings import Settings
from etl.sources.graph import GraphAlerts
from etl.stages import alerts, model, watermarks
from etl.stages.report import Report
from etl.tenant import Tenant as Connected
from etl.values import digest
from etl.windows import Window

DAY = date(2026, 1, 2)
NOON = Window.of_day(DAY).start + 12 * ticks.PER_HOUR
OVERLAP = 60 * ticks.PER_MINUTE
PAGE = 5
LISTING = "/v1.0/security/alerts_v2"

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Queue:
    """A served tenant and a way into its alerts, with pages so small that they have neighbours."""

    sandbox: Sandbox
    source: GraphAlerts

    @property
    def alerts(self) -> list[Record]:
        """The alerts that the service has; a test may change them."""
        return self.sandbox.tenant.alerts

    @property
    def listings(self) -> int:
        """How often alerts were listed or counted so far."""
        return sum(request.path == LISTING for request in self.sandbox.requests)


@contextmanager
def queue(
    records: list[Record],
    *,
    page: int = PAGE,
    attempts: int = 8,
    **faults: Any,  # noqa: ANN401
) -> Iterator[Queue]:
    """Serve some alerts with faults; the service has this very list, not a copy."""
    with (
        Sandbox(Tenant.of(records), faults=generous(**faults)) as sandbox,
        Connected.connect(Settings.read(environment(sandbox, Path("unused")))) as connected,
    ):
        assert isinstance(connected.alerts, GraphAlerts)
        client = connected.alerts.client
        client.attempts, client.limiter = attempts, limiter()
        yield Queue(sandbox, GraphAlerts(client, page=page))


def alert(name: str, created: int = NOON, updated: int | None = None, **fields: object) -> Record:
    """Return an alert created and, without more, updated last at a tick."""
    return made.alert(
        id=name,
        createdDateTime=ticks.to_text(created),
        lastUpdateDateTime=ticks.to_text(created if updated is None else updated),
        **fields,
    )


def many(number: int, *, start: int = NOON, step: int = ticks.PER_MINUTE) -> list[Record]:
    """Return alerts of which each was created a step after the one before."""
    return [alert(f"da{index:03}", start + index * step) for index in range(number)]


def touched(record: Record, updated: int, **fields: object) -> Record:
    """Return an alert as it is after an update at a tick."""
    return record | {"lastUpdateDateTime": ticks.to_text(updated)} | fields


def lake_of(folder: Path, queue: Queue) -> Lake:
    """Return an empty lake of the served tenant."""
    return Lake(folder, queue.sandbox.tenant.id)


def pulled(queue: Queue, lake: Lake, day: date = DAY) -> Report:
    """Pull a day, with the overlap of the tests."""
    return alerts.pull(queue.source, lake, [day], OVERLAP)[day]


def settle(queue: Queue, lake: Lake, day: date = DAY) -> Report:
    """Pull a day, model it and move its watermark."""
    report = pulled(queue, lake, day)
    model.publish(lake, day)
    assert watermarks.move(lake, queue.source.name, [day]) == [Window.of_day(day)]
    return report


def reached(lake: Lake, day: date = DAY) -> int | None:
    """Return how far a day's watermark is."""
    return watermarks.through(lake, "graph", [day])[day]


def ledger(lake: Lake, day: date = DAY) -> Record:
    """Return the one row that a day's ledger has about alerts."""
    return lake.read(LEDGER, day, watermarks.ALERTS_PART).row(0, named=True)


def states(lake: Lake, day: date = DAY) -> set[str]:
    """Return the states of alerts that raw has, by what they contain."""
    return set(lake.read(raw.ALERTS, day)["ContentHash"])


def shown(records: list[Record]) -> set[str]:
    """Return the states that the service shows, as `states` does."""
    return {digest(record) for record in records}
