"""Judging: the correlation run over worlds, and what it said held against their truth."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import polars as pl

from accuracy import sources
from accuracy.case import Case
from accuracy.frames import frames
from accuracy.sights import Sight, sights
from accuracy.sources import Call
from accuracy.truth import LANDING, TOLERANCE, Truth, truth
from accuracy.worlds import Item, Process, World
from etl.lake import engine
from etl.models.correlation import correlate

TIERS: Final = ("exact", "precision", "tolerance")

Row = dict[str, Any]
Doing = tuple[str, str]
"""An event and the role of a process in it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the correlation said of one evidence item."""

    row: Row
    events: frozenset[Doing]

    @property
    def matched(self) -> bool:
        """Whether a process was found by its key."""
        return self.row["MatchTier"] in TIERS


@dataclass(frozen=True, slots=True)
class Judgement:
    """One evidence item: its truth, what was said of it, and what of that does not hold."""

    world: World
    item: Item
    truth: Truth
    answer: Answer
    doings: frozenset[Doing] = field(repr=False)
    """Everything of the true process in telemetry."""

    plain: frozenset[Doing] = field(repr=False)
    """What of that no other process can have done, by times alone."""

    @property
    def matched(self) -> bool:
        """A process was found by its key, rightly or wrongly."""
        return self.answer.matched

    @property
    def right(self) -> bool:
        """The process that was found is the one that the evidence truly means."""
        row, means = self.answer.row, self.item.means
        shown = {s.time for s in sights(self.world) if s.process is means}
        place = str(row["DeviceId"]).lower() == means.device.id
        return bool(self.matched and place and row["MatchedProcessCreationTicks"] in shown)

    @property
    def wrong(self) -> bool:
        """A process was found, and it is not the one that the evidence truly means."""
        return self.matched and not self.right

    @property
    def missed(self) -> bool:
        """The data decides which process is meant, and none was found."""
        return self.truth.sight is not None and not self.matched

    @property
    def called(self) -> bool:
        """It was said to be ambiguous."""
        return bool(self.answer.row["Reason"] == "ambiguous")

    @property
    def ambiguous(self) -> bool:
        """The data cannot decide which process is meant."""
        return self.truth.reason == "ambiguous"

    @property
    def reasoned(self) -> bool:
        """The reason, or its absence, is the one that holds."""
        return bool(self.answer.row["Reason"] == self.truth.reason)

    @property
    def tiered(self) -> bool:
        """The tier is the one that holds."""
        return bool(self.answer.row["MatchTier"] == self.truth.tier)

    @property
    def strangers(self) -> frozenset[Doing]:
        """Events that were tied to the right process and are not its own, or in another role."""
        return self.answer.events - self.doings if self.right else frozenset()

    @property
    def left_out(self) -> frozenset[Doing]:
        """Events that can only be those of the process that was rightly found, and are missing."""
        return self.plain - self.answer.events if self.right else frozenset()

    @property
    def explained(self) -> bool:
        """Where facts decided and not the time, `Because` names one of them."""
        because = str(self.answer.row.get("Because"))
        told = any(word in because for word in self.truth.told)
        return told or not (self.right and self.truth.told)

    def __str__(self) -> str:
        """Return what happened, with all that the world shows of the pid."""
        row, item = self.answer.row, self.item
        due = self.truth.sight and self.truth.sight.time
        said = (row["MatchTier"], row["MatchedProcessCreationTicks"], row["Reason"])
        lines = [
            f"{self.world}, {item.id}: {item.means.device.platform}, pid {item.pid}",
            f"evidence:  {item.time} on {item.device}, parent {item.parent}",
            *(f"telemetry: {self._seen(s)}" for s in sights(self.world)),
            f"due {(self.truth.tier, due, self.truth.reason)}, said {said}",
            f"because {row.get('Because')}; told by {sorted(self.truth.told)}",
            *(f"stranger: {event} as {role}" for event, role in sorted(self.strangers)),
            *(f"left out: {event} as {role}" for event, role in sorted(self.left_out)),
        ]
        return "\n    ".join(line for line in lines if not line.endswith("another pid"))

    def _seen(self, sight: Sight) -> str:
        if sight.process.pid != self.item.pid:
            return "another pid"
        told = self.item.facts.items()
        alike = {
            name: value.lower() == sight.facts[name].lower()
            for name, value in told
            if name in sight.facts
        }
        return f"{sight.time} on {sight.process.device.id}, parent {sight.parent}, facts {alike}"


def judge(cases: Iterable[Case], seeds: Iterable[int]) -> dict[str, list[Judgement]]:
    """Return the judgements of every case, its worlds made from each seed."""
    cases, seeds = list(cases), list(seeds)
    found: dict[str, list[Judgement]] = {case.name: [] for case in cases}
    for call in dict.fromkeys(case.call for case in cases):
        told = [case for case in cases if case.call == call]
        worlds = [case.world(seed) for case in told for seed in seeds[: case.most]]
        answers = answer(worlds, call)
        for world in worlds:
            found[world.case].extend(judgements(world, call, answers))
    return found


def answer(worlds: Iterable[World], call: Call) -> dict[tuple[str, str], Answer]:
    """Return what the correlation says of every evidence item, by alert and item."""
    with TemporaryDirectory() as name, engine.connection(Path(name)) as duck:
        inputs = frames(worlds, call)
        marts = correlate(duck, dict(inputs), TOLERANCE, Path(name), LANDING)
        found = pl.read_parquet(marts.correlation)
        tied = pl.read_parquet(marts.correlated)
    doings: dict[tuple[str, str], set[Doing]] = {}
    rows = tied.select("AlertId", "EvidenceId", "EventId", "MatchRole").iter_rows()
    for alert, item, event, role in rows:
        doings.setdefault((alert, item), set()).add((event, role))
    return {
        (row["AlertId"], row["EvidenceId"]): Answer(
            row, frozenset(doings.get((row["AlertId"], row["EvidenceId"]), ()))
        )
        for row in found.iter_rows(named=True)
    }


def judgements(world: World, call: Call, answers: dict[tuple[str, str], Answer]) -> list[Judgement]:
    """Return the judgement of each item of a world."""
    return [
        Judgement(
            world,
            item,
            truth(item, world, call),
            answers[item.alert.id, item.id],
            frozenset(_doings(world, item.means)),
            frozenset(_doings(world, item.means, plain=True)),
        )
        for item in world.items
    ]


def _doings(world: World, process: Process, *, plain: bool = False) -> Iterable[Doing]:
    """Return what telemetry has of a process; what is about it and by it as well is about it."""
    rivals = [s for s in sights(world) if s.process.pid == process.pid]
    rivals = [s for s in rivals if s.process is not process and s.process.device == process.device]
    for event in world.events:
        if process not in (event.subject, event.initiator):
            continue
        role = "subject" if event.subject is process else "initiator"
        own = role == "subject" and sources.own(event)
        finely = sources.unit(process.device.platform, own=own)
        shown = sources.in_telemetry(process, own=own)
        alone = all(
            sources.cut(s.time, max(s.unit, finely)) != sources.cut(shown, max(s.unit, finely))
            for s in rivals
        )
        if not plain or alone:
            yield event.id, role
