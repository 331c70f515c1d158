"""Kernels of chains: from the rightness of arguments, routes and outages to a step's outcome
distribution.

The order of attempts is that of `semantics.kernels.chain`; here every attempt gets its probability.
Attempts are independent but for outages, which are drawn once per provider and run. A value whose
step may be redone carries its latent verdicts: would it be right if its arguments are, and if they
are not. A new answer copies them with the correlation of its link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pipelang.analysis.arithmetic.terms import Term
from pipelang.analysis.frontier.states import Key, add, is_zero, share_of
from pipelang.analysis.frontier.table import Table
from pipelang.analysis.kernels.calls import Caller, CallsByTurn, call_kernel, waited
from pipelang.analysis.kernels.conditions import perform
from pipelang.analysis.kernels.costs import tools_cost
from pipelang.analysis.kernels.each import ListWalk, Ranked, Ranks, fixed_length
from pipelang.analysis.kernels.outcome_distribution import Closed, of_answers
from pipelang.analysis.kernels.prepared_step import Prepared
from pipelang.analysis.kernels.situations import (
    PLAIN,
    ChainSituation,
    given,
    is_out,
    tier_of,
    told_apart,
)
from pipelang.analysis.kernels.subpipelines import SweepChild
from pipelang.analysis.kernels.votes import (
    CallKernel,
    Draw,
    Latent,
    LinkOutcome,
    cascaded,
    voted,
)
from pipelang.analysis.model.model import PipelineModel, all_right
from pipelang.records import dataclass, field, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import chosen_by_turn
from pipelang.semantics.kernels.chain import START, ChainPosition, after_failure, resolve
from pipelang.semantics.walk import agent_of, inner_links


@dataclass(slots=True)
class StepKernel:
    """The kernel of a step: its outcome distribution by the values of the variables that it reads.

    `sweep` takes a sub-pipeline from its start to its ends, in the arithmetic of the caller.
    """

    prepared: Prepared
    sweep: SweepChild
    _calls: dict[tuple[int, Caller, bool], CallKernel] = field(default_factory=dict)
    _behind: dict[int, frozenset[str]] = field(default_factory=dict)
    _by_turn: dict[int, CallsByTurn] = field(default_factory=dict)
    _lists: dict[Any, ListWalk] = field(default_factory=dict)

    def by_turn(self, link: p.Link) -> CallsByTurn | None:
        """The calls of an agent that is chosen by turn; None for anything else."""
        route = self.prepared.by_turn.get(id(link))
        if route is None:
            return None
        known = self._by_turn.get(id(link))
        if known is None:
            known = self._by_turn[id(link)] = CallsByTurn(route)
        return known

    def behind(self, model: PipelineModel, action: p.Action) -> frozenset[str]:
        """The steps behind what an action is given."""
        known = self._behind.get(id(action))
        if known is None:
            known = self._behind[id(action)] = given(model, action)
        return known

    def close(
        self,
        values: dict[Key, Any],
        taint: frozenset[str],
        former: Latent | None,
        again: bool,
        told: bool = False,
        alike: dict[Any, Closed] | None = None,
    ) -> Closed:
        """The chain in a situation; what fails is the chain used up. `told`: a gate has sent the
        step back, which sees its feedback. `alike` are the situations gone through so far, by what
        tells them apart: of many values only a few do.
        """
        now = ChainSituation(self.prepared.model, values, taint, former, again, told)
        key = None if alike is None else told_apart(self.prepared, self.behind, now)
        if key is None or alike is None:
            return self._closed(now)
        known = alike.get(key)
        if known is None:
            known = alike[key] = self._closed(now)
        return known

    def _closed(self, now: ChainSituation) -> Closed:
        model = now.model
        if self.prepared.step.name not in model.lowest:
            return _walk(self, self.prepared.step.chain, now)
        now = replace(now, former=None)
        return _empty_reaches_all(_walk(self, self.prepared.step.chain, now), model, self.prepared)


def _empty_reaches_all(closed: Closed, model: PipelineModel, prepared: Prepared) -> Closed:
    """Give an empty list the ranks of one in which every confidence reaches every threshold."""
    name = prepared.step.name
    top = Ranks(len(model.cuts[name, file]) for file in model.lowest[name])
    answers: dict[Any, Any] = {}
    for (right, ranks, wrong), chance in closed.answers.items():
        add(answers, (right, ranks or top, wrong), chance)
    return replace(closed, answers=answers)


def _walk(kernel: StepKernel, chain: p.Chain, now: ChainSituation) -> Closed:
    total = Closed()
    reach: dict[bool, Any] = {False: 1.0}
    at: ChainPosition | None = START
    tried, taken = Closed(), chain.links[0]
    given_up: dict[bool, Any] = {}
    meter = now.model.meter
    tells = meter is not None and meter.tells_again
    while at is not None and reach:
        if at.attempt == 0 or (at.attempt == 1 and (taken.cache is not None or tells)):
            here = replace(now, retried=True) if tells and at.attempt else now
            tried, taken = _attempt(kernel, chain.links[at.link], here, looks=at.attempt == 0)
        before, reach = reach, {}
        for wrong, weight in before.items():
            total.take(weight, tried, wrong)
        reach, total.fails = total.fails, {}
        former, at = at, after_failure(chain, at, taken)
        again = at is not None and at.link == former.link
        if again and at is not None and taken.span in now.model.repeats:
            goes_on = now.model.repeats[taken.span] >= at.attempt
            for wrong, weight in reach.items():
                add(given_up, wrong, weight * ~goes_on)
                reach[wrong] = weight * goes_on
        elif given_up and not again:
            for wrong, weight in given_up.items():
                add(reach, wrong, weight)
            given_up = {}
        if now.model.meter is not None and at is not None and at.link == former.link:
            wait = waited(now.model, taken, at.attempt)
            reach = {wrong: weight * wait for wrong, weight in reach.items()}
    total.fails = reach
    return total


def _attempt(
    kernel: StepKernel, link: p.Link, now: ChainSituation, looks: bool
) -> tuple[Closed, p.Link]:
    """One position of a chain: an attempt, or a vote, cascade, loop or list as a whole; and the
    link itself, the arm that was taken where it is a `match`. `looks`: into its cache.
    """
    around: set[str] = set(now.taint)
    while isinstance(link.action, p.Choose):
        around |= now.model.values(link.action.subject)
        link = resolve(link.action, kernel.prepared.routes[id(link)](now.values))
    if link.cache is None or now.again or not looks:
        return _fresh(kernel, link, now, frozenset(around)), link
    found, there = _hit(kernel, link, now, frozenset(around))
    hits = now.model.parameters.value(link.cache.hits) * there
    closed = Closed()
    marked = now.model.marked
    known = hits
    if marked is not None and marked[0] == kernel.prepared.step.name:
        known = hits * marked[1]
    for answer, chance in found.items():
        add(closed.answers, answer, known * chance)
    closed.take(1 - hits, _fresh(kernel, link, now, frozenset(around)))
    return closed, link


def _hit(
    kernel: StepKernel, link: p.Link, now: ChainSituation, around: frozenset[str]
) -> tuple[dict[Any, Any], Any]:
    """Return the distribution of a cached answer, which is that of a fresh answer that was given;
    and 0 where none ever is, else 1.
    """
    action = link.action
    if isinstance(action, p.RunPipeline):
        return _if_given(_answers_of_run(kernel, action, now, around))
    several = link.vote is not None or isinstance(action, p.Cascade)
    if not several and not chosen_by_turn(action):
        call = _call(
            kernel, link, tier_of(kernel.prepared, link, now), replace(now, values=_calm(now))
        )
        made = LinkOutcome()
        right = all_right(now.values, around | kernel.behind(now.model, action))
        for latent, chance in call.draw(now.former):
            keeps = latent if kernel.prepared.tracks_latent else None
            made.answer(latent[0] if right else latent[1], keeps, chance)
        return of_answers(made).answers, 1
    unmeasured = replace(now.model, meter=None)
    calm = replace(now, model=unmeasured, values=_calm(now))
    return _if_given(_bare(kernel, link, calm, around).answers)


def _answers_of_run(
    kernel: StepKernel, action: p.RunPipeline, now: ChainSituation, around: frozenset[str]
) -> dict[Any, Any]:
    """Return the chances of what a sub-pipeline answers without outages, whatever it takes."""
    ran = kernel.prepared.runs[id(action)].close(_calm(now), around, now.again, kernel.sweep)
    meter = now.model.meter
    if meter is None:
        return ran.answers
    return {answer: meter.mass(chance) for answer, chance in ran.answers.items()}


def _if_given(fresh: dict[Any, Any]) -> tuple[dict[Any, Any], Any]:
    """Return the distribution of an answer given that there is one; and 0 where none ever is, else
    1.
    """
    total = sum(fresh.values())
    if isinstance(total, Term):
        never = total.is_zero()
        return {answer: chance / (total + never) for answer, chance in fresh.items()}, 1 - never
    plain = not getattr(total, "shape", ())
    if plain and total == 0:
        return {}, 0
    if plain:
        return {answer: chance / total for answer, chance in fresh.items()}, 1
    never = 1.0 * (total == 0)
    return {answer: chance / (total + never) for answer, chance in fresh.items()}, 1 - never


def _calm(now: ChainSituation) -> dict[Key, Any]:
    """Return the situation without outages: an answer in a cache was given."""
    return {key: False if key[0] == "outage" else value for key, value in now.values.items()}


def _fresh(kernel: StepKernel, link: p.Link, now: ChainSituation, around: frozenset[str]) -> Closed:
    """An action without its cache."""
    return _with_hazards(kernel, link, now, _bare(kernel, link, now, around))


def _bare(kernel: StepKernel, link: p.Link, now: ChainSituation, around: frozenset[str]) -> Closed:
    """Return the kernel of an action without the effects of an agent's pipelines."""
    model, action, prepared = now.model, link.action, kernel.prepared
    right = all_right(now.values, around | kernel.behind(model, action))
    keeps = prepared.tracks_latent
    match action:
        case p.Recall():
            return Closed(answers={(right, None, False): 1.0})
        case p.RunPipeline():
            ran = prepared.runs[id(action)].close(now.values, around, now.again, kernel.sweep)
            inputs = model.parameters.inputs
            moves = inputs.moved() if inputs is not None and right else 0.0
            return _moved(ran, moves) if isinstance(moves, Term) else ran
        case p.Each():
            return _each(kernel, action, now, around)
        case p.Cascade():
            calls = [_call(kernel, link, tier, now) for tier in action.tiers]
            others = all_right(now.values, model.roots(expr.mentions(action.until) - {"it"}))
            catches = model.parameters.value(action.rates.catches)
            alarms = model.parameters.value(action.rates.false_alarms)

            def holds(answer: bool) -> Any:
                return 1 - (alarms if answer and others else catches)

            made = cascaded(calls, holds, right, now.former, keeps)
            return of_answers(made)
        case _:
            pass
    call = _call(kernel, link, tier_of(kernel.prepared, link, now), now)
    if link.vote is not None:
        made = _voted(model, link.vote, call, right, now.former, keeps)
        return of_answers(made)
    made = LinkOutcome(fails=call.fails, cost=call.cost, tokens=call.tokens)
    answered = call.answers
    if not is_zero(answered):
        for latent, chance in call.draw(now.former):
            verdict = latent[0] if right else latent[1]
            made.answer(verdict, latent if keeps else None, answered * chance)
    acts = isinstance(action, p.Call) and model.program.tools[action.tool].acts
    closed = of_answers(made, acts)
    if isinstance(action, p.AskRole):
        closed.asked[action.role] = 1.0
    return closed


