"""Operators: logic, comparison, membership, arithmetic with units."""

from __future__ import annotations

from decimal import Decimal

from pipelang.diagnostics import codes
from pipelang.semantics import expressions as ir
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.narrowing import known_if_false, known_if_true
from pipelang.semantics.types import (
    BOOL,
    DURATION,
    ERROR,
    INT,
    MONEY,
    NUMBER,
    PROBABILITY,
    TEXT,
    TIME,
    TOKENS,
    EnumType,
    ErrorType,
    Kind,
    ListType,
    MapType,
    NoneType,
    OptionalType,
    Scalar,
    Type,
    join,
    show,
)
from pipelang.syntax import ast

_ORDERED = (INT, NUMBER, PROBABILITY, MONEY, DURATION, TIME, TOKENS)


def elaborate_binary(
    context: Context, scope: Scope, expr: ast.Binary, expected: Type | None
) -> ir.Expr:
    match expr.op:
        case "and" | "or":
            return _logic(context, scope, expr)
        case "==" | "!=" | "<" | "<=" | ">" | ">=":
            return _compare(context, scope, expr)
        case "in" | "not in":
            return _member(context, scope, expr)
        case "matches":
            return _matches(context, scope, expr)
        case _:
            return _arithmetic(context, scope, expr)


def _logic(context: Context, scope: Scope, expr: ast.Binary) -> ir.Expr:
    from pipelang.semantics.elaborate.expressions import condition

    left = condition(context, scope, expr.left)
    known = known_if_true(left) if expr.op == "and" else known_if_false(left)
    right = condition(context, scope.knowing(known), expr.right)
    return ir.Logic(expr.op, left, right, BOOL, expr.span)


def _is_bare_name(scope: Scope, expr: ast.Expr) -> bool:
    """A name that is no value in scope: an enum member, if the other side says of which enum."""
    return isinstance(expr, ast.NameRef) and expr.name not in scope.names


def _both(
    context: Context, scope: Scope, first: ast.Expr, second: ast.Expr
) -> tuple[ir.Expr, ir.Expr]:
    """Two sides that must have one type; the side that knows its type is looked at first."""
    from pipelang.semantics.elaborate.expressions import elaborate

    knows_nothing = (ast.RecordOf, ast.ListOf)
    if _is_bare_name(scope, first) or isinstance(first, knows_nothing):
        right = elaborate(context, scope, second)
        left = elaborate(context, scope, first, _other(right.type))
        return left, right
    left = elaborate(context, scope, first)
    if _is_bare_name(scope, second) or isinstance(second, knows_nothing):
        return left, elaborate(context, scope, second, _other(left.type))
    return left, elaborate(context, scope, second)


def _other(type: Type) -> Type | None:
    if isinstance(type, OptionalType):
        return type
    return type if isinstance(type, (EnumType, ListType, MapType)) or type != INT else None


def _compare(context: Context, scope: Scope, expr: ast.Binary) -> ir.Expr:
    left, right = _both(context, scope, expr.left, expr.right)
    if isinstance(left.type, ErrorType) or isinstance(right.type, ErrorType):
        return ir.Const(None, ERROR, span=expr.span)
    for side, other in ((left, right), (right, left)):
        if isinstance(other.type, NoneType) and expr.op in ("==", "!="):
            there: ir.Expr = ir.IsPresent(side, BOOL, expr.span)
            return ir.Not(there, BOOL, expr.span) if expr.op == "==" else there
    ordering = expr.op not in ("==", "!=")
    for side in (left, right):
        if ordering and isinstance(side.type, OptionalType):
            path = ir.path_of(side)
            context.tell(codes.MAYBE_ABSENT, side.span, name=".".join(path or ("this",)))
            return ir.Const(None, ERROR, span=expr.span)
    if join(left.type, right.type) is None:
        help = None
        if PROBABILITY in (left.type, right.type):
            help = "shares are written with a percent sign: 70%"
        context.tell(
            codes.TYPE_MISMATCH,
            right.span,
            expected=f"`{show(left.type)}` to compare with",
            found=f"`{show(right.type)}`",
            help=help,
        )
        return ir.Const(None, ERROR, span=expr.span)
    if ordering and left.type not in _ORDERED:
        context.tell(
            codes.TYPE_MISMATCH,
            expr.span,
            expected="numbers, shares, money, durations or times to order",
            found=f"`{show(left.type)}`",
        )
        return ir.Const(None, ERROR, span=expr.span)
    match expr.op:
        case "==":
            return ir.Compare("==", left, right, BOOL, expr.span)
        case "!=":
            equal = ir.Compare("==", left, right, BOOL, expr.span)
            return ir.Not(equal, BOOL, expr.span)
        case ">" | ">=":
            op = "<" if expr.op == ">" else "<="
            return ir.Compare(op, right, left, BOOL, expr.span)
        case _:
            return ir.Compare(expr.op, left, right, BOOL, expr.span)


