"""Builders of types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelang.diagnostics import Span
from pipelang.syntax import ast
from pipelang.syntax.lower.context import Lowering, constant, gather
from pipelang.syntax.tokens import Token


def type_expr(
    lowering: Lowering,
    span: Span,
    labels: tuple[str, ...],
    core: ast.TypeCore,
    optional: bool | None,
    constraints: tuple[ast.Constraint, ...],
) -> ast.TypeExpr:
    return ast.TypeExpr(labels, core, bool(optional), constraints, span)


def type_name(lowering: Lowering, span: Span, token: Token) -> ast.NamedType:
    return ast.NamedType(lowering.name(token), span)


def type_decision(lowering: Lowering, span: Span, name: Token) -> ast.DecisionType:
    return ast.DecisionType(lowering.name(name), span)


def type_list(lowering: Lowering, span: Span, element: ast.TypeExpr) -> ast.ListType:
    return ast.ListType(element, span)


def type_map(lowering: Lowering, span: Span, key: Token, value: ast.TypeExpr) -> ast.MapType:
    return ast.MapType(lowering.name(key), value, span)


def constraint_max(lowering: Lowering, span: Span, limit: ast.Literal) -> ast.Max:
    return ast.Max(limit, span)


def constraint_range(
    lowering: Lowering, span: Span, low: ast.Literal, high: ast.Literal
) -> ast.InRange:
    return ast.InRange(low, high, span)


def constraint_matches(lowering: Lowering, span: Span, token: Token) -> ast.MatchesPatterns:
    return ast.MatchesPatterns(lowering.name(token), span)


BUILDERS: dict[str, Callable[..., Any]] = {
    "type": type_expr,
    "labels": gather,
    "label_untrusted": constant("untrusted"),
    "label_private": constant("private"),
    "label_secret": constant("secret"),
    "type_name": type_name,
    "type_decision": type_decision,
    "type_list": type_list,
    "type_map": type_map,
    "optional_mark": constant(True),
    "constraints": gather,
    "constraint_max": constraint_max,
    "constraint_range": constraint_range,
    "constraint_matches": constraint_matches,
}
