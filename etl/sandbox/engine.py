"""Engine: holds a tenant's tables in DuckDB and answers hunting queries with JSON.

A query's text is hostile: the engine reads no file, opens no connection and shows each query only
the tables and the time that it may see. Limits of calls belong to `hunting`.
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import duckdb
import polars as pl

from etl.sandbox import drift, kql, moments
from etl.sandbox.drift import Drift
from etl.sandbox.tables import schema
from etl.sandbox.temporal import QueryRefused
from etl.sandbox.veil import Veil

_UNKNOWN_COLUMN = re.compile(
    r'[Cc]olumn "?(?:\w+"?\.)?"?([^"\s]+?)"? (?:not found|does not exist|referenced that exists)'
)
_TIMEOUT = 180.0
_SLICE = 5_000
"""Rows that are written as JSON at a time, so that too large a result is noticed early."""

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
_INT64 = ("BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT", "UINTEGER")
_INT32 = ("INTEGER", "SMALLINT", "TINYINT", "USMALLINT", "UTINYINT")
_PLAIN = {"BOOLEAN": "SByte", "DOUBLE": "Double", "FLOAT": "Double", "VARCHAR": "String",
          "UUID": "Guid", "TIMESTAMP": "DateTime", "INTERVAL": "TimeSpan"}  # fmt: skip
_READ = {
    "DateTime": "epoch_us({0})",
    "TimeSpan": "epoch_us({0})",
    "Int64": "CAST({0} AS BIGINT)",
    "SByte": "CAST({0} AS TINYINT)",
    "Guid": "CAST({0} AS VARCHAR)",
    "Double": "CAST({0} AS DOUBLE)",
    "Object": "CAST(to_json({0}) AS VARCHAR)",
}
_NO_NOTE = re.compile(rb'"[^"\\]*@odata\.type":null,')


@dataclass(frozen=True, slots=True)
class Scope:
    """What a query may see: rows of `start` to `end`, in ticks since 1970, and this many.

    Without `tables` it sees all; without `notes` values have no note of their type beside them. A
    result of more than `most` rows would take too long, one of more than `size` bytes is too large.
    """

    start: int
    end: int
    now: int
    rows: int
    tables: frozenset[str] | None = None
    notes: bool = True
    most: int | None = None
    size: int | None = None


class Answer(NamedTuple):
    """The result of a query: its schema, and the rows as a JSON array with their number."""

    schema: list[dict[str, str]]
    rows: bytes
    number: int


class TooSlow(Exception):
    """A query that takes longer than the service allows."""


class TooLarge(Exception):
    """A result that is larger than the service allows."""


class Engine:
    """The hunting tables of one tenant, behind a veil that hides what has not arrived."""

    def __init__(
        self,
        tables: Mapping[str, pl.DataFrame],
        missing: tuple[str, ...] = (),
        drifted: Drift | None = None,
    ) -> None:
        self.veil = Veil()
        self._drift = drifted
        self._columns = {name: kinds for name, kinds in schema().items() if name not in missing}
        if drifted is not None:
            self._columns = drift.columns(self._columns)
            tables = {name: drift.rows(name, rows) for name, rows in tables.items()}
        self._database = duckdb.connect(":memory:", config=_CONFIG)
        self._database.execute("SET TimeZone = 'UTC'")
        self._database.execute("CREATE SCHEMA store")
        for table in self._columns:
            self._load(table, tables[table])
        self._database.execute("SET lock_configuration = true")

    def _load(self, table: str, rows: pl.DataFrame) -> None:
        times = [name for name, kind in self._columns[table].items() if kind == "datetime"]
        scaled = rows.with_columns((pl.col(times) - moments.UNIX_EPOCH).cast(pl.Datetime("us")))
        self._database.register("incoming", scaled.to_arrow())
        columns = ", ".join(
            f'CAST("{name}" AS JSON) AS "{name}"' if kind == "dynamic" else f'"{name}"'
            for name, kind in self._columns[table].items()
        )
        self._database.execute(f'CREATE TABLE store."{table}" AS SELECT {columns} FROM incoming')  # noqa: S608
        self._database.unregister("incoming")

    def close(self) -> None:
        """Forget everything."""
        self._database.close()

    def ask(self, text: str, scope: Scope) -> Answer:
        """Answer a query.

        Raises QueryRefused with the service's wording, TooSlow or TooLarge.
        """
        columns = self._columns
        if scope.tables is not None:
            columns = {name: kinds for name, kinds in columns.items() if name in scope.tables}
        plan = kql.translate(text, columns, scope.now)
        cursor = self._database.cursor()
        timer = threading.Timer(_TIMEOUT, cursor.interrupt)
        timer.start()
        try:
            self._show(cursor, plan.tables, scope)
            answer = _answer(cursor.sql(plan.sql, params=plan.parameters or None), scope)
        except duckdb.InterruptException:
            raise TooSlow from None
        except duckdb.Error as problem:
            raise _refusal(str(problem), text) from None
        finally:
            timer.cancel()
            cursor.close()
        if self._drift is None:
            return answer
        return answer._replace(rows=self._drift.answer(answer.rows, plan.tables))

    def _show(
        self, cursor: duckdb.DuckDBPyConnection, tables: frozenset[str], scope: Scope
    ) -> None:
        """Give the query its own views of the tables, cut to the time that it may see."""
        for table in tables:
            cursor.execute(
                f'CREATE TEMP VIEW "{table}" AS SELECT * FROM store."{table}" '  # noqa: S608
                f'WHERE "Timestamp" >= make_timestamp({scope.start}) '
                f'AND "Timestamp" <= make_timestamp({scope.end}) AND {self.veil.condition(table)}'
            )


def _refusal(problem: str, text: str) -> QueryRefused:
    found = _UNKNOWN_COLUMN.search(problem)
    if found:
        return kql.unresolved(found.group(1), text)
    return QueryRefused(f"{problem.splitlines()[0]} Fix semantic errors in your query.")


def _named(kind: str) -> str:
    """Return the service's name of an engine type."""
    if kind in _INT64:
        return "Int64"
    if kind in _INT32:
        return "Int32"
    if kind.startswith("DECIMAL"):
        return "Double"
    return _PLAIN.get(kind, "Object")


