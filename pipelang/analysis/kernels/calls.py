"""One call of a model, a person or a tool: its failure rate, cost and accuracy.

In votes, cascades and agents a call includes its retries, else it is one attempt. Where a model has
a meter, the chances of failing and answering are distributions of cost and time as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from pipelang.analysis.frontier.states import add, is_zero, share_of
from pipelang.analysis.kernels.costs import AttemptCost, tools_cost, turn_cost
from pipelang.analysis.kernels.durations import duration, model_time, tools_taken
from pipelang.analysis.kernels.prepared_step import never_copies
from pipelang.analysis.kernels.votes import CallKernel, Latent
from pipelang.analysis.kernels.votes import Draw as Redraw
from pipelang.analysis.model.model import PipelineModel
from pipelang.records import dataclass, field, replace
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance
from pipelang.semantics.kernels.chain import longest_wait
from pipelang.semantics.kernels.timeouts import call_limit
from pipelang.semantics.walk import agent_of

if TYPE_CHECKING:
    from pipelang.analysis.kernels.turns import TurnMix, TurnRoute


@dataclass(frozen=True, slots=True)
class Caller:
    """The callee: the tier, whether its provider is out, how many turns an agent takes, whether a
    gate's feedback is in the prompt, and whether it was asked before and failed. Of an agent that
    is chosen by turn: who is asked at each of them, and the tiers whose provider is out.
    """

    tier: str | None
    out: bool
    turns: int = 1
    told: bool = False
    again: bool = False
    asked: tuple[TurnMix, ...] = ()
    outs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AskedOnce:
    """One attempt at a model, as a meter is told of it: at which tier, at which cost, and whether
    it was asked before and is told what was wrong.
    """

    model: PipelineModel
    link: p.Link
    asked: p.AskTier | p.Cascade | p.Agent
    tier: p.Tier
    cost: AttemptCost
    again: bool


@dataclass(frozen=True, slots=True)
class CallsByTurn:
    """Calls of an agent that is chosen by turn: its route, and those that were `made` so far."""

    route: TurnRoute
    made: dict[Any, _Tried] = field(default_factory=dict)


def call_kernel(
    model: PipelineModel,
    step: p.Step,
    link: p.Link,
    who: Caller,
    tracks: bool,
    by_turn: CallsByTurn | None = None,
) -> CallKernel:
    """One call of a link's action. `tracks` says whether the latents of its answers matter;
    `by_turn` chooses among tiers by turn.
    """
    action = link.action
    several = tracks or link.vote is not None or isinstance(action, p.Cascade)
    recovers: Any = 0.0
    if isinstance(action, (p.AskTier, p.AskRole, p.Cascade, p.Agent)):
        recovers = model.parameters.value(link.recovers)
    answered: dict[str | None, Any] = {}
    agent = agent_of(action)
    if agent is not None:
        tried, answered = _turns(model, step, link, agent, who, by_turn)
        if model.meter is not None and model.meter.whole_loops:
            taken = model.meter.loop(model, step, link, agent, _tiers_by_turn(who))
            tried = _tried_at(taken, tried)
            answered = {tier: _times(chance, taken) for tier, chance in answered.items()}
    else:
        tried = _attempt(model, step, link, who)
        if link.vote is not None or isinstance(action, p.Cascade):
            tried = _retried(model, link, tried, _again(model, step, link, who))
    by_tier = {
        tier: _draws(model, link, _accuracy(link, tier), recovers, several)
        for tier in answered or _last_tiers(who)
    }
    mixed = len(answered) > 1
    draw = _mixed(answered, by_tier) if mixed else next(iter(by_tier.values()))
    answers = 1.0 if mixed else tried.answers
    if model.meter is not None:
        return CallKernel(tried.fails, answers, 0.0, 0.0, draw, never_copies(link), mixed)
    cost, tokens = share_of(tried.cost, tried.tries), share_of(tried.tokens, tried.tries)
    return CallKernel(tried.fails, answers, cost, tokens, draw, never_copies(link), mixed)


def _tiers_by_turn(who: Caller) -> list[set[str]]:
    """The tiers that may be asked at each turn; a loop by one tier is told of once."""
    if who.tier is not None:
        return [{who.tier}]
    return [{tier for tier, _ in mix} for mix in who.asked]


def _last_tiers(who: Caller) -> list[str | None]:
    """The tiers that would answer."""
    return [tier for tier, _ in who.asked[-1]] if who.asked else [who.tier]


def _accuracy(link: p.Link, tier: str | None) -> Chance:
    """The accuracy of an answer; of an agent's it is that of the tier that gave it."""
    return link.accuracy if tier is None else link.accuracy_by_tier.get(tier, link.accuracy)


