"""Promises of at most that no length can keep: what attempts take even where all is short."""

from __future__ import annotations

from decimal import Decimal

from pipelang.analysis.kernels.costs import AttemptCost, all_costs
from pipelang.analysis.kernels.prompt_size import least_prompt
from pipelang.analysis.metrics.objectives import ObjectiveVerdict
from pipelang.analysis.model.intervals import compare
from pipelang.analysis.model.model import PipelineModel
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import with_inner
from pipelang.semantics.quantities import BYTES_A_TOKEN
from pipelang.semantics.walk import all_steps, inner_links

LEAST_ANSWER = 1.0
"""Tokens of the shortest answer."""

AVERAGE_BYTES = 4
"""Bytes of a token, where a mean is counted."""


def missed_at_any_lengths(verdict: ObjectiveVerdict, model: PipelineModel) -> ObjectiveVerdict:
    """The verdict of a promise that a bound leaves open: a miss if the least is above it, too."""
    line, number = verdict.line, verdict.number
    family, _, read = line.metric.partition(".")
    known = (
        number is not None and number.low and family in (m.COST, m.TOKENS_MEAN.partition(".")[0])
    )
    if not known or line.op not in ("<=", "<") or read.startswith("baseline"):
        return verdict
    assert number is not None
    assert number.low is not None
    target = float(line.target)
    if compare(number.low * certain_part(model, family), line.op, target):
        return verdict
    return ObjectiveVerdict(line, number, False, 0.0)


def certain_part(model: PipelineModel, family: str) -> float:
    """The least share of its mean dollars or tokens that an attempt takes at any lengths, over all
    attempts of a swept model: what runs spend is no less than this share of its bound. 0 where
    nothing is known, or where how often something is asked is a bound as well.
    """
    asked: dict[int, p.AskTier | p.Cascade] = {}
    for pipeline in with_inner(model.program, model.pipeline):
        for step in all_steps(pipeline):
            for link in inner_links(step.chain):
                action = link.action
                if isinstance(action, (p.Each, p.Agent)):
                    return 0.0
                if isinstance(action, (p.AskTier, p.Cascade)):
                    asked[id(link)] = action
    part = 1.0
    for (at, tier, _, _), cost in all_costs(model):
        ask = asked.get(at)
        if ask is None or (isinstance(ask, p.Cascade) and ask.agent is not None):
            return 0.0
        # What it counts is rounded up, for the text and for the schema.
        read = max(0, least_prompt(model.program, ask) - 2) * BYTES_A_TOKEN / AVERAGE_BYTES
        part = min(part, _of_attempt(cost, model.program.tiers[tier], read, family))
    return part


def _of_attempt(cost: AttemptCost, tier: p.Tier, read: float, family: str) -> float:
    said = cost.tokens_out.mean if cost.tokens_out.declared else LEAST_ANSWER
    read = min(read, cost.tokens_in.mean)
    if family != m.COST:
        most = cost.tokens_in.mean + cost.tokens_out.mean
        return (read + said) / most if most else 1.0
    price_in, price_out = (tier.prices.get(way, Decimal(0)) for way in ("in", "out"))
    cheapest = min(price_in, tier.prices.get("cache_read", price_in))
    most = float(cost.price_in or price_in) * (cost.tokens_in.mean - cost.kept)
    most += float(cost.price_kept or price_in) * cost.kept
    most += float(price_out) * cost.tokens_out.mean
    least = float(cheapest) * read + float(price_out) * said
    return min(1.0, least / most) if most else 1.0
