"""Builders of pipeline items."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelang.diagnostics import Span
from pipelang.syntax import ast
from pipelang.syntax.lower.context import Lowering, constant, gather, only
from pipelang.syntax.lower.expressions import rate_literal, text_of
from pipelang.syntax.lower.options import by_case, of, of_text
from pipelang.syntax.tokens import Token


def budget(
    lowering: Lowering,
    span: Span,
    amounts: tuple[ast.Expr | ast.StepsAmount, ...],
    otherwise: ast.Outcome | None,
) -> ast.Budget:
    return ast.Budget(amounts, otherwise, lowering.doc(span), span)


def quota(lowering: Lowering, span: Span, *parts: Any) -> ast.Quota:
    *amounts, otherwise = parts
    return ast.Quota(tuple(amounts), otherwise, lowering.doc(span), span)


def quota_amount(runs: bool) -> Callable[..., Any]:
    def build(lowering: Lowering, span: Span, amount: ast.Expr, period: str) -> ast.QuotaAmount:
        return ast.QuotaAmount(amount, runs, period, span)

    return build


def strings_comma(lowering: Lowering, span: Span, *tokens: Token) -> tuple[ast.Literal, ...]:
    texts = of_text(lambda *literals: literals[:-1])(lowering, span, *tokens)
    assert isinstance(texts, tuple)
    return texts


def permits(lowering: Lowering, span: Span, names: tuple[ast.Literal, ...]) -> ast.Permits:
    return ast.Permits(names, lowering.doc(span), span)


def slo(lowering: Lowering, span: Span, lines: tuple[ast.SloLine, ...]) -> ast.Slo:
    return ast.Slo(lines, lowering.doc(span), span)


def slo_cached(lowering: Lowering, span: Span, step: Token) -> ast.Cached:
    return ast.Cached(lowering.name(step), span)


def metric_plain(lowering: Lowering, span: Span, path: tuple[ast.Name, ...]) -> ast.Metric:
    return ast.Metric(path, None, None, span)


def metric_of(
    lowering: Lowering, span: Span, path: tuple[ast.Name, ...], of: tuple[ast.Name, ...]
) -> ast.Metric:
    return ast.Metric(path, of, None, span)


def metric_key(
    lowering: Lowering, span: Span, path: tuple[ast.Name, ...], key: Token
) -> ast.Metric:
    return ast.Metric(path, None, text_of(lowering, key), span)


def dotted(lowering: Lowering, span: Span, *names: Token) -> tuple[ast.Name, ...]:
    return lowering.names(names)


def traffic(
    lowering: Lowering, span: Span, rate: Token | None, lines: tuple[ast.TrafficLine, ...]
) -> ast.Traffic:
    literal = None
    if rate is not None:
        literal = rate_literal(lowering, Span(lowering.file, rate.start, rate.end), rate)
    return ast.Traffic(literal, lines, lowering.doc(span), span)


def share_plain(
    lowering: Lowering, span: Span, rate: ast.Rate, hard: ast.Rate | None
) -> ast.ShareOf:
    return ast.ShareOf(by_case(rate, hard), span)


def member(lowering: Lowering, span: Span, name: Token, rate: ast.Rate) -> ast.Member:
    return ast.Member(lowering.name(name), rate, span)


def share_members(lowering: Lowering, span: Span, *members: ast.Member) -> ast.Members:
    return ast.Members(members, span)


def sample(lowering: Lowering, span: Span, share: ast.Expr, *steps: Any) -> ast.Sample:
    *dotted, role = steps
    return ast.Sample(share, tuple(dotted), lowering.name(role), lowering.doc(span), span)


def watch(lowering: Lowering, span: Span, lines: tuple[ast.WatchLine, ...]) -> ast.Watch:
    return ast.Watch(lines, lowering.doc(span), span)


def baseline(sign: int) -> Callable[..., Any]:
    def build(lowering: Lowering, span: Span, offset: ast.Expr | None = None) -> ast.Baseline:
        return ast.Baseline(sign, offset, span)

    return build


def alert(lowering: Lowering, span: Span, role: Token, text: Token | None) -> ast.Alert:
    words = None if text is None else text_of(lowering, text)
    return ast.Alert(lowering.name(role), words, span)


def let(
    lowering: Lowering, span: Span, name: Token, type: ast.TypeExpr | None, value: ast.Expr
) -> ast.Let:
    return ast.Let(lowering.name(name), type, value, lowering.doc(span), span)


def step(
    lowering: Lowering, span: Span, name: Token, type: ast.TypeExpr | None, chain: ast.Chain
) -> ast.Step:
    return ast.Step(lowering.name(name), type, chain, lowering.doc(span), span)


def gate(
    lowering: Lowering,
    span: Span,
    name: Token,
    condition: ast.Expr,
    evidence: tuple[ast.Option, ...] | None,
    otherwise: ast.Outcome | ast.Redo,
) -> ast.Gate:
    doc = lowering.doc(span)
    return ast.Gate(lowering.name(name), condition, evidence or (), otherwise, doc, span)


def redo(
    lowering: Lowering,
    span: Span,
    step: Token,
    times: ast.Expr,
    because: ast.Expr | None,
    otherwise: ast.Outcome,
) -> ast.Redo:
    return ast.Redo(lowering.name(step), times, because, otherwise, span)


def approve(
    lowering: Lowering,
    span: Span,
    name: Token,
    role: Token,
    when: ast.Expr | None,
    within: ast.Expr | None,
    showing: ast.Expr | None,
    otherwise: ast.Outcome | ast.Redo,
) -> ast.Approve:
    names = lowering.name(name), lowering.name(role)
    return ast.Approve(*names, when, within, showing, otherwise, lowering.doc(span), span)


def hold(
    lowering: Lowering,
    span: Span,
    name: Token,
    duration: ast.Expr,
    role: Token,
    when: ast.Expr | None,
    showing: ast.Expr | None,
    otherwise: ast.Outcome,
) -> ast.Hold:
    name_, role_ = lowering.name(name), lowering.name(role)
    return ast.Hold(name_, duration, role_, when, showing, otherwise, lowering.doc(span), span)


def when(
    lowering: Lowering,
    span: Span,
    name: ast.Name | None,
    condition: ast.Expr,
    then: tuple[ast.Item, ...],
    otherwise: tuple[ast.Item, ...] | None,
) -> ast.When:
    return ast.When(name, condition, then, otherwise, lowering.doc(span), span)


def when_name(lowering: Lowering, span: Span, token: Token) -> ast.Name:
    return lowering.name(token)


def match_item(
    lowering: Lowering, span: Span, subject: ast.Expr, arms: tuple[ast.MatchItemArm, ...]
) -> ast.MatchItem:
    return ast.MatchItem(subject, arms, lowering.doc(span), span)


def remember(
    lowering: Lowering, span: Span, memory: Token, key: ast.Expr, value: ast.Expr
) -> ast.Remember:
    return ast.Remember(lowering.name(memory), key, value, lowering.doc(span), span)


def breaker(
    lowering: Lowering,
    span: Span,
    opens: tuple[ast.OpensRejects | ast.OpensMetric, ...],
    probes: ast.Expr | None,
    otherwise: ast.Chain | ast.Outcome,
) -> ast.Breaker:
    if not isinstance(otherwise, ast.Chain):
        otherwise = ast.Chain((), otherwise, otherwise.span)
    return ast.Breaker(opens, probes, otherwise, lowering.doc(span), span)


def opens_rejects(
    lowering: Lowering, span: Span, gate: tuple[ast.Name, ...], count: Token
) -> ast.OpensRejects:
    return ast.OpensRejects(gate, int(count.text), span)


def opens_metric(
    lowering: Lowering, span: Span, metric: ast.Metric, op: str, target: ast.Expr, runs: Token
) -> ast.OpensMetric:
    return ast.OpensMetric(metric, op, target, int(runs.text), span)


BUILDERS: dict[str, Callable[..., Any]] = {
    "items": gather,
    "budget": budget,
    "amounts": gather,
    "amount_steps": of(ast.StepsAmount),
    "quota": quota,
    "quota_amount": quota_amount(runs=False),
    "quota_runs": quota_amount(runs=True),
    **{f"period_{name}": constant(name) for name in ("hour", "day", "month")},
    "sample": sample,
    "permits": permits,
    "strings_comma": strings_comma,
    "slo": slo,
    "slo_lines": gather,
    "slo_line": of(ast.SloLine),
    "slo_cached": slo_cached,
    "metric_plain": metric_plain,
    "metric_of": metric_of,
    "metric_key": metric_key,
    "dotted": dotted,
    "traffic": traffic,
    "traffic_lines": gather,
    "traffic_line": of(ast.TrafficLine),
    "share_plain": share_plain,
    "share_by_right": of(ast.ShareByRight),
    "share_mean": of(ast.Mean),
    "share": only,
    "members": share_members,
    "member": member,
    "watch": watch,
    "watch_lines": gather,
    "watch_line": of(ast.WatchLine),
    "baseline": baseline(1),
    "baseline_plus": baseline(1),
    "baseline_minus": baseline(-1),
    "alert": alert,
    "let": let,
    "step": step,
    "gate": gate,
    "redo": redo,
    "approve": approve,
    "hold": hold,
    "when": when,
    "when_name": when_name,
    "when_else": only,
    "match_item": match_item,
    "item_arms": gather,
    "item_arm": of(ast.MatchItemArm),
    "remember": remember,
    "breaker": breaker,
    "breaker_lines": gather,
    "opens_rejects": opens_rejects,
    "opens_metric": opens_metric,
    "probes": only,
}
