"""Stories: the kinds of attack, and what the alert about each is called.

Their steps are told in `plays`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from etl.sandbox import plays
from etl.sandbox.plays import Clue
from etl.sandbox.scenes import Scene


@dataclass(frozen=True, slots=True)
class Story:
    """A kind of attack and the alert that it raises."""

    platform: str
    title: str
    category: str
    severity: str
    technique: str
    play: Callable[[Scene], list[Clue]] = field(repr=False)


STORIES = (
    Story(
        "windows",
        "Suspicious PowerShell download by Office",
        "Execution",
        "high",
        "T1059.001",
        plays.macro,
    ),
    Story(
        "windows",
        "Living off the land: certutil and rundll32",
        "DefenseEvasion",
        "medium",
        "T1218.011",
        plays.lolbin,
    ),
    Story(
        "windows",
        "Ransomware-linked file activity",
        "Ransomware",
        "high",
        "T1486",
        plays.ransomware,
    ),
    Story(
        "windows",
        "Sensitive credential memory read",
        "CredentialAccess",
        "high",
        "T1003.001",
        plays.credentials,
    ),
    Story(
        "linux",
        "Suspicious reverse shell",
        "CommandAndControl",
        "high",
        "T1059.004",
        plays.reverse_shell,
    ),
    Story("linux", "Possible cryptocurrency miner", "Impact", "medium", "T1496", plays.miner),
    Story(
        "macos",
        "Possible information stealer",
        "CredentialAccess",
        "high",
        "T1555.001",
        plays.stealer,
    ),
)
"""Every story that has processes."""
