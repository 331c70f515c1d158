"""Elaboration of types: from syntax nodes to semantic types."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, assert_never

from pipelang.diagnostics import Help, Label, Span, codes
from pipelang.records import replace
from pipelang.semantics.elaborate.names.expanded_size import is_too_large
from pipelang.semantics.elaborate.names.nesting_depth import BeingComputed, hangs_on
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import (
    BOOL,
    ERROR,
    SCALAR_NAMES,
    EnumType,
    ErrorType,
    ListType,
    MapType,
    OptionalType,
    RecordField,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
    decision_of,
    is_medium,
    quoted,
)
from pipelang.syntax import ast

if TYPE_CHECKING:
    from pipelang.semantics.elaborate.context import Context

_RANGE_LITERALS = {
    ScalarKind.INT: (ast.LiteralKind.INT,),
    ScalarKind.NUMBER: (ast.LiteralKind.NUMBER, ast.LiteralKind.INT),
    ScalarKind.PROBABILITY: (ast.LiteralKind.PROBABILITY,),
    ScalarKind.MONEY: (ast.LiteralKind.MONEY,),
    ScalarKind.DURATION: (ast.LiteralKind.DURATION,),
}


def elaborate_type(context: Context, file: str, written: ast.TypeExpr) -> Type:
    """The type that was written; `ERROR` (reported) where it names what is not there."""
    type = _core(context, file, written.core)
    labels = frozenset(written.labels)
    if labels:
        type = replace(type, labels=type.labels | labels)
    for constraint in written.constraints:
        type = _constrain(context, file, type, constraint)
    if not written.optional or isinstance(type, ErrorType):
        return type
    return OptionalType(type, labels)


def _core(context: Context, file: str, core: ast.TypeCore) -> Type:
    match core:
        case ast.NamedType():
            return named_type(context, file, core.name)
        case ast.DecisionType():
            return _decision(context, file, core)
        case ast.ListType():
            return ListType(elaborate_type(context, file, core.element))
        case ast.MapType():
            if core.key.text != "text":
                context.tell(
                    codes.TYPE_MISMATCH, core.key.span, expected="text", found=f"`{core.key.text}`"
                )
            return MapType(elaborate_type(context, file, core.value))
        case ast.Broken():
            return ERROR
        case _:
            assert_never(core)


def _decision(context: Context, file: str, core: ast.DecisionType) -> Type:
    """The type of a decision, which is a record that no file declares."""
    inner = named_type(context, file, core.name)
    if isinstance(inner, ErrorType):
        return ERROR
    if not isinstance(inner, EnumType) and inner != BOOL:
        context.tell(
            codes.TYPE_MISMATCH,
            core.name.span,
            expected="an enum or `bool`",
            found=quoted(inner),
            help="a decision is among alternatives that are known: `decision Topic`",
        )
        return ERROR
    assert isinstance(inner, (EnumType, Scalar))
    made = decision_of(inner)
    kept = context.types.setdefault(made.name, made)
    return made if kept == made and isinstance(kept, RecordType) else ERROR


_SCALARS = {name: Scalar(kind) for name, kind in SCALAR_NAMES.items()}


def named_type(context: Context, file: str, name: ast.Name) -> Type:
    """A scalar, an enum or a record by its name."""
    if name.text in SCALAR_NAMES:
        return _SCALARS[name.text]
    symbol = context.symbols.find(file, name.text)
    if symbol is None:
        if context.symbols.is_lost(file, name.text):
            return ERROR
        candidates = [*SCALAR_NAMES, *context.symbols.names(file, "enum", "type")]
        help: Help | None = context.elsewhere(file, name.text, ("enum", "type"))
        help = help or _OTHER_LANGUAGES.get(name.text.lower()) or suggestion(name.text, candidates)
        help = help or context.offer(name.text, ("enum", "type"))
        context.tell(codes.UNKNOWN_NAME, name.span, what="type", name=name.text, help=help)
        return ERROR
    context.symbols.use(file, symbol)
    context.refer(name.span, symbol.declaration.name.span)
    if symbol.kind not in ("enum", "type"):
        context.wrong_kind(name, symbol, "a type or an enum")
        return ERROR
    return declared_type(context, symbol.key)


_OTHER_LANGUAGES = {
    **dict.fromkeys(("string", "str", "varchar"), "texts are called `text`"),
    **dict.fromkeys(("integer", "long", "int64"), "whole numbers are called `int`"),
    **dict.fromkeys(("float", "double", "decimal", "real"), "numbers are called `number`"),
    **dict.fromkeys(("boolean", "flag"), "truth values are called `bool`"),
    **dict.fromkeys(("datetime", "date", "timestamp"), "points in time are called `time`"),
    **dict.fromkeys(("percent", "percentage", "share"), "shares are called `probability`"),
    **dict.fromkeys(("dict", "map", "object"), "a map is written `{text: T}`, any JSON `json`"),
    **dict.fromkeys(("list", "array"), "a list is written `[T]`"),
}


def declared_type(context: Context, key: str) -> Type:
    """The type of an `enum` or `type` declaration, made on first need."""
    if key in context.types:
        hangs_on(context, key)
        return context.types[key]
    symbol = context.symbols.by_key[key]
    declaration = symbol.declaration
    if key in context.pending:
        cycle = " -> ".join([*context.pending[context.pending.index(key) :], key])
        help = "a value is of a size that is known: name the other record by an id"
        context.tell(codes.RECURSION, declaration.name.span, name=key, cycle=cycle, help=help)
        return ERROR
    if isinstance(declaration, ast.EnumDecl):
        context.types[key] = _enum(context, key, declaration)
        return context.types[key]
    assert isinstance(declaration, ast.TypeDecl)
    with BeingComputed(context, key, declaration.name.span) as may:
        if not may:
            return ERROR
        fields = _fields(context, symbol.file, declaration)
    context.types[key] = RecordType(key, fields, doc=declaration.doc)
    if is_too_large(context, context.types[key], declaration.name):
        context.types[key] = ERROR  # written out by nothing that comes later
    return context.types[key]


def _enum(context: Context, key: str, declaration: ast.EnumDecl) -> EnumType:
    members: dict[str, str] = {}
    seen: dict[str, Span] = {}
    for member in declaration.members:
        name = member.name.text
        if name in members:
            context.tell(codes.DUPLICATE, member.name.span, name=name)
            continue
        outer = outer_of(context, seen, member)
        members[name] = name if outer is None else outer
    names, values = tuple(members), tuple(members.values())
    docs = tuple((members[name], doc) for name, doc in declaration.member_docs)
    return EnumType(key, values, names=() if names == values else names, docs=docs)


def outer_of(
    context: Context, seen: dict[str, Span], part: ast.EnumMember | ast.FieldDecl | ast.Param
) -> str | None:
    """The name that a part has outside of the program, None if it is its own. Reports a name that
    another part has there; `seen` are those so far.
    """
    own, outer = part.name.text, None if part.outer is None else str(part.outer.value)
    name, span = (own, part.name.span) if part.outer is None else (str(outer), part.outer.span)
    if outer == "" and isinstance(part, ast.FieldDecl):  # pydantic takes it for no name at all
        help = f"leave it out, if it is called `{own}` there too"
        context.tell(
            codes.OUT_OF_RANGE,
            span,
            what="a field's outer name",
            range="1 character or more",
            found="none",
            help=help,
        )
        return None
    if name in seen and name:
        label = Label(seen[name], f'it is "{name}" outside of the program')
        help = "each has an outer name of its own, by which JSON, tools and models tell them apart"
        context.tell(codes.DUPLICATE, span, name=name, labels=(label,), help=help)
    seen.setdefault(name, span)
    return None if outer == own else outer


def _fields(context: Context, file: str, declaration: ast.TypeDecl) -> tuple[RecordField, ...]:
    from pipelang.semantics.elaborate.context import Scope
    from pipelang.semantics.elaborate.expressions.constants import constant

    fields: dict[str, RecordField] = {}
    seen: dict[str, Span] = {}
    for written in declaration.fields:
        name = written.name.text
        if name in fields and name:
            context.tell(codes.DUPLICATE, written.name.span, name=name)
            continue
        type = elaborate_type(context, file, written.type)
        default = None
        if written.default is not None:
            default = constant(context, Scope(file), written.default, type)
        outer = outer_of(context, seen, written)
        has = written.default is not None
        fields[name] = RecordField(name, type, has, default, written.doc, outer)
    return tuple(fields.values())


def _constrain(context: Context, file: str, type: Type, constraint: ast.Constraint) -> Type:
    match constraint:
        case ast.Max():
            return _max(context, type, constraint)
        case ast.InRange():
            if isinstance(type, Scalar) and type.kind in _RANGE_LITERALS:
                return _range(context, type, constraint)
            expected = "an int, number, probability, money or duration"
        case ast.MatchesPatterns():
            symbol = context.find(file, constraint.patterns, "patterns")
            if isinstance(type, Scalar) and type.kind is ScalarKind.TEXT:
                return replace(type, patterns=symbol.key if symbol else None)
            expected = "a text"
        case _:
            assert_never(constraint)
    if not isinstance(type, ErrorType):
        context.tell(codes.TYPE_MISMATCH, constraint.span, expected=expected, found=quoted(type))
    return type


def _range(context: Context, type: Scalar, constraint: ast.InRange) -> Type:
    for bound in (constraint.low, constraint.high):
        if bound.kind not in _RANGE_LITERALS[type.kind]:
            context.tell(
                codes.UNIT_MISMATCH,
                bound.span,
                option="in",
                expected=f"bounds of type {quoted(type)}",
                found=f"`{bound.raw}`",
            )
            return ERROR
    low, high = Decimal(str(constraint.low.value)), Decimal(str(constraint.high.value))
    written = f"{constraint.low.raw}..{constraint.high.raw}"
    if low > high:
        context.tell(codes.CONTRADICTION, constraint.span, what=f"the range {written} is empty")
        return ERROR
    if type.kind is ScalarKind.PROBABILITY and not 0 <= low <= high <= 1:
        context.tell(
            codes.OUT_OF_RANGE,
            constraint.span,
            what="the range of a probability",
            range="within 0%..100%",
            found=f"`{written}`",
        )
    return replace(type, low=low, high=high)


def _max(context: Context, type: Type, constraint: ast.Max) -> Type:
    limit = constraint.limit
    if isinstance(type, Scalar) and type.kind is ScalarKind.TEXT:
        if limit.kind is ast.LiteralKind.TOKENS and isinstance(limit.value, int):
            return replace(type, max_tokens=limit.value)
        expected = "an amount like 4k tokens for a text"
    elif isinstance(type, Scalar) and type.kind is ScalarKind.DOCUMENT:
        if limit.kind is ast.LiteralKind.PAGES and isinstance(limit.value, int) and limit.value:
            return replace(type, max_pages=limit.value)
        expected = "an amount like 20 pages for a document"
    elif isinstance(type, (ListType, MapType)):
        if limit.kind is ast.LiteralKind.INT and isinstance(limit.value, int) and limit.value >= 0:
            return replace(type, max_length=limit.value)
        expected = f"a whole number for {quoted(type)}"
    elif isinstance(type, ErrorType):
        return type
    else:
        context.tell(
            codes.TYPE_MISMATCH,
            constraint.span,
            expected="a text, a document, a list or a map",
            found=quoted(type),
            help=_no_max(type),
        )
        return type
    context.tell(
        codes.UNIT_MISMATCH, limit.span, option="max", expected=expected, found=f"`{limit.raw}`"
    )
    return type


def _no_max(type: Type) -> str | None:
    """Advice for a type without a `max`."""
    if is_medium(type):
        return "a maker's own rules bound pictures; leave the `max` out"
    return "a quantity is bounded by `in LOW..HIGH`" if isinstance(type, Scalar) else None
