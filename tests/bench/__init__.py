"""Benchmarks: what the correlation takes, beside its alternatives, in turns and in one go.

`make bench` runs them; no test depends on how long anything takes.
"""
