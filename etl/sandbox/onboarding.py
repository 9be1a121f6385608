"""Onboarding: devices that get another id while they are watched, as a reinstalled sensor does.

Telemetry stands under the id of its time. An alert may name the other one: the old id for what
happened after, or the new one for what happened before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

import polars as pl

from etl.sandbox import moments
from etl.sandbox.attacks import Attack, Attacker
from etl.sandbox.cases import NEW_ID, OLD_ID
from etl.sandbox.fleet import Device
from etl.sandbox.processes import Span

_PLATFORMS: Final = ("windows", "linux")
_REST: Final = 90 * moments.MINUTE
"""How long a device has been left alone by attackers, so that no other alert is near."""

_PAUSE: Final = 10 * moments.MINUTE
_ALERTED: Final = moments.HOUR
"""Within this an attack is over and has its alert."""


@dataclass(frozen=True, slots=True)
class Anew:
    """A device that has another id from a tick on."""

    before: Device
    after: Device
    since: int

    def at(self, ticks: int) -> Device:
        """Return the device as it is called at an instant."""
        return self.after if ticks >= self.since else self.before


def called(anew: Sequence[Anew], device: pl.Expr, ticks: pl.Expr) -> pl.Expr:
    """Return the ids that devices have at their instants, by those that they had at first."""
    for one in anew:
        moved = (device == one.before.id) & (ticks >= one.since)
        device = pl.when(moved).then(pl.lit(one.after.id)).otherwise(device)
    return device


def stage(
    random: Random, attacker: Attacker, devices: Sequence[Device], span: Span
) -> tuple[list[Anew], list[Attack]]:
    """Onboard some devices anew, with an attack just before and one just after.

    Each attack is named by the id that its telemetry is not under. A platform whose devices are
    attacked until late on the last day has none.
    """
    anew: list[Anew] = []
    attacks: list[Attack] = []
    last = attacker.ledger.last_acts()
    for platform in _PLATFORMS:
        able = [device for device in devices if device.platform == platform]
        device = min(able, key=lambda one: last.get(one.index, 0))
        first_day = span.start + moments.DAY + moments.HOUR
        start = max(last.get(device.index, 0), first_day) + _REST
        if start + 2 * _PAUSE + _ALERTED > span.end:
            continue
        early = attacker.attack_on(NEW_ID, device, start)
        since = early.last + _PAUSE
        late = attacker.attack_on(OLD_ID, device, since + _PAUSE)
        renamed = replace(device, id=f"{random.getrandbits(160):040x}")
        anew.append(Anew(device, renamed, since))
        attacks += [replace(early, devices=[renamed]), late]
    return anew, attacks
