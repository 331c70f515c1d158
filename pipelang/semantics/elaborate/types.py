"""Types as written to types as meant."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, assert_never

from pipelang.diagnostics import codes
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import (
    ERROR,
    SCALAR_NAMES,
    EnumType,
    Kind,
    ListType,
    MapType,
    OptionalType,
    RecordField,
    RecordType,
    Scalar,
    Type,
    show,
)
from pipelang.syntax import ast

if TYPE_CHECKING:
    from pipelang.semantics.elaborate.context import Context

_RANGE_LITERALS = {
    Kind.INT: (ast.LiteralKind.INT,),
    Kind.NUMBER: (ast.LiteralKind.NUMBER, ast.LiteralKind.INT),
    Kind.PROBABILITY: (ast.LiteralKind.PROBABILITY,),
    Kind.MONEY: (ast.LiteralKind.MONEY,),
    Kind.DURATION: (ast.LiteralKind.DURATION,),
}


def elaborate_type(context: Context, file: str, written: ast.TypeExpr) -> Type:
    """The type that was written; `ERROR` (told) where it names what is not there."""
    type = _core(context, file, written.core)
    labels = frozenset(written.labels)
    if labels:
        type = replace(type, labels=type.labels | labels)
    for constraint in written.constraints:
        type = _constrain(context, file, type, constraint)
    return OptionalType(type, labels) if written.optional else type


def _core(context: Context, file: str, core: ast.TypeCore) -> Type:
    match core:
        case ast.NamedType():
            return named_type(context, file, core.name)
        case ast.ListType():
            return ListType(elaborate_type(context, file, core.element))
        case ast.MapType():
            if core.key.text != "text":
                context.tell(
                    codes.TYPE_MISMATCH, core.key.span, expected="text", found=f"`{core.key.text}`"
                )
            return MapType(elaborate_type(context, file, core.value))
        case _:
            assert_never(core)


def named_type(context: Context, file: str, name: ast.Name) -> Type:
    """A scalar, an enum or a record by its name."""
    if name.text in SCALAR_NAMES:
        return Scalar(SCALAR_NAMES[name.text])
    symbol = context.symbols.find(file, name.text)
    if symbol is None or symbol.kind not in ("enum", "type"):
        candidates = [
            n for n, s in context.symbols.scopes[file].items() if s.kind in ("enum", "type")
        ]
        help = suggestion(name.text, [*SCALAR_NAMES, *candidates])
        context.tell(codes.UNKNOWN_NAME, name.span, what="type", name=name.text, help=help)
        return ERROR
    context.symbols.used.add(symbol.key)
    return declared_type(context, symbol.key)


def declared_type(context: Context, key: str) -> Type:
    """The type of an `enum` or `type` declaration, made on first need."""
    if key in context.types:
        return context.types[key]
    symbol = context.symbols.by_key[key]
    declaration = symbol.declaration
    if key in context.pending:
        cycle = " -> ".join([*context.pending[context.pending.index(key) :], key])
        context.tell(codes.RECURSION, declaration.name.span, name=key, cycle=cycle)
        return ERROR
    if isinstance(declaration, ast.EnumDecl):
        context.types[key] = _enum(context, key, declaration)
        return context.types[key]
    assert isinstance(declaration, ast.TypeDecl)
    context.pending.append(key)
    fields = _fields(context, symbol.file, declaration)
    context.pending.pop()
    context.types[key] = RecordType(key, fields)
    return context.types[key]


def _enum(context: Context, key: str, declaration: ast.EnumDecl) -> EnumType:
    members: list[str] = []
    for member in declaration.members:
        if member.text in members:
            context.tell(codes.DUPLICATE, member.span, name=member.text)
        else:
            members.append(member.text)
    return EnumType(key, tuple(members))


def _fields(context: Context, file: str, declaration: ast.TypeDecl) -> tuple[RecordField, ...]:
    from pipelang.semantics.elaborate.constants import constant

    fields: dict[str, RecordField] = {}
    for written in declaration.fields:
        name = written.name.text
        if name in fields:
            context.tell(codes.DUPLICATE, written.name.span, name=name)
            continue
        type = elaborate_type(context, file, written.type)
        default = None
        if written.default is not None:
            default = constant(context, file, written.default, type)
        fields[name] = RecordField(name, type, written.default is not None, default, written.doc)
    return tuple(fields.values())


def _constrain(context: Context, file: str, type: Type, constraint: ast.Constraint) -> Type:
    inner = type
    match constraint:
        case ast.Max():
            return _max(context, inner, constraint)
        case ast.InRange():
            if isinstance(inner, Scalar) and inner.kind in _RANGE_LITERALS:
                allowed = _RANGE_LITERALS[inner.kind]
                for bound in (constraint.low, constraint.high):
                    if bound.kind not in allowed:
                        context.tell(
                            codes.UNIT_MISMATCH,
                            bound.span,
                            option="in",
                            expected=show(inner),
                            found=f"`{bound.raw}`",
                        )
                        return inner
                low, high = Decimal(str(constraint.low.value)), Decimal(str(constraint.high.value))
                if low > high:
                    context.tell(
                        codes.CONTRADICTION,
                        constraint.span,
                        what=f"the range {constraint.low.raw}..{constraint.high.raw} is empty",
                    )
                return replace(inner, low=low, high=high)
            expected = "an int, number, probability, money or duration"
        case ast.MatchesPatterns():
            symbol = context.find(file, constraint.patterns, "patterns")
            if isinstance(inner, Scalar) and inner.kind is Kind.TEXT:
                return replace(inner, patterns=symbol.key if symbol else None)
            expected = "a text"
        case _:
            assert_never(constraint)
    if inner != ERROR:
        context.tell(
            codes.TYPE_MISMATCH, constraint.span, expected=expected, found=f"`{show(inner)}`"
        )
    return inner


def _max(context: Context, type: Type, constraint: ast.Max) -> Type:
    limit = constraint.limit
    if isinstance(type, Scalar) and type.kind is Kind.TEXT:
        if limit.kind is ast.LiteralKind.TOKENS and isinstance(limit.value, int):
            return replace(type, max_tokens=limit.value)
        expected = "an amount like 4k tokens"
    elif isinstance(type, (ListType, MapType)):
        if limit.kind is ast.LiteralKind.INT and isinstance(limit.value, int):
            return replace(type, max_length=limit.value)
        expected = "a whole number"
    elif type == ERROR:
        return type
    else:
        context.tell(
            codes.TYPE_MISMATCH,
            constraint.span,
            expected="a text, a list or a map",
            found=f"`{show(type)}`",
        )
        return type
    context.tell(
        codes.UNIT_MISMATCH, limit.span, option="max", expected=expected, found=f"`{limit.raw}`"
    )
    return type
