"""Arms of a `match` as tests, for subjects without a closed set of values."""

from __future__ import annotations

from typing import Any

from pipelang.semantics import expressions as expr
from pipelang.semantics.types import BOOL, AnswererType, EnumType, ListType


class Other:
    """In place of a value that no pattern names."""


OTHER = Other()


def is_closed(node: expr.Expr) -> bool:
    """Whether an expression has one of a few values: a bool, an enum, a tier, a constant."""
    return (
        isinstance(node, expr.Const)
        or node.type == BOOL
        or isinstance(node.type, (EnumType, AnswererType))
    )


def is_drawn_whole(node: expr.Expr) -> bool:
    """Whether an expression's value is one draw: a path to a bool or an enum, or a call of a
    function that answers an enum. The call of one that answers a bool is a test.
    """
    if isinstance(node.type, EnumType) and isinstance(node, expr.Apply):
        return True
    return (node.type == BOOL or isinstance(node.type, EnumType)) and expr.path_of(node) is not None


def arm_test(subject: expr.Expr, taken: tuple[Any, ...]) -> expr.Expr:
    """Whether the subject is what an arm takes."""
    values = tuple(expr.Const(value, subject.type) for value in taken)
    if len(values) == 1:
        return expr.Compare("==", subject, values[0], BOOL)
    return expr.Member(subject, expr.MakeList(values, ListType(subject.type, None)), BOOL)
