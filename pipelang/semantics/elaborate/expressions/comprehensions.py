"""Lists that are made of lists: comprehensions and `+`. Their lengths stay bounded."""

from __future__ import annotations

from pipelang.diagnostics import Span, codes
from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics.elaborate.context import Context, Local, Scope, broken
from pipelang.semantics.elaborate.expressions.narrowing import known_if_true
from pipelang.semantics.elaborate.expressions.optionals import absent
from pipelang.semantics.elaborate.names.local_names import inner_name
from pipelang.semantics.types import (
    BOOL,
    JSON,
    AnswererType,
    ErrorType,
    ListType,
    NoneType,
    NothingType,
    OptionalType,
    Type,
    join,
    present,
    quoted,
    show,
)
from pipelang.syntax import ast


def elaborate_comprehension(
    context: Context, scope: Scope, node: ast.ListFor, expected: Type | None
) -> expr.Expr:
    """`[E for x in XS if C]`: a list of at most as many elements as XS has."""
    from pipelang.semantics.elaborate.expressions.expressions import elaborate

    collection = elaborate(context, scope, node.collection)
    inner_name(context, scope, node.name)
    type = _bounded_list(context, collection, node.collection.span)
    element: Type = ErrorType() if type is None else type.element
    inside = scope.with_element(node.name.text, Local(element, node.name.span))
    condition = None
    if node.condition is not None:
        condition = elaborate(context, inside, node.condition, BOOL)
        inside = inside.knowing(known_if_true(condition))
    wanted = None if expected is None else present(expected)
    as_element = wanted.element if isinstance(wanted, ListType) else None
    as_element = JSON if wanted == JSON else as_element
    item = elaborate(context, inside, node.item, as_element)
    parts = (item, *(() if condition is None else (condition,)))
    if type is None or any(isinstance(part.type, ErrorType) for part in parts):
        return broken(node.span)
    if isinstance(item.type, (NoneType, NothingType, AnswererType)):
        context.tell(
            codes.TYPE_MISMATCH,
            node.item.span,
            expected="a value for each element",
            found=quoted(item.type),
        )
        return broken(node.span)
    made = ListType(as_element or item.type, type.max_length, collection.type.labels)
    name = node.name.text
    return expr.Comprehension(item, name, collection, condition, made, node.span)


def _bounded_list(context: Context, collection: expr.Expr, span: Span) -> ListType | None:
    """The type of a list of bounded length, None (reported) for anything else."""
    type = collection.type
    if isinstance(type, ErrorType):
        return None
    if isinstance(type, OptionalType):
        absent(context, collection, span)
        return None
    if not isinstance(type, ListType):
        context.tell(codes.TYPE_MISMATCH, span, expected="a list", found=quoted(type))
        return None
    if type.max_length is None:
        shown = expr.show(collection)
        help = f"give its type a `max`, as in `{show(type)} max 20`"
        help += f", or take a part of it: `first({shown}, 20)`"
        context.tell(codes.NOT_BOUNDED, span, what=f"`{shown}`", bound="largest length", help=help)
        return None
    return type


def concatenated(context: Context, left: expr.Expr, right: expr.Expr, span: Span) -> expr.Expr:
    """`xs + ys`: at most as many elements as both may have together."""
    assert isinstance(left.type, ListType)
    assert isinstance(right.type, ListType)
    first, second = left.type.max_length, right.type.max_length
    type = join(left.type, right.type)
    if not isinstance(type, ListType):
        context.tell(
            codes.TYPE_MISMATCH,
            right.span,
            expected=f"{quoted(left.type)} as before the `+`",
            found=quoted(right.type),
        )
        return broken(span)
    most = None if first is None or second is None else first + second
    type = replace(type, max_length=most)
    if isinstance(left, expr.MakeList) and isinstance(right, expr.MakeList):
        return expr.MakeList((*left.items, *right.items), type, span)
    return expr.Concatenation(left, right, type, span)
