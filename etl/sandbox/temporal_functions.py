"""Temporal functions: what each KQL function of time becomes at one microsecond a tick.

A rule returns null to leave a call alone; one that cannot be made exact is refused by `temporal`.
"""

from duckdb_kql import ir

from etl.sandbox import literals, moments
from etl.sandbox.temporal import QueryRefused, Rule, Temporal, at, call, span

Args = tuple[ir.Expr, ...]

_UNITS = {
    "week": 7 * moments.DAY,
    "day": moments.DAY,
    "hour": moments.HOUR,
    "minute": moments.MINUTE,
    "second": moments.SECOND,
    "millisecond": moments.MILLISECOND,
    "microsecond": moments.MICROSECOND,
}
_SUNDAY = 4 * moments.DAY
"""What to add to ticks since 1970, a Thursday, to have weeks begin on Sunday."""
_INGESTED_AFTER = 5 * moments.MINUTE


def _plus(left: ir.Expr, right: ir.Expr) -> ir.Expr:
    return ir.BinaryOp("+", left, right)


def _minus(left: ir.Expr, right: ir.Expr) -> ir.Expr:
    return ir.BinaryOp("-", left, right)


def _now(temporal: Temporal, args: Args) -> ir.Expr | None:
    return _plus(at(temporal.now), args[0]) if args else at(temporal.now)


def _ago(temporal: Temporal, args: Args) -> ir.Expr | None:
    return _minus(at(temporal.now), args[0]) if len(args) == 1 else None


def _bin(temporal: Temporal, args: Args) -> ir.Expr | None:
    return (
        call("tick_bin", *args) if len(args) > 1 and temporal.kind(args[1]) == "timespan" else None
    )


def _floor(moment: ir.Expr, unit: int) -> ir.Expr:
    if unit == _UNITS["week"]:
        shifted = call("tick_bin", _plus(moment, span(_SUNDAY)), span(unit))
        return _minus(shifted, span(_SUNDAY))
    return call("tick_bin", moment, span(unit))


def _start(unit: int, *, last: bool = False) -> Rule:
    """Make the rule for the first moment of a period, or the last."""

    def rule(_: Temporal, args: Args) -> ir.Expr | None:
        start = _floor(args[0], unit)
        if len(args) > 1:
            start = _plus(start, call("tick_times", span(unit), args[1]))
        return _plus(start, span(unit - 1)) if last else start

    return rule


def _hour_of_day(_: Temporal, args: Args) -> ir.Expr | None:
    since = _minus(_floor(args[0], moments.HOUR), _floor(args[0], moments.DAY))
    return call("toint", call("tick_ratio", since, span(moments.HOUR)))


def _day_of_week(_: Temporal, args: Args) -> ir.Expr | None:
    return _minus(_floor(args[0], moments.DAY), _floor(args[0], _UNITS["week"]))


def _to_long(temporal: Temporal, args: Args) -> ir.Expr | None:
    names = {"datetime": "tick_since", "timespan": "tick_count"}
    name = names.get(temporal.kind(args[0]) or "") if len(args) == 1 else None
    return call(name, args[0]) if name else None


def _to_datetime(temporal: Temporal, args: Args) -> ir.Expr | None:
    if temporal.kind(args[0]) == "datetime":
        return args[0]
    if not isinstance(args[0], ir.Literal):
        return call("tick_parse", args[0])
    try:
        return at(literals.instant(str(args[0].value)))
    except ValueError:
        return ir.Literal(None, "datetime")


def _to_timespan(temporal: Temporal, args: Args) -> ir.Expr | None:
    if temporal.kind(args[0]) == "timespan":
        return args[0]
    if isinstance(args[0], ir.Literal) and args[0].kind == "string":
        try:
            return span(literals.span(str(args[0].value)))
        except ValueError:
            return ir.Literal(None, "timespan")
    if temporal.kind(args[0]) in ("long", "int"):
        return call("tick_span", args[0])
    raise QueryRefused("function 'totimespan' takes a constant or a number in this tenant")


def _unit(part: ir.Expr, name: str) -> int:
    text = str(part.value).lower() if isinstance(part, ir.Literal) else ""
    if text not in _UNITS:
        raise QueryRefused(f"function '{name}' with the part '{text}' is not available here")
    return _UNITS[text]


def _diff(_: Temporal, args: Args) -> ir.Expr | None:
    unit = _unit(args[0], "datetime_diff")
    apart = _minus(_floor(args[1], unit), _floor(args[2], unit))
    return call("tolong", call("tick_ratio", apart, span(unit)))


def _add(_: Temporal, args: Args) -> ir.Expr | None:
    unit = _unit(args[0], "datetime_add")
    return _plus(args[2], call("tick_times", span(unit), args[1]))


def _text(temporal: Temporal, arg: ir.Expr) -> ir.Expr:
    return call("tick_text", arg) if temporal.kind(arg) == "datetime" else arg


def _to_string(temporal: Temporal, args: Args) -> ir.Expr | None:
    return call("tick_text", args[0]) if temporal.kind(args[0]) == "datetime" else None


def _strcat(temporal: Temporal, args: Args) -> ir.Expr | None:
    shown = tuple(_text(temporal, arg) for arg in args)
    if any(map(temporal.is_temporal, shown)):
        return None
    return ir.FunctionCall("strcat", shown)


def _ingestion_time(_: Temporal, __: Args) -> ir.Expr | None:
    return _plus(ir.ColumnRef("Timestamp"), span(_INGESTED_AFTER))


RULES: dict[str, Rule] = {
    "now": _now,
    "ago": _ago,
    "bin": _bin,
    "floor": _bin,
    "startofday": _start(_UNITS["day"]),
    "startofweek": _start(_UNITS["week"]),
    "endofday": _start(_UNITS["day"], last=True),
    "endofweek": _start(_UNITS["week"], last=True),
    "hourofday": _hour_of_day,
    "dayofweek": _day_of_week,
    "tolong": _to_long,
    "todatetime": _to_datetime,
    "totimespan": _to_timespan,
    "datetime_diff": _diff,
    "datetime_add": _add,
    "tostring": _to_string,
    "strcat": _strcat,
    "ingestion_time": _ingestion_time,
}
"""The rule of each function by its lower-case name."""
