"""Drift: hunting tables as they are once the service has changed them without a word.

A table gains a column and another loses one, numbers come as text, flags are spelt in every way.
Which rows can no longer be read is known beforehand, see `Tenant.malformed`.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import polars as pl

from etl.sandbox import moments

ADDED: Final = ("DeviceProcessEvents", "FutureColumn")
"""A column that no schema has."""

REMOVED: Final = ("DeviceNetworkEvents", "RemoteIPType")
"""A column of the schema that is no longer there."""

AS_TEXT: Final = ("DeviceFileEvents", "FileSize")
"""A number that comes as text."""

UNREADABLE: Final = ("DeviceEvents", "ProcessId", "12a")
"""A number that is none in a few rows, and what stands there."""

SPELT: Final = ("DeviceLogonEvents", "IsLocalAdmin")
"""A flag that comes as true or false, as 1 or 0 and as "True" or "False" in turn."""

_SOURCE: Final = "SourceTable"
_SPELLINGS: Final[tuple[Callable[[bool], object], ...]] = (bool, int, str)
Row = dict[str, Any]


def columns(kinds: Mapping[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Return the columns of all tables after the change."""
    changed = {table: dict(names) for table, names in kinds.items()}
    if ADDED[0] in changed:
        changed[ADDED[0]][ADDED[1]] = "string"
    if REMOVED[0] in changed:
        del changed[REMOVED[0]][REMOVED[1]]
    return changed


def rows(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a table after the change."""
    if table != ADDED[0]:
        return frame
    value = pl.concat_str(pl.lit("future "), pl.col("ReportId").cast(pl.String))
    return frame.with_columns(value.alias(ADDED[1]))


class Drift:
    """Changes rows of answers; `malformed` are the rows that become unreadable."""

    def __init__(self, malformed: pl.DataFrame) -> None:
        rows = malformed.rows(named=True)
        self._malformed = {
            (row["DeviceId"], moments.text(row["TimestampTicks"]), row["ReportId"]) for row in rows
        }

    def answer(self, content: bytes, tables: frozenset[str]) -> bytes:
        """Return a JSON array of rows, changed where the table that a row is from is plain."""
        alone = next(iter(tables)) if len(tables) == 1 else None
        found: list[Row] = json.loads(content)
        for turn, row in enumerate(found):
            self._change(row, str(row.get(_SOURCE, alone)), turn)
        return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()

    def _change(self, row: Row, table: str, turn: int) -> None:
        number, flag, pid = AS_TEXT[1], SPELT[1], UNREADABLE[1]
        if table == AS_TEXT[0] and row.get(number) is not None:
            row[number] = str(row[number])
        if table == SPELT[0] and row.get(flag) is not None:
            row[flag] = _SPELLINGS[turn % len(_SPELLINGS)](bool(row[flag]))
        key = row.get("DeviceId"), row.get("Timestamp"), row.get("ReportId")
        if table == UNREADABLE[0] and pid in row and key in self._malformed:
            row[pid] = UNREADABLE[2]
