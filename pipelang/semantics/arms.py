"""Arms of a `match` as tests: what a pattern asks of a subject that has no closed set of values."""

from __future__ import annotations

from typing import Any

from pipelang.semantics import expressions as ir
from pipelang.semantics.types import BOOL, AnswererType, EnumType, ListType


class Other:
    """In place of a value that no pattern names."""


OTHER = Other()


def is_closed(expr: ir.Expr) -> bool:
    """Whether an expression has one of a few values: a bool, an enum, a tier, a constant."""
    return (
        isinstance(expr, ir.Const)
        or expr.type == BOOL
        or isinstance(expr.type, (EnumType, AnswererType))
    )


def arm_test(subject: ir.Expr, taken: tuple[Any, ...]) -> ir.Expr:
    """Whether the subject is what an arm takes."""
    values = tuple(ir.Const(value, subject.type) for value in taken)
    if len(values) == 1:
        return ir.Compare("==", subject, values[0], BOOL)
    return ir.Member(subject, ir.MakeList(values, ListType(subject.type, None)), BOOL)
