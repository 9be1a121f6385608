"""When things run: the one job over every asset, and the schedule that keeps recent days fresh."""

from typing import Final

import dagster as dg

from assets.partitions import DAY

RANGE_START: Final = "dagster/asset_partition_range_start"
RANGE_END: Final = "dagster/asset_partition_range_end"
RECENT_DAYS: Final = 3
"""Days that the schedule pulls again: alerts change and telemetry arrives late."""

daily = dg.define_asset_job(
    "daily",
    selection=dg.AssetSelection.all(),
    description="From sign-in to correlated alerts, for one day or a range of days.",
)


@dg.schedule(job=daily, cron_schedule="5 * * * *", execution_timezone="UTC")
def recent_days(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Bring the last days up to date, every hour, in one run."""
    days = DAY.get_partition_keys(current_time=context.scheduled_execution_time)[-RECENT_DAYS:]
    return dg.RunRequest(tags={RANGE_START: days[0], RANGE_END: days[-1]})
