"""Builders of options and evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelang.diagnostics import Span
from pipelang.syntax import ast
from pipelang.syntax.lower.context import Lowering, constant, gather, only
from pipelang.syntax.lower.expressions import percent_literal, text_literal
from pipelang.syntax.tokens import Token


def _whole(lowering: Lowering, token: Token) -> int:
    return int(token.text)


def _text(lowering: Lowering, token: Token) -> ast.Literal:
    return text_literal(lowering, Span(lowering.file, token.start, token.end), token)


def of(node: Callable[..., Any]) -> Callable[..., Any]:
    """An option that holds its children as they are."""

    def build(lowering: Lowering, span: Span, *children: Any) -> Any:
        return node(*children, span)

    return build


def of_name(node: Callable[..., Any]) -> Callable[..., Any]:
    def build(lowering: Lowering, span: Span, token: Token) -> Any:
        return node(lowering.name(token), span)

    return build


def of_text(node: Callable[..., Any]) -> Callable[..., Any]:
    def build(lowering: Lowering, span: Span, *tokens: Token) -> Any:
        return node(*(_text(lowering, token) for token in tokens), span)

    return build


def rate_counted(lowering: Lowering, span: Span, good: Token, total: Token) -> ast.Counted:
    return ast.Counted(_whole(lowering, good), _whole(lowering, total), span)


def rate_file(lowering: Lowering, span: Span, path: Token) -> ast.FromFile:
    return ast.FromFile(_text(lowering, path), span)


def tier_rate(lowering: Lowering, span: Span, tier: Token, rate: ast.Rate) -> ast.TierRate:
    return ast.TierRate(lowering.name(tier), rate, span)


def output(lowering: Lowering, span: Span, lengths: tuple[tuple[str, ast.Expr], ...]) -> ast.Output:
    found = dict(lengths)
    return ast.Output(found.get("mean"), found.get("max"), span)


def length(kind: str) -> Callable[..., Any]:
    return lambda lowering, span, quantity: (kind, quantity)


def price(kind: str) -> Callable[..., Any]:
    def build(lowering: Lowering, span: Span, amount: ast.Expr) -> ast.PriceItem:
        return ast.PriceItem(kind, amount, span)

    return build


def retry(
    lowering: Lowering, span: Span, count: ast.Expr, backoff: tuple[ast.Expr, ast.Expr] | None
) -> ast.Retry:
    return ast.Retry(count, backoff, span)


def need(lowering: Lowering, span: Span, kind: tuple[str, ast.Rate | None]) -> ast.Need:
    return ast.Need(kind[0], kind[1], span)


BUILDERS: dict[str, Callable[..., Any]] = {
    "provider_options": gather,
    "tier_options": gather,
    "role_options": gather,
    "tool_options": gather,
    "memory_options": gather,
    "options_block": gather,
    "evidence_options": gather,
    "gate_evidence": only,
    "opt_kind": of_name(ast.Kind),
    "opt_key": of_text(ast.Key),
    "opt_base_url": of_text(ast.BaseUrl),
    "opt_available": of(ast.Available),
    "opt_provider": of_name(ast.Provider),
    "opt_model": of_text(ast.Model),
    "opt_price": of(ast.Price),
    "opt_transient": of(ast.Transient),
    "opt_context": of(ast.Context),
    "opt_as_of": of_text(ast.AsOf),
    "prices": gather,
    "price_in": price("in"),
    "price_out": price("out"),
    "price_cache_write": price("cache_write"),
    "price_cache_read": price("cache_read"),
    "opt_people": of(ast.PeopleOption),
    "opt_handles": of(ast.Handles),
    "opt_responds": of(ast.Responds),
    "opt_hours": of(ast.Hours),
    "opt_must_differ_from": of_name(ast.MustDifferFrom),
    "opt_python": of_text(ast.PythonBinding),
    "opt_mcp": of_text(ast.McpBinding),
    "opt_effect": of(ast.Effect),
    "effect_pure": constant("pure"),
    "effect_read": constant("read"),
    "effect_write": constant("write"),
    "effect_irreversible": constant("irreversible"),
    "opt_permit": of_text(ast.Permit),
    "opt_rate": of(ast.RateLimit),
    "opt_succeeds": of(ast.Succeeds),
    "opt_cost": of(ast.Cost),
    "opt_idempotent": of(ast.Idempotent),
    "opt_keeps": of(ast.Keeps),
    "opt_retry": retry,
    "opt_timeout": of(ast.Timeout),
    "opt_accuracy": of(ast.Accuracy),
    "opt_accuracy_by_tier": of(ast.AccuracyByTier),
    "tier_rates": gather,
    "tier_rate": tier_rate,
    "opt_catches": of(ast.Catches),
    "opt_false_alarms": of(ast.FalseAlarms),
    "opt_evidence": of_text(ast.Evidence),
    "opt_latency": of(ast.Latency),
    "spread": of(ast.Spread),
    "opt_output": output,
    "lengths": gather,
    "length_mean": length("mean"),
    "length_max": length("max"),
    "opt_effort": of(ast.Effort),
    "effort_low": constant("low"),
    "effort_medium": constant("medium"),
    "effort_high": constant("high"),
    "opt_cache": of(ast.Cache),
    "opt_hits": of(ast.Hits),
    "opt_batch": of(ast.Batch),
    "opt_vote": of(ast.Vote),
    "opt_vote_lead": of(ast.VoteLead),
    "opt_steps": of(ast.Steps),
    "opt_turns": of(ast.Turns),
    "opt_recovers": of(ast.Recovers),
    "opt_correlation": of(ast.Correlation),
    "opt_parallel": of(ast.Parallel),
    "opt_need": need,
    "need_all": constant(("all", None)),
    "need_any": constant(("any", None)),
    "need_share": lambda lowering, span, share: ("share", share),
    "rate_value": only,
    "rate_counted": rate_counted,
    "rate_file": rate_file,
    "rate_percent": percent_literal,
    "range": gather,
}
