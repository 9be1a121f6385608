"""Small families of processes by hand, and what the model tells of their trees, for tests."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from days import PROCESS, Found, Row, T, match, process

from etl.lake import engine
from etl.models.correlation import sql

BASH, SH, CURL = ("bash", "a" * 64), ("sh", "b" * 64), ("curl", "c" * 64)
"""Programs by file name and SHA-256."""

Line = tuple[int, int, int, int | None, int | None, str | None, bool]
"""Depth, pid, creation, parent's pid and creation, file name, observed; times counted from T."""

_COLUMNS = (
    "Depth", "ProcessId", "ProcessCreationTicks", "ParentProcessId", "ParentProcessCreationTicks",
    "FileName", "Observed",
)  # fmt: skip


def birth(pid: int, at: int, name: str | None = None, **more: object) -> Row:
    """Return the creation row of a process, its time counted from T."""
    return {
        "EventId": f"birth {pid} {at}", "ActionType": "ProcessCreated", "DeviceId": "d1",
        "ProcessId": pid, "ProcessCreationTicks": T + at, "FileName": name,
        "TimestampTicks": T + at, **more,
    }  # fmt: skip


def born(pid: int, at: int, program: tuple[str, str], command: str, **more: object) -> Row:
    """Return a creation row that knows file and command line."""
    name, sha = program
    return birth(pid, at, name, SHA256=sha, ProcessCommandLine=command, **more)


def of(pid: int, at: int, program: tuple[str, str], command: str) -> Row:
    """Return an initiating process with file and command line."""
    name, sha = program
    return by(pid, at, name, SHA256=sha, CommandLine=command)


def deed(event: str, at: int = 0, action: str = "FileCreated", **more: object) -> Row:
    """Return an event of the device, its time counted from T."""
    return {
        "EventId": event, "ActionType": action, "DeviceId": "d1", "TimestampTicks": T + at, **more,
    }  # fmt: skip


def by(pid: int | None, at: int | None, name: str | None = None, **more: object) -> Row:
    """Return the initiating process of a row, its time counted from T."""
    facts = {f"InitiatingProcess{fact}": value for fact, value in more.items()}
    return {
        "InitiatingProcessId": pid,
        "InitiatingProcessCreationTicks": None if at is None else T + at,
        "InitiatingProcessFileName": name, **facts,
    }  # fmt: skip


def parent(pid: int | None, at: int | None, name: str | None = None) -> Row:
    """Return the parent of the initiating process of a row, its time counted from T."""
    return {
        "InitiatingProcessParentId": pid,
        "InitiatingProcessParentCreationTicks": None if at is None else T + at,
        "InitiatingProcessParentFileName": name,
    }  # fmt: skip


def family(
    *rows: Row, evidence: Sequence[Row] | None = None, table: str = PROCESS, **tables: Sequence[Row]
) -> Found:
    """Return the marts of a day whose evidence is process 7, created at T, unless it is given."""
    named = [process()] if evidence is None else evidence
    return match(named, told=True, **{table: list(rows), **tables})


def lines(found: Found, alert: str = "a1") -> list[Line]:
    """Return the tree of an alert in order."""
    rows = found.tree.filter(AlertId=alert).sort("Position").select(_COLUMNS)
    return [
        (depth, pid, at - T, up, None if above is None else above - T, name, observed)
        for depth, pid, at, up, above, name, observed in rows.rows()
    ]


def answer(
    file: str, query: str = "from ({})", **relations: pl.DataFrame
) -> list[tuple[object, ...]]:
    """Return the sorted rows of one file of the model's SQL, or of a query over it."""
    return sorted(relation(file, query, **relations).rows(), key=repr)


def relation(file: str, query: str = "from ({})", **relations: pl.DataFrame) -> pl.DataFrame:
    """Return what one file of the model's SQL makes of the relations that it reads."""
    with TemporaryDirectory() as name, engine.connection(Path(name)) as duck:
        for one, frame in relations.items():
            duck.from_arrow(frame.to_arrow()).create_view(one)
        return duck.sql(query.format(sql(file))).pl()
