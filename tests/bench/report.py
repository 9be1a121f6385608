"""The report: what was measured as Markdown tables, and whether it is what was aimed at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.contenders import FLOOR, KEYS, PANDAS, PLAIN, WHOLE, Contender
from bench.measure import Measure

MEASURED: Final = "as measured"
FIFTH: Final = "a fifth of the telemetry, as many alerts"
TENFOLD: Final = "ten times the alerts, on the same devices"
WIDER: Final = "ten times the alerts, on ten times the devices"
Results = Mapping[tuple[Contender, str], Sequence[Measure]]
"""Runs by contender and load."""

Reads = Mapping[tuple[Contender, str], int | None]
"""Rows of the row groups that each opened, as often as it did."""


@dataclass(frozen=True, slots=True)
class Aim:
    """A ratio of wall times, and what it may be at most or at least."""

    what: str
    above: tuple[Contender, str]
    below: tuple[Contender, str]
    bound: float
    most: bool = True


AIMS: Final = (
    Aim("keys to floor", (KEYS, MEASURED), (FLOOR, MEASURED), 1.5),
    Aim("whole rows to floor", (WHOLE, MEASURED), (FLOOR, MEASURED), 2.5),
    Aim("plain join to whole rows", (PLAIN, MEASURED), (WHOLE, MEASURED), 4, most=False),
    Aim("pandas to whole rows", (PANDAS, MEASURED), (WHOLE, MEASURED), 30, most=False),
    Aim("whole rows, telemetry x 5", (WHOLE, MEASURED), (WHOLE, FIFTH), 5),
    Aim("whole rows, alerts x 10, same devices", (WHOLE, TENFOLD), (WHOLE, MEASURED), 3),
)


AGAIN: Final = 0.1
"""What a day may cost of which one alert in a hundred changed, of what it cost at first."""


def middle(runs: Sequence[Measure], name: str) -> float:
    """Return the median of a figure over some runs."""
    return median(getattr(run, name) for run in runs)


def comparison(results: Results, reads: Reads) -> str:
    """Return all runs, each figure beside its ratio to the floor's, as measured."""
    wall, cpu, peak = (middle(results[FLOOR, MEASURED], name) for name in ("wall", "cpu", "peak"))
    every = reads.get((FLOOR, MEASURED))
    figures = ("wall s", "CPU s", "peak MB", "rows read")
    heads = " | ".join(f"{figure} | x floor" for figure in figures)
    lines = [f"| | {heads} | rows found |", f"|---|{'--:|' * (2 * len(figures) + 1)}"]
    for (contender, load), runs in results.items():
        mine, busy, held = (middle(runs, name) for name in ("wall", "cpu", "peak"))
        spread = f"{min(run.wall for run in runs):.2f}-{max(run.wall for run in runs):.2f}"
        read = reads.get((contender, load))
        name = contender.name if load == MEASURED else f"{contender.name}: {load}"
        opened = f"{read:,} | {read / every:.2f}" if read is not None and every else "- | -"
        lines.append(
            f"| {name} | {mine:.2f} ({spread}) | {mine / wall:.2f} | {busy:.2f} "
            f"| {busy / cpu:.2f} | {held:.0f} | {held / peak:.2f} | {opened} "
            f"| {runs[0].found or '-'} |"
        )
    return "\n".join(lines)


def aims(results: Results, again: Mapping[str, float] | None) -> str:
    """Return for each aim that could be measured the ratio, the bound, and whether it holds.

    `again` is what `bench.again` tells of a day that was published twice, if it was.
    """
    lines = ["| ratio of wall times | measured | aim | holds |", "|---|--:|--:|---|"]
    for aim in AIMS:
        if aim.above in results and aim.below in results:
            ratio = middle(results[aim.above], "wall") / middle(results[aim.below], "wall")
            holds = ratio <= aim.bound if aim.most else ratio >= aim.bound
            bound = f"{'at most' if aim.most else 'at least'} {aim.bound:g}"
            lines.append(f"| {aim.what} | {ratio:.2f} | {bound} | {'yes' if holds else 'no'} |")
    if again:
        first, later = again["first"], again["again"]
        what = f"{again['alerts']:,.0f} alerts again, 1 % changed: {later:.1f} s after {first:.1f}"
        holds = "yes" if later / first <= AGAIN else "no"
        lines.append(f"| a day of {what} | {later / first:.2f} | at most {AGAIN:g} | {holds} |")
    return "\n".join(lines)
