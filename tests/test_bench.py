"""The benchmark runs end to end; what it measures is nobody's business here."""

import os
import re
import subprocess
import sys
from pathlib import Path

from bench.contenders import CONTENDERS
from runs import CHECKOUT

ROWS = 20_000


def test_every_contender_finds_the_same_rows(tmp_path: Path) -> None:
    """At a small size all contenders agree, and the table has a line for each."""
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-m", "bench", f"--rows={ROWS}", "--rounds=1", "--data", str(tmp_path),
         "--out", str(tmp_path / "out")],
        env={**os.environ, "PYTHONPATH": f"{CHECKOUT / 'tests'}:{CHECKOUT}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    written = (tmp_path / "out" / f"bench-{ROWS}.md").read_text()
    lines = [line.split("|")[1:-1] for line in written.splitlines() if line.startswith("| ")][1:]

    assert done.returncode == 0, done.stderr
    assert {contender.name for contender in CONTENDERS} <= {line[0].strip() for line in lines}
    assert {line[-1].strip() for line in lines[: len(CONTENDERS)]} == {"", "3"}
    assert all(re.fullmatch(r" \d+\.\d\d .*", line[1]) for line in lines)
