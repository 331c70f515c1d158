"""Expressions: bidirectional typing, names to values, enum members by expectation, narrowing.

`elaborate(context, scope, expr, expected)` gives the typed expression. With an expected type, bare
names may be enum members, records and empty lists know what they are, and a misfit is told here.
"""

from __future__ import annotations

from typing import assert_never

from pipelang.diagnostics import Span, codes
from pipelang.semantics import expressions as ir
from pipelang.semantics.elaborate.calls import elaborate_call
from pipelang.semantics.elaborate.collections import elaborate_list, elaborate_record
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.narrowing import known_if_false, known_if_true
from pipelang.semantics.elaborate.operators import elaborate_binary, elaborate_negation
from pipelang.semantics.elaborate.patterns import elaborate_patterns
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import (
    ANSWERER,
    BOOL,
    DURATION,
    ERROR,
    INT,
    JSON,
    MONEY,
    NUMBER,
    PROBABILITY,
    RATE,
    TEXT,
    TOKENS,
    AnswererType,
    EnumType,
    ErrorType,
    ListType,
    MapType,
    NoneType,
    OptionalType,
    RecordType,
    Type,
    fits,
    join,
    show,
)
from pipelang.syntax import ast

_LITERAL_TYPES = {
    ast.LiteralKind.INT: INT,
    ast.LiteralKind.NUMBER: NUMBER,
    ast.LiteralKind.PROBABILITY: PROBABILITY,
    ast.LiteralKind.MONEY: MONEY,
    ast.LiteralKind.DURATION: DURATION,
    ast.LiteralKind.TOKENS: TOKENS,
    ast.LiteralKind.RATE: RATE,
    ast.LiteralKind.TEXT: TEXT,
    ast.LiteralKind.BOOL: BOOL,
    ast.LiteralKind.NONE: NoneType(),
}

BUDGET_PARTS = {"time": DURATION, "tokens": INT, "steps": INT}


def elaborate(
    context: Context, scope: Scope, expr: ast.Expr, expected: Type | None = None
) -> ir.Expr:
    """The typed expression. Tells once if it does not fit `expected`."""
    typed = _elaborate(context, scope, expr, expected)
    if expected is None or fits(typed.type, expected):
        return typed
    _misfit(context, typed, expected, expr.span)
    return ir.Const(None, ERROR, span=expr.span)


def _misfit(context: Context, typed: ir.Expr, expected: Type, span: Span) -> None:
    found = typed.type
    if isinstance(found, OptionalType) and fits(found.inner, expected):
        path = ir.path_of(typed)
        name = ".".join(path) if path else "this"
        context.tell(codes.MAYBE_ABSENT, span, name=name)
        return
    help = None
    if expected == PROBABILITY and found in (INT, NUMBER) and isinstance(typed, ir.Const):
        share = typed.value if typed.value > 1 else typed.value * 100
        help = f"shares are written with a percent sign: {share}%"
    elif expected == MONEY and found in (INT, NUMBER):
        help = "amounts are written with a dollar sign: $0.08"
    elif expected == DURATION and found in (INT, NUMBER):
        help = "durations are written with a unit: 30s, 5m, 2h"
    elif isinstance(expected, EnumType) and found == TEXT:
        help = f"write the member without quotes: {', '.join(expected.members)}"
    context.tell(
        codes.TYPE_MISMATCH,
        span,
        expected=f"`{show(expected)}`",
        found=f"`{show(found)}`",
        help=help,
    )


def condition(context: Context, scope: Scope, expr: ast.Expr) -> ir.Expr:
    """An expression that must be a bool."""
    return elaborate(context, scope, expr, BOOL)


