"""Constant folding: the value of an expression over constants, in exact arithmetic.

What a program's numbers mean must not hang on rounding, so a sum or product that needs more than 28
digits is no constant. Quotients are rounded to 28, and so is what is made of them: a `number` is a
float once it runs.
"""

from __future__ import annotations

from decimal import Context, Decimal, DecimalException, Inexact, Overflow, localcontext
from typing import Any

from pipelang.semantics import expressions as ir
from pipelang.semantics.types import INT, NUMBER, ErrorType

DIGITS = 28
"""Decimal digits that a constant may have, before and behind the point together."""


class NotConstant(Exception):
    """The expression depends on something that is only known at run time."""


class Broken(NotConstant):
    """A part of the expression was told as an error already."""


class TooLong(NotConstant):
    """A value with more digits than are kept exactly."""


def fold(expr: ir.Expr) -> Any:
    """The value of a constant expression. Raises `NotConstant` with the part that is none."""
    match expr:
        case ir.Const():
            if isinstance(expr.type, ErrorType):
                raise Broken
            return expr.value
        case ir.MakeList():
            return [fold(item) for item in expr.items]
        case ir.MakeRecord():
            return {name: fold(value) for name, value in expr.fields}
        case ir.Not():
            return not fold(expr.operand)
        case ir.Negate():
            return -fold(expr.operand)
        case ir.Logic():
            left = fold(expr.left)
            if expr.op == "and":
                return left and fold(expr.right)
            return left or fold(expr.right)
        case ir.Compare():
            left, right = fold(expr.left), fold(expr.right)
            if expr.op == "==":
                return bool(left == right)
            return bool(left < right if expr.op == "<" else left <= right)
        case ir.Member():
            return fold(expr.item) in fold(expr.collection)
        case ir.Choice():
            return fold(expr.then) if fold(expr.condition) else fold(expr.otherwise)
        case ir.Select():
            subject = fold(expr.subject)
            for values, arm in expr.arms:
                if values is None or subject in values:
                    return fold(arm)
            raise Broken
        case ir.Arithmetic():
            return _arithmetic(expr)
        case ir.IsPresent():
            return fold(expr.target) is not None
        case ir.Builtin():
            return _builtin(expr)
        case _:
            raise NotConstant(f"`{ir.show(expr)}`, which is only known while running")


def _arithmetic(expr: ir.Arithmetic) -> Any:
    left, right = fold(expr.left), fold(expr.right)
    if isinstance(left, int) and isinstance(right, int) and expr.op != "/":
        whole = left * right if expr.op == "*" else left + right if expr.op == "+" else left - right
        if abs(whole) >= 10**DIGITS:
            raise TooLong("a number too long to be kept exactly")
        return whole
    rounds = expr.op == "/" or expr.type == NUMBER
    try:
        with localcontext(Context(prec=DIGITS, Emin=-99, Emax=99)) as exact:
            exact.traps[Inexact] = not rounds
            exact.traps[Overflow] = True
            value = _apply(expr.op, Decimal(left), Decimal(right))
    except DecimalException:
        raise TooLong("a number too long to be kept exactly") from None
    return int(value) if expr.type == INT else value


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


def _builtin(expr: ir.Builtin) -> Any:
    values = [fold(argument) for argument in expr.arguments]
    match expr.function, values:
        case "len", [value]:
            return len(value)
        case "min" | "max", [list() as items]:
            pick = min if expr.function == "min" else max
            return pick(items, default=None)
        case "min" | "max", items:
            return min(items) if expr.function == "min" else max(items)
        case _:
            raise NotConstant(f"`{ir.show(expr)}`, which is only known while running")
