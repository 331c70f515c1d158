"""The dearest run: every retry, every link, every redo, full prompts and full answers.

The path that a run takes through branches is the dearest one; outages do not make a run cheaper
here. `None` stands for "nothing bounds it".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelang.analysis.kernels.costs import Prompted, turn_cost
from pipelang.analysis.kernels.each import fixed_length
from pipelang.analysis.kernels.providers import tiers_of
from pipelang.analysis.kernels.subpipelines import child_model
from pipelang.analysis.model.model import PipelineModel
from pipelang.records import dataclass
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import CALLS_A_TURN
from pipelang.semantics.kernels.chain import attempts
from pipelang.semantics.kernels.redo import all_reruns
from pipelang.semantics.types import ERROR


@dataclass(frozen=True, slots=True)
class WorstAttempt:
    """One attempt of a step at its dearest: of a model at `tier`, or of a tool."""

    step: str
    tier: str | None
    cost: float | None
    tokens: int | None


@dataclass(frozen=True, slots=True)
class Worst:
    """Dollars and tokens at most. `way` is how they come about: an attempt, the sum of two ways, or
    a way so many times.
    """

    cost: float | None
    tokens: int | None
    way: Any = None

    @property
    def path(self) -> tuple[tuple[str, int], ...]:
        """How often each step is attempted on the way."""
        counts: dict[str, int] = {}
        for attempt, times in self.attempts:
            counts[attempt.step] = counts.get(attempt.step, 0) + times
        return tuple(counts.items())

    @property
    def attempts(self) -> tuple[tuple[WorstAttempt, int], ...]:
        """How often what is attempted on the way; dollars times that sum up to `cost`."""
        counts: dict[WorstAttempt, int] = {}
        todo: list[tuple[Any, int]] = [(self.way, 1)]
        while todo:
            way, times = todo.pop()
            if isinstance(way, WorstAttempt):
                counts[way] = counts.get(way, 0) + times
            elif way is not None:
                first, second = way
                if isinstance(second, int):
                    todo.append((first, times * second))
                else:
                    todo += [(second, times), (first, times)]
        return tuple(counts.items())

    def __add__(self, other: Worst) -> Worst:
        way = (self.way, other.way) if self.way and other.way else self.way or other.way
        return Worst(_add(self.cost, other.cost), _sum(self.tokens, other.tokens), way)

    def times(self, count: int) -> Worst:
        return Worst(
            None if self.cost is None else self.cost * count,
            None if self.tokens is None else self.tokens * count,
            (self.way, count) if self.way and count else None,
        )


def _add(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second


NOTHING = Worst(0.0, 0)


def dearer(first: Worst, second: Worst) -> Worst:
    """The larger in each dimension; the path is that of the dearer one in dollars."""
    cost = None if first.cost is None or second.cost is None else max(first.cost, second.cost)
    tokens = None
    if first.tokens is not None and second.tokens is not None:
        tokens = max(first.tokens, second.tokens)
    first_leads = first.cost is None or (second.cost is not None and first.cost >= second.cost)
    return Worst(cost, tokens, first.way if first_leads else second.way)


def worst_run(model: PipelineModel) -> Worst:
    """The dearest run of a pipeline."""
    return _block(model, model.pipeline.block)[0]


def _block(model: PipelineModel, block: p.Block) -> tuple[Worst, bool]:
    """The dearest way through a block, and whether its end can be reached."""
    return _from(model, block, 0)


def _from(model: PipelineModel, block: p.Block, start: int) -> tuple[Worst, bool]:
    total = NOTHING
    ended_early: Worst | None = None
    for index in range(start, len(block.items)):
        item = block.items[index]
        match item:
            case p.Step():
                total = total + _step(model, item)
            case p.Gate():
                if isinstance(item.otherwise, p.Redo):
                    again = NOTHING
                    for rerun in all_reruns(block.items, index, item.otherwise):
                        redone = block.items[rerun]
                        if isinstance(redone, p.Step):
                            again = again + _step(model, redone)
                    total = total + again.times(item.otherwise.times)
            case p.When():
                total, ended_early, goes_on = _fork(
                    model, (item.then, item.otherwise), total, ended_early
                )
                if not goes_on:
                    return ended_early or total, False
            case p.MatchBranch():
                blocks = [arm for _, arm in item.arms]
                total, ended_early, goes_on = _fork(model, blocks, total, ended_early)
                if not goes_on:
                    return ended_early or total, False
            case p.End():
                return (total if ended_early is None else dearer(total, ended_early)), False
            case p.Let() | p.Person() | p.Remember():
                pass
    return (total if ended_early is None else dearer(total, ended_early)), True


def _fork(
    model: PipelineModel, blocks: Sequence[p.Block], total: Worst, ended: Worst | None
) -> tuple[Worst, Worst | None, bool]:
    """The dearest branch that goes on, the dearest that ended so far, whether any goes on."""
    on: Worst | None = None
    for block in blocks:
        worst, goes_on = _block(model, block)
        here = total + worst
        if goes_on:
            on = here if on is None else dearer(on, here)
        else:
            ended = here if ended is None else dearer(ended, here)
    return (on or total), ended, on is not None


def _step(model: PipelineModel, step: p.Step) -> Worst:
    total = NOTHING
    for link in step.chain.links:
        total = total + _link(model, step, link).times(attempts(link))
    return total


def _ask(
    model: PipelineModel, step: p.Step, link: p.Link, ask: Prompted, tier: str, turn: int = 1
) -> Worst:
    spent = turn_cost(model, step, link, ask, tier, turn)
    tokens = _sum(spent.tokens_in.bound, spent.tokens_out.bound)
    return Worst(spent.worst, tokens, WorstAttempt(step.name, tier, spent.worst, tokens))


def _loop(model: PipelineModel, step: p.Step, link: p.Link, agent: p.Agent, tier: str) -> Worst:
    """Every turn with every retry, and as many tool calls as a turn may ask for."""
    total = NOTHING
    for turn in range(1, agent.steps + 1):
        total = total + _ask(model, step, link, agent, tier, turn).times(link.retry.count + 1)
    program = model.program
    dearest = NOTHING
    for name in agent.tools:
        tool = program.tools[name]
        dearest = dearer(dearest, Worst(float(tool.cost), 0).times(tool.retry.count + 1))
    for name in agent.pipelines:
        arguments = tuple((q.name, ANYTHING) for q in program.pipelines[name].parameters)
        child = child_model(model, p.RunPipeline(name, arguments))
        dearest = dearer(dearest, worst_run(child))
    return total + dearest.times((agent.steps - 1) * CALLS_A_TURN)


ANYTHING = expr.Const(None, ERROR)
"""An argument that a model makes up."""


def _link(model: PipelineModel, step: p.Step, link: p.Link) -> Worst:
    """One attempt of a link, at its dearest tier or arm."""
    action = link.action
    match action:
        case p.Cascade():
            total = NOTHING
            for tier in action.tiers:
                if action.agent is not None:
                    total = total + _loop(model, step, link, action.agent, tier)
                else:
                    asked = _ask(model, step, link, action, tier)
                    total = total + asked.times(link.retry.count + 1)
            return total
        case p.AskTier():
            worst = NOTHING
            for tier in tiers_of(action):
                worst = dearer(worst, _ask(model, step, link, action, tier))
            return worst.times(_calls(link) * (link.retry.count + 1 if link.vote else 1))
        case p.Agent():
            worst = NOTHING
            for tier in tiers_of(action):
                worst = dearer(worst, _loop(model, step, link, action, tier))
            return worst.times(_calls(link))
        case p.RunPipeline():
            return worst_run(child_model(model, action))
        case p.Each():
            worst = NOTHING
            for inner in action.body.links:
                worst = worst + _link(model, step, inner).times(attempts(inner))
            length = fixed_length(model.expand(action.elements))
            return worst.times(action.most if length is None else length)
        case p.Call():
            cost = float(model.program.tools[action.tool].cost)
            return Worst(cost, 0, WorstAttempt(step.name, None, cost, 0))
        case p.Choose():
            worst = NOTHING
            for _, arm in action.arms:
                worst = dearer(worst, _link(model, step, arm).times(attempts(arm)))
            return worst
        case p.AskRole() | p.Value() | p.Recall() | p.Broken():
            return NOTHING


def _calls(link: p.Link) -> int:
    return 1 if link.vote is None else link.vote.calls
