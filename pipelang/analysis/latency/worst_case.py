"""The worst run of a pipeline: one fold over its blocks, chains and actions.

The worst run uses up every retry, link and redo, and takes the worst branch. A `WorstCase` says
what is added up: it is a table of how amounts combine (in sequence, side by side, the larger of
two, so many attempts), and of the amount of one attempt of each kind. `worst_cost` adds up dollars
and tokens, `worst_time` seconds.

A block has two amounts: the worst way to its end, and the worst way that ends the run inside it.
They are separate because only the first is followed by the items behind the block. A gate or a step
that ends the run does so no later than everything below it, so it needs no amount of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from pipelang.analysis.kernels.each import fixed_length
from pipelang.analysis.kernels.providers import tiers_of
from pipelang.analysis.kernels.subpipelines import child_model
from pipelang.analysis.latency.exclusive import cases, decided
from pipelang.analysis.model.model import PipelineModel
from pipelang.analysis.sweep.plain_steps import known_plain
from pipelang.analysis.sweep.shapes import Plain
from pipelang.records import NamedTuple, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import chosen_by_turn
from pipelang.semantics.kernels.chain import attempts
from pipelang.semantics.kernels.redo import all_reruns
from pipelang.semantics.types import ERROR

T = TypeVar("T")
Branch = TypeVar("Branch")


class Ways(NamedTuple, Generic[T]):
    """The worst way through a block to its end, and the worst that ends the run inside it; None
    where there is no such way.
    """

    through: T | None
    ended: T | None


class Tries(NamedTuple, Generic[T]):
    """The worst of a first attempt, of one more after it, and of the wait that may be forced
    between them: what a model is asked again, it is asked with what was wrong, and a provider may
    say when to come back.
    """

    first: T
    again: T
    forced: float = 0.0


def alike(one: T) -> Tries[T]:
    """Attempts of which each is like the first."""
    return Tries(one, one)


ANYTHING = expr.Const(None, ERROR)
"""An argument that a model makes up."""


RegionItem = p.Step | p.Let


class WorstCase(Protocol[T]):
    """Rules for amounts of one kind: how they combine, and the most of one attempt. `chains` has
    what is known of chains that many steps have alike.
    """

    nothing: T
    chains: dict[Any, T]

    # ----------------------------------------------------------------------- how amounts combine

    def then(self, first: T, second: T) -> T:
        """One after the other."""

    def larger(self, first: T, second: T) -> T:
        """The worse of two alternatives; the first of equals."""

    def times(self, count: int, one: T) -> T:
        """So many, one after the other."""

    def region(self, before: T, items: Sequence[RegionItem], takes: Sequence[T]) -> T:
        """A region that begins after `before`, with its items in writing order: each waits for
        those among them that it reads. `takes` is what each takes, which does not say whose it is.
        """

    def of_step(self, amount: T, step: p.Step) -> T:
        """The amount of a chain, which does not say whose it is, as that of a step."""

    def tried(self, retry: p.Retry, count: int, one: Tries[T]) -> T:
        """So many attempts, with the waits between them."""

    def polled(self, link: p.Link, count: int, one: Tries[T]) -> T:
        """All calls of a link's vote (one without a vote), each with so many attempts."""

    def elements(self, each: p.Each, length: int, one: T) -> T:
        """A list of so many elements."""

    def between_turns(self, rounds: int, tool: T) -> T:
        """The tool calls between an agent's turns, at the worst tool, so many times."""

    # ------------------------------------------------------------------- what an attempt takes

    def ask(
        self,
        model: PipelineModel,
        step: p.Step,
        link: p.Link,
        ask: p.AskTier | p.Cascade | p.Agent,
        tier: str,
        turn: int,
    ) -> Tries[T]:
        """Attempts at a model, at a turn (from 1) of an agent."""

    def call(self, link: p.Link, tool: p.Tool) -> T:
        """One attempt at a tool, by whatever step."""

    def most_of_call(self, link: p.Link, tool: p.Tool) -> Any:
        """The number that `call` hangs on."""

    def tool(self, tool: p.Tool) -> T:
        """One attempt of an agent at a tool."""

    def answer(self, link: p.Link) -> T:
        """One answer of a person to a step."""

    def approval(self, person: p.Person) -> T:
        """An approval or a hold."""