def _moved(closed: Closed, by: Term) -> Closed:
    """The kernel of a `run` with so many more of its answers right: what it answers counts as one
    step, whose accuracy is the share of its answers that are right.
    """
    answers = dict(closed.answers)
    for (_, latent, wrong), chance in closed.answers.items():
        add(answers, (True, latent, wrong), by * chance)
        add(answers, (False, latent, wrong), 0.0 - by * chance)
    return replace(closed, answers=answers)


def _voted(
    model: PipelineModel,
    vote: p.Vote,
    call: CallKernel,
    right: bool,
    former: Latent | None,
    keeps: bool,
) -> LinkOutcome:
    """A vote. The calls of a majority run side by side, those of a lead one after the other."""
    meter = model.meter
    if meter is None or isinstance(vote, p.Lead):
        return voted(vote, call, right, former, keeps)
    call = replace(call, fails=meter.aside(call.fails), answers=meter.aside(call.answers))
    if call.mixed:
        call = replace(call, draw=_aside(meter.aside, call.draw))
    made = voted(vote, call, right, former, keeps)
    made.answers = {answer: meter.back(weight) for answer, weight in made.answers.items()}
    made.fails = meter.back(made.fails)
    return made


def _aside(aside: Callable[[Any], Any], draw: Draw) -> Draw:
    """Return a draw of answers with the chance that each is given, taken aside."""
    return lambda former: [(latent, aside(chance)) for latent, chance in draw(former)]


