"""Operators: logic, comparison, membership, arithmetic with units."""

from __future__ import annotations

from decimal import Decimal

from pipelang.diagnostics import Span, codes
from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics.elaborate.context import Context, Scope, broken
from pipelang.semantics.elaborate.expressions.comprehensions import concatenated
from pipelang.semantics.elaborate.expressions.literal_fixes import as_share
from pipelang.semantics.elaborate.expressions.narrowing import known_if_false, known_if_true
from pipelang.semantics.elaborate.expressions.optionals import absent, may_be_absent
from pipelang.semantics.types import (
    BOOL,
    DURATION,
    INT,
    MONEY,
    NUMBER,
    PROBABILITY,
    TEXT,
    TIME,
    TOKENS,
    EnumType,
    ErrorType,
    ListType,
    MapType,
    NoneType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
    join,
    media_in,
    present,
    quoted,
)
from pipelang.syntax import ast

_ORDERED = (INT, NUMBER, PROBABILITY, MONEY, DURATION, TIME, TOKENS)
_PERCENT = "shares are written with a percent sign: 70%"


def elaborate_binary(
    context: Context, scope: Scope, node: ast.Binary, expected: Type | None = None
) -> expr.Expr:
    match node.op:
        case "and" | "or":
            return _logic(context, scope, node)
        case "==" | "!=" | "<" | "<=" | ">" | ">=":
            return _compare(context, scope, node)
        case "in" | "not in":
            return _member(context, scope, node)
        case "matches":
            return _matches(context, scope, node)
        case _:
            return _arithmetic(context, scope, node, expected)


def _logic(context: Context, scope: Scope, node: ast.Binary) -> expr.Expr:
    from pipelang.semantics.elaborate.expressions.expressions import condition

    left = condition(context, scope, node.left)
    known = known_if_true(left) if node.op == "and" else known_if_false(left)
    right = condition(context, scope.knowing(known), node.right)
    return expr.Logic(node.op, left, right, BOOL, node.span)


def _is_bare_name(context: Context, scope: Scope, node: ast.Expr) -> bool:
    """A name that is no value in scope: an enum member, if the other side says of which enum."""
    if not isinstance(node, ast.NameRef) or node.name in scope.names:
        return False
    symbol = context.symbols.find(scope.file, node.name)
    return symbol is None or symbol.kind != "setting"


def _both(
    context: Context, scope: Scope, first: ast.Expr, second: ast.Expr
) -> tuple[expr.Expr, expr.Expr]:
    """Two sides that must have one type; the side that knows its type is looked at first."""
    from pipelang.semantics.elaborate.expressions.expressions import elaborate

    knows_nothing = (ast.RecordOf, ast.ListOf)
    if _is_bare_name(context, scope, first) or isinstance(first, knows_nothing):
        right = elaborate(context, scope, second)
        return elaborate(context, scope, first, _like(right.type)), right
    left = elaborate(context, scope, first)
    if _is_bare_name(context, scope, second) or isinstance(second, knows_nothing):
        return left, elaborate(context, scope, second, _like(left.type))
    return left, elaborate(context, scope, second)


def _not_compared(context: Context, side: expr.Expr) -> expr.Expr:
    """Report a comparison of what a model has to look at."""
    help = "ask a model what it shows, and compare the answers"
    expected = "a value without pictures and documents, which are not compared"
    context.tell(
        codes.TYPE_MISMATCH, side.span, expected=expected, found=quoted(side.type), help=help
    )
    return broken(side.span)


def _like(type: Type) -> Type | None:
    """The type of one side as what is expected of the other, where it says how to read that."""
    inner = present(type)
    match inner:
        case ListType():
            return replace(inner, max_length=None)
        case EnumType() | MapType() | RecordType() | ErrorType():
            return type
        case _:
            return None