def _elaborate(context: Context, scope: Scope, expr: ast.Expr, expected: Type | None) -> ir.Expr:
    match expr:
        case ast.Literal():
            return ir.Const(expr.value, _LITERAL_TYPES[expr.kind], span=expr.span)
        case ast.NameRef():
            return _name(context, scope, expr, expected)
        case ast.FieldRef():
            return _field(context, scope, expr)
        case ast.Index():
            return _index(context, scope, expr)
        case ast.Present():
            target = elaborate(context, scope, expr.target)
            if not isinstance(target.type, (OptionalType, ErrorType, NoneType)):
                if not scope.is_present(target):
                    context.tell(
                        codes.TYPE_MISMATCH,
                        expr.span,
                        expected="a value that may be absent",
                        found=f"`{show(target.type)}`, which is always there",
                    )
            return ir.IsPresent(target, BOOL, expr.span)
        case ast.CallFn():
            return elaborate_call(context, scope, expr, expected)
        case ast.ListOf():
            return elaborate_list(context, scope, expr, expected)
        case ast.RecordOf():
            return elaborate_record(context, scope, expr, expected)
        case ast.Unary():
            if expr.op == "not":
                return ir.Not(condition(context, scope, expr.operand), BOOL, expr.span)
            return elaborate_negation(context, scope, expr)
        case ast.Binary():
            return elaborate_binary(context, scope, expr, expected)
        case ast.If():
            test = condition(context, scope, expr.condition)
            then = elaborate(context, scope.knowing(known_if_true(test)), expr.then, expected)
            otherwise = elaborate(
                context, scope.knowing(known_if_false(test)), expr.otherwise, expected
            )
            type = _joined(context, [then, otherwise], expected, expr.span)
            return ir.Choice(test, then, otherwise, type, expr.span)
        case ast.Match():
            return _match(context, scope, expr, expected)
        case _:
            assert_never(expr)


def _joined(context: Context, values: list[ir.Expr], expected: Type | None, span: Span) -> Type:
    if expected is not None:
        return expected
    type = values[0].type
    for value in values[1:]:
        joined = join(type, value.type)
        if joined is None:
            context.tell(
                codes.TYPE_MISMATCH,
                value.span,
                expected=f"`{show(type)}` as before",
                found=f"`{show(value.type)}`",
            )
            return ERROR
        type = joined
    return type


def _name(context: Context, scope: Scope, expr: ast.NameRef, expected: Type | None) -> ir.Expr:
    name = expr.name
    local = scope.names.get(name)
    if local is not None:
        if local.expr is not None:
            return local.expr
        read = ir.Read(name, local.type, expr.span)
        if isinstance(local.type, OptionalType) and (name,) in scope.present:
            return ir.Read(name, local.type.inner, expr.span)
        return read
    inner = expected.inner if isinstance(expected, OptionalType) else expected
    if isinstance(inner, EnumType) and name in inner.members:
        return ir.Const(name, inner, span=expr.span)
    symbol = context.symbols.find(scope.file, name)
    if symbol is not None:
        if symbol.kind == "setting":
            from pipelang.semantics.elaborate.constants import setting

            context.symbols.used.add(symbol.key)
            return setting(context, symbol.key, expr.span)
        if symbol.kind in ("tier", "role") and isinstance(expected, AnswererType):
            context.symbols.used.add(symbol.key)
            return ir.Const(symbol.key, ANSWERER, span=expr.span)
        context.tell(codes.WRONG_KIND, expr.span, name=name, found=symbol.kind, expected="value")
        return ir.Const(None, ERROR, span=expr.span)
    _unknown(context, scope, expr, expected, inner)
    return ir.Const(None, ERROR, span=expr.span)


def _unknown(
    context: Context,
    scope: Scope,
    expr: ast.NameRef,
    expected: Type | None,
    inner: Type | None,
) -> None:
    name = expr.name
    if name in scope.later:
        help = "values are made before they are used: move its step up"
        context.tell(codes.NOT_YET, expr.span, name=name, help=help)
    elif name in scope.gone:
        context.tell(codes.OUT_OF_BLOCK, expr.span, name=name)
    elif isinstance(inner, EnumType):
        help = suggestion(name, [*inner.members, *scope.names])
        help = help or "members: " + ", ".join(inner.members)
        context.tell(
            codes.UNKNOWN_NAME, expr.span, what=f"member of {inner.name}", name=name, help=help
        )
    elif isinstance(expected, AnswererType):
        names = [
            n for n, s in context.symbols.scopes[scope.file].items() if s.kind in ("tier", "role")
        ]
        help = suggestion(name, names) or ("there are: " + ", ".join(names) if names else None)
        context.tell(codes.UNKNOWN_NAME, expr.span, what="tier or role", name=name, help=help)
    else:
        help = suggestion(name, scope.names)
        context.tell(codes.UNKNOWN_NAME, expr.span, what="name", name=name, help=help)


