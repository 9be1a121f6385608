"""Measuring a contender: in a process of its own, its wall and processor time and peak memory."""

import json
import os
import resource
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from bench.contenders import CONTENDERS, PACKAGES, Contender, Given
from bench.telemetry import Load


@dataclass(frozen=True, slots=True)
class Measure:
    """What one run took."""

    wall: float
    """Seconds, without starting Python and making the alerts."""

    cpu: float
    """Seconds of all cores."""

    peak: float
    """Megabytes of the process, libraries included."""

    found: int | None
    """Rows of the evidence's own processes."""

    read: int | None
    """Rows of the row groups that were opened, of a run that told."""


def measure(contender: Contender, load: Load, *, tells: bool = False) -> Measure:
    """Run a contender in a fresh process; raises subprocess.CalledProcessError where it fails."""
    number = CONTENDERS.index(contender)
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-m", "bench.measure", str(number), load.text(), str(int(tells))],
        stdout=subprocess.PIPE, check=True, env=_environment(contender),
    )  # fmt: skip
    return Measure(**json.loads(done.stdout))


def again(load: Load) -> dict[str, float]:
    """Return what a day took that was published twice; see `bench.again`."""
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-m", "bench.again", load.text()], stdout=subprocess.PIPE, check=True
    )
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _environment(contender: Contender) -> dict[str, str]:
    """Return the environment of a contender: with packages of its own only where it needs them."""
    mine = [os.environ.get("PYTHONPATH", ""), *([str(PACKAGES)] if contender.needs else [])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(mine)}


def _run(contender: Contender, load: Load, *, tells: bool) -> Measure:
    alerts, files = load.alerts(), load.telemetry.files(contender.order)
    with TemporaryDirectory(dir=load.telemetry.folder) as folder:
        given = Given(files, alerts, Path(folder) / "work", tells)
        given.folder.mkdir()
        wall, cpu = time.perf_counter(), time.process_time()
        found = contender.run(given)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak, rows = _peak(), found.rows
        if isinstance(rows, pl.LazyFrame):
            rows = int(rows.select(pl.len()).collect().item())
    return Measure(wall, cpu, peak, rows, found.read)


def _peak() -> float:
    """Return the most megabytes that this process held; getrusage begins with its parent's."""
    with suppress(OSError):
        told = Path("/proc/self/status").read_text()
        return int(told.partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    chosen, text, told = sys.argv[1:]
    taken = _run(CONTENDERS[int(chosen)], Load.of(text), tells=bool(int(told)))
    print(json.dumps({name: getattr(taken, name) for name in Measure.__slots__}))  # noqa: T201
