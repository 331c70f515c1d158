"""Constant folding: the value of an expression over constants, as a run works it out.

A sum or product of money, shares or durations that needs more than 28 digits is no constant: what a
file says must not hang on rounding. Quotients are rounded, and a `number` is a float, as in a run.
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, localcontext
from typing import Any

from pipelang.semantics import expressions as expr
from pipelang.semantics.kernels import arithmetic
from pipelang.semantics.types import INT, NUMBER, ErrorType, RecordType, present

DIGITS = 28
"""Decimal digits that a constant may have, before and behind the point together."""

LARGEST, SMALLEST = Decimal("1E+99"), Decimal("1E-99")
"""Between these are the results that may stand in a file, without their signs."""


TOO_LONG = "a number too long to be kept exactly"


class NotConstant(Exception):
    """The expression depends on something that is only known at run time."""


class BrokenPart(NotConstant):
    """Raised where a part of the expression was already reported as an error."""


class TooLong(NotConstant):
    """A value with more digits than are kept exactly."""


def fold(node: expr.Expr) -> Any:
    """The value of a constant expression, with a decimal for a `number`. Raises `NotConstant` with
    the part that is none.
    """
    if isinstance(node, expr.Const) and not isinstance(node.type, ErrorType):
        return node.value
    return _exactly(_fold(node))


def _exactly(value: Any) -> Any:
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < 2**53
        return Decimal(int(value)) if whole else Decimal(repr(value))
    if isinstance(value, list):
        return [_exactly(item) for item in value]
    if isinstance(value, dict):
        return {key: _exactly(item) for key, item in value.items()}
    return value


def _fold(node: expr.Expr) -> Any:
    match node:
        case expr.Const():
            if isinstance(node.type, ErrorType):
                raise BrokenPart
            try:
                return arithmetic.constant(node.value, node.type)
            except OverflowError:
                raise TooLong(TOO_LONG) from None
        case expr.MakeList() | expr.Concatenation() | expr.Comprehension():
            return [_fold(item) for item in elements(node)]
        case expr.MakeRecord():
            # A constant is like JSON: a record's fields have their outer names.
            type = present(node.type)
            fields = type.fields if isinstance(type, RecordType) else ()
            keys = {field.name: field.key for field in fields}
            return {keys.get(name, name): _fold(value) for name, value in node.fields}
        case expr.Not():
            return not _fold(node.operand)
        case expr.Negate():
            return arithmetic.negated(_fold(node.operand))
        case expr.Logic():
            left = _fold(node.left)
            if node.op == "and":
                return left and _fold(node.right)
            return left or _fold(node.right)
        case expr.Compare():
            compare = arithmetic.comparison(node.op, node.left.type, node.right.type)
            return bool(compare(_fold(node.left), _fold(node.right)))
        case expr.Member():
            among = arithmetic.membership(node.item.type, node.collection.type)
            item = _fold(node.item)
            return among(_fold(node.collection), item)
        case expr.Choice():
            return _fold(node.then) if _fold(node.condition) else _fold(node.otherwise)
        case expr.Select():
            subject = _fold(node.subject)
            among = arithmetic.membership(node.subject.type, node.subject.type)
            for values, arm in node.arms:
                if values is None or among(values, subject):
                    return _fold(arm)
            raise BrokenPart
        case expr.Arithmetic():
            return _arithmetic(node)
        case expr.IsPresent():
            return _fold(node.target) is not None
        case expr.Builtin():
            return _builtin(node)
        case _:
            raise NotConstant(f"`{expr.show(node)}`, which is only known while running")


def elements(node: expr.Expr) -> list[expr.Expr]:
    """The elements of a list that is known. Raises `NotConstant` where it is only known while
    running how many there are.
    """
    match node:
        case expr.MakeList():
            return list(node.items)
        case expr.Concatenation():
            return [*elements(node.left), *elements(node.right)]
        case expr.Comprehension():
            found = []
            for element in elements(node.collection):
                test = node.condition
                if test is None or _fold(expr.at_element(test, node.name, element)):
                    found.append(expr.at_element(node.item, node.name, element))
            return found
        case _:
            raise NotConstant(f"`{expr.show(node)}`, which is only known while running")


def _arithmetic(node: expr.Arithmetic) -> Any:
    compute = arithmetic.operation(node.op, node.type)
    left, right = _fold(node.left), _fold(node.right)
    try:
        with localcontext(Context(prec=DIGITS)) as context:
            context.traps[Inexact] = node.op != "/" and node.type != NUMBER
            value = compute(left, right)
    except ArithmeticError:
        raise TooLong(TOO_LONG) from None
    if value and not SMALLEST <= abs(value) < (10**DIGITS if node.type == INT else LARGEST):
        raise TooLong(TOO_LONG)
    return value


def _builtin(node: expr.Builtin) -> Any:
    values = [_fold(argument) for argument in node.arguments]
    match node.function, values:
        case "any", [list() as items]:
            return any(items)
        case "all", [list() as items]:
            return all(items)
        case "sum", [list() as items]:
            try:
                return arithmetic.total(items, node.type)
            except ArithmeticError:
                raise TooLong(TOO_LONG) from None
        case "len", [value]:
            return len(value)
        case "min" | "max", [list() as items]:
            pick = min if node.function == "min" else max
            return pick(items, default=None)
        case "min" | "max", items:
            return min(items) if node.function == "min" else max(items)
        case _:
            raise NotConstant(f"`{expr.show(node)}`, which is only known while running")
