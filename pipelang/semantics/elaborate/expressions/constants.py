"""Constants: defaults and the quantities of options, computed while elaborating."""

from __future__ import annotations

from typing import Any

from pipelang.diagnostics import Span, codes
from pipelang.semantics import expressions as expr
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.fold import BrokenPart, NotConstant, fold
from pipelang.semantics.types import (
    JSON,
    ErrorType,
    ListType,
    MapType,
    RecordType,
    Type,
    present,
    quoted,
)
from pipelang.syntax import ast


def constant(context: Context, scope: Scope, node: ast.Expr, expected: Type) -> Any:
    """The value of an expression over literals and settings; None (reported) if it has none.

    The names of `scope` are known so that a message can say that they are not constant.
    """
    from pipelang.semantics.elaborate.expressions.expressions import elaborate

    return folded(context, elaborate(context, scope, node, expected), expected, node.span)


def folded(context: Context, typed: expr.Expr, expected: Type, span: Span) -> Any:
    """The value of a typed expression; None (reported) if it is no constant."""
    if isinstance(typed.type, ErrorType):
        return None
    try:
        return fold(typed)
    except BrokenPart:
        return None
    except NotConstant as problem:
        wanted = f"a constant {quoted(expected)}"
        context.tell(codes.TYPE_MISMATCH, span, expected=wanted, found=f"{problem}")
        return None


def literal(value: Any, type: Type, span: Span) -> expr.Expr:
    """A constant as an expression: lists and records are taken apart, so that all can be hashed."""
    if value is None:
        return expr.Const(None, type, span=span)
    match present(type):
        case ListType() as inner if isinstance(value, list):
            items = tuple(literal(item, inner.element, span) for item in value)
            return expr.MakeList(items, type, span)
        case RecordType() as inner if isinstance(value, dict):
            fields = tuple(
                (field.name, literal(value.get(field.key), field.type, span))
                for field in inner.fields
            )
            return expr.MakeRecord(fields, type, span)
        case MapType() as inner if isinstance(value, dict):
            entries = ((key, literal(item, inner.value, span)) for key, item in value.items())
            return expr.MakeRecord(tuple(entries), type, span)
        case _ if isinstance(value, list):
            return expr.MakeList(tuple(literal(item, JSON, span) for item in value), type, span)
        case _ if isinstance(value, dict):
            entries = ((key, literal(item, JSON, span)) for key, item in value.items())
            return expr.MakeRecord(tuple(entries), type, span)
        case _:
            return expr.Const(value, type, span=span)
