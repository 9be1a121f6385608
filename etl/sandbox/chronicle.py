"""Chronicle: a made-up week of an alert queue, with everything that happens to its alerts.

What is known for certain: at any instant the API shows the newest visible state of each alert, so
the versions that any puller can see are exactly the states shown at the instants of its polls.
What happens to an alert from one state to the next is told in `turns`; how many alerts there are at
once, with no history, in `crowd`.
"""

import bisect
import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Self

from etl.sandbox import moments
from etl.sandbox.alerts import Alert
from etl.sandbox.specimens import Specimens, rounded
from etl.sandbox.turns import Turn, Turns, reordered

_MOST_TURNS = 6
_CYCLE = 16
_LATENESS = {1: (True, True), 9: (True, False)}
"""Which alerts of each cycle appear late, and whether they never change afterwards."""

_LATE_FROM, _LATE_TO = 4 * moments.HOUR, 26 * moments.HOUR
_TIE_SHARE, _TIES_PER_DAY = 0.3, 2
_TWIN_SHARE, _AGAIN_SHARE = 0.25, 0.2


@dataclass(frozen=True, slots=True)
class State:
    """An alert as it is from one turn to the next, and the tick from which the API shows it."""

    visible: int
    alert: Alert = field(repr=False)


@dataclass(frozen=True, slots=True)
class Chronicle:
    """The states of all alerts in the order in which they become visible; ticks are .NET's.

    A state that brings something new is visible at most `late_minutes` after its
    lastUpdateDateTime, except that some alerts first appear hours or a day late, half of them
    never to change again. All is visible by the end. A state that is served again has the same
    content, and its JSON another order of keys.
    """

    seed: int
    days: list[date]
    states: tuple[State, ...]

    @classmethod
    def generate(
        cls,
        seed: int,
        *,
        days: int = 7,
        alerts: int = 40,
        until: date | None = None,
        late_minutes: int = 20,
    ) -> Self:
        """Make the days before `until`, today by default.

        Raises ValueError where `late_minutes` leaves no time for two states of one update.
        """
        if late_minutes < 2:  # noqa: PLR2004 - a minute is kept for states that follow each other
            raise ValueError(f"late_minutes is {late_minutes}; give 2 or more")
        end = until or datetime.now(UTC).date()
        covered = [end - timedelta(days=back) for back in range(days, 0, -1)]
        writer = _Writer(Random(seed), covered, late_minutes * moments.MINUTE)
        states = sorted(writer.states(alerts), key=lambda state: state.visible)
        return cls(seed, covered, tuple(states))

    @property
    def end(self) -> int:
        """Return the midnight at which the last day ends."""
        return moments.midnight(self.days[-1]) + moments.DAY

    def as_of(self, instant: int) -> list[Alert]:
        """Return copies of what the API shows at an instant, in no particular order."""
        visible = bisect.bisect_right(self.states, instant, key=lambda state: state.visible)
        newest = {state.alert["id"]: state.alert for state in self.states[:visible]}
        return copy.deepcopy(list(newest.values()))

    def moments(self) -> list[int]:
        """Return the instants at which something becomes visible."""
        return sorted({state.visible for state in self.states})

    def ticks(self, n: int) -> list[int]:
        """Return `n` instants for polls, at irregular distances, the last one at the end."""
        start = moments.midnight(self.days[0])
        drawn = Random(f"{self.seed} {n}").sample(range(start + 1, self.end), n - 1)
        return [*sorted(drawn), self.end]


class _Writer:
    """Writes the life of each alert."""

    def __init__(self, random: Random, days: list[date], late: int) -> None:
        self._random = random
        self._start = moments.midnight(days[0])
        self._late = late
        self._last = self._start + len(days) * moments.DAY - late
        """The last tick of an update: it has to be visible by the end."""

        self._specimens = Specimens(random)
        self._turns = Turns(random, self._specimens)
        span = range(self._start + moments.HOUR, self._last)
        self._ties = sorted(
            rounded(tick) for tick in random.sample(span, _TIES_PER_DAY * len(days))
        )

    def states(self, number: int) -> Iterator[State]:
        """Yield the states of so many alerts, those of each in order."""
        for index in range(number):
            share = self._random.uniform(index, index + 1) / number
            created = self._start + round(share * (self._last - self._start - moments.HOUR))
            late, lone = _LATENESS.get(index % _CYCLE, (False, False))
            life = list(self._life(created, late=late, lone=lone))
            yield from life
            for state, following in zip(life, [*life[1:], None], strict=True):
                until = self._last if following is None else following.visible
                if self._random.random() < _AGAIN_SHARE and until > state.visible + 1:
                    again = self._random.randrange(state.visible + 1, until)
                    yield State(again, reordered(self._random, state.alert))

    def _life(self, created: int, *, late: bool, lone: bool) -> Iterator[State]:
        """Yield what is new about an alert; one that is `lone` never changes."""
        alert = self._open(created)
        room = self._last - created
        shown = rounded(created) + self._lateness()
        if late and room > _LATE_FROM:
            shown = created + self._random.randrange(_LATE_FROM, min(room, _LATE_TO) + 1)
        yield State(shown, alert)
        if lone:
            return
        for updated, turn in self._plan(max(created, shown - self._late + moments.MINUTE)):
            alert = self._turns.take(turn, alert, updated)
            shown = max(updated + self._lateness(), shown + moments.SECOND)
            yield State(shown, alert)

    def _lateness(self) -> int:
        return self._random.randrange(self._late - moments.MINUTE + 1)

    def _plan(self, since: int) -> list[tuple[int, Turn]]:
        """Return when an alert is updated after a tick, and how; twins share one instant."""
        span = range(since, self._last)
        most = self._random.randrange(_MOST_TURNS + 1) if len(span) > moments.MINUTE else 0
        own = [rounded(tick) for tick in self._random.sample(span, most)]
        shared = [
            tie for tie in self._ties if tie > since and self._random.random() < _TIE_SHARE
        ]  # fmt: skip
        twins = [tick for tick in own + shared if self._random.random() < _TWIN_SHARE]
        firsts = sorted(set(own + shared))
        plan = [(tick, self._turns.draw()) for tick in firsts]
        plan += [(tick, self._turns.draw(unseen=True)) for tick in sorted(set(twins))]
        return sorted(plan, key=lambda step: step[0])

    def _open(self, created: int) -> Alert:
        makers = self._specimens
        device = makers.device()
        items = [makers.machine(device, created), makers.account(device, created)]
        items += [makers.process(device, created) for _ in range(self._random.randint(1, 2))]
        return makers.alert(created, items)
