"""Print the table by case, or what became of some seeds of one case."""

import sys

from accuracy.cases import CASES
from accuracy.judging import judge
from accuracy.table import SEEDS, table


def main(case: str | None = None, *seeds: str) -> None:
    """Judge all cases by the usual seeds; print what is said of the seeds that are asked for.

    These are judged among the usual ones, as a source is known by all that it shows.
    """
    asked = [int(seed) for seed in seeds]
    judged = judge([CASES[case]] if case else CASES.values(), [*dict.fromkeys([*SEEDS, *asked])])
    told = [str(one) for found in judged.values() for one in found if one.world.seed in asked]
    sys.stdout.write("\n".join(told or [table(judged)]) + "\n")


main(*sys.argv[1:])
