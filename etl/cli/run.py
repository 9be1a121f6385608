"""`defender-etl run`: materialise days with Dagster, in this process.

The only module of `etl` that reaches into `assets`: a command is where the two meet.
"""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime

import click

from etl.cli.days import days
from etl.cli.progress import progress
from etl.cli.tenants import chosen
from etl.errors import ConfigError, EtlError
from etl.reports.summary import summarise
from etl.stages import changes, late
from etl.stages.options import Options
from etl.tenant import Tenant
from etl.windows import of_days


@click.command()
@click.option("--from", "first", metavar="DAY", help="First UTC day, as 2026-01-31.")
@click.option("--to", "last", metavar="DAY", help="Last day, included; the first where left out.")
@click.option(
    "--changed",
    is_flag=True,
    help="In place of days: those whose alerts changed since they were published.",
)
@click.option("--tenant", metavar="NAME", help="One tenant of the settings file; all by default.")
def run(first: str | None, last: str | None, tenant: str | None, *, changed: bool) -> int:
    """Pull, model and correlate the alerts created on the given days."""
    if changed:
        if first or last:
            raise ConfigError("--changed", "finds the days by itself", "leave --from and --to out")
        return catch_up(tenant)
    if not first:
        raise ConfigError("--from", "is missing", "name the first day, or use --changed")
    wanted = days(first, last)
    return materialise(wanted[0], wanted[-1], tenant)


def materialise(first: date, last: date, only: str | None = None) -> int:
    """Run the pipeline for some days, print what was found, and return the exit status.

    Raises ConfigError for settings that cannot be used, before anything is started.
    """
    settings = chosen(os.environ, only)
    for one in settings:
        Tenant.connect(one).close()  # nothing is asked; what stands in the way is told at once
    from assets import materialise as dagster_run  # noqa: PLC0415 - Dagster takes seconds to import

    if first < dagster_run.first_day():
        remedy = f"start with {dagster_run.first_day()} or later"
        raise ConfigError("--from", f"{first} is before the first partition", remedy)
    with progress():
        outcome = dagster_run.materialise(first, last, only)
    for line in outcome.doubts:
        sys.stderr.write(f"note: {line}\n")
    for line in outcome.failures:
        sys.stderr.write(f"defender-etl: {line}\n")
    if not outcome.failures:
        for one in settings:
            summarise(one.lake, one.tenant_id, first, last)
    return 1 if outcome.failures else 0


def catch_up(only: str | None) -> int:
    """Run the pipeline for the days behind, tenant by tenant, until none is; return the status.

    A tenant that cannot be asked is told and stalls no other.
    """
    status = 0
    for settings in chosen(os.environ, only):
        with Tenant.connect(settings) as tenant:
            try:
                behind = _behind(tenant)
                for stretch in of_days(behind):
                    status |= materialise(stretch.days[0], stretch.days[-1], settings.name)
                left = _behind(tenant) if behind else ()
            except EtlError as error:
                sys.stderr.write(f"defender-etl: {settings.name}: {error}\n")
                status = 1
                continue
            if left:
                sys.stderr.write(f"defender-etl: {settings.name}: still behind on {left[0]}\n")
                status = 1
    return status


def _behind(tenant: Tenant) -> Sequence[date]:
    now = datetime.now(UTC)
    with tenant.lake.alone("alerts"):
        found = changes.find(tenant.alerts, tenant.lake, now.date(), tenant.overlap)
    for doubt in found.doubts:
        sys.stderr.write(f"note: {tenant.name}: {doubt}\n")
    landed = late.find(tenant.hunting, tenant.lake, now, Options.of(tenant.settings))
    behind = sorted({*found.days, *landed})
    told = ", ".join(map(str, behind)) or "no day"
    sys.stderr.write(f"{tenant.name}: {told} behind\n")
    return behind
