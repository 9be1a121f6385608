"""Golden cases of the models' SQL: the relations that one select reads, and the rows it returns.

A case is a text file that first says what it shows. Tables follow, each under `== Name`: a line of
columns, with types where no contract gives them, then a line for every row, its cells parted by
`|`. In a cell `-` is null, quotes keep what is between them ('' is an empty text), and `=` begins
an expression, as `=ticks('2026-01-10 12:00')`. `== Name = file` has no lines: it is what another
select makes of the tables given. The last table is `== Expected`, with the columns that count and
every value as DuckDB writes it. Lines that begin with `#` are remarks.
"""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Lines:
    """Rows as a case writes them: what the columns are, and the cells of each row."""

    columns: list[str]
    rows: list[list[str]]


def tables(file: str) -> dict[str, Lines]:
    """Return the tables of a case, by their heads."""
    written = (FOLDER / f"{file}.txt").read_text().split("\n== ")[1:]
    found = {}
    for head, *lines in (table.splitlines() for table in written):
        kept = [line for line in lines if line.strip() and not line.startswith("#")]
        columns, *rows = [[cell.strip() for cell in line.split("|")] for line in kept] or [[]]
        found[head] = Lines(columns, rows)
    return found


def given(duck: Engine, name: str, lines: Lines) -> Given:
    """Return the rows of a table, with types from its contract or as written."""
    if name not in CONTRACTS:
        return _typed(duck, lines, [column.partition(" ")[2] for column in lines.columns])
    declared = duck.from_arrow(CONTRACTS[name].empty().to_arrow())
    types = dict(zip(declared.columns, map(str, declared.types), strict=True))
    return framed(name, _typed(duck, lines, [types[name] for name in lines.columns]).to_dicts())


def compared(file: str) -> tuple[list[str], list[str]]:
    """Return what a select makes of its case and what is expected, a line for each row."""
    written = tables(file)
    expected = written.pop("Expected")
    with TemporaryDirectory() as name, engine.connection(Path(name)) as duck:
        duck.execute(_TICKS)
        offered(duck, {head: given(duck, head, of) for head, of in written.items() if of.columns})
        made = [head.split(" = ") for head, of in written.items() if not of.columns]
        steps = [(select, relation, "view") for relation, select in made]
        relations.run(duck, [*_MACROS.values(), *steps])
        texts = [f"{column}::varchar" for column in expected.columns]
        found = duck.sql(_select(file)).project(", ".join(texts)).fetchall()
        wanted = _typed(duck, expected, ["varchar"] * len(texts)).rows()
    head = " | ".join(expected.columns)
    if "\norder by" in relations.sql(file):
        return [head, *_lines(found)], [head, *_lines(wanted)]
    return [head, *sorted(_lines(found))], [head, *sorted(_lines(wanted))]


def _lines(rows: list[tuple[str | None, ...]]) -> list[str]:
    """Return a line for each row."""
    return [" | ".join("-" if cell is None else cell or "''" for cell in row) for row in rows]


def _select(file: str) -> str:
    """Return the select of a file, or one of all rows that its macro returns."""
    if file not in _MACROS:
        return relations.sql(file)
    name, _, parameters = _MACROS[file][1].rstrip(")").partition("(")
    return f"from {name}({', '.join(repr(one) for one in parameters.split(', '))})"


def _typed(duck: Engine, lines: Lines, types: list[str]) -> pl.DataFrame:
    """Return rows with the types of their columns."""
    rows = [zip(row, types, strict=True) for row in lines.rows or [["-"] * len(types)]]
    values = ", ".join(f"({', '.join(_literal(*cell) for cell in row)})" for row in rows)
    names = ", ".join(f'"{column.partition(" ")[0]}"' for column in lines.columns)
    return duck.sql(f"from (values {values}) as t({names}) limit {len(lines.rows)}").pl()


def _literal(cell: str, kind: str) -> str:
    """Return a cell as SQL."""
    if cell.startswith("="):
        return f"({cell[1:]})::{kind}"
    text = cell[1:-1] if cell[0] == cell[-1] == "'" else cell
    return f"null::{kind}" if cell == "-" else "'{}'::{}".format(text.replace("'", "''"), kind)
