from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from etl.lake import engine
from etl.models import relations

GUID = "ab8902b4-09ca-4bb6-b78d-a8f59079a8d5"


def shapes(*lines: str) -> list[str]:
    """Return the shapes of some command lines."""
    with TemporaryDirectory() as name, engine.connection(Path(name)) as duck:
        relations.relate(duck, "Lines", pl.DataFrame({"Line": sorted(set(lines))}))
        found = dict(duck.sql(relations.sql("command_shapes")).fetchall())
    return [found[line] for line in lines]


CASES = {
    "case and blanks": ("CMD.exe\t /C   ver ", "cmd.exe /c ver"),
    "numbers": ("svc.exe -p 8080 --pid=77", "svc.exe -p 0 --pid=0"),
    "guid": (f"dllhost.exe /Processid:{{{GUID.upper()}}}", "dllhost.exe /processid:{<guid>}"),
    "hexadecimal": ("a.exe --key 3f2a9bc1d4e5f607", "a.exe --key 0"),
    "words are no numbers": ("feed facade decade", "feed facade decade"),
    "user": (r"C:\Users\Ada Brook\a.exe", r"c:\users\<user>\a.exe"),
    "user at the end": (r"dir C:\Users\ada /s", r"dir c:\users\<user> /s"),
    "home": ("/home/ada/.k -d", "/home/<user>/.k -d"),
    "public": (r"C:\Users\Public\b.dll", r"c:\users\<public>\b.dll"),
    "temporary": (r"%TEMP%\qzx12.ps1 -x", r"%temp%\<temp>.ps0 -x"),
    "temporary folder": ("/bin/sh -c /tmp/kworkerds", "/bin/sh -c /tmp/<temp>"),
    "base64": (f"powershell.exe -enc {'SQBFAFgAIAAo' * 9}/x+==", "powershell.exe -enc <blob>"),
    "paths are no base64": ("/usr/libexec/application/support/x", None),
    "hostile": ("a'; drop table Alerts; --\r\n<script>", "a'; drop table alerts; -- <script>"),
}


@pytest.mark.parametrize(("line", "shape"), CASES.values(), ids=CASES)
def test_a_command_line_has_a_shape(line: str, shape: str | None) -> None:
    """What differs from run to run is replaced, and the rest stays."""
    assert shapes(line) == [shape or line]


PIECES = st.sampled_from(
    ["users", "home", "temp", "tmp", "public", "\\", "/", "%", "<blob>", "<user>", "<guid>", "=",
     "+", "-", " ", "\n", '"', ".", ":", "0", "17", "a", "f", "face", "bob", "q" * 33, GUID,
     "İ", "Σ"]
)  # fmt: skip
LINES = st.lists(PIECES, max_size=14).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40
)


@given(st.lists(LINES, min_size=1, max_size=20))
@example(["/home/x/home/y/z", "0-0-0-0-0-0-0-0-0", "a" * 32 + "/" + "b" * 32 + "=/"])
def test_a_shape_is_its_own_shape(lines: list[str]) -> None:
    """Taking the shape of a shape changes nothing."""
    once = shapes(*lines)

    assert shapes(*once) == once


TEMPLATES = st.lists(PIECES.filter(lambda piece: piece != GUID) | st.just(None), max_size=10)
NUMBERS = st.integers(0, 10**12).map(str)


@given(TEMPLATES, st.lists(NUMBERS, min_size=20, max_size=20))
def test_lines_that_differ_in_digits_have_one_shape(
    template: list[str | None], numbers: list[str]
) -> None:
    """Whatever the numbers in a line and however long, the shape is the same."""
    one = "".join(numbers[n] if p is None else p for n, p in enumerate(template))
    other = "".join(numbers[n + 10] if p is None else p for n, p in enumerate(template))

    assert len(set(shapes(one, other))) == 1


def numbered(guid: object) -> bool:
    """Return whether the outer groups of a GUID have a digit, without which they could be words."""
    return all(any(map(str.isdigit, str(guid).split("-")[n])) for n in (0, -1))


GUIDS = st.uuids().filter(numbered).map(str)
FRAMES = st.sampled_from(["{%s}", "a.exe /id:%s /x", "c:\\temp\\%s.tmp", "%s"])


@given(GUIDS, GUIDS.map(str.upper), FRAMES)
def test_lines_that_differ_in_guids_have_one_shape(one: str, other: str, line: str) -> None:
    """Whatever the GUID in a line, the shape is the same."""
    first, second = shapes(line % one, line % other)

    assert first == second
