"""Expressions: bidirectional typing, enum members by expectation, narrowing.

`elaborate(context, scope, expr, expected)` gives the typed expression. With an expected type, bare
names may be enum members, records and empty lists take their types from it, and a misfit is
reported here. An expression that was reported becomes a constant of type `ERROR`, which fits
everywhere, so that one mistake is reported once.
"""

from __future__ import annotations

from decimal import Decimal
from typing import assert_never

from pipelang.diagnostics import Help, Span, codes
from pipelang.semantics import expressions as expr
from pipelang.semantics.elaborate.broken_parts import whole
from pipelang.semantics.elaborate.context import Context, Scope, broken
from pipelang.semantics.elaborate.expressions.calls import elaborate_call
from pipelang.semantics.elaborate.expressions.collections import elaborate_list, elaborate_record
from pipelang.semantics.elaborate.expressions.comprehensions import elaborate_comprehension
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

LITERAL_TYPES: dict[ast.LiteralKind, Type] = {
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
    node: ast.Expr,
    expected: Type | None = None,
    *,
    checked: bool = False,
) -> expr.Expr:
    """The typed expression. Reports once if it does not fit `expected`.

    `checked` says that the value is checked again while running, so that one of an open range may
    stand where a range is expected.
    """
    typed = _elaborate(context, scope, node, expected)
    if expected is None or isinstance(typed.type, ErrorType):
        return typed
    if not fits(typed.type, expected):
        return misfit(context, typed, expected, node.span)
    return keep_promises(context, typed, expected, node.span, checked)


def misfit(context: Context, typed: expr.Expr, expected: Type, span: Span) -> expr.Expr:
    """Report an expression that is not of the expected type."""
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


def _mend(typed: expr.Expr, expected: Type) -> Help | None:
    """Spelling of what was most likely meant."""
    found = typed.type
    number = found in (INT, NUMBER)
    if expected == PROBABILITY and number:
        if isinstance(typed, expr.Const) and 0 <= typed.value <= 100:
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
        words = f"write the member without quotes: {', '.join(expected.written)}"
        if isinstance(typed, expr.Const) and typed.value in expected.members:
            named = expected.written[expected.members.index(typed.value)]
            if named != typed.value:
                return f'"{typed.value}" is its name outside of the program: write `{named}`'
        return as_member(typed, expected, words)
    return None


def condition(context: Context, scope: Scope, node: ast.Expr) -> expr.Expr:
    """An expression that must be a bool."""
    return elaborate(context, scope, node, BOOL)


def _elaborate(context: Context, scope: Scope, node: ast.Expr, expected: Type | None) -> expr.Expr:
    match node:
        case ast.NameRef():
            return elaborate_name(context, scope, node, expected)
        case ast.Literal(kind=ast.LiteralKind.PAGES):
            help = "pages bound documents (`document max 20 pages`), and `traffic` tells their mean"
            found = f"`{node.raw}`"
            context.tell(codes.TYPE_MISMATCH, node.span, expected="a value", found=found, help=help)
            return broken(node.span)
        case ast.Literal():
            return expr.Const(node.value, LITERAL_TYPES[node.kind], span=node.span)
        case ast.FieldRef():
            return elaborate_field(context, scope, node)
        case ast.Index():
            return _index(context, scope, node)
        case ast.Present():
            return _present(context, scope, node)
        case ast.CallFn():
            return elaborate_call(context, scope, node)
        case ast.ListOf():
            return elaborate_list(context, scope, node, expected)
        case ast.ListFor():
            return elaborate_comprehension(context, scope, node, expected)
        case ast.RecordOf():
            return elaborate_record(context, scope, node, expected)
        case ast.Unary():
            if node.op == "not":
                return expr.Not(condition(context, scope, node.operand), BOOL, node.span)
            return elaborate_negation(context, scope, node)
        case ast.Binary():
            return elaborate_binary(context, scope, node, expected)
        case ast.If():
            return _if(context, scope, node, expected)
        case ast.Match():
            return _match(context, scope, node, expected)
        case ast.Broken():
            return broken(node.span)
        case _:
            assert_never(node)


def _present(context: Context, scope: Scope, node: ast.Present) -> expr.Expr:
    target = elaborate(context, scope, node.target)
    if isinstance(target.type, ErrorType):
        return broken(node.span)
    if not may_be_absent(scope, target):
        context.tell(
            codes.TYPE_MISMATCH,
            node.span,
            expected="a value that may be absent",
            found=f"{quoted(target.type)}, which is always there",
        )
        return broken(node.span)
    return expr.IsPresent(target, BOOL, node.span)


def _if(context: Context, scope: Scope, node: ast.If, expected: Type | None) -> expr.Expr:
    test = condition(context, scope, node.condition)
    then = elaborate(context, scope.knowing(known_if_true(test)), node.then, expected)
    otherwise = elaborate(context, scope.knowing(known_if_false(test)), node.otherwise, expected)
    type = _joined(context, [then, otherwise], expected)
    if isinstance(type, ErrorType):
        return broken(node.span)
    return expr.Choice(test, then, otherwise, type, node.span)


def _joined(context: Context, values: list[expr.Expr], expected: Type | None) -> Type:
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


def _index(context: Context, scope: Scope, node: ast.Index) -> expr.Expr:
    target = elaborate(context, scope, node.target)
    match target.type:
        case ListType() as type:
            at = elaborate(context, scope, node.index, INT)
            return expr.At(target, at, _element(scope, type.element), node.span)
        case MapType() as type:
            at = elaborate(context, scope, node.index, TEXT)
            return expr.At(target, at, _element(scope, type.value), node.span)
        case OptionalType():
            return absent(context, target, node.target.span)
        case ErrorType():
            elaborate(context, scope, node.index, ERROR)
        case type:
            context.tell(
                codes.TYPE_MISMATCH,
                node.target.span,
                expected="a list or a map",
                found=quoted(type),
            )
    return broken(node.span)


def _element(scope: Scope, type: Type) -> Type:
    """The type of what stands at an index, which may be outside."""
    return present(type) if scope.reached else optional(type)


def _match(context: Context, scope: Scope, node: ast.Match, expected: Type | None) -> expr.Expr:
    subject = elaborate(context, scope, node.subject)
    patterns = elaborate_patterns(context, subject, node.arms, node.subject.span)
    arms: list[expr.Expr] = []
    pure = all(isinstance(arm.link.action, ast.Pure) for arm in whole(node.arms))
    expected = expected if pure else expected or ERROR
    for arm in whole(node.arms):
        action = arm.link.action
        if isinstance(action, ast.Pure) and not arm.link.options:
            arms.append(elaborate(context, scope, action.value, expected))
        else:
            arms.append(_no_action(context, arm.link))
    if not arms or patterns is None:
        return broken(node.span)
    type = _joined(context, arms, expected)
    if isinstance(type, ErrorType):
        return broken(node.span)
    return expr.Select(subject, tuple(zip(patterns, arms, strict=True)), type, node.span)


_ACTIONS = {
    ast.Ask: "ask",
    ast.Agent: "agent",
    ast.CallTool: "call",
    ast.RunPipeline: "run",
    ast.Recall: "recall",
    ast.Each: "each",
}


def _no_action(context: Context, link: ast.Link) -> expr.Expr:
    """Report that an arm of a pure match does something."""
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
