"""A step's own reliability: how often it answers and is right when all that it reads is right."""

from __future__ import annotations

from typing import Any

from pipelang.analysis.chains import step_kernel
from pipelang.analysis.conditions import perform
from pipelang.analysis.model import RIGHT, Model
from pipelang.analysis.table import Table
from pipelang.semantics import program as p


def own_reliability(model: Model, step: p.Step) -> float:
    """P(answers and is right | reached, arguments right), over outages and routes."""
    kernel = step_kernel(model, step, frozenset())
    table = perform(Table(), kernel.plan)
    total: Any = 0.0
    for state, weight in table.weights.items():
        values = dict.fromkeys(kernel.reads, RIGHT) | dict(zip(table.slots, state, strict=True))
        made = kernel.kernel(values, frozenset(), None)
        total = total + weight * sum(chance for (right, _, _), chance in made.answers if right)
    return float(total)
