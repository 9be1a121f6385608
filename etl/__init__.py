"""The data code of defender-etl: sign in, pull, normalise, judge, correlate.

Nothing here knows of Dagster; `assets` is the thin skin that schedules it.
"""
