"""`defender-etl run`: materialise days with Dagster, in this process.

The only module of `etl` that reaches into `assets`: a command is where the two meet.
"""

import os
import sys
from datetime import date

import click

from etl.cli.days import day
from etl.cli.progress import progress
from etl.errors import ConfigError
from etl.reports.summary import summarise
from etl.settings import Settings


@click.command()
@click.option("--from", "first", required=True, metavar="DAY", help="First UTC day, as 2026-01-31.")
@click.option("--to", "last", metavar="DAY", help="Last day, included; the first where left out.")
def run(first: str, last: str | None) -> int:
    """Pull, model and correlate the alerts created on the given days."""
    start = day("--from", first)
    end = day("--to", last) if last else start
    if end < start:
        raise ConfigError("--to", f"{end} is before --from {start}", "swap the two")
    return materialise(start, end)


def materialise(first: date, last: date) -> int:
    """Run the pipeline for some days, print what was found, and return the exit status.

    Raises ConfigError for settings that cannot be used, before anything is started.
    """
    settings = Settings.read(os.environ)
    from assets import materialise as dagster_run  # noqa: PLC0415 - Dagster takes seconds to import

    if first < dagster_run.first_day():
        remedy = f"start with {dagster_run.first_day()} or later"
        raise ConfigError("--from", f"{first} is before the first partition", remedy)
    with progress():
        outcome = dagster_run.materialise(first, last)
    for line in outcome.doubts:
        sys.stderr.write(f"note: {line}\n")
    for line in outcome.failures:
        sys.stderr.write(f"defender-etl: {line}\n")
    if not outcome.failures:
        summarise(settings.lake, settings.tenant_id, first, last)
    return 1 if outcome.failures else 0