def _mixed(answered: dict[str | None, Any], by_tier: dict[str | None, Redraw]) -> Redraw:
    """The draw of an answer that one of several tiers gives, each with the chance that it does."""

    @cache
    def draw(former: Latent | None) -> list[tuple[Latent, Any]]:
        found: dict[Latent, Any] = {}
        for tier, chance in answered.items():
            if not is_zero(chance):
                for latent, share in by_tier[tier](former):
                    add(found, latent, chance * share)
        return list(found.items())

    return draw


@dataclass(frozen=True, slots=True)
class _Tried:
    """P(fails), P(answers); how often something is tried on average, what that costs each time."""

    fails: Any
    answers: Any
    cost: Any = 0.0
    tokens: Any = 0.0
    tries: Any = 1


def _attempt(
    model: PipelineModel, step: p.Step, link: p.Link, who: Caller, turn: int = 1
) -> _Tried:
    """One attempt; of an agent, at one of its turns."""
    parameters, meter = model.parameters, model.meter
    match link.action:
        case p.AskTier() | p.Cascade() | p.Agent() as action:
            assert who.tier is not None
            tier = model.program.tiers[who.tier]
            asked = agent_of(action) or action
            assert isinstance(asked, (p.AskTier, p.Cascade, p.Agent))
            spent = turn_cost(model, step, link, asked, who.tier, turn, who.told)
            if meter is not None:
                dollars, time = 0.0 if who.out else spent.mean, model_time(link, tier)
                attempt = AskedOnce(model, link, asked, tier, spent, who.again)
                taken = meter.asked(attempt, dollars, time)
                if who.out:
                    return _Tried(taken, 0.0)
                return _tried(parameters.value(tier.transient), taken)
            if who.out:
                return _Tried(1.0, 0.0)
            fails = parameters.value(tier.transient)
            tokens = spent.tokens_in.mean + spent.tokens_out.mean
            return _Tried(fails, 1 - fails, spent.mean, tokens)
        case p.AskRole() as action:
            role = model.program.roles[action.role]
            in_time = parameters.timely(role.responds, link.timeout, action.role)
            if meter is not None:
                timely, late = meter.asks(role, link.timeout)
                return _Tried(_times(1 - in_time, late), _times(in_time, timely))
            return _Tried(1 - in_time, in_time)
        case p.Call() as action:
            tool = model.program.tools[action.tool]
            fails = 1 - parameters.value(tool.succeeds)
            if meter is not None:
                limit = call_limit(link, tool)
                taken = meter.called(model, tool, duration(tool.latency, limit))
                return _tried(fails, taken)
            return _Tried(fails, 1 - fails, model.amounts.get(tool.name, float(tool.cost)))
        case p.Value():
            return _Tried(0.0, 1.0)
        case action:
            raise AssertionError(f"{action!r} is no call")


def _tried(fails: Any, taken: Any) -> _Tried:
    return _Tried(_times(fails, taken), _times(1 - fails, taken))


def _times(chance: Any, taken: Any) -> Any:
    return 0.0 if is_zero(chance) else chance * taken


def _tried_at(taken: Any, tried: _Tried) -> _Tried:
    return _Tried(_times(tried.fails, taken), _times(tried.answers, taken))


