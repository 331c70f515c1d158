"""Birnbaum importance: the derivative of an outcome by the accuracy of one step.

All derivatives, by the steps of sub-pipelines too, come from one formula read backwards
(`arithmetic.formula`). The calls of a sub-pipeline move together.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.model.inputs import Owner
from pipelang.analysis.model.model import PipelineModel
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.sweep.compiled import Compiled, Slopes
from pipelang.semantics import program as p


def all_importances(compiled: Compiled, point: Parameters) -> dict[Owner, Slopes]:
    """The derivatives by the accuracy of every step, those of sub-pipelines too, by pipeline and
    name; none where the frontier is too large.

    The accuracy is that of the step alone, wherever its number comes from: a step whose tool or
    evidence file is shared moves by itself. That of a `run` is the share of its answers that are
    right.
    """
    # What is impossible at the point is gone through too, so what that meets is not remembered.
    return compiled.importances(Parameters(point.evidence, point.unknown)) or {}


def inner_steps(model: PipelineModel) -> Iterator[tuple[PipelineModel, p.Step]]:
    """The steps of all pipelines that a swept model runs, each with the model it was swept in."""
    seen: set[str] = set()
    # Whoever reads them may close a kernel that the sweep never came to, whose child is added then.
    for child in tuple(model.children.values()):
        if isinstance(child, PipelineModel) and child.pipeline.name not in seen:
            seen.add(child.pipeline.name)
            for step in child.steps.values():
                yield child, step
