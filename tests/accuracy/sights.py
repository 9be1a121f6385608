"""Sights: what telemetry shows of each process, and evidence held against it, fact by fact."""

from dataclasses import dataclass
from typing import Final

from accuracy import sources
from accuracy.sources import SLOT, Call
from accuracy.worlds import FACTS, FILE_FACTS, PARENT, Item, Process, World

STRONG: Final = ("FileName", "SHA1", "SHA256", "ProcessCommandLine")
"""Facts that make another program. Of one program path, account and parent may be told in several
ways; these decide only where another process agrees."""

WORDS: Final = {
    "FileName": "file name",
    "FolderPath": "path",
    "ProcessCommandLine": "command line",
    "AccountName": "account",
    "AccountSid": "account",
    PARENT: "parent",
}
"""What facts are called where it is told that they decided; hashes by their own names."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A process as telemetry shows it: at best by its own row, else by what it did."""

    process: Process
    time: int
    unit: int
    facts: dict[str, str]
    parent: tuple[int, int] | None


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


@dataclass(frozen=True, slots=True)
class Held:
    """A sight that evidence was held against: the facts that both carry, by whether they agree."""

    sight: Sight
    agree: frozenset[str]
    deny: frozenset[str]

    @property
    def possible(self) -> bool:
        """Nothing says that it is another program."""
        return self.deny.isdisjoint(STRONG)

    @property
    def near(self) -> bool:
        """A time that is a little off may be its own: exec would make another program of it."""
        same = not self.agree.isdisjoint(FILE_FACTS)
        return self.possible and (same or self.sight.process.device.platform == "windows")

    def words(self, rivals: "list[Held]") -> frozenset[str]:
        """Return what the facts are called that agree here and tell any of the rivals apart."""
        denied = frozenset().union(*(rival.deny for rival in rivals))
        return frozenset(WORDS.get(name, name) for name in self.agree & denied)


def held(item: Item, sight: Sight, call: Call) -> Held:
    """Hold an item against a sight."""
    same = {
        name: _alike(name, value, sight.facts[name])
        for name, value in item.facts.items()
        if name in sight.facts and (name != "FolderPath" or "/" in value or "\\" in value)
    }
    if item.parent and sight.parent:
        platform = sight.process.device.platform
        level = sources.read_unit(platform, item.parent[1], call)
        level = max(level, SLOT) if platform == "linux" else level
        timely = sources.agree(item.parent[1], sight.parent[1], level, call)
        same[PARENT] = item.parent[0] == sight.parent[0] and timely
    return Held(
        sight,
        frozenset(name for name, agrees in same.items() if agrees),
        frozenset(name for name, agrees in same.items() if not agrees),
    )


def _alike(name: str, evidence: str, telemetry: str) -> bool:
    """Tell whether a fact agrees; the path of evidence without a file name may be a folder."""
    if name == "ProcessCommandLine":
        return evidence == telemetry
    one, other = evidence.lower(), telemetry.lower()
    inside = other.startswith((f"{one}/", f"{one}\\"))
    return one == other or (name == "FolderPath" and inside)


def told(choices: list[Held]) -> Held | None:
    """Return the one of several that contradicts in less than every other one, if there is any."""
    for one in choices:
        if all(one.deny < other.deny for other in choices if other is not one):
            return one
    return None
