"""Birnbaum importance: the derivative of an outcome by the accuracy of one step.

All derivatives by a pipeline's own steps come from one sweep on a tape, and one backward pass
(`frontier.tape`). A step of a sub-pipeline takes a sweep of its own, whose numbers carry the
derivative by that step's accuracy wherever the sub-pipeline is run: its calls move together.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.frontier.tape import H, Tape
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.sweep.compiled import Compiled, Slopes
from pipelang.analysis.sweep.sweep import sweep
from pipelang.semantics import program as p

MOST_WORK = 400_000
"""States that the sweeps for steps of sub-pipelines go through, all together."""


def all_importances(compiled: Compiled, model: PipelineModel) -> dict[tuple[str, str], Slopes]:
    """The derivatives by the accuracy of every step, those of sub-pipelines too, by pipeline and
    name; none of those of sub-pipelines where they would take too long.

    The accuracy is that of the step alone, wherever its number comes from: a step whose tool or
    evidence file is shared moves by itself. That of a `run` is the share of its answers that are
    right.
    """
    if not model.steps:
        return {}
    found = compiled.importances(_apart(model))
    if found is not None:
        return found
    # What is impossible at the point is gone through too, so what that meets is not remembered.
    tape = Tape(slopes=True)
    sweep(make_model(model.program, model.pipeline, _apart(model)), tape)
    return all_slopes(model, tape, compiled.work)


def all_slopes(model: PipelineModel, tape: Tape, work: int) -> dict[tuple[str, str], Slopes]:
    """The same from the tape of a sweep of so much work that noted derivatives."""
    here = model.pipeline.name
    found = {(here, name): slope for name, slope in slopes(model, tape).items()}
    return found | (inner_importances(model, work) or {})


def slopes(model: PipelineModel, tape: Tape) -> dict[str, Slopes]:
    """The same from the tape of a sweep that noted derivatives."""
    found = tape.importances()
    both = {name: found.get(name, 0j) for name in model.steps}
    return {name: (slope.real, slope.imag) for name, slope in both.items()}


def inner_steps(model: PipelineModel) -> Iterator[tuple[PipelineModel, p.Step]]:
    """The steps of all pipelines that a swept model runs, each with the model it was swept in."""
    seen: set[str] = set()
    for child in model.children.values():
        if isinstance(child, PipelineModel) and child.pipeline.name not in seen:
            seen.add(child.pipeline.name)
            for step in child.steps.values():
                yield child, step


def inner_importances(model: PipelineModel, work: int) -> dict[tuple[str, str], Slopes] | None:
    """The derivatives by the accuracy of every step of a sub-pipeline, by both names; None where
    so many sweeps of `work` states would take too long.
    """
    steps = [(child.pipeline.name, step.name) for child, step in inner_steps(model)]
    if len(steps) * work > MOST_WORK:
        return None
    found = {}
    for name in steps:
        moved = make_model(model.program, model.pipeline, _apart(model))
        moved.nudged = name
        totals = sweep(moved)
        found[name] = (_slope(totals.success), _slope(totals.silent_error))
    return found


def _apart(model: PipelineModel) -> Parameters:
    """Parameters with the values of a model's that remember for themselves."""
    return Parameters(model.parameters.evidence, model.parameters.unknown)


def _slope(figure: complex) -> float:
    return figure.imag / H
