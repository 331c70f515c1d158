"""Lists, records and maps as they are written down. They take their type from what is expected."""

from __future__ import annotations

from dataclasses import replace

from pipelang.diagnostics import codes
from pipelang.semantics import expressions as ir
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import (
    ERROR,
    JSON,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
    join,
    show,
)
from pipelang.syntax import ast


def elaborate_list(
    context: Context, scope: Scope, expr: ast.ListOf, expected: Type | None
) -> ir.Expr:
    from pipelang.semantics.elaborate.expressions import elaborate

    inner = expected.inner if isinstance(expected, OptionalType) else expected
    if isinstance(inner, ListType):
        items = tuple(elaborate(context, scope, item, inner.element) for item in expr.items)
        if inner.max_length is not None and len(items) > inner.max_length:
            context.tell(
                codes.OUT_OF_RANGE,
                expr.span,
                what="the length of this list",
                range=f"at most {inner.max_length}",
                found=len(items),
            )
        return ir.MakeList(items, replace(inner, max_length=len(items)), expr.span)
    if not expr.items:
        if inner == JSON:
            return ir.MakeList((), JSON, expr.span)
        context.tell(codes.NEEDS_TYPE, expr.span, name="[]")
        return ir.Const(None, ERROR, span=expr.span)
    first = elaborate(context, scope, expr.items[0])
    items = (first, *(elaborate(context, scope, item, None) for item in expr.items[1:]))
    type = first.type
    for item in items[1:]:
        joined = join(type, item.type)
        if joined is None:
            context.tell(
                codes.TYPE_MISMATCH,
                item.span,
                expected=f"`{show(type)}` like the others",
                found=f"`{show(item.type)}`",
            )
            return ir.Const(None, ERROR, span=expr.span)
        type = joined
    return ir.MakeList(items, ListType(type, len(items)), expr.span)


def elaborate_record(
    context: Context, scope: Scope, expr: ast.RecordOf, expected: Type | None
) -> ir.Expr:
    inner = expected.inner if isinstance(expected, OptionalType) else expected
    if isinstance(inner, RecordType):
        return _record(context, scope, expr, inner)
    if isinstance(inner, MapType):
        return _map(context, scope, expr, inner, inner.value)
    if inner == JSON:
        return _map(context, scope, expr, JSON, JSON)
    if inner is None:
        context.tell(codes.NEEDS_TYPE, expr.span, name="{...}")
    elif inner != ERROR:
        context.tell(codes.TYPE_MISMATCH, expr.span, expected=f"`{show(inner)}`", found="a record")
    return ir.Const(None, ERROR, span=expr.span)


def _record(context: Context, scope: Scope, expr: ast.RecordOf, type: RecordType) -> ir.Expr:
    from pipelang.semantics.elaborate.expressions import elaborate

    given: dict[str, ir.Expr] = {}
    for item in expr.fields:
        name = item.key.text
        field = type.field(name)
        if field is None:
            help = suggestion(name, [f.name for f in type.fields])
            help = help or "fields: " + ", ".join(f.name for f in type.fields)
            context.tell(
                codes.UNKNOWN_FIELD, item.key.span, type=f"`{type.name}`", name=name, help=help
            )
            elaborate(context, scope, item.value, ERROR)
            continue
        if name in given:
            context.tell(codes.DUPLICATE, item.key.span, name=name)
        given[name] = elaborate(context, scope, item.value, field.type)
    missing = [
        field.name
        for field in type.fields
        if field.name not in given
        and not field.has_default
        and not isinstance(field.type, OptionalType)
    ]
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        context.tell(codes.ARGUMENTS, expr.span, what=f"this `{type.name}` lacks {names}")
    fields = []
    for field in type.fields:
        if field.name in given:
            fields.append((field.name, given[field.name]))
        elif field.has_default:
            fields.append((field.name, ir.Const(field.default, field.type, span=expr.span)))
        elif isinstance(field.type, OptionalType):
            fields.append((field.name, ir.Const(None, field.type, span=expr.span)))
    return ir.MakeRecord(tuple(fields), type, expr.span)


def _map(
    context: Context, scope: Scope, expr: ast.RecordOf, type: Type, value_type: Type
) -> ir.Expr:
    from pipelang.semantics.elaborate.expressions import elaborate

    fields = []
    for item in expr.fields:
        if not item.quoted and type != JSON:
            help = f'keys of a map are texts: "{item.key.text}"'
            context.tell(
                codes.TYPE_MISMATCH,
                item.key.span,
                expected="a text",
                found=f"the name `{item.key.text}`",
                help=help,
            )
        fields.append((item.key.text, elaborate(context, scope, item.value, value_type)))
    return ir.MakeRecord(tuple(fields), type, expr.span)
