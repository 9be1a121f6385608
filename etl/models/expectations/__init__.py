"""Expectations: what must hold of the marts of a day, each a select of the rows that break it.

One folder a mart, one file an expectation; a file begins with the law in words. They read the marts
beside what these were made of, and so find what no contract of a single table can.
"""

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Final

from etl.contracts.contract import Contract
from etl.contracts.core import ALERT_EVIDENCE, ALERTS
from etl.contracts.marts import MART
from etl.lake.engine import Engine
from etl.models.relations import Inputs, relate, run

Row = dict[str, object]

INPUTS: Final[tuple[Contract, ...]] = (*MART, ALERTS, ALERT_EVIDENCE)
"""What expectations read beside the event tables, each under its table's name."""


@cache
def expectations(mart: str) -> dict[str, str]:
    """Return the selects of a mart's expectations, by name."""
    folder = resources.files(__package__) / mart
    return {
        file.name.removesuffix(".sql"): file.read_text()
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
    }


def offer(duck: Engine, inputs: Inputs) -> None:
    """Make the tables of a day the relations that expectations read."""
    for name, source in inputs.items():
        relate(duck, name, source)
    run(duck, [("all_events", "AllEvents", "view")])


def broken(duck: Engine, mart: str, most: int) -> Iterator[tuple[str, Row]]:
    """Yield the rows of a mart that should not be there, up to `most` of each expectation."""
    for name, select in expectations(mart).items():
        found = duck.execute(f"select * from ({select}\n) limit $most", {"most": most})  # noqa: S608
        columns = [str(column[0]) for column in found.description or ()]
        for row in found.fetchall():
            yield name, dict(zip(columns, row, strict=True))
