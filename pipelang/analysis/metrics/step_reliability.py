"""A step's own reliability: P(it answers and is right | everything that it reads is right)."""

from __future__ import annotations

from typing import Any

from pipelang.analysis.frontier.table import Table
from pipelang.analysis.kernels.chains import StepKernel
from pipelang.analysis.kernels.conditions import perform
from pipelang.analysis.kernels.hard_cases import in_each_class
from pipelang.analysis.kernels.prepared_step import prepare
from pipelang.analysis.model.model import RIGHT, PipelineModel
from pipelang.analysis.sweep.signatures import step_shape
from pipelang.analysis.sweep.sweep import sweep_from
from pipelang.semantics import program as p


def own_reliability(model: PipelineModel, step: p.Step) -> float:
    """P(answers and is right | arguments right), over outages, routes and hard cases."""
    found: list[float] = []

    def act(of_class: PipelineModel, cases: Table) -> None:
        found.append(float(cases.total()) * _of_class(of_class, step))

    in_each_class(model, Table(), act)
    return sum(found)


def _of_class(model: PipelineModel, step: p.Step) -> float:
    """The same in one class of cases; worked out once for steps of one shape."""
    shape = step_shape(model, step, frozenset())
    if shape is None:
        return _own(model, step)
    key = ("own", shape.signature)
    if key not in model.prepared:
        model.prepared[key] = _own(model, step)
    known: float = model.prepared[key]
    return known


def _own(model: PipelineModel, step: p.Step) -> float:
    kernel = StepKernel(prepare(model, step, frozenset()), sweep_from)
    reads = kernel.prepared.reads
    bits = tuple(key for key in reads if key[0] == "value")
    table = perform(Table(bits, {(RIGHT,) * len(bits): 1.0}), kernel.prepared.plan)
    total: Any = 0.0
    for state, weight in table.weights.items():
        values = dict(zip(table.slots, state, strict=True))
        closed = kernel.close(values, frozenset(), None, again=False)
        right = sum(chance for (right, *_), chance in closed.answers.items() if right)
        total = total + weight * right
    return float(total)
