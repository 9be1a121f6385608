"""`defender-etl plan`: what pulling some days would cost, told before anything is pulled."""

import os
import sys

import click

from etl.cli.days import days
from etl.cli.progress import progress
from etl.cli.tenants import chosen
from etl.reports.plan import show
from etl.stages.forecast import forecast
from etl.stages.options import Options
from etl.tenant import Tenant


@click.command()
@click.option("--from", "first", metavar="DAY", required=True, help="First UTC day.")
@click.option("--to", "last", metavar="DAY", help="Last day, included; the first where left out.")
@click.option("--tenant", metavar="NAME", help="One tenant of the settings file; all by default.")
def plan(first: str, last: str | None, tenant: str | None) -> int:
    """Count, and show the calls, rows and minutes that a pull of the given days would take."""
    wanted = days(first, last)
    for settings in chosen(os.environ, tenant):
        options = Options.of(settings)
        with Tenant.connect(settings) as connected, progress():
            sys.stderr.write(f"{settings.name}: counting, nothing is pulled …\n")
            show(settings.name, [forecast(connected, day, options) for day in wanted])
    return 0
