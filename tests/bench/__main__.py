"""`make bench`: makes telemetry once, runs all contenders in turns, prints and writes a table."""

import argparse
import os
import sys
from pathlib import Path
from statistics import median
from typing import Final

from bench.contenders import CONTENDERS, FLOOR, VERSIONS, Contender
from bench.measure import Measure, measure
from bench.telemetry import Telemetry

ONE_IN: Final = 100
"""One of so many devices has an alert."""

MOST_FOR_PANDAS: Final = 20_000_000
_HEAD: Final = (
    "| | wall s | x floor | CPU s | x floor | peak MB | rows found |\n|---|--:|--:|--:|--:|--:|--:|"
)
Taken = dict[str, list[Measure]]


def main() -> None:
    """Run the benchmark; exit with 1 where contenders disagree."""
    given = _arguments()
    telemetry = Telemetry(given.data, given.rows)
    for order in ("sorted", "mixed"):
        _say(f"telemetry: {given.rows:,} rows, {order}")
        telemetry.make(order)
    contenders = [c for c in CONTENDERS if given.rows <= MOST_FOR_PANDAS or "pandas" not in c.name]
    taken: Taken = {contender.name: [] for contender in contenders}
    for number in range(given.rounds):
        for contender in contenders:
            _say(f"round {number + 1}: {contender.name}")
            taken[contender.name].append(measure(contender, telemetry, ONE_IN))
    ours = [contender for contender in contenders if contender.name.startswith("defender-etl")]
    more = {
        f"{contender.name}, alerts x 10": _rounds(contender, telemetry, ONE_IN // 10, given.rounds)
        for contender in ours
    }
    small = Telemetry(given.data, given.rows // 5)
    small.make("sorted")
    less = {
        f"{contender.name}, a fifth of the rows, the same alerts": _rounds(
            contender, small, ONE_IN // 5, given.rounds
        )
        for contender in ours
    }
    text = f"{_title(given.rows)}\n\n{_table(taken, more | less)}\n"
    print(text)  # noqa: T201
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / f"bench-{given.rows}.md").write_text(text)
    if not _agree(taken):
        sys.exit("the contenders do not find the same rows")


def _rounds(contender: Contender, telemetry: Telemetry, one_in: int, rounds: int) -> list[Measure]:
    _say(f"{contender.name}, {telemetry.rows:,} rows, one device in {one_in}")
    return [measure(contender, telemetry, one_in) for _ in range(rounds)]


def _agree(taken: Taken) -> bool:
    return len({one.found for several in taken.values() for one in several} - {None}) == 1


def _title(rows: int) -> str:
    return (
        f"{rows:,} process rows with all columns, alerts on one device in {ONE_IN}; medians, "
        f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, {VERSIONS}"
    )


def _table(taken: Taken, others: Taken) -> str:
    floor = taken[FLOOR.name]
    wall, cpu = _middle(floor, "wall"), _middle(floor, "cpu")
    lines = [_HEAD]
    for name, several in (taken | others).items():
        mine, busy = _middle(several, "wall"), _middle(several, "cpu")
        spread = f"{min(one.wall for one in several):.2f}-{max(one.wall for one in several):.2f}"
        lines.append(
            f"| {name} | {mine:.2f} ({spread}) | {mine / wall:.2f} | {busy:.2f} | {busy / cpu:.2f} "
            f"| {_middle(several, 'peak'):.0f} | {several[0].found or ''} |"
        )
    return "\n".join(lines)


def _middle(several: list[Measure], name: str) -> float:
    return median(getattr(one, name) for one in several)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path(".bench"))
    parser.add_argument("--out", type=Path, default=Path(".bench"))
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
