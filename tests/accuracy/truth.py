"""The truth about evidence, by brute force: which process it means, as far as data can tell.

Every process that telemetry shows is held against the evidence, one after the other. It is
*consistent* where device and pid are equal, the creation times agree once both are cut to the
coarser of the two precisions (a source that is coarser as a whole may also have rounded), and no
fact that both sides carry makes it another program. Of consistent ones those known more finely go
first: equal to 1 us is no accident, whatever the facts; equal to 10 ms may be. One that is left, or
that contradicts in less than all others, is what the data decides; else it is ambiguous. Where no
time agrees, the nearest within the tolerance is meant, if it can be the same program and, where
exec keeps the pid, something of the program agrees: account and parent outlive exec.
"""

from dataclasses import dataclass
from typing import Final

from accuracy import sources
from accuracy.sights import Held, Sight, held, sights, told
from accuracy.sources import Call
from accuracy.worlds import DAY, MINUTE, MS, US, Device, Item, World, instant

PULLED: Final = instant("2026-01-10T12:00:00")
LANDING: Final = 40 * MINUTE
RETENTION: Final = 30 * DAY
TOLERANCE: Final = 10 * MS
NO_TIMES: Final = tuple(instant(f"{year}-01-01T00:00:00") for year in ("0001", "1601", "1970"))


@dataclass(frozen=True, slots=True)
class Truth:
    """What should be found: a process and the tier of its match, or the reason why none."""

    sight: Sight | None = None
    tier: str = "none"
    reason: str | None = None
    told: frozenset[str] = frozenset()
    """The facts that decided, where times alone would not have."""


def truth(item: Item, world: World, call: Call) -> Truth:
    """Return what should be found of an item."""
    call, places = call.of(item.alert.source), _places(item)
    if not _usable(item, places):
        return Truth(reason="no_usable_key")
    near = [s for s in sights(world) if s.process.pid == item.pid and s.process.device in places]
    choices = [held(item, sight, call) for sight in near]
    found = _consistent(item, choices, call) or _nearest(item, choices)
    return found or Truth(reason=_reason(item, world, call))


def _places(item: Item) -> tuple[Device, ...]:
    if item.device is None:
        return item.alert.devices
    return tuple(d for d in item.alert.devices if d.id == item.device.lower())


def _usable(item: Item, places: tuple[Device, ...]) -> bool:
    timed = item.time is not None and all(item.time // DAY != none // DAY for none in NO_TIMES)
    system = item.pid == 4 and all(place.platform == "windows" for place in places)
    return bool(item.pid) and timed and bool(places) and not system


def _consistent(item: Item, choices: list[Held], call: Call) -> Truth | None:
    levels = [(level, one) for one in choices if (level := _level(item, one.sight, call))]
    finest = min((level for level, _ in levels), default=0)
    timely = [one for level, one in levels if level == finest]
    left = [one for one in timely if one.possible]
    if finest <= US:
        left = left or timely
    if not left:
        return None
    best = told(left)
    tier = "exact" if best and best.sight.time == item.time else "precision"
    return _decided(best, tier, timely)


def _level(item: Item, sight: Sight, call: Call) -> int:
    """Return the precision at which two times agree, in ticks; 0 where they do not."""
    assert item.time is not None
    finely = sources.read_unit(sight.process.device.platform, item.time, call)
    level = max(finely, sight.unit)
    return level if sources.agree(item.time, sight.time, level, call) else 0


def _nearest(item: Item, choices: list[Held]) -> Truth | None:
    assert item.time is not None
    away = [(abs(one.sight.time - item.time), one) for one in choices]
    close = [(distance, one) for distance, one in away if distance <= TOLERANCE]
    nearest = min((distance for distance, one in close if one.near), default=None)
    if nearest is None:
        return None
    best = told([one for distance, one in close if one.near and distance == nearest])
    return _decided(best, "tolerance", [one for distance, one in close if distance == nearest])


def _decided(best: Held | None, tier: str, timely: list[Held]) -> Truth:
    """Return the best of those whose time may be meant."""
    if best is None:
        return Truth(reason="ambiguous")
    return Truth(best.sight, tier, told=best.words([one for one in timely if one is not best]))


def _reason(item: Item, world: World, call: Call) -> str:
    """Return why nothing is found; what did not come is no reason for anything else."""
    assert item.time is not None
    speaking = {event.device for event in world.events}
    statuses = {*call.statuses, *item.hunts[-1:]}
    if statuses != {"complete"}:
        return "incomplete_pull"
    if max(item.time, item.alert.active) > PULLED - LANDING:
        return "not_landed_yet"
    if item.time < PULLED - RETENTION and not call.remembers:
        return "outside_retention"
    return "no_match" if speaking.intersection(_places(item)) else "device_silent"
