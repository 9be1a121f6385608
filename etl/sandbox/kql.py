"""KQL: turns a hunting query into the SQL of an engine that counts ticks of 100 ns exactly.

The engine's timestamps hold microseconds, so one engine microsecond stands for one tick since 1970.
Every datetime and timespan is rewritten to that scale in the parsed query, never in its text: see
`temporal`. Running the SQL belongs to `engine`.
"""

import dataclasses
import re
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from duckdb_kql import ir
from duckdb_kql import lower as lowering
from duckdb_kql.errors import KqlError, KqlSchemaError, KqlSyntaxError
from duckdb_kql.lower import lower
from duckdb_kql.schema import match_wildcard
from duckdb_kql.translate import clock, functions, to_sql
from duckdb_kql.translate.naming import expression_name

from etl.sandbox import strings
from etl.sandbox.disjunction import balanced, chain, quickened
from etl.sandbox.temporal import SQL, TEMPORAL, QueryRefused, Temporal
from etl.sandbox.temporal_functions import RULES

for _name, _template in SQL.items():
    functions.SCALAR_FUNCTIONS[_name] = functions.FunctionSpec(
        _name, "template", _template, (2 if "{1}" in _template else 1,)
    )

lowering._string_value = strings.value  # noqa: SLF001 - it knows no \u, \x, \a, \b, \f, \v

Columns = dict[str, dict[str, str]]
"""Column types by table and column."""

_ADVICE = "Fix semantic errors in your query."

sys.setrecursionlimit(max(sys.getrecursionlimit(), 20_000))  # the parser takes one step an `or`


@dataclass(frozen=True, slots=True)
class Plan:
    """SQL with its parameters, and the tables that it reads."""

    sql: str
    parameters: dict[str, Any]
    tables: frozenset[str]


def translate(text: str, columns: Columns, now: int) -> Plan:
    """Translate a query over some tables; `now` is in ticks since 1970.

    Raises QueryRefused with the service's wording.
    """
    try:
        query = _parsed(text)
        reader = _Reader(columns, Temporal(now, _kinds(columns), RULES))
        exact = reader.query(query)
        result = to_sql(exact, {table: list(names) for table, names in columns.items()})
    except KqlSyntaxError as problem:
        raise QueryRefused(f"A recognition error occurred. {problem} {_ADVICE}") from None
    except KqlSchemaError as problem:
        raise unresolved(problem.name, text) from None
    except KqlError as problem:
        raise QueryRefused(f"{problem} {_ADVICE}") from None
    values = {declared.slot: declared.default for declared in query.parameters}
    used = {slot: value for slot, value in values.items() if slot in result.slots}
    return Plan(str(result), used, frozenset(reader.tables))


@lru_cache(maxsize=64)
def _parsed(text: str) -> ir.Query:
    """Parse a query; a long one takes seconds, and is often asked again."""
    with clock(None):
        return lower(text)


def unresolved(name: str, text: str) -> QueryRefused:
    """Return the refusal of a column that no operator's input has."""
    operators = re.findall(rf"\|\s*([a-z-]+)(?=[^|]*\b{re.escape(name)}\b)", text)
    operator = operators[0] if operators else "where"
    return QueryRefused(
        f"'{operator}' operator: Failed to resolve scalar expression named '{name}'. {_ADVICE}"
    )


def _apart(parts: tuple[Any, ...], originals: tuple[Any, ...]) -> tuple[Any, ...]:
    """Keep the names that unnamed columns would have had, as rewriting hides what they were."""
    if not all(isinstance(part, ir.NamedExpr) for part in parts):
        return parts
    taken = {part.name or getattr(part.expr, "name", None) for part in parts if _has_name(part)}
    named: list[ir.NamedExpr] = []
    for part, original in zip(parts, originals, strict=True):
        name = None if _has_name(part) else expression_name(original.expr)
        if name is None or name == expression_name(part.expr):
            named.append(part)
            continue
        while name in taken:
            name += "1"
        taken.add(name)
        named.append(dataclasses.replace(part, name=name))
    return tuple(named)


def _has_name(part: ir.NamedExpr) -> bool:
    return part.name is not None or isinstance(part.expr, ir.ColumnRef)


def _kinds(columns: Columns) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for names in columns.values():
        kinds.update(names)
    return kinds


