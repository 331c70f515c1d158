"""Chains closed into kernels: from what is right, routed and out of order to what a step comes to.

The walk itself is the chain's kernel in `semantics.kernels.chain`; here every attempt gets its
probability. Attempts are independent but for outages, which are drawn once per provider and run.
A value whose step is redone carries its latent verdicts: would it be right if its arguments are,
and if they are not. A new answer copies them with the correlation of the link that gives it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from pipelang.analysis.conditions import Draw, Plan, expression_plan
from pipelang.analysis.model import RIGHT, WRONG, Model, value_key
from pipelang.analysis.polls import CallKernel, Latent, Made, cascaded, voted
from pipelang.analysis.polls import Draw as Redraw
from pipelang.analysis.prices import attempt_cost
from pipelang.analysis.table import Key, is_zero
from pipelang.records import dataclass, field
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance, Declared
from pipelang.semantics.kernels.chain import START, Position, after_failure
from pipelang.semantics.types import ANSWERER
from pipelang.semantics.walk import inner_links


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
    _calls: dict[tuple[int, str | None, bool], CallKernel] = field(default_factory=dict)

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
        elif isinstance(action, p.Choose):
            plan = expression_plan(model, action.subject)
            routes[id(link)] = plan.compute
            draws.update({draw.key: draw for draw in plan.draws})
        for tier in tiers_of(action):
            outage = _outage(model, model.program.tiers[tier].provider)
            draws[outage.key] = outage
    plan = Plan(tuple(draws.values()), lambda values: None)
    bits = {value_key(name) for name in model.roots(step.reads) | taint}
    tracks = step.name in model.latent and not _never_copies(step)
    return StepKernel(step, plan, tuple(sorted(bits | set(draws), key=str)), tracks, model, routes)


def tiers_of(action: p.Action) -> list[str]:
    """Every tier that an action can ask, in the order in which they are written."""
    if isinstance(action, p.Cascade):
        return list(action.tiers)
    if not isinstance(action, p.AskTier):
        return []
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
    made = Made()
    acts = False
    taken: p.Link | None = None
    while at is not None:
        if at.link != current:
            current = at.link
            made, acts, taken = _attempt(kernel, chain.links[current], values, taint, former)
        cost = cost + reach * made.cost
        tokens = tokens + reach * made.tokens
        for (right, latent), chance in made.answers.items():
            key = (right, latent, acts)
            gain = reach * chance
            answers[key] = answers[key] + gain if key in answers else gain
        reach = reach * made.fails
        if is_zero(reach):
            break
        at = after_failure(chain, at, taken)
    return Kernel(tuple(answers.items()), reach, cost, tokens)


def _attempt(
    kernel: StepKernel,
    link: p.Link,
    values: dict[Key, Any],
    taint: frozenset[str],
    former: Latent | None,
) -> tuple[Made, bool, p.Link]:
    """One position of a chain: an attempt, or a vote or cascade as a whole; whether it acts; and
    the link itself, the arm that was taken where it is a `match`.
    """
    model = kernel._model
    mentioned: set[str] = set(taint)
    while isinstance(link.action, p.Choose):
        mentioned |= model.values(link.action.subject)
        chosen = kernel._routes[id(link)](values)
        link = next(arm for taken, arm in link.action.arms if taken is None or chosen in taken)
    action = link.action
    given = [action.value] if isinstance(action, p.Value) else []
    if isinstance(action, (p.AskTier, p.AskRole, p.Call, p.Cascade)):
        given = [value for _, value in action.arguments]
    for expr in given:
        mentioned |= model.values(expr)
    right = _all_right(values, mentioned)
    keeps = kernel.tracks_latent
    if isinstance(action, p.Cascade):
        calls = [_call(kernel, link, tier, values) for tier in action.tiers]
        others = _all_right(values, model.roots(ir.mentions(action.until) - {"it"}))
        catches = model.parameters.value(action.rates.catches)
        alarms = model.parameters.value(action.rates.false_alarms)

        def holds(answer: bool) -> Any:
            return 1 - (alarms if answer and others else catches)

        return cascaded(calls, holds, right, former, keeps), False, link
    tier = kernel._routes[id(link)](values) if isinstance(action, p.AskTier) else None
    call = _call(kernel, link, tier, values)
    if link.vote is not None:
        return voted(link.vote, call, right, former, keeps), False, link
    made = Made(fails=call.fails, cost=call.cost, tokens=call.tokens)
    answered = 1 - call.fails
    if not is_zero(answered):
        for latent, chance in call.draw(former):
            verdict = latent[0] if right else latent[1]
            made.answer(verdict, latent if keeps else None, answered * chance)
    acts = isinstance(action, p.Call) and model.program.tools[action.tool].acts
    return made, acts, link


def _all_right(values: dict[Key, Any], names: Iterable[str]) -> bool:
    return all(values.get(value_key(name), RIGHT) != WRONG for name in names)


def _call(
    kernel: StepKernel, link: p.Link, tier_name: str | None, values: dict[Key, Any]
) -> CallKernel:
    """One call of an action. Of the values it hangs only on whether its provider is out."""
    out = False
    if tier_name is not None:
        out = bool(values[outage_key(kernel._model.program.tiers[tier_name].provider)])
    known = kernel._calls.get((id(link), tier_name, out))
    if known is None:
        known = kernel._calls[id(link), tier_name, out] = _call_anew(kernel, link, tier_name, out)
    return known


def _call_anew(kernel: StepKernel, link: p.Link, tier_name: str | None, out: bool) -> CallKernel:
    """In votes and cascades a call's retries are closed in, else it is bare."""
    model, action = kernel._model, link.action
    parameters = model.parameters
    fails: Any = 0.0
    cost: Any = 0.0
    tokens: Any = 0.0
    recovers: Any = 0.0
    accuracy = link.accuracy
    match action:
        case p.AskTier() | p.Cascade():
            assert tier_name is not None
            tier = model.program.tiers[tier_name]
            accuracy = link.accuracy_by_tier.get(tier_name, accuracy)
            recovers = parameters.value(link.recovers)
            fails = 1.0 if out else parameters.value(tier.transient)
            if not out:
                spent = attempt_cost(model, kernel.step, link, tier_name)
                cost, tokens = spent.mean, spent.tokens_in.mean + spent.tokens_out.mean
        case p.AskRole():
            role = model.program.roles[action.role]
            fails = 1 - parameters.timely(role.responds, link.timeout, action.role)
            recovers = parameters.value(link.recovers)
        case p.Call():
            tool = model.program.tools[action.tool]
            fails = 1 - parameters.value(tool.succeeds)
            cost = float(tool.cost)
        case p.Value():
            pass
        case _:
            raise AssertionError(f"{action!r} is not analysed")
    if link.vote is not None or isinstance(action, p.Cascade):
        tries: Any = 0.0
        reach: Any = 1.0
        for _ in range(link.retry.count + 1):
            tries = tries + reach
            reach = reach * fails
        fails, cost, tokens = reach, cost * tries, tokens * tries
    return CallKernel(fails, cost, tokens, _draws(kernel, link, accuracy, recovers))


def _draws(kernel: StepKernel, link: p.Link, accuracy: Chance, recovers: Any) -> Redraw:
    """How the latents of an answer are drawn; a copy of the former ones with the correlation."""
    right = kernel._model.parameters.value(accuracy)
    several = kernel.tracks_latent or link.vote is not None or isinstance(link.action, p.Cascade)

    @cache
    def draw(former: Latent | None) -> list[tuple[Latent, Any]]:
        return list(latents(former))

    def latents(former: Latent | None) -> Iterator[tuple[Latent, Any]]:
        copies: Any = 0.0
        if former is not None and several:
            copies = kernel._model.parameters.value(link.correlation)
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