def worst_case(by: WorstCase[T], model: PipelineModel) -> T:
    """The amount of the worst run of a pipeline, over the cases that its branches tell apart."""
    apart = model.shapes.get("cases")
    if apart is None:
        apart = model.shapes["cases"] = list(cases(model))
    return _largest(by, (_in_case(by, replace(model, case=case)) for case in apart))


def _in_case(by: WorstCase[T], model: PipelineModel) -> T:
    ways: Ways[T] = _block(by, model, model.pipeline.block)
    if ways.through is None:
        return by.nothing if ways.ended is None else ways.ended
    return ways.through if ways.ended is None else by.larger(ways.through, ways.ended)


# ------------------------------------------------------------------------------------ blocks


def _block(by: WorstCase[T], model: PipelineModel, block: p.Block) -> Ways[T]:
    total = by.nothing
    ended: T | None = None
    for segment in block.segments:
        if isinstance(segment, p.Region):
            total = _region(by, model, block, segment.members, total)
            continue
        item = block.items[segment.index]
        match item:
            case p.Step():
                total = by.then(total, _chain(by, model, item, item.chain))
            case p.Gate():
                if isinstance(item.otherwise, p.Redo):
                    again = set(all_reruns(block.items, segment.index, item.otherwise))
                    redone = _again(by, model, block, again)
                    total = by.then(total, by.times(item.otherwise.times, redone))
                elif decided(model.expand(item.condition), model.case) is False:
                    return Ways(None, total if ended is None else by.larger(total, ended))
            case p.Person():
                asked = by.approval(item)
                total = by.then(total, asked)
                if isinstance(item.otherwise, p.Redo):
                    again = set(all_reruns(block.items, segment.index, item.otherwise))
                    redone = by.then(_again(by, model, block, again), asked)
                    total = by.then(total, by.times(item.otherwise.times, redone))
            case p.When() | p.MatchBranch():
                ways: Ways[T] = _fork(by, model, _possible(model, item), total, ended)
                if ways.through is None:
                    return ways
                total, ended = ways.through, ways.ended
            case p.End():
                return Ways(None, total if ended is None else by.larger(total, ended))
            case p.Remember() | p.Let():
                pass
    return Ways(total, ended)


def _possible(model: PipelineModel, item: p.When | p.MatchBranch) -> list[p.Block]:
    """The branches that a run of the case may take."""
    if isinstance(item, p.When):
        holds = decided(model.expand(item.condition), model.case)
        if holds is None:
            return [item.then, item.otherwise]
        return [item.then if holds else item.otherwise]
    return [block for _, block in _taken(model, item.subject, item.arms)]


def _taken(
    model: PipelineModel, subject: expr.Expr, arms: tuple[tuple[Any, Branch], ...]
) -> Iterable[tuple[Any, Branch]]:
    """The arms that a run of the case may take."""
    value = decided(model.expand(subject), model.case)
    if value is None:
        return arms
    return [arm for arm in arms if arm[0] is None or value in arm[0]][:1]


def _fork(
    by: WorstCase[T],
    model: PipelineModel,
    branches: Iterable[p.Block],
    total: T,
    ended: T | None,
) -> Ways[T]:
    """Branches after `total`, with what `ended` the run so far."""
    on: T | None = None
    for branch in branches:
        ways: Ways[T] = _block(by, model, branch)
        if ways.through is not None:
            here = by.then(total, ways.through)
            on = here if on is None else by.larger(on, here)
        if ways.ended is not None:
            here = by.then(total, ways.ended)
            ended = here if ended is None else by.larger(ended, here)
    return Ways(on, ended)