@dataclass(slots=True)
class _Reader:
    """Walks a parsed query from its source to its last operator and rewrites it."""

    columns: Columns
    temporal: Temporal
    bound: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)
    lenient: bool = False

    def query(self, query: ir.Query) -> ir.Query:
        """Rewrite a query."""
        lets: list[tuple[str, ir.Query | ir.Expr]] = []
        for name, value in query.lets:
            self.bound.add(name)
            lets.append((name, self.walk(value)))
        fuzzy = any(isinstance(op, ir.Union) and op.isfuzzy for op in query.operators)
        before, self.lenient = self.lenient, self.lenient or fuzzy
        source = self.walk(query.source)
        operators = [self.walk(operator) for operator in query.operators]
        self.lenient = before
        return ir.Query(source, operators, lets, query.parameters)

    def walk(self, node: Any) -> Any:  # noqa: ANN401 - the parts of a query are of any type
        """Rewrite anything, what it is made of first."""
        if isinstance(node, ir.Query):
            return self.query(node)
        if isinstance(node, tuple):
            return _apart(tuple(map(self.walk, node)), node)
        if not isinstance(node, ir.Node) or not dataclasses.is_dataclass(node):
            return node
        if isinstance(node, ir.BinaryOp) and node.op in ("and", "or"):
            return balanced([self.walk(part) for part in chain(node, node.op)], node.op)
        parts = {one.name: self.walk(getattr(node, one.name)) for one in dataclasses.fields(node)}
        return self._one(dataclasses.replace(node, **parts))

    def _one(self, node: ir.Node) -> ir.Node:
        rewrite = {
            ir.Literal: self.temporal.literal,
            ir.BinaryOp: self.temporal.binary,
            ir.FunctionCall: self.temporal.function,
            ir.InList: self.temporal.in_list,
            ir.Between: self.temporal.between,
            ir.Where: self._where,
            ir.ColumnRef: self._column,
            ir.NamedExpr: self._named,
            ir.TableRef: self._table,
            ir.WildcardTableRef: self._wildcard,
            ir.ParseSegment: self._converted,
            ir.MvExpandTarget: self._converted,
            ir.DataTable: self._datatable,
        }.get(type(node))
        return rewrite(node) if rewrite else node  # type: ignore[operator]

    def _where(self, node: ir.Where) -> ir.Node:
        return ir.Where(quickened(node.predicate))

    def _column(self, node: ir.ColumnRef) -> ir.Node:
        """Refuse a column that differs from a known one only by case: the engine would not."""
        kinds = self.temporal.kinds
        if node.name not in kinds and node.name.lower() in {name.lower() for name in kinds}:
            raise KqlSchemaError(node.name)
        return node

    def _named(self, node: ir.NamedExpr) -> ir.Node:
        """Note the kind of a column that the query itself makes."""
        if node.name is not None:
            self.temporal.kinds[node.name] = self.temporal.kind(node.expr) or "other"
        return node

    def _table(self, node: ir.TableRef) -> ir.Node:
        if node.database is None and node.name in self.columns:
            self.tables.add(node.name)
        elif node.name not in self.bound and not self.lenient:
            raise QueryRefused(
                "'where' operator: Failed to resolve table or column expression named "
                f"'{node.qualified}'. {_ADVICE}"
            )
        return node

    def _wildcard(self, node: ir.WildcardTableRef) -> ir.Node:
        names = {table: list(columns) for table, columns in self.columns.items()}
        self.tables.update(match_wildcard(node, names))
        return node

    def _converted(self, node: ir.ParseSegment | ir.MvExpandTarget) -> ir.Node:
        kind = node.type if isinstance(node, ir.ParseSegment) else node.to_type
        if kind in (*TEMPORAL, "date", "time"):
            raise QueryRefused(f"converting text to '{kind}' on the way is not available here")
        return node

    def _datatable(self, node: ir.DataTable) -> ir.Node:
        kinds = [kind for _, kind in node.columns]
        for position, value in enumerate(node.values):
            kind = kinds[position % len(kinds)]
            if kind in TEMPORAL and isinstance(value, ir.Literal) and value.kind == "string":
                raise QueryRefused(f"datatable: write {kind}(...) instead of text")
        self.temporal.kinds.update(node.columns)
        return node
