"""The Dagster skin over `etl`: what there is to materialise, by day, in which order and when.

An asset gets its window, calls `etl` and reports; a decision about data belongs there, not here.
"""
