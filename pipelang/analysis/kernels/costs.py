"""Tokens and dollars of one attempt.

A mean counts what is declared, a bound what the runtime reserves: the dearest price of input, the
longest prompt (`prompt_size`) and the longest answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from math import inf
from typing import Any

from pipelang.analysis.kernels.prompt_size import DrawnInputs, Prompted, prompt_size, standing_size
from pipelang.analysis.model.model import PipelineModel
from pipelang.records import dataclass, replace
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import CALLS_A_TURN, tools_of
from pipelang.semantics.kernels.prices import CALL_TOKENS, FAILURE_TOKENS, dearest_input, is_free
from pipelang.semantics.kernels.prompt_caches import LEAST, cache_of
from pipelang.semantics.metrics import Unit
from pipelang.semantics.sizes import NONE, Size, output_limit, value_size
from pipelang.semantics.types import (
    Type,
)


@dataclass(frozen=True, slots=True)
class AttemptCost:
    """Dollars and tokens of one attempt. `worst` None: unbounded. `priced` False: unknown price.
    `bounded`: in which unit the mean is but a bound.
    `price_in` is what the mean counts for a million tokens of input, but for those that a provider
    may keep in its cache (`kept`), of which it counts `price_kept`.
    """

    mean: float
    worst: float | None
    tokens_in: Size
    tokens_out: Size
    priced: bool
    price_in: Decimal | None = None
    kept: float = 0.0
    price_kept: Decimal | None = None
    bounded: frozenset[Unit] = frozenset()


def attempt_cost(
    model: PipelineModel, step: p.Step, link: p.Link, tier_name: str, told: bool = False
) -> AttemptCost:
    """Return the cost of one attempt of an ask at a tier."""
    assert isinstance(link.action, (p.AskTier, p.Cascade))
    return turn_cost(model, step, link, link.action, tier_name, 1, told)


def turn_cost(
    model: PipelineModel,
    step: p.Step,
    link: p.Link,
    ask: Prompted,
    tier_name: str,
    turn: int,
    told: bool = False,
) -> AttemptCost:
    """Return the cost of one attempt at a turn (from 1) of an agent; an ask is one turn without
    tools. `told`: a gate redoes the step, so its feedback is in the prompt.
    """
    key = (id(link), tier_name, turn, told)
    known: AttemptCost | None = model.costs.get(key)
    if known is None:
        known = model.costs[key] = rendered_cost(model, step, link, ask, tier_name, turn, told)
    if known.bounded:  # of each that meets it: costs are known by several models
        model.parameters.is_bounded(known.bounded)
    return known


def all_costs(model: PipelineModel) -> Iterator[tuple[tuple[int, str, int, bool], AttemptCost]]:
    """The costs of all attempts that a swept model asks for, by link and tier, and of those of the
    pipelines that it runs.
    """
    yield from model.costs.items()
    for child in model.children.values():
        if isinstance(child, type(model)):
            yield from child.costs.items()


def all_priced(model: PipelineModel) -> bool:
    """Whether all that a swept model asks has a price."""
    return all(cost.priced for _, cost in all_costs(model))


def rendered_cost(
    model: PipelineModel,
    step: p.Step,
    link: p.Link,
    ask: Prompted,
    tier_name: str,
    turn: int,
    told: bool,
    drawn: DrawnInputs | None = None,
) -> AttemptCost:
    """Return the cost of one attempt, with what was drawn of its prompt or with the means."""
    tier = model.program.tiers[tier_name]
    size_in = prompt_size(model, ask, tier, told, step.name, drawn)
    size_out = output_size(link, ask.answers)
    if isinstance(ask, p.Agent):
        size_in = size_in + conversation(model, ask, size_out, turn)
    kept = _kept(model, ask, tier, step.name, size_in)
    return _priced(tier, size_in, size_out, link.batch is not None, kept)


BATCH = 0.5
"""The price of a batch, as a share of the usual price. Providers without batches charge the usual
price.
"""


def _kept(
    model: PipelineModel, ask: Prompted, tier: p.Tier, step: str, size_in: Size
) -> Size | None:
    """The part of a prompt that a provider is asked to keep, or may keep unasked; None for none. An
    agent's tools stand in front of what is marked, and are kept with it.
    """
    cache = cache_of(model.program.providers[tier.provider].kind)
    system = model.program.prompts[ask.prompt].system is not None
    if cache is None:
        return size_in if system else None
    if not cache.marked:
        return size_in
    if not system:
        return None
    size = standing_size(model, ask, tier, step)
    return size + conversation(model, ask, NONE, 1) if isinstance(ask, p.Agent) else size


def standing_tokens(model: PipelineModel, ask: Prompted, tier: p.Tier, step: str) -> float:
    """The mean tokens that stand in front of every call of a prompt, an agent's tools included."""
    size = standing_size(model, ask, tier, step)
    return (size + conversation(model, ask, NONE, 1) if isinstance(ask, p.Agent) else size).mean


