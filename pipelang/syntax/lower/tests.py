"""Builders of tests: given, mocks and expectations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelang.diagnostics import Span
from pipelang.syntax import ast
from pipelang.syntax.lower.context import Lowering, constant, gather, only
from pipelang.syntax.lower.expressions import text_of
from pipelang.syntax.lower.options import of
from pipelang.syntax.tokens import Token


def test(
    lowering: Lowering, span: Span, title: Token, lines: tuple[ast.TestLine, ...]
) -> ast.TestDecl:
    return ast.TestDecl(text_of(lowering, title), lines, lowering.doc(span), span)


def given(
    lowering: Lowering, span: Span, pipeline: Token, arguments: tuple[ast.Argument, ...]
) -> ast.Given:
    return ast.Given(lowering.name(pipeline), arguments, span)


def mock_calls(
    lowering: Lowering, span: Span, tool: Token, arguments: tuple[ast.Argument, ...]
) -> ast.MockCall:
    return ast.MockCall(lowering.name(tool), arguments, span)


def verdict(answer: str) -> Callable[..., Any]:
    def build(lowering: Lowering, span: Span, reason: Token | None = None) -> ast.MockVerdict:
        words = None if reason is None else text_of(lowering, reason)
        return ast.MockVerdict(answer, words, span)

    return build


def mock_veto(lowering: Lowering, span: Span, target: tuple[ast.Name, ...]) -> ast.MockVerdicts:
    return ast.MockVerdicts(target, (ast.MockVerdict("veto", None, span),), span)


def expect_called(
    lowering: Lowering,
    span: Span,
    tool: Token,
    arguments: tuple[ast.Argument, ...] | None,
    times: int | None,
) -> ast.ExpectCalled:
    return ast.ExpectCalled(lowering.name(tool), True, arguments, times, span)


def expect_not_called(
    lowering: Lowering, span: Span, tool: Token, arguments: tuple[ast.Argument, ...] | None
) -> ast.ExpectCalled:
    return ast.ExpectCalled(lowering.name(tool), False, arguments, None, span)


def times_counted(lowering: Lowering, span: Span, count: Token) -> int:
    return int(count.text)


def fail_code(lowering: Lowering, span: Span, token: Token) -> str:
    return text_of(lowering, token) if token.type == "STRING" else token.text


BUILDERS: dict[str, Callable[..., Any]] = {
    "test": test,
    "test_lines": gather,
    "given": given,
    "mock_values_of": of(ast.MockValues),
    "mock_values": gather,
    "mock_calls": mock_calls,
    "mock_fails": of(ast.MockFails),
    "mock_verdicts": of(ast.MockVerdicts),
    "verdicts": gather,
    "verdict_yes": verdict("yes"),
    "verdict_no": verdict("no"),
    "verdict_none": verdict("no answer"),
    "mock_veto": mock_veto,
    "mock_quota": of(ast.MockQuota),
    "mock_breaker": of(ast.MockBreaker),
    "expect_answered": of(ast.ExpectAnswered),
    "expect_escalated": of(ast.ExpectEscalated),
    "expect_rejected": of(ast.ExpectRejected),
    "expect_failed": of(ast.ExpectFailed),
    "expect_called": expect_called,
    "call_args": only,
    "times_once": constant(1),
    "times_counted": times_counted,
    "expect_not_called": expect_not_called,
    "expect_expr": of(ast.ExpectExpr),
    "expect_cost": of(ast.ExpectCost),
    "fail_code": fail_code,
}
