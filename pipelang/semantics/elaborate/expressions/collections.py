"""Lists, records and maps as they are written down. They take their type from what is expected."""

from __future__ import annotations

from pipelang.diagnostics import codes
from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics.elaborate.context import Context, Scope, broken
from pipelang.semantics.elaborate.expressions.constants import literal
from pipelang.semantics.symbols import listed, suggestion
from pipelang.semantics.types import (
    ERROR,
    JSON,
    TEXT,
    ErrorType,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
    is_medium,
    join,
    present,
    quoted,
)
from pipelang.syntax import ast


def elaborate_list(
    context: Context, scope: Scope, node: ast.ListOf, expected: Type | None
) -> expr.Expr:
    from pipelang.semantics.elaborate.expressions.expressions import elaborate

    inner = None if expected is None else present(expected)
    if isinstance(inner, ListType):
        items = tuple(elaborate(context, scope, item, inner.element) for item in node.items)
        if inner.max_length is not None and len(items) > inner.max_length:
            context.tell(
                codes.OUT_OF_RANGE,
                node.span,
                what="the length of this list",
                range=f"at most {inner.max_length}",
                found=len(items),
            )
        return expr.MakeList(items, replace(inner, max_length=len(items)), node.span)
    if inner == JSON:
        items = tuple(elaborate(context, scope, item, JSON) for item in node.items)
        return expr.MakeList(items, JSON, node.span)
    if not node.items:
        if inner is None:
            context.tell(codes.NEEDS_TYPE, node.span, name="[]", help=_NEEDS_TYPE)
        elif not isinstance(inner, ErrorType):
            context.tell(
                codes.TYPE_MISMATCH, node.span, expected=quoted(inner), found="an empty list"
            )
        return broken(node.span)
    return _list(context, node, [elaborate(context, scope, item) for item in node.items])


_NEEDS_TYPE = "write the type where it gets its name: `let x: TYPE = ...`, `step x: TYPE = ...`"


def _list(context: Context, node: ast.ListOf, items: list[expr.Expr]) -> expr.Expr:
    """A list whose elements say what it is a list of."""
    type = items[0].type
    for item in items[1:]:
        joined = join(type, item.type)
        if joined is None:
            context.tell(
                codes.TYPE_MISMATCH,
                item.span,
                expected=f"{quoted(type)} like the others",
                found=quoted(item.type),
            )
            return broken(node.span)
        type = joined
    if isinstance(type, ErrorType):
        return broken(node.span)
    return expr.MakeList(tuple(items), ListType(type, len(items)), node.span)


def elaborate_record(
    context: Context, scope: Scope, node: ast.RecordOf, expected: Type | None
) -> expr.Expr:
    from pipelang.semantics.elaborate.expressions.expressions import elaborate

    match None if expected is None else present(expected):
        case RecordType() as type:
            return _record(context, scope, node, type)
        case MapType() as type:
            return _map(context, scope, node, type, type.value)
        case type if type == JSON:
            return _map(context, scope, node, JSON, JSON)
        case Scalar() as type if is_medium(type):
            return _medium(context, scope, node, type)
        case None:
            context.tell(codes.NEEDS_TYPE, node.span, name="{...}", help=_NEEDS_TYPE)
        case type:
            if not isinstance(type, ErrorType):
                context.tell(
                    codes.TYPE_MISMATCH, node.span, expected=quoted(type), found="a record"
                )
            for field in node.fields:
                elaborate(context, scope, field.value, ERROR)
    return broken(node.span)


