"""Pace: how wide and how quick the rows of a table have been, and how many fit into one answer.

The service promises 50 MB and three minutes a query. What a row takes is learned from the ledger,
so that the second plan is better than the first; until then it is guessed on the safe side.
"""

from dataclasses import dataclass
from typing import Final

RESULT_BYTES: Final = 50_000_000
"""The service's limit on the size of one result."""

RESULT_SECONDS: Final = 180.0
"""The service's limit on the time of one query."""

MARGIN: Final = 0.8
"""The share of a limit that a slice is planned to fill: rows keep arriving after the count."""

ROW_BYTES: Final = 3_000.0
"""What a row of the widest table takes as JSON."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What a row of one table takes: bytes of the answer, and seconds of the query."""

    bytes: float = ROW_BYTES
    seconds: float = 0.0

    def rows(self, most: int) -> int:
        """Return how many rows to plan for one answer, at least one; `most` is the row limit."""
        limits = [float(most), RESULT_BYTES / max(self.bytes, 1.0)]
        if self.seconds > 0:
            limits.append(RESULT_SECONDS / self.seconds)
        return max(1, int(MARGIN * min(limits)))
