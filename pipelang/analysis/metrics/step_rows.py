"""The rows of steps: how reliable each is by itself, how often it is reached, what hangs on it."""

from __future__ import annotations

from collections.abc import Mapping

from pipelang.analysis.frontier.totals import COSTS, REACHED
from pipelang.analysis.metrics.importance import inner_steps
from pipelang.analysis.metrics.metrics import Figures
from pipelang.analysis.metrics.open_amounts import OpenAmounts
from pipelang.analysis.metrics.readings import by_name
from pipelang.analysis.metrics.step_reliability import own_reliabilities
from pipelang.analysis.model.intervals import UNCOMPUTED, Number, certain
from pipelang.analysis.model.model import PipelineModel
from pipelang.analysis.sweep.compiled import Slopes
from pipelang.records import NamedTuple


class StepRow(NamedTuple):
    """A step in the report. `own` is P(answers and is right | reached, arguments right).

    `importance_*` are the derivatives of an outcome by the step's accuracy (Birnbaum importance).
    A step of a sub-pipeline is `child.step`; `reached` and `cost_mean` are then sums over all runs
    of the child, so that it may be reached more than once.
    """

    name: str
    own: float | None
    reached: Number
    importance_success: Number
    importance_silent_error: Number
    cost_mean: Number


Derivatives = Mapping[tuple[str, str], Slopes]
"""Importances, by pipeline and step."""


def step_rows(
    model: PipelineModel, figure: Figures, derivatives: Derivatives | None, amounts: OpenAmounts
) -> tuple[StepRow, ...]:
    """The steps of a pipeline, in writing order."""
    unknown, here = bool(model.parameters.unknown_sites), model.pipeline.name
    if model.parameters.left_out or derivatives is None:
        derivatives = {}
    own = {} if unknown else own_reliabilities(model)
    rows, basis = [], figure.basis
    reached = figure.numbers("reached", model.steps)
    costs = figure.numbers("step_costs", model.steps, unit=False)
    for name, often, cost in zip(model.steps, reached, costs, strict=True):
        matters = (UNCOMPUTED, UNCOMPUTED)
        if derivatives:
            success, silent = derivatives.get((here, name), NEVER)
            matters = certain(success, basis), certain(silent, basis)
        spent = amounts.of_step(here, name, figure.amount(cost))
        rows.append(StepRow(name, own.get(name), often, *matters, spent))
    return tuple(rows)


NEVER: Slopes = (0.0, 0.0)
"""The importances of a step that is never reached."""


def inner_step_rows(
    model: PipelineModel, figure: Figures, derivatives: Derivatives | None, amounts: OpenAmounts
) -> tuple[StepRow, ...]:
    """The steps of the pipelines that one runs."""
    unknown = bool(model.parameters.unknown_sites)
    if model.parameters.left_out:
        derivatives = None
    rows = []
    own: dict[str, Mapping[str, float | None]] = {}
    for child, step in inner_steps(model):
        pipeline, name = child.pipeline.name, step.name
        if pipeline not in own:
            own[pipeline] = {} if unknown else own_reliabilities(child)
        reached = by_name("inside", (pipeline, name, REACHED))
        cost = by_name("inside", (pipeline, name, COSTS))
        success = silent = UNCOMPUTED
        if derivatives:
            right, wrong = derivatives.get((pipeline, name), NEVER)
            success, silent = certain(right, figure.basis), certain(wrong, figure.basis)
        rows.append(
            StepRow(
                f"{pipeline}.{name}",
                own[pipeline].get(name),
                amounts.visits(pipeline, figure.number(reached, unit=False)),
                success,
                silent,
                amounts.of_step(pipeline, name, figure.amount(figure.number(cost, unit=False))),
            )
        )
    return tuple(rows)