def _region(
    by: WorstCase[T],
    model: PipelineModel,
    block: p.Block,
    members: Sequence[int],
    before: T,
) -> T:
    items: Sequence[Any] = block.items
    plain, chains = known_plain(model, block), by.chains
    takes: list[T] = []
    for index in members:
        # Of what a sweep has looked at, most is known to be alike in all that a worst hangs on.
        one = None if plain is None else plain[index]
        known = None if one is None else chains.get(one[0])
        takes.append(_of_item(by, model, items[index], one) if known is None else known)
    return by.region(before, [items[index] for index in members], takes)


def _of_item(by: WorstCase[T], model: PipelineModel, item: RegionItem, plain: Plain | None) -> T:
    """The amount of an item of a region; known from then on of all that have its outline."""
    if isinstance(item, p.Let):
        return by.nothing
    amount = _amount(by, model, item, item.chain)
    if plain is not None and plain[0].calls:
        by.chains[plain[0]] = amount
    return amount


def _again(by: WorstCase[T], model: PipelineModel, block: p.Block, again: set[int]) -> T:
    """Everything that a redo runs again, region by region."""
    total = by.nothing
    for segment in block.segments:
        if isinstance(segment, p.Region):
            members = [index for index in segment.members if index in again]
            total = _region(by, model, block, members, total)
        elif segment.index in again:
            item = block.items[segment.index]
            if isinstance(item, p.Step):
                total = by.then(total, _chain(by, model, item, item.chain))
    return total


# ------------------------------------------------------------------------------------ chains


def worst_step(by: WorstCase[T], model: PipelineModel, step: p.Step) -> T:
    """The amount of a step by itself."""
    return _amount(by, model, step, step.chain)


def _chain(by: WorstCase[T], model: PipelineModel, step: p.Step, chain: p.Chain) -> T:
    return by.of_step(_amount(by, model, step, chain), step)


def _amount(by: WorstCase[T], model: PipelineModel, step: p.Step, chain: p.Chain) -> T:
    """The amount of a chain, which does not say whose it is."""
    calls = _calls(by, model, chain)
    if calls is None:
        return _links(by, model, step, chain)
    known = by.chains.get(calls)
    if known is None:
        known = by.chains[calls] = _links(by, model, step, chain)
    return known


def _calls(by: WorstCase[T], model: PipelineModel, chain: p.Chain) -> tuple[Any, ...] | None:
    """All that the worst of a chain hangs on, if tools alone are called."""
    found: tuple[Any, ...] = ()
    for link in chain.links:
        action, retry = link.action, link.retry
        if not isinstance(action, p.Call):
            return None
        most = by.most_of_call(link, model.program.tools[action.tool])
        found += (most, retry.count, retry.backoff, link.vote)
    return found


def _links(by: WorstCase[T], model: PipelineModel, step: p.Step, chain: p.Chain) -> T:
    first, *others = chain.links
    total = _link(by, model, step, first)
    for link in others:
        total = by.then(total, _link(by, model, step, link))
    return total


def _link(by: WorstCase[T], model: PipelineModel, step: p.Step, link: p.Link) -> T:
    """A link with the attempts that the chain makes of it; the worst arm of a `match`."""
    if isinstance(link.action, p.Choose):
        taken = _taken(model, link.action.subject, link.action.arms)
        arms = (_link(by, model, step, arm) for _, arm in taken)
        return _largest(by, arms)
    return by.tried(link.retry, attempts(link), _action(by, model, step, link))


def _worst_tries(by: WorstCase[T], tries: Iterable[Tries[T]]) -> Tries[T]:
    """The worst of several tiers, attempt by attempt: a route may change between them."""
    found = list(tries)
    if not found:
        return alike(by.nothing)
    return Tries(
        _largest(by, (one.first for one in found)),
        _largest(by, (one.again for one in found)),
        max(one.forced for one in found),
    )


