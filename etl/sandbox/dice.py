"""Dice: seeded random numbers by the column.

The same seed gives the same numbers on every machine. What is drawn with them belongs elsewhere.
"""

from collections.abc import Sequence
from random import Random

import polars as pl
import pyarrow as pa


class Dice:
    """Draws whole columns of random values."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def _words(self, count: int) -> pl.Series:
        data = pa.py_buffer(self._random.randbytes(8 * count))
        words = pa.Array.from_buffers(pa.uint64(), count, [None, data])
        return pl.Series("", pl.from_arrow(words))

    def uniform(self, count: int) -> pl.Series:
        """Return numbers from 0 up to but not including 1."""
        return (self._words(count) // 2**11).cast(pl.Float64) / 2**53

    def integers(self, low: int, high: int, count: int) -> pl.Series:
        """Return whole numbers from `low` up to but not including `high`."""
        return (self._words(count) % (high - low)).cast(pl.Int64) + low

    def exponential(self, mean: float, count: int) -> pl.Series:
        """Return waiting times of a given mean."""
        return (1 - self.uniform(count)).log() * -mean

    def chance(self, share: float, count: int) -> pl.Series:
        """Return true in about a `share` of the cases."""
        return self.uniform(count) < share

    def choose(self, choices: Sequence[str | None] | pl.Series, count: int) -> pl.Series:
        """Return values drawn from some choices."""
        pool = choices if isinstance(choices, pl.Series) else pl.Series(choices, dtype=pl.String)
        return pool.gather(self.integers(0, len(pool), count))
