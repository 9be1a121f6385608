"""The README held to account: its settings, commands, tables and queries are those of the code."""

import re
from pathlib import Path

import duckdb
import pytest

from etl.cli import commands
from etl.lake.catalog import CONTRACTS

README = (Path(__file__).parent.parent / "README.md").read_text()
SQL = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)
SOURCES = [
    path.read_text()
    for path in (Path(__file__).parent.parent / "etl").rglob("*.py")
    if "sandbox" not in path.parts
]


def test_every_table_is_listed_with_its_grain() -> None:
    """The list of tables is that of the contracts."""
    listed = re.findall(r"^\| `(\w+\.\w+)` \| ([\w, ]+) \| (.+) \|$", README, re.MULTILINE)
    expected = [(".".join(c.key), ", ".join(c.grain), c.meaning) for c in CONTRACTS]

    assert listed == expected


def test_every_setting_is_listed() -> None:
    """Each environment variable that the code reads stands in the table of settings."""
    read = {name for s in SOURCES for name in re.findall(r'"((?:DEFENDER|AZURE)_[A-Z_]+)"', s)}
    listed = set(re.findall(r"^\| `((?:DEFENDER|AZURE)_[A-Z_]+)` \|", README, re.MULTILINE))

    assert read == listed


def test_every_command_and_option_is_listed() -> None:
    """Each command and each of its options stands in the table of commands."""
    for name, command in commands.commands.items():
        line = next(row for row in README.splitlines() if row.startswith(f"| `defender-etl {name}"))
        options = {o for p in command.params for o in p.opts if o.startswith("--")} - {"--help"}

        assert {option for option in options if option not in line} == set()


def test_there_are_five_questions() -> None:
    """The README shows five queries."""
    assert len(SQL) == 5


@pytest.mark.parametrize("query", SQL)
def test_every_query_answers(query: str, lake: Path) -> None:
    """Each query runs on the catalog and finds something, without the project."""
    with duckdb.connect(str(lake / "catalog.duckdb"), read_only=True) as catalog:
        rows = catalog.execute(query).fetchall()

    assert rows