def _call(
    kernel: StepKernel,
    link: p.Link,
    tier: str | None,
    now: ChainSituation,
    turns: int | None = None,
) -> CallKernel:
    """Return the kernel of one call; it depends on whether its provider is out, on its turns, and
    on who is asked at which of them.
    """
    if turns is None:
        turns = _turns(kernel, link, now)
    who = Caller(tier, is_out(tier, now), turns, now.told, now.retried)
    by_turn = kernel.by_turn(link)
    if by_turn is not None:
        asked = by_turn.route.asked(now.values, turns)
        tiers = {tier for mix in asked for tier, _ in mix}
        outs = frozenset(tier for tier in tiers if is_out(tier, now))
        who = replace(who, asked=asked, outs=outs)
    place = (id(link), who, now.model.meter is None)
    known = kernel._calls.get(place)
    if known is None:
        prepared = kernel.prepared
        known = call_kernel(now.model, prepared.step, link, who, prepared.tracks_latent, by_turn)
        kernel._calls[place] = known
    return known


def _turns(kernel: StepKernel, link: p.Link, now: ChainSituation) -> int:
    agent = agent_of(link.action)
    if agent is None:
        return 1
    turns: int = agent.turns or now.values[kernel.prepared.loops[id(agent)].turns]
    return turns


