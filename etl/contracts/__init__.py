"""What every table of the lake promises: one contract a table, from which the rest derives.

Column schemas in Dagster, casts, empty tables and the table list in the README come from here; how
records become rows belongs to `etl.normalise`.
"""