def _compare(context: Context, scope: Scope, node: ast.Binary) -> expr.Expr:
    left, right = _both(context, scope, node.left, node.right)
    if isinstance(left.type, ErrorType) or isinstance(right.type, ErrorType):
        return broken(node.span)
    for side in (left, right):
        if media_in(side.type):
            return _not_compared(context, side)
    ordering = node.op not in ("==", "!=")
    for side, other in ((left, right), (right, left)):
        if isinstance(other.type, NoneType) and not ordering:
            return _compare_with_none(context, scope, node, side)
    for side in (left, right):
        if ordering and isinstance(side.type, OptionalType):
            return absent(context, side, side.span)
    if join(left.type, right.type) is None:
        shares = PROBABILITY in (present(left.type), present(right.type))
        help = as_share(right, _PERCENT) if shares else _million(context, left, right)
        context.tell(
            codes.TYPE_MISMATCH,
            right.span,
            expected=f"{quoted(left.type)} to compare with",
            found=quoted(right.type),
            help=help,
        )
        return broken(node.span)
    if ordering and left.type not in _ORDERED:
        context.tell(
            codes.TYPE_MISMATCH,
            node.span,
            expected="numbers, shares, money, durations or times to order",
            found=quoted(left.type),
        )
        return broken(node.span)
    match node.op:
        case "==":
            return expr.Compare("==", left, right, BOOL, node.span)
        case "!=":
            equal = expr.Compare("==", left, right, BOOL, node.span)
            return expr.Not(equal, BOOL, node.span)
        case ">" | ">=":
            op = "<" if node.op == ">" else "<="
            return expr.Compare(op, right, left, BOOL, node.span)
        case _:
            return expr.Compare(node.op, left, right, BOOL, node.span)


def _million(context: Context, left: expr.Expr, right: expr.Expr) -> str | None:
    """The help for a `1m` that was meant as a million."""
    for side, other in ((left, right), (right, left)):
        source = context.sources.get(side.span.file)
        if not isinstance(side, expr.Const) or side.type != DURATION or source is None:
            continue
        written = source.text[side.span.start : side.span.end]
        if present(other.type) in (INT, NUMBER) and written[-1:] == "m":
            plain = format(Decimal(written[:-1]) * 10**6, ".0f")
            return f"`m` is a minute: a million is written in plain digits, `{plain}`"
    return None


def _compare_with_none(
    context: Context, scope: Scope, node: ast.Binary, side: expr.Expr
) -> expr.Expr:
    if not may_be_absent(scope, side):
        context.tell(
            codes.TYPE_MISMATCH,
            side.span,
            expected="a value that may be absent",
            found=f"{quoted(side.type)}, which is always there",
        )
        return broken(node.span)
    there = expr.IsPresent(side, BOOL, node.span)
    return expr.Not(there, BOOL, node.span) if node.op == "==" else there


def _member(context: Context, scope: Scope, node: ast.Binary) -> expr.Expr:
    from pipelang.semantics.elaborate.expressions.expressions import elaborate

    if isinstance(node.right, ast.ListOf) and not _is_bare_name(context, scope, node.left):
        item = elaborate(context, scope, node.left)
        collection = elaborate(context, scope, node.right, ListType(item.type))
    else:
        collection = elaborate(context, scope, node.right)
        match collection.type:
            case ListType() as type:
                item = elaborate(context, scope, node.left, type.element)
            case MapType():
                item = elaborate(context, scope, node.left, TEXT)
            case ErrorType() as type:
                item = elaborate(context, scope, node.left, type)
            case OptionalType():
                return absent(context, collection, node.right.span)
            case type:
                found, help = quoted(type), None
                if type == TEXT:
                    help = "to look into a text, write `patterns` and use `matches`"
                context.tell(
                    codes.TYPE_MISMATCH,
                    node.right.span,
                    help=help,
                    expected="a list or a map",
                    found=found,
                )
                return broken(node.span)
    if isinstance(item.type, ErrorType) or isinstance(collection.type, ErrorType):
        return broken(node.span)
    if media_in(item.type):
        return _not_compared(context, item)
    found_in = expr.Member(item, collection, BOOL, node.span)
    return expr.Not(found_in, BOOL, node.span) if node.op == "not in" else found_in


def _matches(context: Context, scope: Scope, node: ast.Binary) -> expr.Expr:
    from pipelang.semantics.elaborate.expressions.expressions import elaborate

    text = elaborate(context, scope, node.left, TEXT)
    assert isinstance(node.right, ast.NameRef)
    name = ast.Name(node.right.name, node.right.span)
    symbol = context.find(scope.file, name, "patterns")
    if symbol is None or isinstance(text.type, ErrorType):
        return broken(node.span)
    return expr.Matches(text, symbol.key, BOOL, node.span)


# The unit algebra: (operator, left, right) -> result. `int` widens where a number is meant.
_ALGEBRA: dict[tuple[str, ScalarKind, ScalarKind], Scalar] = {}


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


