"""Progress on standard error while a run works: a line a step, plain or in place."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class _Lines(logging.Handler):
    """Writes the log of `etl` as short lines with the seconds since the start."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._started = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        seconds = time.monotonic() - self._started
        sys.stderr.write(f"{seconds:6.1f} s  {record.getMessage()}\n")


@contextmanager
def progress() -> Iterator[None]:
    """Show what `etl` logs while inside."""
    logger = logging.getLogger("etl")
    handler = _Lines()
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
