"""Amounts at any lengths, where those that nobody declared count as the most that they may be.

What is told of such a figure is the most that it is: it is no less than what attempts take even
where all is short. So far its lower bound goes where something undeclared decides as well, and so
far it breaks a promise of at most.
"""

from __future__ import annotations

from decimal import Decimal

from pipelang.analysis.kernels.costs import AttemptCost, all_costs, at_price
from pipelang.analysis.metrics.objectives import ObjectiveVerdict
from pipelang.analysis.model.intervals import compare
from pipelang.analysis.model.model import PipelineModel
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p


def missed_at_any_lengths(verdict: ObjectiveVerdict, model: PipelineModel) -> ObjectiveVerdict:
    """The verdict of a promise that a bound leaves open: a miss if the least is above it, too."""
    line, number, unit = verdict.line, verdict.number, m.metric_of(verdict.line.metric).unit
    known = number is not None and number.low and unit in model.parameters.bounded
    if not known or line.op not in ("<=", "<") or line.metric.startswith(m.COST_BASELINE):
        return verdict
    assert number is not None
    assert number.low is not None
    target = float(line.target)
    if compare(number.low * certain_part(model, unit), line.op, target):
        return verdict
    return ObjectiveVerdict(line, number, False, 0.0)


def certain_part(model: PipelineModel, unit: m.Unit) -> float:
    """The least share of its mean dollars or tokens that an attempt takes at any lengths, over all
    attempts of a swept model: what runs spend is no less than this share of its bound. How often
    something is asked is no bound in a mean: that is declared, or unknown.
    """
    costs = all_costs(model)
    return min((_of_attempt(c, model.program.tiers[key[1]], unit) for key, c in costs), default=1.0)


def _of_attempt(cost: AttemptCost, tier: p.Tier, unit: m.Unit) -> float:
    read, said = cost.tokens_in.floor, cost.tokens_out.floor
    if unit is not m.Unit.MONEY:
        most = cost.tokens_in.mean + cost.tokens_out.mean
        return min(1.0, (read + said) / most) if most else 1.0
    price_in, price_out = (tier.prices.get(way, Decimal(0)) for way in ("in", "out"))
    cheapest = min(price_in, tier.prices.get("cache_read", price_in))
    most = at_price(cost.price_in or price_in, cost.tokens_in.mean - cost.kept)
    most += at_price(cost.price_kept or price_in, cost.kept)
    most += at_price(price_out, cost.tokens_out.mean)
    least = at_price(cheapest, read) + at_price(price_out, said)
    return min(1.0, least / most) if most else 1.0
