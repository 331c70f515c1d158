"""Estimate of what prompt caches save of a mean run.

The mean cost counts all that may be kept as written, which is a bound. How often it is read is no
property of a program: it depends on when its runs come. So this is an estimate beside the bound,
under assumptions that are told with it: runs come at random, evenly over the day, at the declared
rate; a call finds what an earlier one wrote if that was used within the time that the provider
keeps it (a Poisson process: 1 - e^(-rate * time)); calls of one vote come at once and find what
others left, not one another's; a later turn of an agent finds what the turn before it left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from pipelang.analysis.kernels.costs import AttemptCost, standing_tokens
from pipelang.analysis.model.model import PipelineModel
from pipelang.analysis.sweep.sweep import sweep
from pipelang.records import dataclass, replace
from pipelang.semantics import program as p
from pipelang.semantics.kernels.prompt_caches import LEAST, PromptCache, cache_of
from pipelang.semantics.types import quoted
from pipelang.semantics.walk import agent_of, inner_links

Key = tuple[int, str, int, bool]
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class CachedCalls:
    """Calls of a step at a tier, from which `tokens` are read in a share of `read`; `calls` and
    `saves` (dollars) are those of a mean run. `turn` is an agent's.
    """

    step: str
    tier: str
    turn: int | None
    calls: float
    tokens: float
    read: float
    saves: float


@dataclass(frozen=True, slots=True)
class PromptCaching:
    """The calls that prompt caches make cheaper, or dearer where nothing is read again."""

    parts: tuple[CachedCalls, ...]

    @property
    def saves(self) -> float:
        """Dollars of a mean run, of the bound that counts all as written."""
        return sum(part.saves for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Ask:
    """A kind of call that may read `tokens`, by its key in the costs of a model. Calls with the
    same `front` begin the same.
    """

    key: Key
    step: str
    link: p.Link
    front: tuple[str, ...]
    tokens: float
    cache: PromptCache
    agent: bool


def prompt_caching(model: PipelineModel) -> PromptCaching | None:
    """The estimate for a pipeline that was swept; None where nothing is read, or nobody can say."""
    asks = [ask for ask in _asks(model) if ask.tokens >= LEAST]
    per_day = model.pipeline.traffic.per_day
    if per_day is None:
        asks = [ask for ask in asks if ask.agent and ask.key[2] > 1]
    if not asks:
        return None
    calls = _calls(model, asks)
    rates: dict[tuple[str, ...], float] = {}
    for ask in asks:
        if ask.key[2] == 1 and per_day is not None:
            more = calls[ask.key] * float(per_day) / _DAY / _at_once(ask.link)
            rates[ask.front] = rates.get(ask.front, 0.0) + more
    parts = []
    for ask in asks:
        read = 1.0
        if ask.key[2] == 1:
            read = -math.expm1(-rates[ask.front] * (ask.cache.lasts or 0))
        each = _saves(model.program.tiers[ask.key[1]], model.costs[ask.key], ask, read)
        often = calls[ask.key]
        turn = ask.key[2] if ask.agent else None
        if often:
            parts.append(
                CachedCalls(ask.step, ask.key[1], turn, often, ask.tokens, read, often * each)
            )
    return PromptCaching(tuple(parts)) if parts else None


def _asks(model: PipelineModel) -> list[_Ask]:
    """The calls whose costs count something as kept, where what is read costs less."""
    if not model.costs:
        return []
    links = {
        id(link): (step, link) for step in model.steps.values() for link in inner_links(step.chain)
    }
    found = []
    for key, spent in model.costs.items():
        step, link = links.get(key[0], (None, None))
        tier = model.program.tiers[key[1]]
        cache = cache_of(model.program.providers[tier.provider].kind)
        if step is None or link is None or cache is None or cache.lasts is None:
            continue
        if not spent.kept or spent.price_kept is None or "cache_read" not in tier.prices:
            continue
        if link.batch is not None:
            continue  # when its requests are worked on is the maker's
        agent = agent_of(link.action)
        ask = agent if agent is not None else link.action
        assert isinstance(ask, (p.AskTier, p.Cascade, p.Agent))
        before = model.costs.get((key[0], key[1], key[2] - 1, key[3]))
        if key[2] > 1 and before is not None and not cache.marked:
            tokens = before.tokens_in.mean
        else:
            tokens = standing_tokens(model, ask, tier, step.name)
        tools = () if agent is None else (*agent.tools, *agent.pipelines)
        # What stands in front: the tools, the system text and the schema, at one model.
        front = (key[1], ask.prompt, quoted(ask.answers), *tools)
        found.append(_Ask(key, step.name, link, front, tokens, cache, agent is not None))
    return found


def _saves(tier: p.Tier, spent: AttemptCost, ask: _Ask, read: float) -> float:
    """Dollars of a call: what is kept counted as written, less what reading costs."""
    assert spent.price_kept is not None
    tokens = min(ask.tokens, spent.kept)
    return tokens * read * float(spent.price_kept - tier.prices["cache_read"]) / 1e6


def _at_once(link: p.Link) -> int:
    """Calls of a vote, which come at once."""
    match link.vote:
        case p.Majority(calls):
            return calls
        case p.Lead(_, most):
            return most
        case _:
            return 1


def _calls(model: PipelineModel, asks: list[_Ask]) -> Mapping[Key, float]:
    """The calls of a mean run by their keys: the cost of their step where each costs a dollar. A
    sweep for as many keys as some step has; no other step's calls come in between.
    """
    unpaid = {key: replace(cost, mean=0.0) for key, cost in model.costs.items()}
    without = sweep(replace(model, costs=dict(unpaid), prepared={})).step_costs
    by_step: dict[str, list[Key]] = {}
    for ask in asks:
        by_step.setdefault(ask.step, []).append(ask.key)
    found: dict[Key, float] = {}
    for place in range(max(map(len, by_step.values()))):
        round_ = {step: keys[place] for step, keys in by_step.items() if place < len(keys)}
        paid = {key: replace(unpaid[key], mean=1.0) for key in round_.values()}
        costs = sweep(replace(model, costs=unpaid | paid, prepared={})).step_costs
        for step, key in round_.items():
            calls = float(costs.get(step, 0.0)) - float(without.get(step, 0.0))
            found[key] = max(0.0, calls)
    return found
