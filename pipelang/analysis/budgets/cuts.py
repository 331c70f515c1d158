"""Cuts: whether a budget may end a run before it is done.

A call is made only if its reservation fits what is left, and time cuts a call in flight. So no run
is cut where the worst run stays within every limit, of the pipeline's own budget and of those of
the pipelines that it runs. Where cuts are possible, costs and times of a report are those of runs
without them, outcomes are bounds (`enclosures`), and a promise is met only if no cut can break it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pipelang.analysis.kernels.costs import all_priced
from pipelang.analysis.kernels.subpipelines import child_model
from pipelang.analysis.latency.worst_calls import most_calls
from pipelang.analysis.latency.worst_case import ANYTHING
from pipelang.analysis.latency.worst_cost import worst_run
from pipelang.analysis.latency.worst_time import longest_run
from pipelang.analysis.model.model import PipelineModel
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.quantities import dollars_beside, plain, seconds_beside, show_seconds
from pipelang.semantics.walk import agent_of, contents


@dataclass(frozen=True, slots=True)
class Cut:
    """A limit that a run may reach: of whose budget, what the worst run needs (None: no bound), and
    the limit, both in words; `most` is what it needs as a number: dollars, tokens, calls, seconds.
    """

    pipeline: str
    dimension: str
    needs: str | None
    limit: str
    most: Decimal | None = None

    @property
    def words(self) -> str:
        """Reason why a promise that hangs on cuts is not decided."""
        if self.needs is None:
            most = "nothing bounds what a run takes"
        else:
            most = f"the worst run takes {self.needs}"
        return (
            f"the {self.dimension} budget of `{self.pipeline}` may cut runs short: {most}, and the"
            f" limit is {self.limit}"
        )


def possible_cuts(model: PipelineModel) -> list[Cut]:
    """The limits that a run may reach, of a pipeline and of all that it runs; its own first."""
    found: dict[Cut, None] = {}
    seen, ahead = set[int](), [model]
    while ahead:
        one = ahead.pop()
        if id(one) not in seen:  # the model of its caller keeps it
            seen.add(id(one))
            found |= dict.fromkeys(_cuts(one))
            links = contents(one.pipeline.block).links
            children = [child for _, link in links for child in _children(one, link)]
            ahead += reversed(children)
    return list(found)


def _children(model: PipelineModel, link: p.Link) -> Iterator[PipelineModel]:
    if isinstance(link.action, p.RunPipeline):
        yield child_model(model, link.action)
    agent = agent_of(link.action)
    for name in () if agent is None else agent.pipelines:
        parameters = model.program.pipelines[name].parameters
        given = tuple((parameter.name, ANYTHING) for parameter in parameters)
        yield child_model(model, p.RunPipeline(name, given))


def _cuts(model: PipelineModel) -> Iterator[Cut]:
    """The limits of a pipeline's own budget that its worst run passes."""
    budget, name = model.pipeline.budget, model.pipeline.name
    if budget is None:
        return
    if budget.money is not None or budget.tokens is not None:
        yield from _spent(model, budget)
    if budget.steps is not None and (calls := most_calls(model)) > budget.steps:
        yield Cut(name, "steps", f"{calls:,} calls", f"{budget.steps:,}", Decimal(calls))
    if budget.seconds is not None:
        limit = float(budget.seconds)
        seconds = longest_run(model, people=False)
        if seconds is None:
            yield Cut(name, "time", None, show_seconds(limit))
        elif seconds > limit:
            needs = seconds_beside(seconds, limit)
            yield Cut(name, "time", needs, show_seconds(limit), Decimal(repr(seconds)))


def _spent(model: PipelineModel, budget: p.Budget) -> Iterator[Cut]:
    """The limits on money and tokens that the worst run passes."""
    name, worst = model.pipeline.name, worst_run(model)
    if budget.money is not None:
        limit = f"${plain(budget.money)}"
        unpriced = not all_priced(model)
        if worst.cost is None or unpriced:
            yield Cut(name, "money", None, limit)
        elif (most := Decimal(repr(worst.cost))) > budget.money:
            yield Cut(name, "money", dollars_beside(worst.cost, budget.money), limit, most)
    if budget.tokens is not None and (worst.tokens is None or worst.tokens > budget.tokens):
        needs = None if worst.tokens is None else f"{worst.tokens:,}"
        tokens = None if worst.tokens is None else Decimal(worst.tokens)
        yield Cut(name, "tokens", needs, f"{budget.tokens:,}", tokens)