def _arithmetic(
    context: Context, scope: Scope, node: ast.Binary, expected: Type | None
) -> expr.Expr:
    left, right = _operands(context, scope, node, expected)
    if isinstance(left.type, ErrorType) or isinstance(right.type, ErrorType):
        return broken(node.span)
    for side in (left, right):
        if isinstance(side.type, OptionalType):
            return absent(context, side, side.span)
    if node.op == "+" and isinstance(left.type, ListType) and isinstance(right.type, ListType):
        return concatenated(context, left, right, node.span)
    result = None
    if isinstance(left.type, Scalar) and isinstance(right.type, Scalar):
        result = _ALGEBRA.get((node.op, left.type.kind, right.type.kind))
    if result is None:
        _no_law(context, node, left.type, right.type)
        return broken(node.span)
    if node.op == "/" and not excludes_zero(right):
        context.tell(
            codes.DIVISOR,
            node.right.span,
            help="give its type a range without 0, such as `in 1..100`",
        )
        return broken(node.span)
    return expr.Arithmetic(node.op, left, right, result, node.span)


def _operands(
    context: Context, scope: Scope, node: ast.Binary, expected: Type | None
) -> tuple[expr.Expr, expr.Expr]:
    """Both sides; a list that is written down takes its type from what is expected, else from the
    other side.
    """
    from pipelang.semantics.elaborate.expressions.expressions import elaborate

    def side(written: ast.Expr, like: Type | None) -> expr.Expr:
        lists = (ast.ListOf, ast.ListFor, ast.Binary)
        takes = isinstance(written, lists) and isinstance(like, ListType)
        return elaborate(context, scope, written, like if takes else None)

    wanted = None if expected is None else present(expected)
    if node.op != "+":
        wanted = None
    if isinstance(wanted, ListType):
        wanted = replace(wanted, max_length=None)
    elif isinstance(node.left, ast.ListOf) and not isinstance(node.right, ast.ListOf):
        right = side(node.right, None)
        return side(node.left, _like(right.type)), right
    left = side(node.left, wanted)
    return left, side(node.right, wanted or _like(left.type))


_VERBS = {"+": "added to", "-": "subtracted from", "*": "multiplied by", "/": "divided by"}


def _no_law(context: Context, node: ast.Binary, left: Type, right: Type) -> None:
    first, second = (left, right) if node.op in "*/" else (right, left)
    help = None
    if PROBABILITY in (left, right) and (INT in (left, right) or NUMBER in (left, right)):
        help = "shares are written with a percent sign: `100% - x`"
    elif isinstance(left, ListType) != isinstance(right, ListType) and node.op == "+":
        help = "a list grows by a list: `xs + [x]`"
    elif left == right == TEXT:
        help = "texts are put together in the template of a prompt"
    context.tell(
        codes.TYPE_MISMATCH,
        node.span,
        expected=f"two quantities that go together with `{node.op}`",
        found=f"{quoted(first)} {_VERBS[node.op]} {quoted(second)}",
        help=help,
    )


def excludes_zero(node: expr.Expr) -> bool:
    """Whether a divisor can be seen not to be 0: by its value, or by the range of its type."""
    if isinstance(node, expr.Const) and node.setting is None:
        return bool(node.value)
    type = node.type
    if not isinstance(type, Scalar):
        return False
    zero = Decimal(0)
    return (type.low is not None and type.low > zero) or (
        type.high is not None and type.high < zero
    )


def elaborate_negation(context: Context, scope: Scope, node: ast.Unary) -> expr.Expr:
    from pipelang.semantics.elaborate.expressions.expressions import elaborate

    operand = elaborate(context, scope, node.operand)
    if isinstance(operand.type, ErrorType):
        return broken(node.span)
    if isinstance(operand.type, OptionalType):
        return absent(context, operand, node.operand.span)
    if operand.type not in (INT, NUMBER, MONEY, DURATION):
        context.tell(
            codes.TYPE_MISMATCH,
            node.span,
            expected="a number, money or a duration",
            found=quoted(operand.type),
        )
        return broken(node.span)
    return _negated(operand, node.span)


def _negated(operand: expr.Expr, span: Span) -> expr.Expr:
    type = operand.type
    assert isinstance(type, Scalar)
    low = None if type.high is None else -type.high
    high = None if type.low is None else -type.low
    type = replace(type, low=low, high=high)
    if isinstance(operand, expr.Const) and operand.setting is None:
        return expr.Const(-operand.value, type, span=span)
    return expr.Negate(operand, type, span)
