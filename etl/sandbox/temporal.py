"""Temporal: rewrites the datetimes and timespans of an expression to one microsecond a tick.

Each function that could show the scale is replaced by an exact one or refused. Queries, tables and
operators belong to `kql`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from duckdb_kql import ir

from etl.sandbox import literals, moments

_MICROS = "epoch_us({0})"
_REST = f"((({_MICROS} % 10000000) + 10000000) % 10000000)"
_TEXT = "trim(CAST({0} AS VARCHAR), '\"')"
SQL = {
    "tick_at": "make_timestamp({0})",
    "tick_span": "to_microseconds(CAST({0} AS BIGINT))",
    "tick_bin": f"({{0}} - to_microseconds((({_MICROS} % epoch_us({{1}})) + epoch_us({{1}}))"
    " % epoch_us({1})))",
    "tick_since": f"({_MICROS} + {moments.UNIX_EPOCH})",
    "tick_count": _MICROS,
    "tick_ratio": f"({_MICROS} / epoch_us({{1}}))",
    "tick_times": f"to_microseconds(CAST({_MICROS} * {{1}} AS BIGINT))",
    "tick_parse": "make_timestamp(epoch_us(TRY_CAST(regexp_replace("
    f"{_TEXT}, '\\.[0-9]+', '') AS TIMESTAMPTZ) AT TIME ZONE 'UTC') * 10"
    f" + CAST(rpad(left(regexp_extract({_TEXT}, '\\.([0-9]+)', 1), 7), 7, '0') AS BIGINT))",
    "tick_text": f"(strftime(make_timestamp(({_MICROS} - {_REST}) // 10), '%Y-%m-%dT%H:%M:%S')"
    f" || '.' || lpad(CAST({_REST} AS VARCHAR), 7, '0') || 'Z')",
}
"""Functions of the engine that know the scale; hunting queries reach them only through rules."""

_KIND_OF = {"tick_at": "datetime", "tick_span": "timespan", "tick_times": "timespan",
            "tick_parse": "datetime"}  # fmt: skip
_SAME_KIND = {"tick_bin", "min", "max", "minif", "maxif", "any", "take_any", "anyif", "take_anyif",
              "coalesce", "max_of", "min_of", "arg_max", "arg_min"}  # fmt: skip
_HARMLESS = _SAME_KIND | {
    "isnull", "isnotnull", "notnull", "isempty", "isnotempty", "notempty", "iff", "iif", "case",
    "count", "countif", "dcount", "dcountif", "count_distinct", "tick_since", "tick_count",
    "tick_ratio", "tick_text",
}  # fmt: skip
_COMPARISONS = {"==", "!=", "<>", "<", "<=", ">", ">="}
_LOGIC = {"and", "or"}
_DERIVED = ("max_", "min_", "any_", "take_any_")
TEMPORAL = ("datetime", "timespan")


class QueryRefused(Exception):
    """A query that the service answers with 400 and this message."""


def call(name: str, *args: ir.Expr) -> ir.FunctionCall:
    """Return a call."""
    return ir.FunctionCall(name, args)


def at(ticks: int) -> ir.Expr:
    """Return the expression of an instant, in ticks since 1970."""
    return call("tick_at", ir.Literal(ticks, "long"))


def span(ticks: int) -> ir.Expr:
    """Return the expression of a stretch of ticks."""
    return ir.Literal(literals.scaled_span(ticks), "timespan")


Rule = Callable[["Temporal", tuple[ir.Expr, ...]], ir.Expr | None]


@dataclass(slots=True)
class Temporal:
    """Rewrites one expression at a time, knowing the kinds of columns so far."""

    now: int
    kinds: dict[str, str]
    """Kind of each column by name: a KQL type, as far as it is known."""
    rules: Mapping[str, Rule]
    """What to make of a call; a rule that returns null leaves it alone."""

    def kind(self, node: ir.Expr) -> str | None:
        """Return the type of a rewritten expression, or null where it cannot be known."""
        match node:
            case ir.Literal(kind=kind) | ir.Parameter(kind=kind):
                known: str | None = kind
            case ir.ColumnRef(name=name):
                known = self._column(name)
            case ir.LetRef(value=inner) | ir.UnaryOp(operand=inner):
                known = self.kind(inner)
            case ir.FunctionCall():
                known = self._returned(node)
            case ir.BinaryOp():
                known = self._combined(node)
            case ir.ToScalar(query=query):
                known = self._scalar(query)
            case _:
                known = "dynamic" if isinstance(node, ir.PathAccess) else None
        return known

    def _scalar(self, query: ir.Query) -> str | None:
        """Return the kind of a query's first column, or null where that is not plain to see."""
        for operator in reversed(query.operators):
            if isinstance(operator, ir.Count):
                return "long"
            if isinstance(operator, ir.Summarize):
                return self.kind([*operator.by, *operator.aggregates][0].expr)
            if isinstance(operator, (ir.Project, ir.Distinct)):
                return self.kind(operator.expressions[0].expr)
        return None

    def _column(self, name: str) -> str | None:
        if name in self.kinds:
            return self.kinds[name]
        stem = name.rstrip("0123456789")
        for prefix in _DERIVED:
            stem = stem.removeprefix(prefix)
        return self.kinds.get(stem)

    def _returned(self, node: ir.FunctionCall) -> str | None:
        name = node.name.lower()
        if name in _KIND_OF:
            return _KIND_OF[name]
        if name in _SAME_KIND and node.args:
            return self.kind(node.args[0])
        if name in ("iff", "iif", "case"):
            return self.kind(node.args[1]) if len(node.args) > 1 else None
        return "other"

    def _combined(self, node: ir.BinaryOp) -> str | None:
        if node.op not in ("+", "-"):
            return "other"
        sides = {self.kind(node.left), self.kind(node.right)}
        if sides == {"datetime"}:
            return "timespan" if node.op == "-" else None
        return next((kind for kind in TEMPORAL if kind in sides), "other")

    def is_temporal(self, node: ir.Expr) -> bool:
        """Return whether an expression is a datetime or a timespan."""
        return self.kind(node) in TEMPORAL

    def _may_be_temporal(self, node: ir.Expr) -> bool:
        unknown = isinstance(node, ir.ToScalar) and self.kind(node) is None
        return unknown or self.is_temporal(node)

    def literal(self, node: ir.Literal) -> ir.Expr:
        """Rewrite a literal."""
        if node.value is None or node.kind not in TEMPORAL:
            return node
        text = str(node.value)
        try:
            if node.kind == "datetime":
                return at(literals.instant(text))
            return span(literals.span(text))
        except ValueError as problem:
            raise QueryRefused(f"A recognition error occurred. {problem}") from None

    def binary(self, node: ir.BinaryOp) -> ir.Expr:
        """Rewrite an operation on two expressions."""
        temporal = [self.is_temporal(side) for side in (node.left, node.right)]
        if not any(temporal) or node.op in _LOGIC:
            return node
        if node.op in _COMPARISONS or node.op in ("+", "-"):
            self.same(node.left, node.right, f"operator '{node.op}'")
            return node
        spans = [self.kind(side) == "timespan" for side in (node.left, node.right)]
        if node.op == "/" and all(spans):
            return call("tick_ratio", node.left, node.right)
        if node.op == "*" and any(spans) and not all(temporal):
            first, second = (node.left, node.right)[:: 1 if temporal[0] else -1]
            return call("tick_times", first, second)
        raise QueryRefused(f"operator '{node.op}' cannot be applied to a datetime or timespan")

    def same(self, left: ir.Expr, right: ir.Expr, what: str) -> None:
        """Refuse to mix a datetime or timespan with a value known to be neither."""
        kinds = self.kind(left), self.kind(right)
        if (kinds[0] in TEMPORAL) == (kinds[1] in TEMPORAL) or None in kinds or "null" in kinds:
            return
        raise QueryRefused(f"{what}: Cannot compare values of types {kinds[0]} and {kinds[1]}")

    def in_list(self, node: ir.InList) -> ir.Expr:
        """Check a membership test."""
        for item in node.items:
            self.same(node.value, item, "operator 'in'")
        return node

    def between(self, node: ir.Between) -> ir.Expr:
        """Rewrite a range test whose end may be a timespan after its beginning."""
        self.same(node.value, node.low, "operator 'between'")
        if self.kind(node.low) == "datetime" and self.kind(node.high) == "timespan":
            end = ir.BinaryOp("+", node.low, node.high)
            return ir.Between(node.value, node.low, end, node.negated)
        self.same(node.value, node.high, "operator 'between'")
        return node

    def function(self, node: ir.FunctionCall) -> ir.Expr:
        """Rewrite a call."""
        name = node.name.lower()
        if name in SQL:
            raise QueryRefused(f"Unknown function: '{node.name}'")
        rule = self.rules.get(name)
        rewritten = rule(self, node.args) if rule else None
        if rewritten is not None:
            return rewritten
        if name not in _HARMLESS and any(map(self._may_be_temporal, node.args)):
            raise QueryRefused(
                f"function '{node.name}' of a datetime or timespan is not available in this tenant"
            )
        return node
