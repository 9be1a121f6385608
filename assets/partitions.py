"""The one partitioning of every asset: UTC days, which are the alerts' creation days."""

import dagster as dg

START = "2025-01-01"
"""The first day there is; Defender keeps alerts for 180 days and telemetry for 30."""

DAY = dg.DailyPartitionsDefinition(start_date=START, end_offset=1)
"""`end_offset=1` makes today a partition, still filling."""

SEVERAL_DAYS = dg.BackfillPolicy.single_run()
"""Every asset takes any number of days in one run; Dagster refuses a range otherwise."""
