"""Constant folding: the value of an expression over constants, in exact arithmetic."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pipelang.semantics import expressions as ir
from pipelang.semantics.types import INT


class NotConstant(Exception):
    """The expression depends on something that is only known at run time."""


def fold(expr: ir.Expr) -> Any:
    """The value of a constant expression. Raises `NotConstant` with the part that is none."""
    match expr:
        case ir.Const():
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
                return left == right
            return left < right if expr.op == "<" else left <= right
        case ir.Member():
            return fold(expr.item) in fold(expr.collection)
        case ir.Choice():
            return fold(expr.then) if fold(expr.condition) else fold(expr.otherwise)
        case ir.Select():
            subject = fold(expr.subject)
            for values, arm in expr.arms:
                if values is None or subject in values:
                    return fold(arm)
        case ir.Arithmetic():
            return _arithmetic(expr)
        case ir.IsPresent():
            return fold(expr.target) is not None
        case _:
            pass
    raise NotConstant(f"`{ir.show(expr)}`, which is only known while running")


def _arithmetic(expr: ir.Arithmetic) -> Any:
    left, right = fold(expr.left), fold(expr.right)
    match expr.op:
        case "+":
            value = left + right
        case "-":
            value = left - right
        case "*":
            value = left * right
        case _:
            value = Decimal(left) / Decimal(right)
    return int(value) if expr.type == INT else value
