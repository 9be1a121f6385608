"""The benchmark runs end to end; what it measures is nobody's business here."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from bench.contenders import CONTENDERS, available
from bench.report import AIMS, MEASURED
from runs import CHECKOUT

ROWS = 20_000
ITEMS = 3


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a report on a small benchmark."""
    folder = tmp_path_factory.mktemp("bench")
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-m", "bench", f"--rows={ROWS}", "--rounds=1", "--data", str(folder),
         "--out", str(folder / "out")],
        env={**os.environ, "PYTHONPATH": f"{CHECKOUT / 'tests'}:{CHECKOUT}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "out"


def tables(written: Path) -> list[list[list[str]]]:
    """Return the cells of the report's tables, without their heads."""
    text = (written / f"bench-{ROWS}.md").read_text()
    parts = [part.splitlines() for part in text.split("\n\n")[1:]]
    return [
        [[cell.strip() for cell in line.split("|")[1:-1]] for line in part[2:]] for part in parts
    ]


def test_every_contender_finds_the_same_rows(written: Path) -> None:
    """At a small size all contenders find all evidence, and the table has a line for each."""
    figures, _ = tables(written)
    found = {line[0]: line[-1] for line in figures[: len(available(ROWS))]}

    assert set(found) == {contender.name for contender in available(ROWS)}
    assert set(found.values()) == {"-", str(ITEMS)}
    assert all(re.fullmatch(r"\d+\.\d\d .*", line[1]) for line in figures)


def test_pandas_is_asked_where_it_is_installed(written: Path) -> None:
    """The one contender with packages of its own is not left out where these are."""
    if len(available(ROWS)) < len(CONTENDERS):
        pytest.skip("pandas is not beside the environment: make test puts it there")
    assert "pandas, merge" in (written / f"bench-{ROWS}.md").read_text()


def test_rows_that_are_read_are_counted(written: Path) -> None:
    """The floor opens all rows once, ours what holds its matches and more; polars is silent."""
    figures, _ = tables(written)
    read = {line[0]: line[-3:-1] for line in figures}
    floor, keys, whole = (
        int(read[name][0].replace(",", ""))
        for name in ("three key columns, read", "defender-etl, keys", "defender-etl, whole rows")
    )

    assert floor == ROWS
    assert ITEMS <= keys < whole
    assert read["defender-etl, whole rows"][1] == f"{whole / floor:.2f}"
    assert read["polars, streaming join"] == ["-", "-"]


def test_every_aim_is_told_with_what_was_measured(written: Path) -> None:
    """An aim has its ratio and whether it holds, by the figures of the same report."""
    _, told = tables(written)
    bounds = {aim.what: aim.most for aim in AIMS}

    assert {line[0] for line in told[:-1]} <= set(bounds)
    assert told[-1][0].startswith("a day of 2 alerts again")
    for what, ratio, bound, holds in told:
        most = bounds.get(what, True)
        limit = float(bound.split()[-1])
        within = float(ratio) <= limit if most else float(ratio) >= limit
        assert within == (holds == "yes"), what


def test_the_chart_has_a_bar_for_each_contender(written: Path) -> None:
    """The chart is an image with three bars a contender, and its background."""
    root = ET.parse(written / f"bench-{ROWS}.svg").getroot()  # noqa: S314 - our own
    bars = root.findall("{http://www.w3.org/2000/svg}rect")

    assert len(bars) == 1 + 3 * len(available(ROWS))
    assert MEASURED not in "".join(root.itertext())
