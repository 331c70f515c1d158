"""Expressions: bidirectional typing, enum members by expectation, narrowing.

`elaborate(context, scope, expr, expected)` gives the typed expression. With an expected type, bare
names may be enum members, records and empty lists know what they are, and a misfit is told here.
What was told is a constant of type `ERROR`, which fits everywhere: one mistake is told once.
"""

from __future__ import annotations

from decimal import Decimal
from typing import assert_never

from pipelang.diagnostics import Help, Span, codes
from pipelang.semantics import expressions as ir
from pipelang.semantics.elaborate.broken_parts import whole
from pipelang.semantics.elaborate.context import Context, Scope, broken
from pipelang.semantics.elaborate.expressions.calls import elaborate_call
from pipelang.semantics.elaborate.expressions.collections import elaborate_list, elaborate_record
from pipelang.semantics.elaborate.expressions.literal_fixes import as_member, as_share
from pipelang.semantics.elaborate.expressions.match_patterns import elaborate_patterns
from pipelang.semantics.elaborate.expressions.names import elaborate_field, elaborate_name
from pipelang.semantics.elaborate.expressions.narrowing import known_if_false, known_if_true
from pipelang.semantics.elaborate.expressions.operators import elaborate_binary, elaborate_negation
from pipelang.semantics.elaborate.expressions.optionals import absent, may_be_absent
from pipelang.semantics.elaborate.expressions.refinements import keep_promises
from pipelang.semantics.quantities import show_share
from pipelang.semantics.types import (
    BOOL,
    DURATION,
    ERROR,
    INT,
    MONEY,
    NUMBER,
    PROBABILITY,
    RATE,
    TEXT,
    TOKENS,
    EnumType,
    ErrorType,
    ListType,
    MapType,
    NoneType,
    OptionalType,
    Type,
    fits,
    join,
    optional,
    present,
    quoted,
)
from pipelang.syntax import ast

