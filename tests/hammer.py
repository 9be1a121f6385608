"""Asking a sandbox as fast as a limiter allows, from several threads; also as a process of its own.

As a process: `python hammer.py FOLDER QUOTA CALLS THREADS EACH`, with the sandbox's environment.
"""

import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from etl.access.client import Client
from etl.access.credentials import credentials
from etl.access.limits import Limiter
from etl.access.record import Record
from etl.settings import Settings

ONE = "v1.0/security/alerts_v2?$top=1"
SECOND = 1.0
"""What a minute lasts, and how much longer a limiter takes it: processes may be slow to start."""


def client(environment: Mapping[str, str], record: Record, calls: int) -> Client:
    """Return a client that makes at most so many calls a second; it counts them in a record."""
    settings = Settings.read(environment)
    signed_in = credentials(settings, settings.graph_resource, settings.graph_url)
    limiter = Limiter(record, calls, minute=SECOND, jitter=SECOND)
    root, verify = settings.graph_url, str(settings.ca_bundle)
    return Client(root, signed_in, limiter, "SecurityAlert.Read.All", verify)


def hammer(asking: Client, threads: int, each: int) -> int:
    """Ask from some threads at once, each so often; return how many alerts came."""

    def work(_: int) -> int:
        return sum(len(asking.get(ONE, "list").body["value"]) for _ in range(each))

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(work, range(threads)))


if __name__ == "__main__":
    folder, quota, *numbers = sys.argv[1:]
    most, side_by_side, times = map(int, numbers)
    one = client(os.environ, Record.of(Path(folder), quota), most)
    sys.stdout.write(f"{hammer(one, side_by_side, times)}\n")
    one.close()
