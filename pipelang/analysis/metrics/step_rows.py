"""The rows of steps: how reliable each is by itself, how often it is reached, what hangs on it."""

from __future__ import annotations

from collections.abc import Mapping

from pipelang.analysis.frontier.totals import COSTS, REACHED
from pipelang.analysis.metrics.importance import inner_steps
from pipelang.analysis.metrics.metrics import Figures, if_finite
from pipelang.analysis.metrics.readings import by_name
from pipelang.analysis.metrics.step_reliability import own_reliability
from pipelang.analysis.model.intervals import UNCOMPUTED, Number, certain
from pipelang.analysis.model.model import PipelineModel
from pipelang.analysis.sweep.compiled import Slopes
from pipelang.records import dataclass
from pipelang.semantics import program as p


@dataclass(frozen=True, slots=True)
class StepRow:
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
    model: PipelineModel, figure: Figures, derivatives: Derivatives | None
) -> tuple[StepRow, ...]:
    """The steps of a pipeline, in writing order."""
    unknown, here = bool(model.parameters.unknown_sites), model.pipeline.name
    if model.parameters.left_out or derivatives is None:
        derivatives = {}
    never: tuple[float | None, float | None] = (0.0, 0.0)
    rows = []
    for name, step in model.steps.items():
        success, silent = derivatives.get((here, name), never if derivatives else (None, None))
        basis = figure.basis
        rows.append(
            StepRow(
                name,
                None if unknown else _own(model, step),
                figure.number(by_name("reached", name)),
                UNCOMPUTED if success is None else certain(success, basis),
                UNCOMPUTED if silent is None else certain(silent, basis),
                if_finite(figure.number(by_name("step_costs", name), unit=False)),
            )
        )
    return tuple(rows)


def inner_step_rows(
    model: PipelineModel, figure: Figures, derivatives: Derivatives | None
) -> tuple[StepRow, ...]:
    """The steps of the pipelines that one runs."""
    unknown = bool(model.parameters.unknown_sites)
    if model.parameters.left_out:
        derivatives = None
    rows = []
    for child, step in inner_steps(model):
        pipeline, name = child.pipeline.name, step.name
        reached = by_name("inside", (pipeline, name, REACHED))
        cost = by_name("inside", (pipeline, name, COSTS))
        success = silent = UNCOMPUTED
        if derivatives:
            right, wrong = derivatives.get((pipeline, name), (0.0, 0.0))
            success, silent = certain(right, figure.basis), certain(wrong, figure.basis)
        rows.append(
            StepRow(
                f"{pipeline}.{name}",
                None if unknown else _own(child, step),
                figure.number(reached, unit=False),
                success,
                silent,
                if_finite(figure.number(cost, unit=False)),
            )
        )
    return tuple(rows)


def _own(model: PipelineModel, step: p.Step) -> float | None:
    """A step's own reliability; None where it hangs on what nobody declared, as that of a step may
    that is never reached. No figure hangs on it then, so it is none of the unknowns.
    """
    parameters = model.parameters
    own = own_reliability(model, step)
    if not parameters.unknown_sites:
        return own
    for site in parameters.unknown_sites:
        parameters.bases.pop(site, None)
    parameters.unknown_sites.clear()
    return None
