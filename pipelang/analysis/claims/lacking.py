"""Expressions that may have no value in a run, and values that may not fit where they go.

A `fn` in Python may raise, a `number` or a time may leave its range, and a value that is handed on
is checked against the type that is expected there. Where this happens, a link of a chain goes on to
the next, and a pipeline fails.
"""

from __future__ import annotations

from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.types import (
    NUMBER,
    TIME,
    EnumType,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Scalar,
    Type,
    keeps_range,
    present,
)


def may_lack_value(program: p.Program, node: expr.Expr | None) -> bool:
    """Whether evaluating an expression may fail."""
    if node is None:
        return False
    for part in expr.walk(node):
        if isinstance(part, expr.Apply):
            body = program.functions[part.function].body
            if body is None or may_lack_value(program, body):
                return True
        elif isinstance(part, (expr.Arithmetic, expr.Builtin)):
            kinds = {present(part.type), *(present(one.type) for one in expr.parts(part))}
            if TIME in kinds and isinstance(part, expr.Arithmetic):
                return True
            if NUMBER in kinds and not _is_small(part):
                return True
    return False


def _is_small(node: expr.Expr) -> bool:
    """Whether a result cannot leave the range of a float: its operands have narrow ranges."""
    if isinstance(node, expr.Builtin):
        return node.function in ("len", "min", "max", "first", "round")
    return all(_is_bounded(part) for part in expr.parts(node))


def _is_bounded(node: expr.Expr) -> bool:
    type = present(node.type)
    if isinstance(node, expr.Const):
        return True
    if not isinstance(type, Scalar):
        return False
    return type.kind.value == "probability" or (type.low is not None and type.high is not None)


def surely_fits(found: Type, expected: Type) -> bool:
    """Whether every value of one type passes the check of another that it is assigned to."""
    if isinstance(expected, OptionalType):
        return surely_fits(present(found), expected.inner)
    if isinstance(found, OptionalType):
        return False
    match expected:
        case Scalar():
            if not isinstance(found, Scalar):
                return expected.max_tokens is None and expected.patterns is None
            short = expected.max_tokens is None or (
                found.max_tokens is not None and found.max_tokens <= expected.max_tokens
            )
            matches = expected.patterns is None or found.patterns == expected.patterns
            pages = expected.max_pages is None or (
                found.max_pages is not None and found.max_pages <= expected.max_pages
            )
            return short and matches and pages and keeps_range(found, expected)
        case ListType():
            return (
                isinstance(found, ListType)
                and _is_short(found.max_length, expected.max_length)
                and surely_fits(found.element, expected.element)
            )
        case MapType():
            return (
                isinstance(found, MapType)
                and _is_short(found.max_length, expected.max_length)
                and surely_fits(found.value, expected.value)
            )
        case RecordType():
            return isinstance(found, RecordType) and all(
                surely_fits(one.type, one.type) for one in expected.fields
            )
        case EnumType() | _:
            return True


def _is_short(found: int | None, expected: int | None) -> bool:
    return expected is None or (found is not None and found <= expected)
