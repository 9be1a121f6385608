"""When things run: the one job, the schedule for recent days, the sensor for what changed."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Final

import dagster as dg

from assets.failures import as_dagster
from assets.partitions import DAY
from assets.tenants import ONLY, Tenants
from etl.stages import changes, late
from etl.stages.options import Options
from etl.tenant import Tenant
from etl.windows import of_days

RANGE_START: Final = "dagster/asset_partition_range_start"
RANGE_END: Final = "dagster/asset_partition_range_end"
RECENT_DAYS: Final = 3
"""Days that the schedule pulls again: alerts change and telemetry arrives late."""

MOST_DAYS: Final = 10
"""Days that one evaluation of the sensor asks for; the others are found again by the next."""

_GOING: Final = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]

daily = dg.define_asset_job(
    "daily",
    selection=dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks(),
    description="From sign-in to correlated alerts, for one day or a range of days.",
)


@dg.schedule(job=daily, cron_schedule="5 * * * *", execution_timezone="UTC")
def recent_days(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Bring the last days up to date, every hour, in one run."""
    days = DAY.get_partition_keys(current_time=context.scheduled_execution_time)[-RECENT_DAYS:]
    return dg.RunRequest(tags={RANGE_START: days[0], RANGE_END: days[-1]})


Find = Callable[[Tenant, datetime], Sequence[date]]
"""Finds the days of a tenant that are to be made again, as of an instant."""


@dg.sensor(job=daily, minimum_interval_seconds=900)
def changed_alerts(
    context: dg.SensorEvaluationContext, tenants: dg.ResourceParam[Tenants]
) -> dg.SensorResult | dg.SkipReason:
    """Ask what changed since the watermark, and request the days of those alerts, no others.

    The watermark moves when an evaluation finds nothing left to do; it is in the lake, not here.
    """

    def find(tenant: Tenant, now: datetime) -> Sequence[date]:
        with tenant.lake.alone("alerts"):
            return changes.find(tenant.alerts, tenant.lake, now.date(), tenant.overlap).days

    return _requested(context, tenants, find, "no alert changed")


@dg.sensor(job=daily, minimum_interval_seconds=3600)
def late_telemetry(
    context: dg.SensorEvaluationContext, tenants: dg.ResourceParam[Tenants]
) -> dg.SensorResult | dg.SkipReason:
    """Request the days with misses that telemetry which landed since may decide otherwise."""

    def find(tenant: Tenant, now: datetime) -> Sequence[date]:
        return late.find(tenant.hunting, tenant.lake, now, Options.of(tenant.settings))

    return _requested(context, tenants, find, "no telemetry landed late")


def _requested(
    context: dg.SensorEvaluationContext, tenants: Tenants, find: Find, nothing: str
) -> dg.SensorResult | dg.SkipReason:
    """Return runs for the days that are found, tenant by tenant; one that fails stalls no other."""
    if context.instance.get_runs(dg.RunsFilter(job_name=daily.name, statuses=_GOING), limit=1):
        return dg.SkipReason("a run is under way; what it publishes is not looked at yet")
    requests: list[dg.RunRequest] = []
    told: list[str] = []
    for tenant in tenants.every:
        try:
            with as_dagster():
                found = find(tenant, datetime.now(UTC))
        except (dg.Failure, dg.RetryRequested) as error:
            told.append(f"{tenant.name}: {error}")
            context.log.warning("%s: %s", tenant.name, error)
            continue
        requests += run_requests(tenant.name, found[:MOST_DAYS])
    if requests:
        return dg.SensorResult(run_requests=requests)
    return dg.SkipReason("; ".join(told) or nothing)


def run_requests(tenant: str, days: Sequence[date]) -> list[dg.RunRequest]:
    """Return a run for each stretch of days, for one tenant only."""
    return [
        dg.RunRequest(
            tags={
                RANGE_START: str(window.days[0]),
                RANGE_END: str(window.days[-1]),
                ONLY: tenant,
            }
        )
        for window in of_days(days)
    ]
