"""Golden cases of the models' SQL: the relations that one select reads, and the rows it returns.

A case is a text file that first says what it shows. Tables follow, each under `== Name`: a line of
columns, with types where no contract gives them, then a line for every row, its cells parted by
`|`. In a cell `-` is null, quotes keep what is between them ('' is an empty text), and `=` begins
an expression, as `=ticks('2026-01-10 12:00')`; no cell holds a `|`. `== Name = file` has no lines:
it is what another select makes of the tables given. Lines that begin with `#` are remarks.

The last table is `== Expected`: the columns that count, every value as DuckDB writes it. The order
of its rows counts where the select has one.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import polars as pl
from asked import CONTRACTS, Given, framed, offered

from etl.lake import engine
from etl.lake.engine import Engine
from etl.models import relations
from etl.models.steps import MATCHING

FOLDER: Final = Path(__file__).parent / "golden" / "sql"

_MACROS: Final = {file: (file, name, kind) for file, name, kind in MATCHING if kind == "macro"}
_TICKS: Final = """
create temp macro ticks(Time) as epoch_us((Time || '+00')::timestamptz) * 10 + 621355968000000000
"""

Cells = list[list[str]]
"""A table as it is written: the line of its columns, and the rows."""


def compared(file: str) -> tuple[list[str], list[str]]:
    """Return what a select makes of its case and what is expected: columns, then a line a row."""
    tables = _tables(file)
    columns, *rows = tables.pop("Expected")
    with TemporaryDirectory() as name, engine.connection(Path(name)) as duck:
        duck.execute(_TICKS)
        offered(duck, {head: _given(duck, head, cells) for head, cells in tables.items() if cells})
        made = [head.split(" = ") for head, cells in tables.items() if not cells]
        steps = [(select, relation, "view") for relation, select in made]
        relations.run(duck, [*_MACROS.values(), *steps])
        texts = ", ".join(f"{column}::varchar" for column in columns)
        found = _lines(duck.sql(_select(file)).project(texts).fetchall())
        expected = _lines(_typed(duck, columns, ["varchar"] * len(columns), rows).rows())
    head = " | ".join(columns)
    if "\norder by" in relations.sql(file):
        return [head, *found], [head, *expected]
    return [head, *sorted(found)], [head, *sorted(expected)]


def _tables(file: str) -> dict[str, Cells]:
    """Return the tables of a case by their heads; one that a select makes is empty."""
    tables = {}
    for table in (FOLDER / f"{file}.txt").read_text().split("\n== ")[1:]:
        head, *lines = table.splitlines()
        kept = [line for line in lines if line.strip() and not line.startswith("#")]
        tables[head] = [[cell.strip() for cell in line.split("|")] for line in kept]
    return tables


def _given(duck: Engine, name: str, cells: Cells) -> Given:
    """Return the rows of a table, with types from its contract or as written."""
    columns, *rows = cells
    if name not in CONTRACTS:
        parted = [column.partition(" ") for column in columns]
        return _typed(duck, [name for name, _, _ in parted], [kind for _, _, kind in parted], rows)
    declared = duck.from_arrow(CONTRACTS[name].empty().to_arrow())
    types = dict(zip(declared.columns, map(str, declared.types), strict=True))
    return framed(name, _typed(duck, columns, [types[one] for one in columns], rows).to_dicts())


def _typed(duck: Engine, columns: list[str], types: list[str], rows: Cells) -> pl.DataFrame:
    """Return rows with the types of their columns."""
    cells = [zip(row, types, strict=True) for row in rows or [["-"] * len(types)]]
    values = ", ".join(f"({', '.join(_literal(*cell) for cell in row)})" for row in cells)
    names = ", ".join(f'"{column}"' for column in columns)
    return duck.sql(f"from (values {values}) as t({names}) limit {len(rows)}").pl()


def _literal(cell: str, kind: str) -> str:
    """Return a cell as SQL."""
    if cell.startswith("="):
        return f"({cell[1:]})::{kind}"
    text = cell[1:-1] if cell[0] == cell[-1] == "'" else cell
    return f"null::{kind}" if cell == "-" else "'{}'::{}".format(text.replace("'", "''"), kind)


def _select(file: str) -> str:
    """Return the select of a file, or one of all rows that its macro returns."""
    if file not in _MACROS:
        return relations.sql(file)
    name, _, parameters = _MACROS[file][1].rstrip(")").partition("(")
    return f"from {name}({', '.join(repr(one) for one in parameters.split(', '))})"


def _lines(rows: list[tuple[str | None, ...]]) -> list[str]:
    """Return a line for each row."""
    return [" | ".join("-" if cell is None else cell or "''" for cell in row) for row in rows]
