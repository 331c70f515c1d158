"""The most expensive run: every retry, link and redo, with full prompts and full answers.

Outages do not make a run cheaper here. None stands for an amount that nothing bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelang.analysis.kernels.costs import turn_cost
from pipelang.analysis.latency.worst_case import RegionItem, Tries, worst_case
from pipelang.analysis.model.model import PipelineModel
from pipelang.records import dataclass, replace
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import CALLS_A_TURN
from pipelang.semantics.kernels.prices import MISFIT_TOKENS, dearest_input


@dataclass(frozen=True, slots=True)
class WorstAttempt:
    """The most expensive attempt of a step: at a model of `tier`, or (None) at a tool."""

    step: str
    tier: str | None
    cost: float | None
    tokens: int | None


UNNAMED = ""
"""Stands for the step in an attempt on a way, which says of what step its attempts are."""


@dataclass(frozen=True, slots=True)
class Worst:
    """Dollars and tokens at most. `way` is the derivation of the dollars: an attempt, a list of
    ways one after the other, a pair of a way and how many times it is gone, a pair of a way and the
    step whose attempts are on it, or such pairs for the steps of a region (`StepWays`).
    """

    cost: float | None
    tokens: int | None
    way: Any = None

    @property
    def path(self) -> tuple[tuple[str, int], ...]:
        """The number of attempts of each step on the way."""
        counts: dict[str, int] = {}
        for attempt, times in self.attempts:
            counts[attempt.step] = counts.get(attempt.step, 0) + times
        return tuple(counts.items())

    @property
    def attempts(self) -> tuple[tuple[WorstAttempt, int], ...]:
        """Each attempt on the way with its count; their dollars sum up to `cost`."""
        return () if self.way is None else tuple(_counted(self.way).items())

    def __add__(self, other: Worst) -> Worst:
        way = [self.way, other.way] if self.way and other.way else self.way or other.way
        return Worst(_add(self.cost, other.cost), _sum(self.tokens, other.tokens), way)

    def times(self, count: int) -> Worst:
        return Worst(
            None if self.cost is None else self.cost * count,
            None if self.tokens is None else self.tokens * count,
            (self.way, count) if self.way and count else None,
        )


@dataclass(slots=True, eq=False)
class StepWays:
    """The ways of the items of a region, as they are: a pair for each of 100,000 steps is made,
    looked through for garbage and thrown away.
    """

    takes: Sequence[Worst]
    items: Sequence[RegionItem]


def _counted(whole: Any) -> dict[WorstAttempt, int]:
    """Count the attempts on a way. A way that is part of several others is gone through once:
    pipelines that run each other twice have 2^n ways through n of them.
    """
    known: dict[int, dict[WorstAttempt, int]] = {}
    todo = [whole]
    while todo:
        way = todo[-1]
        inside = _parts(way)
        missing = [part for part, _ in inside if id(part) not in known]
        if missing:
            todo += reversed(missing)
            continue
        todo.pop()
        if isinstance(way, WorstAttempt):
            known[id(way)] = {way: 1}
            continue
        counts: dict[WorstAttempt, int] = {}
        for part, second in inside:
            for attempt, times in known[id(part)].items():
                one = attempt
                if isinstance(second, int):
                    times *= second
                elif attempt.step == UNNAMED:
                    one = replace(attempt, step=second)
                counts[one] = counts.get(one, 0) + times
        known[id(way)] = counts
    return known[id(whole)]


def _parts(way: Any) -> list[tuple[Any, int | str]]:
    """The ways that one is made of, each with how many times it is gone, or by what step."""
    if isinstance(way, WorstAttempt):
        return []
    if isinstance(way, StepWays):
        both = zip(way.takes, way.items, strict=True)
        return [(one.way, item.name) for one, item in both if one.way]
    return [(part, 1) for part in way] if isinstance(way, list) else [way]


def _add(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second


NOTHING = Worst(0.0, 0)


def worst_run(model: PipelineModel) -> Worst:
    """The dollars and tokens of the most expensive run of a pipeline, and how they come about."""
    return worst_case(DearestRun(), model)


class DearestRun:
    """Dollars and tokens, which add up wherever steps run."""

    nothing = NOTHING

    def __init__(self) -> None:
        self.chains: dict[Any, Worst] = {}

    def then(self, first: Worst, second: Worst) -> Worst:
        return first + second

    def larger(self, first: Worst, second: Worst) -> Worst:
        """The larger in each dimension; the way is that of more dollars."""
        cost = None if first.cost is None or second.cost is None else max(first.cost, second.cost)
        tokens = None
        if first.tokens is not None and second.tokens is not None:
            tokens = max(first.tokens, second.tokens)
        first_leads = first.cost is None or (second.cost is not None and first.cost >= second.cost)
        return Worst(cost, tokens, first.way if first_leads else second.way)

    def times(self, count: int, one: Worst) -> Worst:
        return one.times(count)

    def region(self, before: Worst, items: Sequence[RegionItem], takes: Sequence[Worst]) -> Worst:
        cost, tokens, way = before.cost, before.tokens, before.way
        some = False
        for one in takes:
            if cost is not None:
                cost = None if one.cost is None else cost + one.cost
            if tokens is not None:
                tokens = None if one.tokens is None else tokens + one.tokens
            some = some or bool(one.way)
        if some:
            here = StepWays(takes, items)
            way = here if way is None else [way, here]
        return Worst(cost, tokens, way)

    def of_step(self, amount: Worst, step: p.Step) -> Worst:
        return Worst(amount.cost, amount.tokens, amount.way and (amount.way, step.name))

    def tried(self, retry: p.Retry, count: int, one: Tries[Worst]) -> Worst:
        return one.first + one.again.times(count - 1) if count > 1 else one.first

    def polled(self, link: p.Link, count: int, one: Tries[Worst]) -> Worst:
        call = self.tried(link.retry, count, one)
        return call if link.vote is None else call.times(link.vote.calls)

    def elements(self, each: p.Each, length: int, one: Worst) -> Worst:
        return one.times(length)

    def between_turns(self, rounds: int, tool: Worst) -> Worst:
        return tool.times(rounds * CALLS_A_TURN)

    def ask(
        self,
        model: PipelineModel,
        step: p.Step,
        link: p.Link,
        ask: p.AskTier | p.Cascade | p.Agent,
        tier: str,
        turn: int,
    ) -> Tries[Worst]:
        spent = turn_cost(model, step, link, ask, tier, turn, step.name in model.told)
        tokens = _sum(spent.tokens_in.bound, spent.tokens_out.bound)
        more = float(dearest_input(model.program.tiers[tier])) * MISFIT_TOKENS / 1e6

        def worst(cost: float | None, tokens: int | None) -> Worst:
            return Worst(cost, tokens, WorstAttempt(UNNAMED, tier, cost, tokens))

        again = worst(_add(spent.worst, more), _sum(tokens, MISFIT_TOKENS))
        return Tries(worst(spent.worst, tokens), again)

    def call(self, link: p.Link, tool: p.Tool) -> Worst:
        cost = float(tool.cost)
        return Worst(cost, 0, WorstAttempt(UNNAMED, None, cost, 0))

    def most_of_call(self, link: p.Link, tool: p.Tool) -> Any:
        return tool.cost

    def tool(self, tool: p.Tool) -> Worst:
        return Worst(float(tool.cost), 0)

    def answer(self, link: p.Link) -> Worst:
        return NOTHING

    def approval(self, person: p.Person) -> Worst:
        return NOTHING
