"""Patience: telling queries that are too heavy from a service that is ill.

Both show as no answer in time. A query that is too heavy gets one once it asks for less; a service
that gives none however little is asked is not to be asked for every part of it.
"""

from dataclasses import dataclass
from typing import Final

from etl.errors import ResultTooLarge, TooHeavy

MOST_IN_A_ROW: Final = 8
"""Queries without an answer in a row after which the service counts as ill: by then a slice has
been halved to less than a hundredth."""


@dataclass(slots=True)
class Patience:
    """How often in a row one slice or batch, or a part of it, got no answer in time."""

    lost: int = 0

    def answered(self) -> None:
        """Note an answer."""
        self.lost = 0

    def lasts(self, refusal: ResultTooLarge) -> bool:
        """Note a query that was too much; return whether it is worth asking for its parts."""
        self.lost = self.lost + 1 if isinstance(refusal, TooHeavy) else 0
        return self.lost < MOST_IN_A_ROW
