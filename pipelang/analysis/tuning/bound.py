"""A lower bound on the cost of all assignments that keep the promise of success.

In a run that ends with a right answer every step of the pipeline's own block ran. So where success
must be at least s, each of them is reached in a share of at least s of the runs, and its provider
is up in all of these but for its outages; there its first link makes at least one attempt, which is
billed in full, at the cheapest of the tiers that it may have. The sum of that over the steps is a
bound, since means are additive. It is weak where answers are retried or redone.
"""

from __future__ import annotations

from pipelang.analysis.advice.attempts import asked
from pipelang.analysis.advice.changes import ChangeKind
from pipelang.analysis.advice.shares import value_of
from pipelang.analysis.kernels.costs import attempt_cost
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import point_parameters
from pipelang.analysis.tuning.dimensions import Dimension
from pipelang.semantics import program as p
from pipelang.semantics.metrics import SUCCESS
from pipelang.semantics.walk import all_items, inner_blocks


def least_cost(
    program: p.Program, pipeline: p.Pipeline, dimensions: list[Dimension]
) -> float | None:
    """Return dollars per run; None where no bound is known, as for settings that prompts may depend
    on.
    """
    if any(
        one.kind is ChangeKind.SETTING and "%" not in one.choices[0].shown for one in dimensions
    ):
        return None
    target = max(
        (
            float(line.target)
            for line in pipeline.slo
            if line.metric == SUCCESS and line.when is None and line.op in (">=", ">")
        ),
        default=0.0,
    )
    model = make_model(program, pipeline, point_parameters(program))
    total = 0.0
    for item in model.pipeline.block.items:
        if any(
            isinstance(inner, p.End) and isinstance(inner.outcome, p.Return)
            for block in inner_blocks(item)
            for inner in all_items(block)
        ):
            break  # some runs are answered in there, and skip what follows
        if isinstance(item, p.Step):
            total += _least(model, item, target)
    return total


def _least(model: PipelineModel, step: p.Step, target: float) -> float:
    link = step.chain.links[0] if step.chain.links else None
    if link is None or not isinstance(link.action, p.AskTier) or link.cache is not None:
        return 0.0
    tiers = {*asked(link), *link.accuracy_by_tier}
    out = 0.0
    for provider in {model.program.tiers[tier].provider for tier in tiers}:
        up = value_of(model.program, model.program.providers[provider].available)
        out += 1.0 if up is None else 1 - up
    costs = [attempt_cost(model, step, link, tier) for tier in tiers]
    if not all(cost.priced for cost in costs):
        return 0.0
    return max(0.0, target - out) * min(cost.mean for cost in costs)
