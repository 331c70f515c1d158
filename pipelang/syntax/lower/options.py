"""Builders of options and evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelang.diagnostics import Span
from pipelang.syntax import ast
from pipelang.syntax.lower.context import Lowering, constant, gather, only
from pipelang.syntax.lower.expressions import percent_literal, text_literal
from pipelang.syntax.option_table import OPTIONS
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


def rate_file(
    lowering: Lowering, span: Span, path: Token, shift: ast.Expr | None = None
) -> ast.FromFile:
    return ast.FromFile(_text(lowering, path), shift, span)


def by_case(rate: Any, hard: Any) -> Any:
    """A rate, with the one for hard cases if there is one."""
    if hard is None:
        return rate
    return ast.RateByCase(rate, hard, Span(rate.span.file, rate.span.start, hard.span.end))


def rated(node: Callable[..., Any]) -> Callable[..., Any]:
    """A rate, perhaps with another one for hard cases."""

    def build(lowering: Lowering, span: Span, rate: ast.Rate, hard: ast.Rate | None) -> Any:
        return node(by_case(rate, hard), span)

    return build


def evidence(lowering: Lowering, span: Span, path: Token, shift: ast.Expr | None) -> ast.Evidence:
    return ast.Evidence(_text(lowering, path), shift, span)


def tier_rate(
    lowering: Lowering, span: Span, tier: Token, rate: ast.Rate, shift: ast.Expr | None
) -> ast.TierRate:
    return ast.TierRate(lowering.name(tier), rate, shift, span)


def tier_rates_first(lowering: Lowering, span: Span, first: ast.TierRate) -> list[ast.TierRate]:
    return [first]


def tier_rates_more(
    lowering: Lowering, span: Span, rates: list[ast.TierRate], more: ast.TierRate
) -> list[ast.TierRate]:
    rates.append(more)
    return rates


def tier_rates_hard(
    lowering: Lowering, span: Span, rates: list[ast.TierRate], hard: ast.Rate
) -> list[ast.TierRate]:
    """Rates by tier, of which the last has another one for hard cases."""
    last = rates[-1]
    rate = by_case(last.rate, hard)
    whole = Span(span.file, last.span.start, hard.span.end)
    rates[-1] = ast.TierRate(last.tier, rate, last.shift, whole)
    return rates


def by_tier(lowering: Lowering, span: Span, rates: list[ast.TierRate]) -> ast.AccuracyByTier:
    return ast.AccuracyByTier(tuple(rates), span)


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


_HOLDING = {"children": of, "name": of_name, "texts": of_text, "rate": rated}

BUILDERS: dict[str, Callable[..., Any]] = {
    **{row.alias: _HOLDING[row.holds](row.node) for row in OPTIONS if row.holds != "own"},
    "provider_options": gather,
    "tier_options": gather,
    "role_options": gather,
    "tool_options": gather,
    "memory_options": gather,
    "options_block": gather,
    "evidence_options": gather,
    "gate_evidence": only,
    "prices": gather,
    "price_in": price("in"),
    "price_out": price("out"),
    "price_cache_write": price("cache_write"),
    "price_cache_read": price("cache_read"),
    "effect_pure": constant("pure"),
    "effect_read": constant("read"),
    "effect_write": constant("write"),
    "effect_irreversible": constant("irreversible"),
    "opt_retry": retry,
    "opt_accuracy_by_tier": by_tier,
    "tier_rates_first": tier_rates_first,
    "tier_rates_more": tier_rates_more,
    "tier_rates_hard": tier_rates_hard,
    "tier_rate": tier_rate,
    "hard": only,
    "shift": only,
    "opt_evidence": evidence,
    "spread": of(ast.Spread),
    "opt_output": output,
    "lengths": gather,
    "length_mean": length("mean"),
    "length_max": length("max"),
    "effort_low": constant("low"),
    "effort_medium": constant("medium"),
    "effort_high": constant("high"),
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
