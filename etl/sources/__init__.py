"""One API surface a module, each yielding raw records with their request id, window and outcome.

What the records mean belongs to `etl.normalise`.
"""
