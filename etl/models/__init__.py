"""Tying alerts to telemetry in SQL: one select a file, run in order over named relations.

Sees tables, not functions: its inputs are partitions of core, hunting and ops.
"""
