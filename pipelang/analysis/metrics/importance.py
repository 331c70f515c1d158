"""Birnbaum importance: the derivative of an outcome by the accuracy of one step.

All derivatives come from one sweep on a tape, and one backward pass (`frontier.tape`).
"""

from __future__ import annotations

from pipelang.analysis.frontier.tape import Tape
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.sweep.sweep import sweep

Slopes = tuple[float, float]
"""d(success)/d(accuracy) and d(silent_error)/d(accuracy)."""


def importances(model: PipelineModel) -> dict[str, Slopes]:
    """The derivatives by the accuracy of every step, by its name.

    The accuracy is that of the step alone, wherever its number comes from: a step whose tool or
    evidence file is shared moves by itself.
    """
    if not model.steps:
        return {}
    # What is impossible at the point is gone through too, so what that meets is not remembered.
    parameters = Parameters(model.parameters.evidence, model.parameters.unknown)
    tape = Tape(slopes=True)
    sweep(make_model(model.program, model.pipeline, parameters), tape)
    return slopes(model, tape)


def slopes(model: PipelineModel, tape: Tape) -> dict[str, Slopes]:
    """The same from the tape of a sweep that noted derivatives."""
    found = tape.importances()
    both = {name: found.get(name, 0j) for name in model.steps}
    return {name: (slope.real, slope.imag) for name, slope in both.items()}
