"""Accuracy: small made-up worlds whose truth is known, and the correlation judged by it.

Made apart from the pipeline: of `etl`, only `frames` and `judging` know anything, to hand the
observations over and to run the correlation; no rule, no SQL and no truth is shared.
"""
