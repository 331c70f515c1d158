"""Limits that a run may reach: of whose budget, how much of what, and how it ends the run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import pairwise

from pipelang.analysis.budgets.cuts import Cut
from pipelang.analysis.latency.regions import waits
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import pipelines_run
from pipelang.semantics.walk import agent_of, all_steps, blocks, inner_links

MONEY, TOKENS, STEPS, TIME = "money", "tokens", "steps", "time"
COUNTED = (MONEY, TOKENS, STEPS)
"""The dimensions in which calls add up; time passes."""

PARTS = 10**12
"""Dollars are counted in so many parts, so that sums are exact."""

ENDLESS = 10**40
"""Stands for an amount that nothing bounds."""


@dataclass(frozen=True, slots=True)
class SpendLimit:
    """A limit of a pipeline's budget, in whole parts; `inside` are the pipelines whose calls count
    towards it; `outcome` is how it ends the pipeline.
    """

    pipeline: str
    dimension: str
    most: int
    inside: frozenset[str]
    outcome: p.Outcome


def spend_limits(program: p.Program, cuts: Iterable[Cut]) -> tuple[SpendLimit, ...]:
    """The limits on money, tokens and steps among those that a run may reach."""
    found = []
    for cut in cuts:
        pipeline = program.pipelines[cut.pipeline]
        budget = pipeline.budget
        if budget is None or cut.dimension not in COUNTED:
            continue
        limits = {MONEY: budget.money, TOKENS: budget.tokens, STEPS: budget.steps}
        most = limits[cut.dimension]
        assert most is not None
        inside = frozenset((cut.pipeline, *(one.name for one in reached(program, pipeline))))
        amount = at_most(most) if cut.dimension == MONEY else int(most)
        found.append(
            SpendLimit(
                cut.pipeline, cut.dimension, amount, inside, ending_of(pipeline, cut.dimension)
            )
        )
    return tuple(found)


def reached(program: p.Program, pipeline: p.Pipeline) -> Sequence[p.Pipeline]:
    """The pipelines that one runs, and those that these run."""
    return pipelines_run(program, pipeline)


CODES = {MONEY: "budget_exceeded", TOKENS: "budget_exceeded", STEPS: "max_steps", TIME: "timeout"}
"""The code of a run that a budget without `else` cuts."""


def ending_of(pipeline: p.Pipeline, dimension: str) -> p.Outcome:
    """The outcome with which a spent budget ends its pipeline."""
    budget = pipeline.budget
    if budget is not None and budget.otherwise is not None:
        return budget.otherwise
    return p.Fail(CODES[dimension], "budget", pipeline.span)


def at_least(dollars: Decimal | float) -> int:
    """Dollars in whole parts, rounded down."""
    return int((_exact(dollars) * PARTS).to_integral_value(ROUND_FLOOR))


def at_most(dollars: Decimal | float | None) -> int:
    """Dollars in whole parts, rounded up; `ENDLESS` where nothing bounds them."""
    if dollars is None or dollars == float("inf"):
        return ENDLESS
    return int((_exact(dollars) * PARTS).to_integral_value(ROUND_CEILING))


def _exact(dollars: Decimal | float) -> Decimal:
    """The decimal that a float stands for: sums of prices have far fewer digits than it."""
    if isinstance(dollars, float):
        return Decimal(format(dollars, ".13g"))
    return dollars


def is_serial(pipelines: Iterable[p.Pipeline]) -> bool:
    """Whether nothing in these pipelines runs side by side, so that calls come in writing order."""
    return all(_is_serial(one) for one in pipelines)


def _is_serial(pipeline: p.Pipeline) -> bool:
    for block in blocks(pipeline.block):
        for segment in block.segments:
            if isinstance(segment, p.Region) and not _is_chain(block.items, segment.members):
                return False
    for step in all_steps(pipeline):
        for link in inner_links(step.chain):
            if link.vote is not None and not isinstance(link.vote, p.Lead):
                return False
            if isinstance(link.action, p.Each) and not link.action.ordered:
                return False
            if agent_of(link.action) is not None:
                return False
    return True


def _is_chain(items: Sequence[p.Item], members: Sequence[int]) -> bool:
    """Whether each step of a region waits for the one before it, directly or not."""
    behind = waits(items, sorted(members))
    steps = [index for index in sorted(members) if isinstance(items[index], p.Step)]
    return all(first in behind[second] for first, second in pairwise(steps))
