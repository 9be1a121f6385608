"""Attacks: which device is attacked when, and by what story; one attack raises one alert.

Stories say what happens, cases how it is disguised. The alert's body is written in `alerts`.
"""

from dataclasses import dataclass
from random import Random

import polars as pl

from etl.sandbox import cases, fleet, moments
from etl.sandbox.cases import Suspect
from etl.sandbox.fleet import Device
from etl.sandbox.leads import LEADS
from etl.sandbox.plays import Clue, brute_force
from etl.sandbox.processes import image_columns
from etl.sandbox.scenes import Ledger, Scene
from etl.sandbox.stories import Story

_CLOUD = Story("", "Unusual mass download from a cloud application", "Exfiltration", "medium",
               "T1530", lambda _: [])  # fmt: skip
_CUSTOM = Story("", "Custom detection: forbidden tool seen", "Execution", "low", "", lambda _: [])
_SILENT = Story("", "Suspicious activity", "SuspiciousActivity", "informational", "", lambda _: [])
_BRUTE = Story("", "Password spray against a device", "CredentialAccess", "medium", "T1110",
               brute_force)  # fmt: skip
_OTHERS = {
    "device_only": _CUSTOM, "no_evidence": _SILENT, "brute_force": _BRUTE, "cloud": _CLOUD,
}  # fmt: skip
_STRANGERS = fleet.build(Random("strangers to hunting"), scale=0)
_ONE_DEVICE = ("no_device_id", "hidden_key")
"""Cases where the device of a process is told only by the alert naming no other."""


@dataclass(frozen=True, slots=True)
class Attack:
    """What happened, and what the alert about it will name."""

    case: str
    day: int
    story: Story
    devices: list[Device]
    suspects: list[Suspect]
    clues: list[Clue]
    first: int
    last: int
    prefix: str | None = None
    """The kind of id that the alert gets, where its case does not say."""


class Attacker:
    """Stages attacks on a fleet and keeps the ledger of what they did.

    Attackers may share one ledger, so that one's draws change nothing of what another does.
    """

    def __init__(
        self,
        random: Random,
        devices: list[Device],
        ordinary: pl.DataFrame,
        ledger: Ledger | None = None,
    ) -> None:
        roots = ordinary.with_row_index("row").unique(
            ["device", "name"], keep="first", maintain_order=True
        )
        index = zip(roots["device"], roots["name"], roots["row"], strict=True)
        self._random = random
        self._devices = devices
        roots_by_name = {(device, name): row for device, name, row in index}
        self.ledger = ledger or Ledger(len(ordinary), roots_by_name)

    def attack(self, case: str, day: int) -> Attack:
        """Stage one attack on a day, given by its first tick."""
        platform = cases.WITH_PROCESS.get(case)
        device = self._random.choice(
            [one for one in self._devices if platform in (None, one.platform)]
        )
        start = day + self._random.randrange(moments.HOUR, 21 * moments.HOUR)
        scene = Scene(device, self._random, self.ledger, start)
        scene.wait(1)
        first = scene.now
        if platform is None:
            story = _OTHERS[case]
            suspects, clues = list[Suspect](), story.play(scene)
        else:
            story = self._random.choice(cases.stories_of(platform))
            suspects, clues = cases.stage(scene, case, story)
        last = scene.now + moments.SECOND
        return Attack(case, day, story, self._named(case, device), suspects, clues, first, last)

    def attack_on(self, case: str, device: Device, start: int) -> Attack:
        """Stage an attack with processes on a device, from an instant on."""
        scene = Scene(device, self._random, self.ledger, start)
        scene.wait(1)
        first = scene.now
        story = self._random.choice(cases.stories_of(device.platform))
        suspects, clues = cases.stage(scene, case, story)
        day, last = start - start % moments.DAY, scene.now + moments.SECOND
        return Attack(case, day, story, [device], suspects, clues, first, last)

    def lead(self, case: str, day: int) -> Attack:
        """Stage what only hunting finds, early enough that all of it happens on the day."""
        lead = LEADS[case]
        device = self._random.choice([one for one in self._devices if one.platform == "windows"])
        start = day + self._random.randrange(9 * moments.HOUR, 11 * moments.HOUR)
        scene = Scene(device, self._random, self.ledger, start)
        scene.wait(1)
        first = scene.now
        suspects, clues = lead.play(scene)
        strangers = [one for one in _STRANGERS if one.platform == "windows"]
        named = {"its own": [device], "a stranger": strangers[:1]}.get(lead.device, [])
        story = Story("", lead.title, "SuspiciousActivity", "medium", "", lambda _: [])
        last = scene.now + moments.SECOND
        return Attack(case, day, story, named, suspects, clues, first, last, lead.prefix)

    def _named(self, case: str, device: Device) -> list[Device]:
        """Choose the devices that the alert names: mostly one, sometimes up to three."""
        if case in ("cloud", "no_evidence"):
            return []
        if case in _ONE_DEVICE or self._random.random() < 0.8:  # noqa: PLR2004
            return [device]
        others = [one for one in self._devices if one is not device]
        return [device, *self._random.sample(others, self._random.choice((1, 2)))]

    def processes(self) -> pl.DataFrame:
        """Return the processes of all attacks, to be put after the ordinary ones."""
        rows = self.ledger.processes
        platform = {device.index: device.platform for device in self._devices}
        return image_columns([row.image for row in rows]).with_columns(
            command=pl.Series([row.command for row in rows], dtype=pl.String),
            device=pl.Series([row.device for row in rows], dtype=pl.Int64),
            platform=pl.Series([platform[row.device] for row in rows], dtype=pl.String),
            pid=pl.Series([row.pid for row in rows], dtype=pl.Int64),
            created=pl.Series([row.created for row in rows], dtype=pl.Int64),
            parent=pl.Series([row.parent for row in rows], dtype=pl.Int64),
            as_user=pl.Series([row.as_user for row in rows], dtype=pl.Boolean),
            recorded=pl.Series([row.recorded for row in rows], dtype=pl.Boolean),
        )

    def events(self) -> dict[str, pl.DataFrame]:
        """Return what the processes of all attacks did, by table."""
        tables: dict[str, list[dict[str, object]]] = {}
        for event in self.ledger.events:
            row = {"Timestamp": event.ticks, "_initiator": event.initiator, **event.columns}
            tables.setdefault(event.table, []).append(row)
        return {
            table: pl.from_dicts(rows, infer_schema_length=None) for table, rows in tables.items()
        }