def _medium(context: Context, scope: Scope, node: ast.RecordOf, type: Scalar) -> expr.Expr:
    """A picture or document of a test, as an input would give it: a file beside the test's."""
    from pipelang.semantics.elaborate.expressions.expressions import elaborate

    if not scope.tested:
        help = "it comes as an input or from a tool; only tests write one down"
        found = "a record"
        context.tell(codes.TYPE_MISMATCH, node.span, help=help, expected=quoted(type), found=found)
        return broken(node.span)
    given = {item.key.text: elaborate(context, scope, item.value, TEXT) for item in node.fields}
    if len(given) != len(node.fields) or set(given) not in ({"path"}, {"data", "media_type"}):
        help = f'write a file beside this one: `{{path: "sample.{_ENDING[type.kind]}"}}`'
        context.tell(
            codes.TYPE_MISMATCH, node.span, help=help, expected=quoted(type), found="a record"
        )
        return broken(node.span)
    path = given.get("path")
    if isinstance(path, expr.Const) and isinstance(path.value, str):
        beside = context.loader.beside(scope.file, path.value)
        given["path"] = expr.Const(beside, TEXT, span=path.span)
    return expr.MakeRecord(tuple(given.items()), type, node.span)


_ENDING = {ScalarKind.IMAGE: "png", ScalarKind.DOCUMENT: "pdf"}


def _record(context: Context, scope: Scope, node: ast.RecordOf, type: RecordType) -> expr.Expr:
    from pipelang.semantics.elaborate.expressions.expressions import elaborate

    given: dict[str, expr.Expr] = {}
    for item in node.fields:
        name = item.key.text
        field = type.field(name)
        if not name:  # it could not be read
            continue
        if field is None:
            inner = next((f.name for f in type.fields if f.key == name), None)
            help = suggestion(name, [f.name for f in type.fields])
            if inner is not None:
                help = f'"{name}" is its name outside of the program: write `{inner}`'
            help = help or "fields: " + listed(f.name for f in type.fields)
            context.tell(
                codes.UNKNOWN_FIELD, item.key.span, help=help, type=quoted(type), name=name
            )
            elaborate(context, scope, item.value, ERROR)
            continue
        context.refer_to_part(item.key.span, type.name, name)
        if item.quoted:
            help = f"write it without quotes: `{name}: ...`"
            context.tell(
                codes.TYPE_MISMATCH,
                item.key.span,
                help=help,
                expected=f"the field `{name}`",
                found="a text",
            )
        if name in given:
            context.tell(codes.DUPLICATE, item.key.span, name=name, help="give it once")
        given[name] = elaborate(context, scope, item.value, field.type)
    missing = [
        field.name
        for field in type.fields
        if field.name not in given
        and not field.has_default
        and not isinstance(field.type, OptionalType)
    ]
    if missing and all(item.key.text for item in node.fields):
        names = ", ".join(f"`{name}`" for name in missing)
        context.tell(codes.ARGUMENTS, node.span, what=f"this `{type.name}` lacks {names}")
        return broken(node.span)
    fields = []
    for field in type.fields:
        if field.name in given:
            fields.append((field.name, given[field.name]))
        elif field.has_default:
            fields.append((field.name, literal(field.default, field.type, node.span)))
        elif isinstance(field.type, OptionalType):
            fields.append((field.name, expr.Const(None, field.type, span=node.span)))
    return expr.MakeRecord(tuple(fields), type, node.span)


def _map(
    context: Context, scope: Scope, node: ast.RecordOf, type: Type, value_type: Type
) -> expr.Expr:
    from pipelang.semantics.elaborate.expressions.expressions import elaborate

    fields: dict[str, expr.Expr] = {}
    for item in node.fields:
        if not item.quoted and type != JSON:
            help = f'keys of a map are texts: "{item.key.text}"'
            context.tell(
                codes.TYPE_MISMATCH,
                item.key.span,
                expected="a text",
                found=f"the name `{item.key.text}`",
                help=help,
            )
        if item.key.text in fields:
            context.tell(codes.DUPLICATE, item.key.span, name=item.key.text, help="give it once")
        fields[item.key.text] = elaborate(context, scope, item.value, value_type)
    if isinstance(type, MapType) and type.max_length is not None and len(fields) > type.max_length:
        context.tell(
            codes.OUT_OF_RANGE,
            node.span,
            what="the size of this map",
            range=f"at most {type.max_length}",
            found=len(fields),
        )
    return expr.MakeRecord(tuple(fields.items()), type, node.span)
