"""The kernel of prices: what a run adds to a prompt, and the dearest price of a token of input.

A reservation (in the runtime) and the bounds on cost (in the analysis) count the same: whatever may
be billed as input, a provider may bill as a write to its cache.
"""

from __future__ import annotations

from decimal import Decimal

from pipelang.semantics import program as p

FEEDBACK_TOKENS = 200
"""Tokens of `feedback` at most: it is cut to 600 bytes."""

MISFIT_TOKENS = 200
"""Tokens that tell a model why its last answer did not fit: 600 bytes at most."""

FAILURE_TOKENS = 100
"""Tokens of what a tool says to an agent when it fails: 300 bytes at most."""

CALL_TOKENS = 8
"""Tokens of the JSON around the name and the arguments of a tool call."""

DEFAULT_OUTPUT = 4096
"""Output tokens reserved where a step says nothing; the provider's own limit is the same."""

_INPUT = ("in", "cache_write", "cache_read")


def dearest_input(tier: p.Tier) -> Decimal:
    """Dollars per million tokens of input, at the dearest way of billing them."""
    return max(tier.prices.get(kind, Decimal(0)) for kind in _INPUT)


def is_priced(tier: p.Tier) -> bool:
    """Whether it is known what a tier costs."""
    return {"in", "out"} <= set(tier.prices)


def is_free(tier: p.Tier) -> bool:
    """Whether a tier has prices and all of them are 0."""
    return is_priced(tier) and not any(tier.prices.values())
