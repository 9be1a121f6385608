"""Programs: their names and command lines are written by attackers."""

from dataclasses import replace
from typing import Final

from accuracy.case import case
from accuracy.maker import Maker
from accuracy.sources import SLOT, cut
from accuracy.worlds import MS, Process

_HOSTILE: Final = (
    *("'; drop table AlertEvidence; --", '" or ""="', "a\0b", "\0", "a\u200bb", "\ufffd", "😀"),
    *("%", "_", "%%_\\%", "a\r\nb\n", "$(id)`id`", "{x}{{}}", "\\x00\\u0000", "null", "nan", " "),
    *("a\tb", "\u202ecod.exe", "İI\u0131i", "ﬁ", "ß", "x" * 5_000, "[]", "*?", "\x1f", "\\", "/"),
    *("<script>alert(1)</script>", "=cmd|' /C'!A0"),
)


def _hostile(make: Maker, process: Process) -> Process:
    name, command = make.dice.sample(_HOSTILE, 2)
    folder = process.facts["FolderPath"].removesuffix(process.facts["FileName"])
    told = {"FileName": name, "FolderPath": folder + name, "ProcessCommandLine": command}
    return replace(process, facts={**process.facts, **told})


@case("hostile names and command lines")
def hostile(make: Maker) -> None:
    """Quotes, NUL, invisible and foreign letters, wildcards and line ends on both sides."""
    process = _hostile(make, make.process(make.device(make.dice.choice(["windows", "linux"]))))
    make.starts(process)
    make.acts(process)
    make.evidence(process, carries=make.some_facts())


@case("linux exec within 10 ms, hostile command line decides")
def telling(make: Maker) -> None:
    """Let links differ in a letter that is not seen, or that is a wildcard."""
    first = make.process(make.device("linux"), cut(make.time("linux"), SLOT))
    plain = make.dice.choice(["run me", "a", "x 'y'"])
    letters = make.dice.sample(
        ["", "\0", "\u200b", "\ufffd", "%", "_", "\n", "'", '"', "😀", "\\"], 3
    )
    chain = [
        replace(
            first,
            created=first.created + number * MS,
            facts={**first.facts, "ProcessCommandLine": f"{plain}{letter}"},
        )
        for number, letter in enumerate(letters)
    ]
    make.starts(*chain)
    make.evidence(make.dice.choice(chain), carries={"ProcessCommandLine", "FileName", "SHA256"})