_LITERAL_TYPES: dict[ast.LiteralKind, Type] = {
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


def elaborate(
    context: Context,
    scope: Scope,
    expr: ast.Expr,
    expected: Type | None = None,
    *,
    checked: bool = False,
) -> ir.Expr:
    """The typed expression. Tells once if it does not fit `expected`.

    `checked` says that the value is checked again while running, so that one of an open range may
    stand where a range is expected.
    """
    typed = _elaborate(context, scope, expr, expected)
    if expected is None or isinstance(typed.type, ErrorType):
        return typed
    if not fits(typed.type, expected):
        return misfit(context, typed, expected, expr.span)
    return keep_promises(context, typed, expected, expr.span, checked)


def misfit(context: Context, typed: ir.Expr, expected: Type, span: Span) -> ir.Expr:
    """Tell that an expression is not of the type that is expected."""
    found = typed.type
    if isinstance(found, OptionalType) and fits(found.inner, expected):
        return absent(context, typed, span)
    context.tell(
        codes.TYPE_MISMATCH,
        span,
        expected=quoted(expected),
        found=quoted(found),
        help=_mend(typed, present(expected)),
    )
    return broken(span)


def _mend(typed: ir.Expr, expected: Type) -> Help | None:
    """How to write what was most likely meant."""
    found = typed.type
    number = found in (INT, NUMBER)
    if expected == PROBABILITY and number:
        if isinstance(typed, ir.Const) and 0 <= typed.value <= 100:
            share = Decimal(typed.value) / 100 if typed.value > 1 else Decimal(typed.value)
            return as_share(typed, f"shares are written with a percent sign: {show_share(share)}")
        return "shares are written with a percent sign: 70%"
    if expected == MONEY and number:
        return "amounts are written with a dollar sign: $0.08"
    if expected == DURATION and number:
        return "durations are written with a unit: 30s, 5m, 2h"
    if expected == TOKENS and number:
        return "amounts of tokens are written with their unit: 40k tokens"
    if isinstance(expected, EnumType) and found == TEXT:
        words = f"write the member without quotes: {', '.join(expected.members)}"
        return as_member(typed, expected, words)
    return None


def condition(context: Context, scope: Scope, expr: ast.Expr) -> ir.Expr:
    """An expression that must be a bool."""
    return elaborate(context, scope, expr, BOOL)


def _elaborate(context: Context, scope: Scope, expr: ast.Expr, expected: Type | None) -> ir.Expr:
    match expr:
        case ast.Literal():
            return ir.Const(expr.value, _LITERAL_TYPES[expr.kind], span=expr.span)
        case ast.NameRef():
            return elaborate_name(context, scope, expr, expected)
        case ast.FieldRef():
            return elaborate_field(context, scope, expr)
        case ast.Index():
            return _index(context, scope, expr)
        case ast.Present():
            return _present(context, scope, expr)
        case ast.CallFn():
            return elaborate_call(context, scope, expr)
        case ast.ListOf():
            return elaborate_list(context, scope, expr, expected)
        case ast.RecordOf():
            return elaborate_record(context, scope, expr, expected)
        case ast.Unary():
            if expr.op == "not":
                return ir.Not(condition(context, scope, expr.operand), BOOL, expr.span)
            return elaborate_negation(context, scope, expr)
        case ast.Binary():
            return elaborate_binary(context, scope, expr)
        case ast.If():
            return _if(context, scope, expr, expected)
        case ast.Match():
            return _match(context, scope, expr, expected)
        case ast.Broken():
            return broken(expr.span)
        case _:
            assert_never(expr)


def _present(context: Context, scope: Scope, expr: ast.Present) -> ir.Expr:
    target = elaborate(context, scope, expr.target)
    if isinstance(target.type, ErrorType):
        return broken(expr.span)
    if not may_be_absent(scope, target):
        context.tell(
            codes.TYPE_MISMATCH,
            expr.span,
            expected="a value that may be absent",
            found=f"{quoted(target.type)}, which is always there",
        )
        return broken(expr.span)
    return ir.IsPresent(target, BOOL, expr.span)


def _if(context: Context, scope: Scope, expr: ast.If, expected: Type | None) -> ir.Expr:
    test = condition(context, scope, expr.condition)
    then = elaborate(context, scope.knowing(known_if_true(test)), expr.then, expected)
    otherwise = elaborate(context, scope.knowing(known_if_false(test)), expr.otherwise, expected)
    type = _joined(context, [then, otherwise], expected)
    if isinstance(type, ErrorType):
        return broken(expr.span)
    return ir.Choice(test, then, otherwise, type, expr.span)


def _joined(context: Context, values: list[ir.Expr], expected: Type | None) -> Type:
    """The type of several alternatives: what is expected, else what all of them fit in."""
    type = values[0].type
    for value in values[1:]:
        joined = join(type, value.type)
        if joined is None and expected is None:
            context.tell(
                codes.TYPE_MISMATCH,
                value.span,
                expected=f"{quoted(type)} as before",
                found=quoted(value.type),
            )
            return ERROR
        type = joined or type
    return type if expected is None or isinstance(type, ErrorType) else expected


def _index(context: Context, scope: Scope, expr: ast.Index) -> ir.Expr:
    target = elaborate(context, scope, expr.target)
    match target.type:
        case ListType() as type:
            at = elaborate(context, scope, expr.index, INT)
            return ir.At(target, at, optional(type.element), expr.span)
        case MapType() as type:
            at = elaborate(context, scope, expr.index, TEXT)
            return ir.At(target, at, optional(type.value), expr.span)
        case OptionalType():
            return absent(context, target, expr.target.span)
        case ErrorType():
            elaborate(context, scope, expr.index, ERROR)
        case type:
            context.tell(
                codes.TYPE_MISMATCH,
                expr.target.span,
                expected="a list or a map",
                found=quoted(type),
            )
    return broken(expr.span)


def _match(context: Context, scope: Scope, expr: ast.Match, expected: Type | None) -> ir.Expr:
    subject = elaborate(context, scope, expr.subject)
    patterns = elaborate_patterns(context, subject, expr.arms, expr.subject.span)
    arms: list[ir.Expr] = []
    pure = all(isinstance(arm.link.action, ast.Pure) for arm in whole(expr.arms))
    expected = expected if pure else expected or ERROR
    for arm in whole(expr.arms):
        action = arm.link.action
        if isinstance(action, ast.Pure) and not arm.link.options:
            arms.append(elaborate(context, scope, action.value, expected))
        else:
            arms.append(_no_action(context, arm.link))
    if not arms or patterns is None:
        return broken(expr.span)
    type = _joined(context, arms, expected)
    if isinstance(type, ErrorType):
        return broken(expr.span)
    return ir.Select(subject, tuple(zip(patterns, arms, strict=True)), type, expr.span)


_ACTIONS = {
    ast.Ask: "ask",
    ast.Agent: "agent",
    ast.CallTool: "call",
    ast.RunPipeline: "run",
    ast.Recall: "recall",
    ast.Each: "each",
}


def _no_action(context: Context, link: ast.Link) -> ir.Expr:
    """Tell that an arm of a pure match does something."""
    action = link.action
    if isinstance(action, ast.MatchAction):
        for arm in whole(action.arms):
            if not isinstance(arm.link.action, ast.Pure):
                return _no_action(context, arm.link)
        return broken(link.span)
    if isinstance(action, ast.Pure):
        option = link.options[0]
        context.tell(codes.WRONG_OPTION, option.span, option="{ ... }", what="a plain value")
    else:
        context.tell(codes.ACTION_IN_EXPRESSION, link.span, action=_ACTIONS[type(action)])
    return broken(link.span)