def _member(context: Context, scope: Scope, expr: ast.Binary) -> ir.Expr:
    from pipelang.semantics.elaborate.expressions import elaborate

    if isinstance(expr.right, ast.ListOf) and not _is_bare_name(scope, expr.left):
        item = elaborate(context, scope, expr.left)
        collection = elaborate(context, scope, expr.right, ListType(item.type))
    else:
        collection = elaborate(context, scope, expr.right)
        type = collection.type
        element: Type | None = None
        if isinstance(type, ListType):
            element = type.element
        elif isinstance(type, MapType):
            element = TEXT
        elif not isinstance(type, ErrorType):
            context.tell(
                codes.TYPE_MISMATCH,
                expr.right.span,
                expected="a list or a map",
                found=f"`{show(type)}`",
            )
            return ir.Const(None, ERROR, span=expr.span)
        item = elaborate(context, scope, expr.left, element)
    found: ir.Expr = ir.Member(item, collection, BOOL, expr.span)
    return ir.Not(found, BOOL, expr.span) if expr.op == "not in" else found


def _matches(context: Context, scope: Scope, expr: ast.Binary) -> ir.Expr:
    from pipelang.semantics.elaborate.expressions import elaborate

    text = elaborate(context, scope, expr.left, TEXT)
    assert isinstance(expr.right, ast.NameRef)
    name = ast.Name(expr.right.name, expr.right.span)
    symbol = context.find(scope.file, name, "patterns")
    key = symbol.key if symbol else expr.right.name
    return ir.Matches(text, key, BOOL, expr.span)


# The unit algebra: (operator, left, right) -> result. `int` widens where a number is meant.
_ALGEBRA: dict[tuple[str, Kind, Kind], Scalar] = {}


def _law(op: str, left: Scalar, right: Scalar, result: Scalar) -> None:
    _ALGEBRA[op, left.kind, right.kind] = result


for _op in "+-*":
    _law(_op, INT, INT, INT)
    for _left, _right in ((NUMBER, NUMBER), (INT, NUMBER), (NUMBER, INT)):
        _law(_op, _left, _right, NUMBER)
for _left in (INT, NUMBER):
    for _right in (INT, NUMBER):
        _law("/", _left, _right, NUMBER)
for _unit in (MONEY, DURATION, TOKENS):
    for _op in "+-":
        _law(_op, _unit, _unit, _unit)
    for _number in (INT, NUMBER, PROBABILITY):
        _law("*", _unit, _number, _unit)
        _law("*", _number, _unit, _unit)
    for _number in (INT, NUMBER):
        _law("/", _unit, _number, _unit)
    _law("/", _unit, _unit, NUMBER)
for _op in "+-":
    _law(_op, PROBABILITY, PROBABILITY, PROBABILITY)
    _law(_op, TIME, DURATION, TIME)
_law("-", TIME, TIME, DURATION)
_law("*", PROBABILITY, PROBABILITY, PROBABILITY)
_law("/", PROBABILITY, PROBABILITY, NUMBER)
for _number in (INT, NUMBER):
    _law("*", PROBABILITY, _number, NUMBER)
    _law("*", _number, PROBABILITY, NUMBER)
    _law("/", PROBABILITY, _number, NUMBER)


def _arithmetic(context: Context, scope: Scope, expr: ast.Binary) -> ir.Expr:
    from pipelang.semantics.elaborate.expressions import elaborate

    left = elaborate(context, scope, expr.left)
    right = elaborate(context, scope, expr.right)
    if isinstance(left.type, ErrorType) or isinstance(right.type, ErrorType):
        return ir.Const(None, ERROR, span=expr.span)
    result = None
    if isinstance(left.type, Scalar) and isinstance(right.type, Scalar):
        result = _ALGEBRA.get((expr.op, left.type.kind, right.type.kind))
    if result is None:
        verb = {"+": "added to", "-": "subtracted from", "*": "multiplied by", "/": "divided by"}
        first, second = (right, left) if expr.op == "-" else (left, right)
        context.tell(
            codes.TYPE_MISMATCH,
            expr.span,
            expected=f"two quantities that go together with `{expr.op}`",
            found=f"`{show(first.type)}` {verb[expr.op]} `{show(second.type)}`",
        )
        return ir.Const(None, ERROR, span=expr.span)
    if expr.op == "/" and not excludes_zero(right):
        context.tell(
            codes.DIVISOR,
            expr.right.span,
            help="give its type a range without 0, such as `in 1..100`",
        )
        return ir.Const(None, ERROR, span=expr.span)
    return ir.Arithmetic(expr.op, left, right, result, expr.span)


def excludes_zero(expr: ir.Expr) -> bool:
    """Whether a divisor can be seen not to be 0, from its value or the range of its type."""
    if isinstance(expr, ir.Const):
        return bool(expr.value)
    type = expr.type
    if not isinstance(type, Scalar):
        return False
    zero = Decimal(0)
    return (type.low is not None and type.low > zero) or (
        type.high is not None and type.high < zero
    )


def elaborate_negation(context: Context, scope: Scope, expr: ast.Unary) -> ir.Expr:
    from pipelang.semantics.elaborate.expressions import elaborate

    operand = elaborate(context, scope, expr.operand)
    if operand.type not in (INT, NUMBER, MONEY, DURATION):
        if not isinstance(operand.type, ErrorType):
            context.tell(
                codes.TYPE_MISMATCH,
                expr.span,
                expected="a number, money or a duration",
                found=f"`{show(operand.type)}`",
            )
        return ir.Const(None, ERROR, span=expr.span)
    if isinstance(operand, ir.Const) and operand.setting is None:
        return ir.Const(-operand.value, operand.type, span=expr.span)
    return ir.Negate(operand, operand.type, expr.span)
