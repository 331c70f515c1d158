"""Builders of actions, chains and outcomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelang.diagnostics import Span
from pipelang.syntax import ast
from pipelang.syntax.lower.context import Lowering, constant, gather, only
from pipelang.syntax.lower.expressions import text_of
from pipelang.syntax.tokens import Token


def ask(
    lowering: Lowering,
    span: Span,
    prompt: Token,
    arguments: tuple[ast.Argument, ...],
    who: ast.Expr | ast.Cascade,
) -> ast.Ask:
    return ast.Ask(lowering.name(prompt), arguments, who, span)


def agent(
    lowering: Lowering,
    span: Span,
    prompt: Token,
    arguments: tuple[ast.Argument, ...],
    who: ast.Expr | ast.Cascade,
    tools: tuple[Token, ...],
) -> ast.Agent:
    return ast.Agent(lowering.name(prompt), arguments, who, lowering.names(tools), span)


def call_tool(
    lowering: Lowering, span: Span, tool: Token, arguments: tuple[ast.Argument, ...]
) -> ast.CallTool:
    return ast.CallTool(lowering.name(tool), arguments, span)


def run_pipeline(
    lowering: Lowering, span: Span, pipeline: Token, arguments: tuple[ast.Argument, ...]
) -> ast.RunPipeline:
    return ast.RunPipeline(lowering.name(pipeline), arguments, span)


def recall(lowering: Lowering, span: Span, memory: Token, key: ast.Expr) -> ast.Recall:
    return ast.Recall(lowering.name(memory), key, span)


def each(
    lowering: Lowering,
    span: Span,
    variable: Token,
    elements: ast.Expr,
    ordered: bool | None,
    body: ast.Chain,
) -> ast.Each:
    return ast.Each(lowering.name(variable), elements, bool(ordered), body, span)


def _arm_is_action(arm: ast.Arm | ast.Broken) -> bool:
    if isinstance(arm, ast.Broken):
        return False
    if arm.link.options or not isinstance(arm.link.action, ast.Pure):
        return True
    value = arm.link.action.value
    return isinstance(value, ast.Match) and any(_arm_is_action(inner) for inner in value.arms)


def pure(lowering: Lowering, span: Span, value: ast.Expr) -> ast.Action:
    """An expression as an action. A match with actions in its arms is an action itself."""
    if isinstance(value, ast.Match) and any(_arm_is_action(arm) for arm in value.arms):
        return ast.MatchAction(value.subject, value.arms, value.span)
    return ast.Pure(value, span)


def cascade(
    lowering: Lowering, span: Span, tiers: tuple[Token, ...], until: ast.Expr
) -> ast.Cascade:
    return ast.Cascade(lowering.names(tiers), until, span)


def link(
    lowering: Lowering, span: Span, action: ast.Action, options: tuple[ast.Option, ...] | None
) -> ast.Link:
    return ast.Link(action, options or (), span)


def links_first(lowering: Lowering, span: Span, first: ast.Link) -> list[ast.Link]:
    return [first]


def links_more(lowering: Lowering, span: Span, links: list[ast.Link], more: ast.Link) -> Any:
    links.append(more)
    return links


def chain_open(lowering: Lowering, span: Span, links: list[ast.Link]) -> ast.Chain:
    return ast.Chain(tuple(links), None, span)


def chain_closed(
    lowering: Lowering, span: Span, links: list[ast.Link], end: ast.Outcome
) -> ast.Chain:
    return ast.Chain(tuple(links), end, span)


def _optional_text(lowering: Lowering, token: Token | None) -> str | None:
    return None if token is None else text_of(lowering, token)


def return_(lowering: Lowering, span: Span, value: ast.Expr) -> ast.Return:
    return ast.Return(value, lowering.doc(span), span)


def escalate(
    lowering: Lowering, span: Span, role: Token, text: Token | None, value: ast.Expr | None
) -> ast.Escalate:
    words = _optional_text(lowering, text)
    return ast.Escalate(lowering.name(role), words, value, lowering.doc(span), span)


def reject(lowering: Lowering, span: Span, text: Token | None) -> ast.Reject:
    return ast.Reject(_optional_text(lowering, text), lowering.doc(span), span)


def fail(lowering: Lowering, span: Span, code: Token) -> ast.Fail:
    return ast.Fail(text_of(lowering, code), lowering.doc(span), span)


BUILDERS: dict[str, Callable[..., Any]] = {
    "ask": ask,
    "agent": agent,
    "call_tool": call_tool,
    "run_pipeline": run_pipeline,
    "recall": recall,
    "each": each,
    "ordered": constant(True),
    "pure": pure,
    "cascade": cascade,
    "names_comma": gather,
    "link": link,
    "links_first": links_first,
    "links_more": links_more,
    "chain_open": chain_open,
    "chain_closed": chain_closed,
    "return_": return_,
    "escalate": escalate,
    "reject": reject,
    "fail": fail,
    "with_value": only,
}