def _with_hazards(kernel: StepKernel, link: p.Link, now: ChainSituation, closed: Closed) -> Closed:
    """Add the effects of the pipelines among an agent's tools, where they have any.

    The first tools that are called have them: after the first turn of the first loop that answered.
    That none or all of them happen are the extremes of a model's choices.
    """
    agent = agent_of(link.action)
    loop = None if agent is None else kernel.prepared.loops[id(agent)]
    if agent is None or loop is None or loop.hazard is None or _turns(kernel, link, now) == 1:
        return closed
    outcome, wrong = loop.hazards[now.values[loop.hazard]]
    if outcome is None and not wrong:
        return closed
    before: Any = 1.0  # no tool was called so far
    first = Closed()
    for call in _loops(kernel, link, now):
        first.cost = first.cost + share_of(call.cost, before)
        first.tokens = first.tokens + share_of(call.tokens, before)
        before = before * call.fails
    result = Closed(cost=closed.cost, tokens=closed.tokens, work=closed.work)
    add(result.fails, False, before)
    if outcome is None:
        late = sum(closed.fails.values()) - before
        add(result.fails, True, late * (late > 0))
        for (right, latent, _), chance in closed.answers.items():
            add(result.answers, (right, latent, True), chance)
        return result
    result.cost = first.cost + (1 - before) * tools_cost(now.model, agent)
    result.tokens = first.tokens
    add(result.ends, (outcome, True, wrong), 1 - before)
    return result