def _answer(relation: duckdb.DuckDBPyRelation, scope: Scope) -> Answer:
    kinds = {
        name: _named(str(kind)) for name, kind in zip(relation.columns, relation.types, strict=True)
    }
    read = [
        f"{_READ.get(kind, '{0}').format(_quoted(name))} AS {_quoted(name)}"
        for name, kind in kinds.items()
    ]
    most = scope.rows if scope.most is None else max(scope.rows, scope.most + 1)
    table = relation.project(", ".join(read)).limit(most).to_arrow_table()
    if scope.most is not None and table.num_rows > scope.most:
        raise TooSlow
    described = [{"name": name, "type": kind} for name, kind in kinds.items()]
    frame = pl.DataFrame(pl.from_arrow(table)).head(scope.rows)
    parts = list(_written(frame, kinds, scope))
    return Answer(described, b"[" + b",".join(parts) + b"]", len(frame))


def _written(frame: pl.DataFrame, kinds: Mapping[str, str], scope: Scope) -> Iterator[bytes]:
    """Yield rows as JSON, some at a time and without brackets around them."""
    size = 0
    for part in frame.iter_slices(_SLICE):
        written = rows_as_json(part, kinds, notes=scope.notes)[1:-1]
        size += len(written)
        if scope.size is not None and size > scope.size:
            raise TooLarge
        if written:
            yield written


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def rows_as_json(frame: pl.DataFrame, kinds: Mapping[str, str], *, notes: bool = True) -> bytes:
    """Write rows as the service does, with a note of type before each Int64 and SByte."""
    shown: list[pl.Expr] = []
    for name, kind in kinds.items():
        column = pl.col(name)
        if notes and kind in ("Int64", "SByte"):
            note = pl.when(column.is_not_null()).then(pl.lit(f"#{kind}"))
            shown.append(note.alias(f"{name}@odata.type"))
        if kind == "DateTime":
            column = moments.texts(column + moments.UNIX_EPOCH)
        if kind == "TimeSpan":
            column = _clock(column)
        shown.append(column.alias(name))
    text = frame.select(shown)
    dynamic = [name for name, kind in kinds.items() if kind == "Object"]
    if dynamic:
        return _with_dynamic(text, dynamic)
    return _NO_NOTE.sub(b"", text.write_json().encode())


def _with_dynamic(text: pl.DataFrame, dynamic: list[str]) -> bytes:
    rows = text.to_dicts()
    for row in rows:
        for name in dynamic:
            row[name] = None if row[name] is None else json.loads(row[name])
    kept = [{k: v for k, v in row.items() if v is not None or "@" not in k} for row in rows]
    return json.dumps(kept, ensure_ascii=False).encode()


def _clock(ticks: pl.Expr) -> pl.Expr:
    """Write timespans as `[-][d.]hh:mm:ss[.fffffff]`."""
    size = ticks.abs()
    day, rest = size // moments.DAY, size % moments.DAY
    part = [rest // moments.HOUR, rest // moments.MINUTE % 60, rest // moments.SECOND % 60]
    hours, minutes, seconds = (one.cast(pl.String).str.zfill(2) for one in part)
    fraction = (rest % moments.SECOND).cast(pl.String).str.zfill(7)
    return pl.concat_str(
        pl.when(ticks < 0).then(pl.lit("-")).otherwise(pl.lit("")),
        pl.when(day > 0).then(day.cast(pl.String) + ".").otherwise(pl.lit("")),
        hours, pl.lit(":"), minutes, pl.lit(":"), seconds,
        pl.when(rest % moments.SECOND > 0).then("." + fraction).otherwise(pl.lit("")),
    )  # fmt: skip
