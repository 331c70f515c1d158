"""Chains closed into kernels: from what is right, routed and out of order to what a step comes to.

The walk itself is the chain's kernel in `semantics.kernels.chain`; here every attempt gets its
probability. Attempts are independent but for outages, which are drawn once per provider and run.
A value whose step is redone carries its latent verdicts: would it be right if its arguments are,
and if they are not. A new answer copies them with the correlation of the link that gives it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelang.analysis.conditions import Draw, Plan, expression_plan
from pipelang.analysis.model import RIGHT, WRONG, Model, value_key
from pipelang.analysis.prices import attempt_cost
from pipelang.analysis.table import Key, is_zero
from pipelang.semantics import program as p
from pipelang.semantics.chance import Declared
from pipelang.semantics.kernels.chain import START, Position, after_failure
from pipelang.semantics.walk import inner_links

Latent = tuple[bool, bool]
"""Would the answer be right with right arguments, and with a wrong one."""


@dataclass(slots=True)
class StepKernel:
    """What a step comes to, by the variables that it reads.

    `plan` draws outages, routes and chosen arms; `reads` are all variables that `results` is given.
    """

    step: p.Step
    plan: Plan
    reads: tuple[Key, ...]
    tracks_latent: bool
    _model: Model
    _routes: dict[int, Any]

    def kernel(
        self, values: dict[Key, Any], taint: frozenset[str], former: Latent | None
    ) -> Kernel:
        """The kernel of the chain in a situation."""
        return _walk(self, values, taint, former)


@dataclass(frozen=True, slots=True)
class Kernel:
    """Answers `(right, latent, acted) -> probability`, P(chain used up), and mean spending.

    `cost` is in dollars, `tokens` counts input and output.
    """

    answers: tuple[tuple[tuple[bool, Latent | None, bool], Any], ...]
    exhausted: Any
    cost: Any
    tokens: Any


def outage_key(provider: str) -> Key:
    return ("outage", provider)


def latent_key(step: str) -> Key:
    return ("latent", step)


def step_kernel(model: Model, step: p.Step, taint: frozenset[str]) -> StepKernel:
    """Prepare the kernel of a step that stands under the conditions `taint`."""
    draws: dict[Key, Draw] = {}
    routes: dict[int, Any] = {}
    for link in inner_links(step.chain):
        action = link.action
        if isinstance(action, p.AskTier):
            plan = expression_plan(model, action.who)
            routes[id(link)] = plan.compute
            draws.update({draw.key: draw for draw in plan.draws})
            for tier in tiers_of(action):
                outage = _outage(model, model.program.tiers[tier].provider)
                draws[outage.key] = outage
        elif isinstance(action, p.Choose):
            plan = expression_plan(model, action.subject)
            routes[id(link)] = plan.compute
            draws.update({draw.key: draw for draw in plan.draws})
    plan = Plan(tuple(draws.values()), lambda values: None)
    bits = {value_key(name) for name in model.roots(step.reads) | taint}
    tracks = step.name in model.latent and not _never_copies(step)
    return StepKernel(step, plan, tuple(sorted(bits | set(draws), key=str)), tracks, model, routes)


def tiers_of(action: p.AskTier) -> list[str]:
    """Every tier that a route can pick."""
    from pipelang.semantics import expressions as ir
    from pipelang.semantics.types import ANSWERER

    names = [
        str(part.value)
        for part in ir.walk(action.who)
        if isinstance(part, ir.Const) and part.type == ANSWERER
    ]
    return list(dict.fromkeys(names))


def _never_copies(step: p.Step) -> bool:
    return all(
        isinstance(link.correlation, Declared) and link.correlation.share == 0
        for link in inner_links(step.chain)
    )


def _outage(model: Model, provider: str) -> Draw:
    available = model.program.providers[provider].available

    def outcomes(right: bool) -> list[tuple[Any, Any]]:
        share = model.parameters.value(available)
        return [(False, share), (True, 1 - share)]

    return Draw(outage_key(provider), (), outcomes)


def _walk(
    kernel: StepKernel, values: dict[Key, Any], taint: frozenset[str], former: Latent | None
) -> Kernel:
    chain = kernel.step.chain
    answers: dict[tuple[bool, Latent | None, bool], Any] = {}
    cost: Any = 0.0
    tokens: Any = 0.0
    reach: Any = 1.0
    at: Position | None = START
    current = -1
    situation: _Situation | None = None
    while at is not None:
        if at.link != current:
            current = at.link
            situation = _situation(kernel, chain.links[current], values, taint)
        assert situation is not None
        cost = cost + reach * situation.cost
        tokens = tokens + reach * situation.tokens
        succeeds = reach * (1 - situation.fails)
        if not is_zero(succeeds):
            for latent, chance in _latents(kernel, situation, former):
                right = latent[0] if situation.arguments_right else latent[1]
                kept = latent if kernel.tracks_latent else None
                key = (right, kept, situation.acts)
                gain = succeeds * chance
                answers[key] = answers[key] + gain if key in answers else gain
        reach = reach * situation.fails
        if is_zero(reach):
            break
        at = after_failure(chain, at)
    return Kernel(tuple(answers.items()), reach, cost, tokens)


@dataclass(frozen=True, slots=True)
class _Situation:
    """One attempt of a link, with everything around it known."""

    link: p.Link
    fails: Any
    cost: Any
    tokens: Any
    arguments_right: bool
    accuracy: Any
    recovers: Any
    acts: bool


def _situation(
    kernel: StepKernel, link: p.Link, values: dict[Key, Any], taint: frozenset[str]
) -> _Situation:
    model = kernel._model
    mentioned: frozenset[str] = frozenset()
    while isinstance(link.action, p.Choose):
        mentioned |= model.values(link.action.subject)
        chosen = kernel._routes[id(link)](values)
        link = next(arm for taken, arm in link.action.arms if taken is None or chosen in taken)
    action = link.action
    parameters = model.parameters
    fails: Any = 0.0
    cost: Any = 0.0
    tokens: Any = 0.0
    recovers: Any = 0.0
    acts = False
    accuracy = link.accuracy
    match action:
        case p.AskTier():
            tier = kernel._routes[id(link)](values)
            accuracy = link.accuracy_by_tier.get(tier, link.accuracy)
            provider = model.program.tiers[tier].provider
            out = values[outage_key(provider)]
            fails = 1.0 if out else parameters.value(model.program.tiers[tier].transient)
            if not out:
                spent = attempt_cost(model, kernel.step, link, tier)
                cost, tokens = spent.mean, spent.tokens_in.mean + spent.tokens_out.mean
            recovers = parameters.value(link.recovers)
            reads = [value for _, value in action.arguments]
        case p.AskRole():
            role = model.program.roles[action.role]
            fails = 1 - parameters.timely(role.responds, link.timeout, action.role)
            recovers = parameters.value(link.recovers)
            reads = [value for _, value in action.arguments]
        case p.Call():
            tool = model.program.tools[action.tool]
            fails = 1 - parameters.value(tool.succeeds)
            cost = float(tool.cost)
            acts = tool.acts
            reads = [value for _, value in action.arguments]
        case p.Value():
            reads = [action.value]
        case _:
            raise AssertionError(f"{action!r} is not analysed")
    for expr in reads:
        mentioned |= model.values(expr)
    wrong = [name for name in mentioned | taint if values.get(value_key(name), RIGHT) == WRONG]
    return _Situation(
        link, fails, cost, tokens, not wrong, parameters.value(accuracy), recovers, acts
    )


def _latents(
    kernel: StepKernel, at: _Situation, former: Latent | None
) -> Iterator[tuple[Latent, Any]]:
    """The verdicts of a new answer with their probabilities."""
    if not kernel.tracks_latent:
        share = at.accuracy if at.arguments_right else at.recovers
        for right, chance in ((True, share), (False, 1 - share)):
            if not is_zero(chance):
                yield (right, right), chance
        return
    copies: Any = 0.0
    if former is not None:
        copies = kernel._model.parameters.value(at.link.correlation)
    for first, chance in ((True, at.accuracy), (False, 1 - at.accuracy)):
        for second, other in ((True, at.recovers), (False, 1 - at.recovers)):
            latent = (first, second)
            anew = chance * other
            total = anew if former is None else (1 - copies) * anew
            if former == latent:
                total = total + copies
            if not is_zero(total):
                yield latent, total
