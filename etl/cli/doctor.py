"""`defender-etl doctor`: what a run needs, looked at one by one, each with its remedy."""

import os

import click

from etl.reports.diagnosis import examine


@click.command()
def doctor() -> int:
    """Check settings, sign-in, each permission and the lake."""
    status = 0
    for finding in examine(os.environ):
        mark = "ok  " if finding.problem is None else "FAIL"
        click.echo(f"{mark}  {finding.name}: {finding.problem or finding.detail}")
        if finding.problem is not None:
            status = max(status, finding.problem.exit_status)
    return status
