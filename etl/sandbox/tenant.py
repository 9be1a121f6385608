"""Tenant: a whole made-up organisation, with its alerts, its telemetry and the truth about both.

The same seed, scale, days and end make the same tenant. Serving it belongs to `server`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Self

import polars as pl

from etl.sandbox import (
    activity,
    alert_tables,
    alerts,
    cases,
    fleet,
    inventory,
    leads,
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
from etl.sandbox.pivots import Pivots
from etl.sandbox.tables import empty, schema

TENANT_ID = "6a1f8c52-93d4-4e0b-a7c6-2f5d0e8b9134"
CLIENT_ID = "c0b7e9d1-4f26-4a38-8b5e-71d3f6a2094c"
CLIENT_SECRET = "sandbox-secret-that-opens-nothing"  # noqa: S105 - a made-up secret
_ALERTS_PER_DAY = 35
_LEADS_PER_SCALE = 0.1


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
    pivots: Pivots = field(default_factory=Pivots.empty, repr=False)
    malformed: pl.DataFrame = field(default_factory=malformed.none, repr=False)
    """Rows that cannot be read where hunting has drifted: table, device, ticks and report."""

    truth_parents: pl.DataFrame = field(default_factory=pl.DataFrame, repr=False)
    """Who started each process of the tenant, whether telemetry shows it or not."""

    @property
    def truth_pivots(self) -> pl.DataFrame:
        """Return whether telemetry holds what items without a process key name."""
        return self.pivots.items

    @property
    def truth_targets(self) -> pl.DataFrame:
        """Return the events that such items are about, near the activity of their alerts."""
        return self.pivots.targets

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
        return cls(*_Works(seed, scale, alert_days, id).results())

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


def _identity(alert: Alert) -> str:
    return str(alert["id"])


class _Works:
    """Makes a tenant step by step: the fleet, its processes, the attacks, the rows, the alerts.

    What only hunting finds is drawn apart and comes last, so that it changes nothing else.
    """

    def __init__(self, seed: int, scale: float, days: list[date], tenant: str) -> None:
        self.id, self.days = tenant, days
        self.random, apart = Random(seed), Random(f"{seed} leads")
        self.dice, self.apart = Dice(self.random), Dice(apart)
        span = trees.Span(moments.midnight(days[0]) - moments.DAY, len(days) + 1)
        devices = fleet.build(self.random, scale)
        ordinary = trees.grow(self.dice, devices, span)
        self.attacker = Attacker(self.random, devices, ordinary)
        self.attacks = self._attack(scale, days)
        self.known = len(ordinary) + len(self.attacker.ledger.processes)
        prowler = Attacker(apart, devices, ordinary, self.attacker.ledger)
        self.leads = [
            prowler.lead(case, moments.midnight(days[number % len(days)]))
            for number, case in enumerate([*leads.LEADS] * (1 + int(scale * _LEADS_PER_SCALE)))
        ]
        everything = pl.concat([ordinary, self.attacker.processes().select(ordinary.columns)])
        self.world = telemetry.World(devices, everything, span, len(ordinary))
        self.book = Casebook(self.random, tenant, self.world)
        self.alerts = self._alert()
        later = Casebook(apart, tenant, self.world, self.book.alerts, self.book.named)
        self.opened = dict(zip(map(_identity, self.alerts), self.attacks, strict=False))
        self.opened |= {_identity(later.open(lead)): lead for lead in self.leads}

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

    def results(self) -> tuple[Any, ...]:
        """Return what a tenant holds, in the order of its fields."""
        events = self._events()
        named = named_frame(self.book.named)
        about = truth.processes(named, events, self.world)
        about_events = truth.events(named, events, self.world)
        keyed = about.filter(pl.any_horizontal("UsableKey", "HiddenKey"))
        found = Pivots.find(
            self.alerts, set(keyed.select("AlertId", "EvidenceIndex").rows()), events, self.world
        )
        unreadable = malformed.unreadable(self.attacks, events["DeviceEvents"])
        return (
            self.id, self.days, self.alerts, self._served(events), about, about_events,
            self._inventory(), found, unreadable, truth.parents(self.world),
        )  # fmt: skip

    def _inventory(self) -> list[Device]:
        """Return every device that is onboarded, though hunting may know nothing of it."""
        known = {device.id for device in self.world.devices}
        silent = {one.id: one for lead in self.leads for one in lead.devices if one.id not in known}
        return [*self.world.devices, *silent.values()]

    def _events(self) -> dict[str, pl.DataFrame]:
        """Write the tables one after the other: each is large, and its parts are as large again."""
        scribe = telemetry.Scribe(self.world)
        creations = [
            scribe.creations(self.dice, end=self.known),
            scribe.creations(self.apart, first=self.known),
        ]
        staged, impossible = self.attacker.events(), malformed.rows(self.attacks)
        tables: dict[str, pl.DataFrame] = {}
        for table in ("DeviceProcessEvents", *activity.PER_DEVICE_DAY):
            parts = creations
            if table in activity.PER_DEVICE_DAY:
                parts = [scribe.write(table, activity.ordinary(table, self.world, self.dice))]
            if table in staged:
                parts.append(scribe.write(table, staged[table]))
            if table in impossible:
                parts.append(malformed.disowned(scribe.write(table, impossible[table])))
            tables[table] = telemetry.finished(parts, table)
            parts.clear()
        return tables

    def _served(self, events: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
        first = {identity: attack.first for identity, attack in self.opened.items()}
        return {
            **{table: empty(table) for table in schema()},
            **{table: rows.drop(telemetry.HIDDEN) for table, rows in events.items()},
            **alert_tables.build(self.alerts, first, self.book.hidden()),
            "DeviceInfo": inventory.device_info(self.random, self.world.devices, self.world.span),
        }
