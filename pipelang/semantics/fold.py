"""Constant folding: the value of an expression over constants, in exact arithmetic.

What a program's numbers mean must not hang on rounding, so a sum or product that needs more than 28
digits is no constant. Quotients are rounded to 28, and so is what is made of them: a `number` is a
float once it runs.
"""

from __future__ import annotations

from decimal import Context, Decimal, DecimalException, Inexact, Overflow, localcontext
from typing import Any

from pipelang.semantics import expressions as expr
from pipelang.semantics.types import INT, NUMBER, ErrorType, RecordType, present

DIGITS = 28
"""Decimal digits that a constant may have, before and behind the point together."""


class NotConstant(Exception):
    """The expression depends on something that is only known at run time."""


class BrokenPart(NotConstant):
    """Raised where a part of the expression was already reported as an error."""


class TooLong(NotConstant):
    """A value with more digits than are kept exactly."""


def fold(node: expr.Expr) -> Any:
    """The value of a constant expression. Raises `NotConstant` with the part that is none."""
    match node:
        case expr.Const():
            if isinstance(node.type, ErrorType):
                raise BrokenPart
            return node.value
        case expr.MakeList() | expr.Concatenation() | expr.Comprehension():
            return [fold(item) for item in elements(node)]
        case expr.MakeRecord():
            # A constant is like JSON: a record's fields have their outer names.
            type = present(node.type)
            fields = type.fields if isinstance(type, RecordType) else ()
            keys = {field.name: field.key for field in fields}
            return {keys.get(name, name): fold(value) for name, value in node.fields}
        case expr.Not():
            return not fold(node.operand)
        case expr.Negate():
            return -fold(node.operand)
        case expr.Logic():
            left = fold(node.left)
            if node.op == "and":
                return left and fold(node.right)
            return left or fold(node.right)
        case expr.Compare():
            left, right = fold(node.left), fold(node.right)
            if node.op == "==":
                return bool(left == right)
            return bool(left < right if node.op == "<" else left <= right)
        case expr.Member():
            return fold(node.item) in fold(node.collection)
        case expr.Choice():
            return fold(node.then) if fold(node.condition) else fold(node.otherwise)
        case expr.Select():
            subject = fold(node.subject)
            for values, arm in node.arms:
                if values is None or subject in values:
                    return fold(arm)
            raise BrokenPart
        case expr.Arithmetic():
            return _arithmetic(node)
        case expr.IsPresent():
            return fold(node.target) is not None
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
                if test is None or fold(expr.at_element(test, node.name, element)):
                    found.append(expr.at_element(node.item, node.name, element))
            return found
        case _:
            raise NotConstant(f"`{expr.show(node)}`, which is only known while running")


def _arithmetic(node: expr.Arithmetic) -> Any:
    left, right = fold(node.left), fold(node.right)
    if isinstance(left, int) and isinstance(right, int) and node.op != "/":
        whole = left * right if node.op == "*" else left + right if node.op == "+" else left - right
        if abs(whole) >= 10**DIGITS:
            raise TooLong("a number too long to be kept exactly")
        return whole
    rounds = node.op == "/" or node.type == NUMBER
    try:
        with localcontext(Context(prec=DIGITS, Emin=-99, Emax=99)) as exact:
            exact.traps[Inexact] = not rounds
            exact.traps[Overflow] = True
            value = _apply(node.op, Decimal(left), Decimal(right))
    except DecimalException:
        raise TooLong("a number too long to be kept exactly") from None
    return int(value) if node.type == INT else value


def _apply(op: str, left: Decimal, right: Decimal) -> Decimal:
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case _:
            return left / right


def _builtin(node: expr.Builtin) -> Any:
    values = [fold(argument) for argument in node.arguments]
    match node.function, values:
        case "any", [list() as items]:
            return any(items)
        case "all", [list() as items]:
            return all(items)
        case "sum", [list() as items] if node.type != NUMBER:
            return sum(items, 0 if node.type == INT else Decimal(0))
        case "len", [value]:
            return len(value)
        case "min" | "max", [list() as items]:
            pick = min if node.function == "min" else max
            return pick(items, default=None)
        case "min" | "max", items:
            return min(items) if node.function == "min" else max(items)
        case _:
            raise NotConstant(f"`{expr.show(node)}`, which is only known while running")
