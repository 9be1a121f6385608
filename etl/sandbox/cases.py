"""Cases: the situations that alerts get into, how often, and how each is staged.

A case is what makes an alert hard to tie to its telemetry. What the alert's text looks like
belongs to `evidence` and `alerts`.
"""

from dataclasses import dataclass
from itertools import cycle
from random import Random

from etl.sandbox import moments
from etl.sandbox.plays import Clue
from etl.sandbox.scenes import Event, Scene
from etl.sandbox.software import Image
from etl.sandbox.stories import STORIES, Story

BARE = "bare_exec_chain"
"""The case whose evidence says nothing of its processes but their keys."""

WITH_PROCESS = {
    "windows": "windows",
    "linux_cut": "linux",
    "exec_chain": "linux",
    BARE: "linux",
    "macos": "macos",
    "mac_exec_chain": "macos",
    "pid_reuse": "windows",
    "no_device_id": "windows",
    "upper_device_id": "windows",
    "sentinel_time": "windows",
    "pid_zero": "windows",
    "null_time": "windows",
    "null_pid": "windows",
    "hidden_key": "windows",
    "telemetry_absent": "windows",
    "initiator_only": "windows",
    "duplicate_evidence": "windows",
    "old_process": "windows",
}
"""Cases whose alerts name processes, and the platform that shows each."""

WITHOUT_PROCESS = ("device_only", "no_evidence", "brute_force", "cloud")

_COMMON = [
    *["windows"] * 5, *["linux_cut"] * 2, "macos", "exec_chain", "mac_exec_chain", "pid_reuse",
    "device_only", "brute_force", "cloud", BARE,
]  # fmt: skip
_RARE = [
    "no_device_id", "upper_device_id", "sentinel_time", "null_time", "null_pid", "pid_zero",
    "hidden_key", "old_process", "telemetry_absent", "initiator_only", "duplicate_evidence",
    "no_evidence",
]  # fmt: skip
_USUAL = [*_COMMON, *_RARE[:7], *_COMMON, *_RARE[7:]]
_EXEC_CHAINS = ("exec_chain", BARE, "mac_exec_chain")
_WHOLE_ALERT = (*_EXEC_CHAINS, "no_device_id", "upper_device_id")
_ONE_PROCESS = ("sentinel_time", "null_time", "null_pid", "hidden_key", "pid_reuse")
_BASIC = {"windows": "windows", "linux": "linux_cut", "macos": "macos"}


@dataclass(frozen=True, slots=True)
class Suspect:
    """A process that an alert names, by row number, and the case it stands for.

    `process` is null for a pid that is no process.
    """

    process: int | None
    case: str


def plan(random: Random, days: int, per_day: int) -> list[list[str]]:
    """Choose the cases of each day; over all days every case occurs if there is room."""
    total = days * per_day
    known = [*WITH_PROCESS, *WITHOUT_PROCESS]
    usual = cycle(_USUAL)
    cases = known + [next(usual) for _ in range(max(0, total - len(known)))]
    random.shuffle(cases)
    return [cases[day::days] for day in range(days)]


def stories_of(platform: str) -> list[Story]:
    """Return the stories that play on a platform."""
    return [story for story in STORIES if story.platform == platform]


def stage(scene: Scene, case: str, story: Story) -> tuple[list[Suspect], list[Clue]]:
    """Play a story so that a case arises; return whom the alert names, and what else."""
    basic = case if case in _WHOLE_ALERT else _BASIC[scene.device.platform]
    scene.execs, scene.crowded = case in _EXEC_CHAINS, case == BARE
    old = _old(scene) if case == "old_process" else []
    clues = story.play(scene)
    suspects = [Suspect(process, basic) for process in scene.suspects]
    last = scene.suspects[-1]
    if case == "pid_reuse":
        _reuse(scene, last)
    if case in _ONE_PROCESS:
        suspects[-1] = Suspect(last, case)
    if case == "duplicate_evidence":
        suspects[-1:] = [Suspect(last, case)] * 2
    if case == "pid_zero":
        suspects.append(Suspect(None, case))
    if case in ("telemetry_absent", "initiator_only"):
        suspects.append(Suspect(_unrecorded(scene, last, acts=case == "initiator_only"), case))
    return old + suspects, clues


def _old(scene: Scene) -> list[Suspect]:
    """Have a service started a day or more ago act during the attack."""
    attack = scene.now
    scene.now -= scene.random.randrange(24 * moments.HOUR, 30 * moments.HOUR)
    scene.now = max(scene.now, attack - attack % moments.DAY - moments.DAY + 40 * moments.MINUTE)
    image = Image("C:\\Program Files\\Agent\\agentsvc.exe", "Agent Ltd", "Agent")
    service = scene.start(scene.root("services.exe"), image, image.command, pid=scene.pid())
    scene.do("DeviceNetworkEvents", "ConnectionSuccess", service, RemoteIP="203.0.113.9",
             RemotePort=443, Protocol="Tcp")  # fmt: skip
    scene.now = attack
    for _ in range(3):
        scene.do("DeviceFileEvents", "FileModified", service, FileName="state.db",
                 FolderPath="C:\\Program Files\\Agent\\state.db")  # fmt: skip
    return [Suspect(service, "old_process")]


def _reuse(scene: Scene, process: int) -> None:
    """Give the same pid to harmless processes before and after, which act as well."""
    taken = scene.ledger[process]
    image = Image(
        "C:\\Windows\\System32\\backgroundTaskHost.exe", "Microsoft Corporation", "Windows"
    )
    for minutes in (-47, 2, 95):
        created = taken.created + minutes * moments.MINUTE + scene.random.randrange(moments.SECOND)
        before, scene.now = scene.now, created
        decoy = scene.start(scene.root("svchost.exe"), image, image.command, pid=taken.pid)
        scene.now = before
        for number in range(4):
            ticks = created + (number + 1) * moments.SECOND
            columns: dict[str, object] = {"ActionType": "FileCreated", "FileName": "cache.dat"}
            scene.ledger.events.append(Event("DeviceFileEvents", ticks, decoy, columns))


def _unrecorded(scene: Scene, parent: int, *, acts: bool) -> int:
    """Start a process whose creation the sensor missed, and maybe everything else of it."""
    image = Image("C:\\Users\\Public\\ghost.exe")
    scene.wait(5)
    ghost = scene.start(parent, image, "ghost.exe -q", pid=scene.pid(), recorded=False)
    for _ in range(5 if acts else 0):
        scene.do("DeviceNetworkEvents", "ConnectionSuccess", ghost, RemoteIP="198.51.100.7",
                 RemotePort=443, Protocol="Tcp")  # fmt: skip
    return ghost
