"""Disjunction: conditions of very many branches, and a quick test that all of them imply.

A batch of hunts is a chain of hundreds of alike branches, and trying each of them on each row takes
minutes. What the branches ask of columns is put together into sets first, which few rows meet.
Nothing changes in what a query means.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Final, TypeAlias

from duckdb_kql import ir

_WORTHWHILE: Final = 8
_PLAIN: Final = ("string", "long", "int", "bool", "guid")
_EQUALITIES: Final = {"==": False, "=~": True}
_ANY: Final = ("any",)
Shape: TypeAlias = tuple[object, ...]
"""What a branch tests, without the values: `and`, `or` or `set` with its parts, or `any`."""


def chain(node: ir.Expr, op: str) -> list[ir.Expr]:
    """Return the operands of a chain of one logical operator, in order and however nested."""
    operands: list[ir.Expr] = []
    rest = [node]
    while rest:
        one = rest.pop()
        if isinstance(one, ir.BinaryOp) and one.op == op:
            rest += [one.right, one.left]
        else:
            operands.append(one)
    return operands


def balanced(operands: Sequence[ir.Expr], op: str) -> ir.Expr:
    """Return the same chain with as little nesting as possible: engines limit how deep it goes."""
    if len(operands) == 1:
        return operands[0]
    middle = len(operands) // 2
    return ir.BinaryOp(op, balanced(operands[:middle], op), balanced(operands[middle:], op))


def quickened(predicate: ir.Expr) -> ir.Expr:
    """Return a condition with the quick tests that its long disjunctions imply before it."""
    parts = chain(predicate, "and")
    quick = [_outline(branches) for branches in (chain(part, "or") for part in parts)
             if len(branches) >= _WORTHWHILE]  # fmt: skip
    found = [test for test in quick if test is not None]
    return balanced([*found, *parts], "and") if found else predicate


@dataclass(slots=True)
class _Group:
    """The values that alike branches compare with, by the position of the test in its branch."""

    values: list[dict[ir.Expr, None]] = field(default_factory=list)

    def add(self, tests: Iterable[tuple[ir.Expr, ...]]) -> None:
        """Add the values of one branch."""
        for position, values in enumerate(tests):
            if position == len(self.values):
                self.values.append({})
            self.values[position].update(dict.fromkeys(values))


def _outline(branches: list[ir.Expr]) -> ir.Expr | None:
    """Return what every branch implies, or null where some branch implies nothing simple."""
    groups: dict[Shape, _Group] = {}
    for branch in branches:
        tests: list[tuple[ir.Expr, ...]] = []
        shape = _shape(branch, tests)
        if shape == _ANY:
            return None
        groups.setdefault(shape, _Group()).add(tests)
    if len(groups) * 2 > len(branches):
        return None
    outlines = [_rebuilt(shape, iter(group.values)) for shape, group in groups.items()]
    return balanced(outlines, "or")


def _shape(node: ir.Expr, tests: list[tuple[ir.Expr, ...]]) -> Shape:
    """Return the shape of a condition, and add the values of its tests in order."""
    if isinstance(node, ir.BinaryOp) and node.op in ("and", "or"):
        before = len(tests)
        shapes = [_shape(operand, tests) for operand in chain(node, node.op)]
        known = tuple(shape for shape in shapes if shape != _ANY)
        if not known or (node.op == "or" and len(known) < len(shapes)):
            del tests[before:]
            return _ANY
        return (node.op, *known)
    test = _membership(node)
    if test is None:
        return _ANY
    column, values, loose = test
    tests.append(values)
    return ("set", column, loose)


def _membership(node: ir.Expr) -> tuple[ir.Expr, tuple[ir.Expr, ...], bool] | None:
    """Return the column, the values and whether case is ignored, of a test that is no more."""
    if isinstance(node, ir.BinaryOp) and node.op in _EQUALITIES:
        if _is_column(node.left) and _is_constant(node.right):
            return node.left, (node.right,), _EQUALITIES[node.op]
        return None
    if not isinstance(node, ir.InList) or node.negated or node.subquery is not None:
        return None
    if _is_column(node.value) and node.items and all(map(_is_constant, node.items)):
        return node.value, node.items, node.case_insensitive
    return None


def _is_column(node: ir.Expr) -> bool:
    """Return whether an expression is a column, or one cut to bins or put in lower case."""
    if isinstance(node, ir.FunctionCall):
        return node.name in ("tick_bin", "tolower") and _is_column(node.args[0])
    return isinstance(node, ir.ColumnRef)


def _is_constant(node: ir.Expr) -> bool:
    if isinstance(node, ir.FunctionCall):
        return node.name == "tick_at" and all(map(_is_constant, node.args))
    return isinstance(node, ir.Literal) and node.value is not None and node.kind in _PLAIN


def _rebuilt(shape: Shape, values: Iterable[dict[ir.Expr, None]]) -> ir.Expr:
    """Return the condition of a shape with all values of its group in place of one branch's."""
    rest = iter(values)
    match shape:
        case ("set", ir.Expr() as column, bool(loose)):
            return ir.InList(column, tuple(next(rest)), case_insensitive=loose)
        case (op, *parts):
            built = [_rebuilt(part, rest) for part in parts if isinstance(part, tuple)]
    return reduce(lambda left, right: ir.BinaryOp(str(op), left, right), built)
