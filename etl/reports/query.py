"""The answer to one SQL query over the catalog, as a table, CSV or JSON."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from etl.errors import ConfigError, LakeError, printable
from etl.lake.catalog import NAME, SEARCH_PATH

BATCH: Final = 1000
Rows = Iterable[Sequence[object]]


def answer(lake: Path, query: str, form: str) -> None:
    """Write the rows of `query` to standard output.

    Raises LakeError where there is no catalog, ConfigError where the query is at fault.
    """
    with open_catalog(lake) as catalog:
        try:
            result = catalog.execute(query)
            names = [column[0] for column in result.description or ()]
            FORMATS[form](names, _rows(result))
        except duckdb.Error as error:
            problem = str(error).strip().splitlines()[0]
            raise ConfigError("query", problem, 'try "show all tables"') from error


def open_catalog(lake: Path) -> duckdb.DuckDBPyConnection:
    """Open the lake's catalog for reading.

    Raises LakeError where there is none.
    """
    path = lake / NAME
    if not path.exists():
        remedy = "run `defender-etl demo` or `defender-etl run` first, or set DEFENDER_LAKE"
        raise LakeError(lake, "has no catalog", remedy)
    try:
        catalog = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise LakeError(path, "cannot be opened", "run the pipeline again to renew it") from error
    catalog.execute("set timezone = 'UTC'")
    catalog.execute(f"set search_path = '{SEARCH_PATH}'")
    return catalog


def _rows(result: duckdb.DuckDBPyConnection) -> Rows:
    while batch := result.fetchmany(BATCH):
        yield from batch


def _table(names: Sequence[str], rows: Rows) -> None:
    table = Table(*map(escape, names))
    for row in rows:
        table.add_row(*[Text("" if value is None else printable(str(value))) for value in row])
    Console().print(table)


def _csv(names: Sequence[str], rows: Rows) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)


def _json(names: Sequence[str], rows: Rows) -> None:
    listed = [dict(zip(names, row, strict=True)) for row in rows]
    json.dump(listed, sys.stdout, default=str, indent=1)
    sys.stdout.write("\n")


FORMATS: Final[dict[str, Callable[[Sequence[str], Rows], None]]] = {
    "table": _table,
    "csv": _csv,
    "json": _json,
}
"""How an answer can be written."""