def _again(
    model: PipelineModel, step: p.Step, link: p.Link, who: Caller, turn: int = 1
) -> _Tried | None:
    """An attempt after one that failed, where a meter tells it from the first; None else."""
    if model.meter is None or not model.meter.tells_again or not link.retry.count:
        return None
    return _attempt(model, step, link, replace(who, again=True), turn)


def _retried(
    model: PipelineModel, link: p.Link, tried: _Tried, later: _Tried | None = None
) -> _Tried:
    """All attempts of a call, with the waits between them; `later`: those after the first."""
    tries: Any = 0.0
    answers: Any = 0.0
    reach: Any = 1.0
    given_up: Any = 0.0
    for number in range(link.retry.count + 1):
        if number and link.span in model.repeats:
            goes_on = model.repeats[link.span] >= number
            given_up = given_up + reach * ~goes_on
            reach = reach * goes_on
        if number and model.meter is not None:
            reach = reach * waited(model, link, number)
        if number == 1 and later is not None:
            tried = later
        tries = tries + reach
        answers = answers + reach * tried.answers
        reach = reach * tried.fails
    return _Tried(reach + given_up, answers, tried.cost, tried.tokens, tries)


def waited(model: PipelineModel, link: p.Link, number: int) -> Any:
    """Return the factor of the wait before a retry (from 1); 1 without a meter."""
    if model.meter is None:
        return 1
    return model.meter.wait(float(longest_wait(link.retry, number)))


def _turns(
    model: PipelineModel,
    step: p.Step,
    link: p.Link,
    agent: p.Agent,
    who: Caller,
    by_turn: CallsByTurn | None,
) -> tuple[_Tried, dict[str | None, Any]]:
    """A loop of `who.turns` calls, each with its retries, and tool calls between them; and how
    often which tier gives the answer.
    """
    meter = model.meter
    if who.out and meter is None:
        return _Tried(1.0, 0.0), {who.tier: 0.0}
    cost: Any = 0.0
    tokens: Any = 0.0
    fails: Any = 0.0
    goes_on: Any = 1.0
    answered: dict[str | None, Any] = {}
    if meter is None:
        between = tools_cost(model, agent)
    else:
        between = tools_taken(model, agent) if who.turns > 1 else 1.0
    for turn in range(1, who.turns + 1):
        calls = _at_turn(model, step, link, who, turn, by_turn)
        before, goes_on, answered = goes_on, 0.0, {}
        for tier, share, call in calls:
            reach = before if share is None else before * share
            if meter is None:
                cost = cost + share_of(call.cost, reach * call.tries)
                tokens = tokens + share_of(call.tokens, reach * call.tries)
            fails = fails + reach * call.fails
            goes_on = goes_on + reach * call.answers if len(calls) > 1 else reach * call.answers
            add(answered, tier, reach * call.answers)
        if turn < who.turns:
            if meter is not None:
                goes_on = goes_on * between
            else:
                cost = cost + goes_on * between
    return _Tried(fails, goes_on, cost, tokens), answered


def _at_turn(
    model: PipelineModel,
    step: p.Step,
    link: p.Link,
    who: Caller,
    turn: int,
    by_turn: CallsByTurn | None,
) -> list[tuple[str | None, Any, _Tried]]:
    """The tiers that may be asked at a turn, each with its share (None: the only one)."""

    def call(one: Caller) -> _Tried:
        return _retried(model, link, _attempt(model, step, link, one, turn))

    if by_turn is None:
        return [(who.tier, None, call(who))]
    found: list[tuple[str | None, Any, _Tried]] = []
    for tier, odds in who.asked[turn - 1]:
        out = tier in who.outs
        key = (tier, out, turn, who.told, who.again, model.meter is None)
        made = by_turn.made.get(key)
        if made is None:
            made = by_turn.made[key] = call(replace(who, tier=tier, out=out))
        found.append((tier, by_turn.route.weight(odds, turn) if odds else None, made))
    return found


def _draws(
    model: PipelineModel, link: p.Link, accuracy: Chance, recovers: Any, several: bool
) -> Redraw:
    """The draws of an answer's latents; a copy of the former ones with the correlation."""
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
