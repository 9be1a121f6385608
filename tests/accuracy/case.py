"""Cases: named ways for data to be difficult, each told for any seed, and the pull it comes in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from accuracy.maker import Maker
from accuracy.sources import Call
from accuracy.worlds import MS, SECOND, World

DAY: Final = Call("a day")
MS_CUT: Final = Call("alerts cut to ms", step=MS)
MS_ROUNDED: Final = Call("alerts rounded to ms", step=MS, rounded=True)
SECONDS: Final = Call("alerts cut to seconds", step=SECOND)
SECONDS_ROUNDED: Final = Call("alerts rounded to seconds", step=SECOND, rounded=True)
TWO_SOURCES: Final = Call("one source cut to ms, one not", step=MS, coarse=("mde",))
FAILED: Final = Call("a slice that failed", statuses=("complete", "failed"))
UNASKED: Final = Call("nothing asked", statuses=())
FEW: Final = Call("few alerts")
OLD: Final = Call("old telemetry", remembers=True)

Teller = Callable[[Maker], None]


@dataclass(frozen=True, slots=True)
class Case:
    """A case: its name, how a world of it is made, and in which call it is correlated."""

    name: str
    tell: Teller
    call: Call
    most: int
    """How many seeds there are at most: a call of few alerts has few."""

    def world(self, seed: int) -> World:
        """Make the world of a seed."""
        maker = Maker(self.name, seed, self.call)
        self.tell(maker)
        return maker.world


CASES: Final[dict[str, Case]] = {}
"""Every case by its name, in the order of being told."""


def case(name: str, call: Call = DAY, *, most: int = 1_000_000) -> Callable[[Teller], Teller]:
    """Make a function a case."""

    def known(tell: Teller) -> Teller:
        CASES[name] = Case(name, tell, call, most)
        return tell

    return known
