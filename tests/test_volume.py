"""A pull of twenty thousand alerts, measured where it is served: requests, and memory."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from runs import bare

from etl.sandbox import Faults, Request, Sandbox, Tenant
from etl.sandbox.crowd import crowd

ALERTS = 20_000
DAYS = 7
UNTIL = datetime.now(UTC).date()

CHILD = """
import os, resource, sys
from datetime import date
from etl.settings import Settings
from etl.stages import alerts, model, watermarks
from etl.tenant import Tenant
from etl.windows import Window

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

days = Window(*(Window.of_day(date.fromisoformat(day)).start for day in sys.argv[1:])).days
with Tenant.connect(Settings.read(os.environ)) as tenant:
    seen, listing = [], type(tenant.alerts).changed
    def watched(self, *asked):
        for page in listing(self, *asked):
            yield page
            seen.append(peak())
    type(tenant.alerts).changed = watched
    done = alerts.pull(tenant.alerts, tenant.lake, days, tenant.overlap)
    print(sum(report.rows for report in done.values()), seen[1], peak(), flush=True)
    for day in days:
        model.publish(tenant.lake, day)
    watermarks.move(tenant.lake, tenant.alerts.name, days)
    input()
    again = alerts.pull(tenant.alerts, tenant.lake, days, tenant.overlap)
    print(sum(report.published for report in again.values()), flush=True)
    input()
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Serve many alerts under the service's own limits."""
    with Sandbox(Tenant.of(crowd(ALERTS, days=DAYS, seed=4, until=UNTIL)), faults=Faults()) as one:
        yield one


def busiest_minute(requests: list[Request]) -> int:
    """Return the most requests in any minute."""
    return max(sum(0 <= other.at - one.at < 60 for other in requests) for one in requests)


def test_many_alerts_cost_few_requests_and_no_memory(sandbox: Sandbox, tmp_path: Path) -> None:
    """20,000 alerts stay within the quota, in flat memory; unchanged, they cost three requests."""
    first = UNTIL - timedelta(days=DAYS)
    environment = bare({**sandbox.environment, "DEFENDER_LAKE": str(tmp_path)})
    command = [sys.executable, "-c", CHILD, str(first), str(UNTIL + timedelta(days=1))]
    with subprocess.Popen(  # noqa: S603 - this interpreter
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        rows, early, late = map(int, child.stdout.readline().split())
        pulled = sandbox.requests
        child.stdin.write("\n")
        child.stdin.flush()
        new = int(child.stdout.readline())
        child.stdin.write("\n")
    again = sandbox.requests[len(pulled) :]
    listed = [request for request in pulled if "alerts_v2" in request.path]
    tokens = [request for request in pulled if request.path.endswith("/token")]

    assert rows == ALERTS
    assert {request.status for request in sandbox.requests} == {200}
    assert busiest_minute(listed) <= 150
    assert len(listed) <= 40
    assert len(tokens) == 1
    assert late - early < 60  # MB
    assert new == 0
    assert len(again) <= 3
