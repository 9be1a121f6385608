"""Tenant: a whole made-up organisation, with its alerts, its telemetry and the truth about both.

The same seed, scale, days and end make the same tenant. Serving it belongs to `server`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Self

import polars as pl

from etl.sandbox import (
    activity,
    alert_tables,
    alerts,
    cases,
    fleet,
    inventory,
    malformed,
    moments,
    telemetry,
    truth,
)
from etl.sandbox import processes as trees
from etl.sandbox.alerts import Alert
from etl.sandbox.attacks import Attack, Attacker
from etl.sandbox.casework import Casebook, named_frame
from etl.sandbox.dice import Dice
from etl.sandbox.fleet import Device
from etl.sandbox.tables import empty, schema

TENANT_ID = "6a1f8c52-93d4-4e0b-a7c6-2f5d0e8b9134"
CLIENT_ID = "c0b7e9d1-4f26-4a38-8b5e-71d3f6a2094c"
CLIENT_SECRET = "sandbox-secret-that-opens-nothing"  # noqa: S105 - a made-up secret
_ALERTS_PER_DAY = 35


@dataclass(frozen=True, slots=True)
class Tenant:
    """What a tenant holds; datetimes in tables are .NET ticks."""

    id: str
    days: list[date]
    alerts: list[Alert]
    tables: dict[str, pl.DataFrame]
    truth: pl.DataFrame
    truth_events: pl.DataFrame
    devices: list[Device]

    @classmethod
    def generate(
        cls,
        seed: int = 7,
        scale: float = 1.0,
        *,
        days: int = 3,
        until: date | None = None,
        id: str = TENANT_ID,  # noqa: A002 - as the property is called
    ) -> Self:
        """Make a tenant whose alerts fall on the full days before `until`, today by default."""
        alert_days = _days_before(until, days)
        works = _Works(seed, scale, alert_days, id)
        return cls(id, alert_days, works.alerts, *works.results(), works.world.devices)

    @classmethod
    def of(
        cls,
        alerts: list[Alert],
        *,
        id: str = TENANT_ID,  # noqa: A002 - as the property is called
        days: Sequence[date] | None = None,
        tables: Mapping[str, pl.DataFrame] | None = None,
    ) -> Self:
        """Make a tenant that has these very alerts, and no telemetry but the given tables.

        Without `days` they are the three before today. Nothing is known to be true of the alerts.
        """
        held = {table: empty(table) for table in schema()} | dict(tables or {})
        nothing = named_frame([]).drop("_process")
        return cls(
            id, list(days or _days_before(None, 3)), alerts, held, nothing, pl.DataFrame(), []
        )


def _days_before(end: date | None, number: int) -> list[date]:
    """Return the days before a day, today by default, the earliest first."""
    last = end or datetime.now(UTC).date()
    return [last - timedelta(days=back) for back in range(number, 0, -1)]


class _Works:
    """Makes a tenant step by step: the fleet, its processes, the attacks, the rows, the alerts."""

    def __init__(self, seed: int, scale: float, days: list[date], tenant: str) -> None:
        self.random = Random(seed)
        self.dice = Dice(self.random)
        span = trees.Span(moments.midnight(days[0]) - moments.DAY, len(days) + 1)
        devices = fleet.build(self.random, scale)
        ordinary = trees.grow(self.dice, devices, span)
        self.attacker = Attacker(self.random, devices, ordinary)
        self.attacks = self._attack(scale, days)
        everything = pl.concat([ordinary, self.attacker.processes().select(ordinary.columns)])
        self.world = telemetry.World(devices, everything, span, len(ordinary))
        self.book = Casebook(self.random, tenant, self.world)
        self.alerts = self._alert()

    def _attack(self, scale: float, days: list[date]) -> list[Attack]:
        known = len(cases.WITH_PROCESS) + len(cases.WITHOUT_PROCESS)
        per_day = max(round(_ALERTS_PER_DAY * scale), -(-known // len(days)))
        plan = cases.plan(self.random, len(days), per_day)
        return [
            self.attacker.attack(case, moments.midnight(day))
            for day, drawn in zip(days, plan, strict=True)
            for case in drawn
        ]

    def _alert(self) -> list[Alert]:
        by_day: dict[int, list[Alert]] = {}
        for attack in self.attacks:
            by_day.setdefault(attack.day, []).append(self.book.open(attack))
        for day, opened in by_day.items():
            alerts.tie(self.random, opened, day)
            self.book.spoil(opened[0])
        return self.book.alerts

    def results(self) -> tuple[dict[str, pl.DataFrame], pl.DataFrame, pl.DataFrame]:
        """Return the tables, the truth about processes and the truth about events."""
        tables = self._events()
        named = named_frame(self.book.named)
        about = truth.processes(named, tables, self.world)
        about_events = truth.events(named, tables, self.world)
        return self._served(tables), about, about_events

    def _events(self) -> dict[str, pl.DataFrame]:
        scribe = telemetry.Scribe(self.world)
        frames = {"DeviceProcessEvents": [scribe.creations(self.dice)]}
        for table in activity.PER_DEVICE_DAY:
            ordinary = activity.ordinary(table, self.world, self.dice)
            frames[table] = [scribe.write(table, ordinary)]
        for table, rows in self.attacker.events().items():
            frames[table].append(scribe.write(table, rows))
        for table, rows in malformed.rows(self.attacks).items():
            frames[table].append(malformed.disowned(scribe.write(table, rows)))
        return {table: telemetry.finished(parts, table) for table, parts in frames.items()}

    def _served(self, events: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
        first = {
            str(alert["id"]): attack.first
            for alert, attack in zip(self.alerts, self.attacks, strict=False)
        }
        return {
            **{table: empty(table) for table in schema()},
            **{table: rows.drop(telemetry.HIDDEN) for table, rows in events.items()},
            **alert_tables.build(self.alerts, first, self.book.hidden()),
            "DeviceInfo": inventory.device_info(self.random, self.world.devices, self.world.span),
        }