def _loops(kernel: StepKernel, link: p.Link, now: ChainSituation) -> Iterator[CallKernel]:
    """The first turns of all loops that are begun as long as none gets beyond its first turn."""
    if isinstance(link.action, p.Cascade):
        yield from (_call(kernel, link, tier, now, 1) for tier in link.action.tiers)
        return
    calls = 1 if link.vote is None else link.vote.calls
    for _ in range(calls):
        yield _call(kernel, link, tier_of(kernel.prepared, link, now), now, 1)


def _each(kernel: StepKernel, each: p.Each, now: ChainSituation, around: frozenset[str]) -> Closed:
    """All elements of a list; what is drawn for each of them is summed out of its kernel."""
    elements = now.model.expand(each.elements)
    length = fixed_length(elements)
    if length is None:
        length = now.values[("length", elements)]

    situation = _but_for_length(kernel, each, now, around, ("length", elements))
    known = None if situation is None else kernel._lists.get(situation)
    if known is None:
        longest = each.most if fixed_length(elements) is None else length
        one = _element(kernel, each, now, around)
        known = ListWalk(each, one, longest, now.model.meter, _ranked(kernel, now.model))
        if situation is not None:
            kernel._lists[situation] = known
    return known.closed(length)


def _element(
    kernel: StepKernel, each: p.Each, now: ChainSituation, around: frozenset[str]
) -> Closed:
    inside = kernel.prepared.elements[id(each)]
    table = Table(tuple(now.values), {tuple(now.values.values()): 1.0})
    table = perform(table, inside.plan)
    one = Closed()
    for state, weight in table.weights.items():
        values = dict(zip(table.slots, state, strict=True))
        here = ChainSituation(inside.model, values, around, None, now.again, now.told)
        one.take(weight, _ended(_walk(kernel, each.body, here), each.body, here))
    return one


def _but_for_length(
    kernel: StepKernel, each: p.Each, now: ChainSituation, around: frozenset[str], length: Key
) -> tuple[Any, ...] | None:
    """All that an element hangs on; None where that may be the length of its list, which a
    sub-pipeline may be given.
    """
    chosen = (link for link in inner_links(each.body) if not isinstance(link.action, p.Choose))
    if not all(isinstance(link.action, (*PLAIN, p.Cascade)) for link in chosen):
        return None
    values = frozenset(one for one in now.values.items() if one[0] != length)
    return (id(each), values, around, now.taint, now.again, now.told, now.retried)


def _ranked(kernel: StepKernel, model: PipelineModel) -> Ranked | None:
    """Return the ranks of confidences of the elements of a list whose lowest one is tested."""
    name = kernel.prepared.step.name
    files = model.lowest.get(name)
    if files is None:
        return None

    def ranked(right: bool) -> list[tuple[Ranks, Any]]:
        found: list[tuple[Ranks, Any]] = [(Ranks(), 1.0)]
        for file in files:
            shares = model.parameters.bin_shares(file, right, model.cuts[name, file])
            found = [
                (Ranks((*ranks, rank)), weight * share)
                for ranks, weight in found
                for rank, share in enumerate(shares)
                if not is_zero(share)
            ]
        return found

    return ranked


def _ended(closed: Closed, body: p.Chain, now: ChainSituation) -> Closed:
    """Turn the failure of a body that ends in an outcome into an end of the run."""
    if body.end is None:
        return closed
    right = True
    if isinstance(body.end, p.Return):
        right = all_right(now.values, now.model.values(body.end.value) | now.taint)
    for wrong, chance in closed.fails.items():
        add(closed.ends, (body.end, right, wrong), chance)
    closed.fails = {}
    return closed