def _priced(
    tier: p.Tier, size_in: Size, size_out: Size, batch: bool, kept: Size | None
) -> AttemptCost:
    """Dollars of so many tokens, of which a provider may keep a part.

    Whether it then writes or reads it nobody says: the mean counts that part as written, where that
    is dearer, and is a bound (`metrics.prompt_caching` estimates what is read). The worst run
    writes whatever a provider likes.
    """
    if size_in.bound is None and tier.context is not None:
        size_in = _within(size_in, tier.context, declared=False)
    if size_out.bound is None and tier.context is not None:
        size_out = _within(size_out, tier.context, size_out.declared)
    price_in, price_out = tier.prices.get("in"), tier.prices.get("out")
    if price_in is None or price_out is None:
        bounded = _bounded(size_in, size_out, None, None)
        return AttemptCost(0.0, None, size_in, size_out, False, bounded=bounded)
    dearest = dearest_input(tier)
    kept_mean, price_kept = 0.0, None
    if kept is not None and (kept.bound is None or kept.bound >= LEAST):
        kinds = ("cache_write", "cache_read")
        if any(tier.prices.get(kind, price_in) != price_in for kind in kinds):
            kept_mean = min(kept.mean, size_in.mean)
            price_kept = max(price_in, tier.prices.get("cache_write", price_in))
            size_in = replace(size_in, declared=False, least=size_in.floor)
    mean, worst = 0.0, None
    if is_free(tier):
        worst = 0.0
    else:
        read = at_price(price_in, size_in.mean)
        if price_kept is not None and price_kept != price_in:
            rest = size_in.mean - kept_mean if kept_mean < size_in.mean else 0.0
            read = at_price(price_kept, kept_mean) + at_price(price_in, rest)
        mean = (read + at_price(price_out, size_out.mean)) / 1e6
        most = at_price(dearest, _most(size_in)) + at_price(price_out, _most(size_out))
        worst = None if most == inf else most / 1e6
    return AttemptCost(
        mean * BATCH if batch else mean,
        worst,
        size_in,
        size_out,
        True,
        price_in,
        kept_mean,
        price_kept,
        _bounded(size_in, size_out, price_kept or price_in, price_out),
    )


def _within(size: Size, context: int, declared: bool) -> Size:
    """Tokens that nothing bounds but a tier's context."""
    most = float(context)
    return Size(min(size.mean, most), context, declared, min(size.floor, most))


def _bounded(
    size_in: Size, size_out: Size, price_in: Decimal | None, price_out: Decimal | None
) -> frozenset[Unit]:
    """The units in which an attempt's mean is a bound: in dollars it is no worse known than in
    tokens, and what costs nothing makes it no bound.
    """
    if size_in.declared and size_out.declared:
        return frozenset()
    costs = (price_in != 0 and not size_in.declared) or (price_out != 0 and not size_out.declared)
    return frozenset((Unit.TOKENS, Unit.MONEY) if costs else (Unit.TOKENS,))


def at_price(price: Decimal, tokens: float) -> float:
    """Millionths of a dollar of so many tokens. What is free costs nothing, also without end."""
    return tokens * float(price) if price else 0.0


def _most(size: Size) -> float:
    return inf if size.bound is None else size.bound


def conversation(model: PipelineModel, agent: p.Agent, output: Size, turn: int) -> Size:
    """Return the input tokens of an agent's turn besides its prompt: the tools, and every turn
    before it.
    """
    program = model.program
    size, result = NONE, NONE
    for schema, returns in tools_of(program, agent):
        text = len(json.dumps(schema, separators=(",", ":")).encode())
        size = size + Size(text / 4, -(-text // 3))
        result = larger(result, value_size(returns))
    if turn == 1:
        return size
    before = turn - 1
    said = (output + result).times(before, float(before))
    bound = None
    if output.bound is not None and result.bound is not None:
        # Each of a turn's calls gives a result, or says why it failed.
        answer = max(result.bound, FAILURE_TOKENS) + CALL_TOKENS
        bound = before * (output.bound + CALLS_A_TURN * answer)
    return size + Size(said.mean, bound, output.declared and result.declared, said.floor)


def larger(first: Size, second: Size) -> Size:
    """Tokens of whichever of two values is longer."""
    bound = None
    if first.bound is not None and second.bound is not None:
        bound = max(first.bound, second.bound)
    declared = first.declared and second.declared
    return Size(max(first.mean, second.mean), bound, declared, min(first.floor, second.floor))


def tools_cost(model: PipelineModel, agent: p.Agent) -> Any:
    """Dollars of one tool call of an agent on average, with its retries; each of its tools is
    called as often.
    """
    total: Any = 0.0
    for name in agent.tools:
        tool = model.program.tools[name]
        if tool.cost:
            tries = 1 + sum(goes_on for goes_on in tool_failures(model, tool))
            total = total + float(tool.cost) * tries
    count = len(agent.tools) + len(agent.pipelines)
    return total / count if count else 0.0


def tool_failures(model: PipelineModel, tool: p.Tool) -> list[Any]:
    """The probabilities that an agent's tool call goes on to its first, second ... retry."""
    if not tool.retry.count:
        return []
    fails = 1 - model.parameters.value(tool.succeeds)
    reach: Any = 1.0
    return [reach := reach * fails for _ in range(tool.retry.count)]


def output_size(link: p.Link, answers: Type) -> Size:
    """Tokens of an answer, thinking included: its limit is what the interpreter asks for.

    How much of its `thinking` a model uses nobody says, so the mean counts all of it, as a bound.
    """
    bound = output_limit(link, answers)
    if link.output_mean is not None:
        thinking = link.thinking or 0
        least = float(link.output_mean)
        return Size(least + thinking, bound, not thinking, least)
    return Size(float("inf") if bound is None else float(bound), bound, False, LEAST_ANSWER)


LEAST_ANSWER = 1.0
"""Tokens of the shortest answer."""
