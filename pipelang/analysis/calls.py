"""One call of a model, a person or a tool: how often it fails, what it costs, how right it is.

In votes, cascades and agents a call's retries are closed in, else a call is one bare attempt.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from pipelang.analysis.model import Model
from pipelang.analysis.polls import CallKernel, Latent
from pipelang.analysis.polls import Draw as Redraw
from pipelang.analysis.preparing import never_copies
from pipelang.analysis.prices import attempt_cost, tools_cost, turn_cost
from pipelang.analysis.table import is_zero
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance
from pipelang.semantics.walk import agent_of


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is called: the tier, whether its provider is out, and how many turns an agent takes."""

    tier: str | None
    out: bool
    turns: int = 1


def call_kernel(model: Model, step: p.Step, link: p.Link, who: Caller, tracks: bool) -> CallKernel:
    """One call of a link's action. `tracks` says whether the latents of its answers matter."""
    action = link.action
    several = tracks or link.vote is not None or isinstance(action, p.Cascade)
    accuracy = link.accuracy
    if who.tier is not None:
        accuracy = link.accuracy_by_tier.get(who.tier, accuracy)
    recovers: Any = 0.0
    if isinstance(action, (p.AskTier, p.AskRole, p.Cascade, p.Agent)):
        recovers = model.parameters.value(link.recovers)
    agent = agent_of(action)
    if agent is not None:
        fails, cost, tokens = _turns(model, step, link, agent, who)
    else:
        fails, cost, tokens = _attempt(model, step, link, who)
    draw = _draws(model, link, accuracy, recovers, several)
    if agent is None and (link.vote is not None or isinstance(action, p.Cascade)):
        fails, tries = _retried(fails, link.retry.count)
        cost, tokens = cost * tries, tokens * tries
    return CallKernel(fails, cost, tokens, draw, never_copies(link))


def _attempt(model: Model, step: p.Step, link: p.Link, who: Caller) -> tuple[Any, Any, Any]:
    """P(fails), dollars and tokens of one attempt."""
    parameters = model.parameters
    match link.action:
        case p.AskTier() | p.Cascade():
            assert who.tier is not None
            if who.out:
                return 1.0, 0.0, 0.0
            spent = attempt_cost(model, step, link, who.tier)
            tokens = spent.tokens_in.mean + spent.tokens_out.mean
            return parameters.value(model.program.tiers[who.tier].transient), spent.mean, tokens
        case p.AskRole() as action:
            role = model.program.roles[action.role]
            in_time = parameters.timely(role.responds, link.timeout, action.role)
            return 1 - in_time, 0.0, 0.0
        case p.Call() as action:
            tool = model.program.tools[action.tool]
            return 1 - parameters.value(tool.succeeds), float(tool.cost), 0.0
        case p.Value():
            return 0.0, 0.0, 0.0
        case action:
            raise AssertionError(f"{action!r} is no call")


def _retried(fails: Any, retries: int) -> tuple[Any, Any]:
    """P(all attempts fail) and how many there are on average."""
    tries: Any = 0.0
    reach: Any = 1.0
    for _ in range(retries + 1):
        tries = tries + reach
        reach = reach * fails
    return reach, tries


def _turns(
    model: Model, step: p.Step, link: p.Link, agent: p.Agent, who: Caller
) -> tuple[Any, Any, Any]:
    """P(fails), dollars and tokens of a loop of `who.turns` calls, each with its retries."""
    assert who.tier is not None
    if who.out:
        return 1.0, 0.0, 0.0
    transient = model.parameters.value(model.program.tiers[who.tier].transient)
    fails, tries = _retried(transient, link.retry.count)
    cost: Any = 0.0
    tokens: Any = 0.0
    goes_on: Any = 1.0
    for turn in range(1, who.turns + 1):
        spent = turn_cost(model, step, link, agent, who.tier, turn)
        cost = cost + goes_on * tries * spent.mean
        tokens = tokens + goes_on * tries * (spent.tokens_in.mean + spent.tokens_out.mean)
        goes_on = goes_on * (1 - fails)
        if turn < who.turns:
            cost = cost + goes_on * tools_cost(model, agent)
    return 1 - goes_on, cost, tokens


def _draws(model: Model, link: p.Link, accuracy: Chance, recovers: Any, several: bool) -> Redraw:
    """How the latents of an answer are drawn; a copy of the former ones with the correlation."""
    right = model.parameters.value(accuracy)

    @cache
    def draw(former: Latent | None) -> list[tuple[Latent, Any]]:
        return list(latents(former))

    def latents(former: Latent | None) -> Iterator[tuple[Latent, Any]]:
        copies: Any = 0.0
        if former is not None and several:
            copies = model.parameters.value(link.correlation)
        for first, chance in ((True, right), (False, 1 - right)):
            for second, other in ((True, recovers), (False, 1 - recovers)):
                latent = (first, second)
                anew = chance * other
                total = (1 - copies) * anew if former is not None and several else anew
                if former == latent and several:
                    total = total + copies
                if not is_zero(total):
                    yield latent, total

    return draw
