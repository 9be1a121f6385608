"""The stage that holds the published marts of a day against what is expected of them."""

import logging
from datetime import date
from typing import Final

from etl.contracts.hunting import EVENT_TABLES, hunting
from etl.contracts.marts import MART
from etl.lake import engine
from etl.lake.lake import Lake
from etl.models.expectations import INPUTS, broken, offer

log = logging.getLogger(__name__)

MOST: Final = 20
"""Rows shown of an expectation that does not hold."""


def check(lake: Lake, day: date) -> dict[str, list[dict[str, str]]]:
    """Return by table which rows of the marts of `day` should not be there, and what they break.

    Raises LakeError where the lake cannot be written.
    """
    tables = {contract.table: contract for contract in INPUTS}
    tables |= {table: hunting(table) for table in EVENT_TABLES}
    found: dict[str, list[dict[str, str]]] = {}
    with lake.staging() as folder, engine.connection(folder) as duck:
        offer(duck, {n: lake.files(t, [day]) or t.empty() for n, t in tables.items()})
        for mart in MART:
            found[mart.table] = [
                {"expectation": name, "row": ", ".join(f"{k} {v}" for k, v in row.items())}
                for name, row in broken(duck, mart.table, MOST)
            ]
    for table, rows in found.items():
        if rows:
            log.error("%s: mart/%s: %d rows should not be there", day, table, len(rows))
    return found