def _largest(by: WorstCase[T], amounts: Iterable[T]) -> T:
    worst = by.nothing
    for amount in amounts:
        worst = by.larger(worst, amount)
    return worst


def _action(by: WorstCase[T], model: PipelineModel, step: p.Step, link: p.Link) -> Tries[T]:
    """The attempts of a link, each at its worst tier."""
    action = link.action
    # Votes and cascades are one attempt of the chain; each of their calls has the retries.
    inside = link.retry.count + 1 if link.vote is not None else 1
    match action:
        case p.AskTier():
            asked = (by.ask(model, step, link, action, tier, 1) for tier in tiers_of(action))
            tries: Tries[T] = _worst_tries(by, asked)
            return tries if link.vote is None else alike(by.polled(link, inside, tries))
        case p.Agent():
            asked_by = (
                [tiers_of(action)]
                if chosen_by_turn(action)
                else [[one] for one in tiers_of(action)]
            )
            loops = (worst_loop(by, model, step, link, action, tiers) for tiers in asked_by)
            return alike(by.polled(link, 1, alike(_largest(by, loops))))
        case p.Cascade():
            total = by.nothing
            for tier in action.tiers:
                if action.agent is not None:
                    one = worst_loop(by, model, step, link, action.agent, [tier])
                else:
                    asked_once = by.ask(model, step, link, action, tier, 1)
                    one = by.tried(link.retry, link.retry.count + 1, asked_once)
                total = by.then(total, one)
            return alike(total)
        case p.AskRole():
            return alike(by.polled(link, inside, alike(by.answer(link))))
        case p.Call():
            tool = model.program.tools[action.tool]
            return alike(by.polled(link, inside, alike(by.call(link, tool))))
        case p.RunPipeline():
            return alike(_child(by, model, action))
        case p.Each():
            length = fixed_length(model.expand(action.elements))
            count = action.most if length is None else length
            return alike(by.elements(action, count, _chain(by, model, step, action.body)))
        case p.Choose():
            raise AssertionError("a match is resolved before it is attempted")
        case p.Value() | p.Recall() | p.Broken():
            return alike(by.nothing)


def _child(by: WorstCase[T], model: PipelineModel, action: p.RunPipeline) -> T:
    """The amount of a pipeline that is run: gone through once, from wherever it is run."""
    child = child_model(model, action)
    key = ("child", id(child))  # the model of its caller keeps it
    known = by.chains.get(key)
    if known is None:
        known = by.chains[key] = worst_case(by, child)
    return known


def worst_loop(
    by: WorstCase[T],
    model: PipelineModel,
    step: p.Step,
    link: p.Link,
    agent: p.Agent,
    tiers: Collection[str],
) -> T:
    """Every turn of an agent with its retries, at the worst of its tiers, and the worst of its
    tools between two turns.
    """
    total = by.nothing
    for turn in range(1, agent.steps + 1):
        asked = _worst_tries(by, (by.ask(model, step, link, agent, tier, turn) for tier in tiers))
        total = by.then(total, by.tried(link.retry, link.retry.count + 1, asked))
    return by.then(total, by.between_turns(agent.steps - 1, _worst_tool(by, model, agent)))


def _worst_tool(by: WorstCase[T], model: PipelineModel, agent: p.Agent) -> T:
    worst = by.nothing
    for name in agent.tools:
        tool = model.program.tools[name]
        at_once = p.Retry(tool.retry.count, None)  # in an agent's loop nobody waits
        worst = by.larger(worst, by.tried(at_once, tool.retry.count + 1, alike(by.tool(tool))))
    for name in agent.pipelines:
        parameters = model.program.pipelines[name].parameters
        run = p.RunPipeline(name, tuple((parameter.name, ANYTHING) for parameter in parameters))
        worst = by.larger(worst, _child(by, model, run))
    return worst