def _field(context: Context, scope: Scope, expr: ast.FieldRef) -> ir.Expr:
    left = _budget_left(scope, expr)
    if left is not None:
        return left
    target = elaborate(context, scope, expr.target)
    type = target.type
    if isinstance(type, OptionalType):
        path = ir.path_of(target)
        context.tell(codes.MAYBE_ABSENT, expr.target.span, name=".".join(path or ("this",)))
        type = type.inner
    name = expr.name.text
    if isinstance(type, RecordType):
        field = type.field(name)
        if field is not None:
            found = field.type
            typed = ir.Field(target, name, found, expr.span)
            if isinstance(found, OptionalType) and scope.is_present(typed):
                return ir.Field(target, name, found.inner, expr.span)
            return typed
        help = suggestion(name, [f.name for f in type.fields])
        help = help or "fields: " + ", ".join(f.name for f in type.fields)
        context.tell(
            codes.UNKNOWN_FIELD, expr.name.span, type=f"`{type.name}`", name=name, help=help
        )
    elif type == JSON:
        return ir.Field(target, name, OptionalType(JSON), expr.span)
    elif not isinstance(type, ErrorType):
        context.tell(codes.UNKNOWN_FIELD, expr.name.span, type=f"`{show(type)}`", name=name)
    return ir.Const(None, ERROR, span=expr.span)


def _budget_left(scope: Scope, expr: ast.FieldRef) -> ir.Expr | None:
    """`budget.remaining` and `budget.remaining.time`, where a budget can be asked."""

    def is_remaining(part: ast.Expr) -> bool:
        return (
            isinstance(part, ast.FieldRef)
            and part.name.text == "remaining"
            and isinstance(part.target, ast.NameRef)
            and part.target.name == "budget"
        )

    if not scope.budget:
        return None
    if is_remaining(expr):
        return ir.BudgetLeft("money", MONEY, expr.span)
    if is_remaining(expr.target) and expr.name.text in BUDGET_PARTS:
        return ir.BudgetLeft(expr.name.text, BUDGET_PARTS[expr.name.text], expr.span)
    return None


def _index(context: Context, scope: Scope, expr: ast.Index) -> ir.Expr:
    target = elaborate(context, scope, expr.target)
    type = target.type
    if isinstance(type, ListType):
        at = elaborate(context, scope, expr.index, INT)
        return ir.At(target, at, OptionalType(type.element), expr.span)
    if isinstance(type, MapType):
        at = elaborate(context, scope, expr.index, TEXT)
        return ir.At(target, at, OptionalType(type.value), expr.span)
    if not isinstance(type, ErrorType):
        context.tell(
            codes.TYPE_MISMATCH,
            expr.target.span,
            expected="a list or a map",
            found=f"`{show(type)}`",
        )
    return ir.Const(None, ERROR, span=expr.span)


def _match(context: Context, scope: Scope, expr: ast.Match, expected: Type | None) -> ir.Expr:
    subject = elaborate(context, scope, expr.subject)
    patterns = elaborate_patterns(
        context, subject.type, [arm.pattern for arm in expr.arms], expr.span
    )
    arms: list[ir.Expr] = []
    for arm in expr.arms:
        action = arm.link.action
        if isinstance(action, ast.Pure) and not arm.link.options:
            arms.append(elaborate(context, scope, action.value, expected))
        else:
            word = type(action).__name__.lower()
            context.tell(codes.ACTION_IN_EXPRESSION, arm.link.span, action=word)
            arms.append(ir.Const(None, ERROR, span=arm.link.span))
    if not arms:
        return ir.Const(None, ERROR, span=expr.span)
    joined = _joined(context, arms, expected, expr.span)
    return ir.Select(subject, tuple(zip(patterns, arms, strict=True)), joined, expr.span)
