"""Measuring a contender: in a process of its own, its wall and processor time and peak memory."""

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.contenders import CONTENDERS, Contender
from bench.telemetry import Telemetry


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


def measure(contender: Contender, telemetry: Telemetry, one_in: int) -> Measure:
    """Run a contender in a fresh process; raises subprocess.CalledProcessError where it fails."""
    number = CONTENDERS.index(contender)
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-m", "bench.measure", str(number), str(telemetry.folder),
         str(telemetry.rows), str(one_in)],
        stdout=subprocess.PIPE, check=True, env={**os.environ},
    )  # fmt: skip
    return Measure(**json.loads(done.stdout))


def _run(contender: Contender, telemetry: Telemetry, one_in: int) -> Measure:
    alerts, files = telemetry.alerts(one_in), telemetry.files(contender.order)
    with TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        found = contender.run(files, alerts, Path(folder))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measure(wall, cpu, peak, found)


if __name__ == "__main__":
    chosen, place, rows, share = sys.argv[1:]
    data = Telemetry(Path(place), int(rows))
    taken = _run(CONTENDERS[int(chosen)], data, int(share))
    print(json.dumps({name: getattr(taken, name) for name in Measure.__slots__}))  # noqa: T201
