"""`make bench`: makes telemetry once, runs all contenders in turns, prints and writes a table.

Contenders take turns: each round runs every one of them once, so that what else the machine does
meets all alike.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bench.chart import chart
from bench.contenders import FLOOR, KEYS, VERSIONS, WHOLE, Contender, available
from bench.measure import Measure, again, measure
from bench.report import FIFTH, MEASURED, TENFOLD, WIDER, Results, aims, comparison
from bench.telemetry import ITEMS, Load, Telemetry

ONE_IN: Final = 100
"""One of so many devices has an alert."""


def main() -> None:
    """Run the benchmark; exit with 1 where contenders disagree."""
    given = _arguments()
    telemetry = Telemetry(given.data, given.rows)
    smaller = Telemetry(given.data, given.rows // 5)
    for one, order in ((telemetry, "sorted"), (telemetry, "mixed"), (smaller, "sorted")):
        _say(f"telemetry: {one.rows:,} rows, {order}")
        one.make(order)
    loads = {
        MEASURED: Load(telemetry, ONE_IN),
        FIFTH: Load(smaller, ONE_IN // 5),
        TENFOLD: Load(telemetry, ONE_IN, each=10),
        WIDER: Load(telemetry, ONE_IN // 10),
    }
    results: dict[tuple[Contender, str], list[Measure]] = {}
    for number in range(given.rounds):
        for contender, name in _turns(given.rows, number):
            _say(f"round {number + 1}: {contender.name}, {name}")
            results.setdefault((contender, name), []).append(measure(contender, loads[name]))
    reads = {
        (contender, name): measure(contender, loads[name], tells=True).read
        for contender, name in results
        if contender.tells
    }
    twice = again(Load(telemetry, ONE_IN // 20)) if given.twice else None
    title = f"{given.rows:,} process rows, alerts on one device in {ONE_IN}"
    text = (
        f"{title}; medians of {given.rounds}, all columns of the schema, {os.cpu_count()} cores, "
        f"Python {sys.version.split()[0]}, {VERSIONS}\n\n"
        f"{comparison(results, reads)}\n\n{aims(results, twice)}\n"
    )
    print(text)  # noqa: T201
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / f"bench-{given.rows}.md").write_text(text)
    (given.out / f"bench-{given.rows}.svg").write_text(chart(results, title))
    if not _agree(results, loads):
        sys.exit("the contenders do not find the same rows")


def _turns(rows: int, number: int) -> Iterator[tuple[Contender, str]]:
    """Yield who runs in a round, and under which load: all as measured, ours where it grows.

    Once is enough for what takes minutes.
    """
    for contender in available(rows):
        if number == 0 or contender.needs is None:
            yield contender, MEASURED
    for load in (FIFTH, TENFOLD, WIDER):
        for contender in (FLOOR, KEYS, WHOLE):
            yield contender, load


def _agree(results: Results, loads: Mapping[str, Load]) -> bool:
    """Tell whether all found every item of evidence."""
    return all(
        run.found in {None, loads[name].number * ITEMS}
        for (_, name), runs in results.items()
        for run in runs
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--twice", action=argparse.BooleanOptionalAction, default=True,
        help="publish a day twice, which takes another copy of the telemetry, in one file",
    )  # fmt: skip
    parser.add_argument("--data", type=Path, default=Path(".bench"))
    parser.add_argument("--out", type=Path, default=Path(".bench"))
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
