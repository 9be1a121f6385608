"""The truth about evidence, by brute force: which process it means, as far as data can tell.

Every process that telemetry shows is held against the evidence, one after the other. It is
*consistent* where device and pid are equal, the creation times agree once both are cut to the
coarser of the two precisions (a source that is coarser as a whole may also have rounded), and no
fact that both sides carry differs. Of consistent ones those known more finely go first: equal to
1 us is no accident, whatever the facts; equal to 10 ms may be. One that is left is what the data
decides; several are ambiguous. Where no time agrees, the nearest within the tolerance is meant, if
nothing contradicts and, where exec keeps the pid, something of its program agrees: account and
parent outlive exec.
"""

from dataclasses import dataclass
from typing import Final

from accuracy import sources
from accuracy.sources import SLOT, Call
from accuracy.worlds import (
    DAY,
    FACTS,
    FILE_FACTS,
    MINUTE,
    MS,
    PARENT,
    US,
    Device,
    Item,
    Process,
    World,
    instant,
)

PULLED: Final = instant("2026-01-10T12:00:00")
LANDING: Final = 40 * MINUTE
RETENTION: Final = 30 * DAY
TOLERANCE: Final = 10 * MS
NO_TIMES: Final = tuple(instant(f"{year}-01-01T00:00:00") for year in ("0001", "1601", "1970"))


@dataclass(frozen=True, slots=True)
class Sight:
    """A process as telemetry shows it: at best by its own row, else by what it did."""

    process: Process
    time: int
    unit: int
    facts: dict[str, str]
    parent: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Truth:
    """What should be found: a process and the tier of its match, or the reason why none."""

    sight: Sight | None = None
    tier: str = "none"
    reason: str | None = None
    by_fact: bool = False
    """Whether times alone would not have decided."""


def sights(world: World) -> list[Sight]:
    """Return what telemetry shows of each process of a world."""
    shown: dict[Process, set[str]] = {}
    for event in world.events:
        if event.subject:
            role = "own" if sources.own(event) else "about"
            shown.setdefault(event.subject, set()).add(role)
        if event.initiator:
            shown.setdefault(event.initiator, set()).add("initiator")
    return [_sight(process, roles) for process, roles in shown.items()]


def _sight(process: Process, roles: set[str]) -> Sight:
    own = "own" in roles
    known = process.shows if roles != {"about"} else process.shows.intersection(FILE_FACTS)
    parent = process.parent if PARENT in known else None
    return Sight(
        process,
        sources.in_telemetry(process, own=own),
        sources.unit(process.device.platform, own=own),
        {name: process.facts[name] for name in FACTS if name in known},
        (parent.pid, sources.in_telemetry(parent, own=False)) if parent else None,
    )


def truth(item: Item, world: World, call: Call) -> Truth:
    """Return what should be found of an item."""
    call, places = call.of(item.alert.source), _places(item)
    if not _usable(item, places):
        return Truth(reason="no_usable_key")
    near = [s for s in sights(world) if s.process.pid == item.pid and s.process.device in places]
    found = _consistent(item, near, call) or _tolerable(item, near, call)
    return found or Truth(reason=_reason(item, world, call))


def _places(item: Item) -> tuple[Device, ...]:
    if item.device is None:
        return item.alert.devices
    return tuple(d for d in item.alert.devices if d.id == item.device.lower())


def _usable(item: Item, places: tuple[Device, ...]) -> bool:
    timed = item.time is not None and all(item.time // DAY != none // DAY for none in NO_TIMES)
    system = item.pid == 4 and all(place.platform == "windows" for place in places)
    return bool(item.pid) and timed and bool(places) and not system


def _consistent(item: Item, near: list[Sight], call: Call) -> Truth | None:
    timely = [(level, s) for s in near if (level := _level(item, s, call)) is not None]
    finest = min((level for level, _ in timely), default=0)
    timely = [(level, s) for level, s in timely if level == finest]
    left = [s for _, s in timely if False not in _facts(item, s, call).values()]
    if finest <= US:
        left = left or [s for _, s in timely]
    if len(left) > 1:
        return Truth(reason="ambiguous")
    if left:
        tier = "exact" if left[0].time == item.time else "precision"
        return Truth(left[0], tier, by_fact=len(timely) > 1)
    return None


def _level(item: Item, sight: Sight, call: Call) -> int | None:
    """Return the precision at which two times agree, in ticks; None where they do not."""
    assert item.time is not None
    finely = sources.read_unit(sight.process.device.platform, item.time, call)
    level = max(finely, sight.unit)
    return level if _agree(item.time, sight.time, level, call) else None


def _agree(evidence: int, telemetry: int, level: int, call: Call) -> bool:
    if sources.cut(evidence, level) == sources.cut(telemetry, level):
        return True
    return level == call.step > 1 and -level // 2 <= telemetry - evidence < level


def _facts(item: Item, sight: Sight, call: Call) -> dict[str, bool]:
    """Return, of the facts that both sides carry, which agree."""
    agree = {
        name: _alike(name, value, sight.facts[name])
        for name, value in item.facts.items()
        if name in sight.facts and (name != "FolderPath" or "/" in value or "\\" in value)
    }
    if item.parent and sight.parent:
        level = max(sources.read_unit(sight.process.device.platform, item.parent[1], call), 1)
        if sight.process.device.platform == "linux":
            level = max(level, SLOT)
        agree[PARENT] = item.parent[0] == sight.parent[0] and _agree(
            item.parent[1], sight.parent[1], level, call
        )
    return agree


def _alike(name: str, evidence: str, telemetry: str) -> bool:
    """Tell whether a fact agrees; the path of evidence without a file name may be a folder."""
    if name == "ProcessCommandLine":
        return evidence == telemetry
    one, other = evidence.lower(), telemetry.lower()
    inside = other.startswith((f"{one}/", f"{one}\\"))
    return one == other or (name == "FolderPath" and inside)


def _tolerable(item: Item, near: list[Sight], call: Call) -> Truth | None:
    assert item.time is not None
    left: list[tuple[int, Sight]] = []
    close = [(abs(s.time - item.time), s) for s in near if abs(s.time - item.time) <= TOLERANCE]
    for distance, sight in close:
        facts = _facts(item, sight, call)
        same = any(facts.get(name) for name in FILE_FACTS)
        if False not in facts.values() and (same or sight.process.device.platform == "windows"):
            left.append((distance, sight))
    nearest = min((distance for distance, _ in left), default=0)
    best = [sight for distance, sight in left if distance == nearest]
    if len(best) > 1:
        return Truth(reason="ambiguous")
    if best:
        rivals = [distance for distance, _ in close if distance == nearest]
        return Truth(best[0], "tolerance", by_fact=len(rivals) > 1)
    return None


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
