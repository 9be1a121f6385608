"""`defender-etl demo`: the whole pipeline against the sandbox tenant, in one command."""

import os
import sys
from datetime import UTC, datetime, timedelta

import click

from etl.cli.run import materialise

_SCALE = 1.0
_SEED = 7
_DAYS = 3


@click.command()
def demo() -> int:
    """Serve the sandbox tenant, run the pipeline against it, and show what was found."""
    from etl.sandbox import Sandbox, Tenant  # noqa: PLC0415 - only this command needs them

    today = datetime.now(UTC).date()
    sys.stderr.write(f"Generating a tenant with {_DAYS} days of alerts …\n")
    tenant = Tenant.generate(seed=_SEED, scale=_SCALE, days=_DAYS, until=today)
    with Sandbox(tenant) as served:
        sys.stderr.write(f"Serving it at {served.url}; pulling, modelling, correlating …\n")
        os.environ.update(served.environment)
        return materialise(today - timedelta(days=_DAYS), today - timedelta(days=1))
