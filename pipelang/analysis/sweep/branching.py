"""Where a frontier parts: by how a test comes out, by the arm of a match; and what grows stale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelang.analysis.frontier.states import Key, State
from pipelang.analysis.frontier.table import Table, forget, split
from pipelang.analysis.kernels.conditions import EvaluationPlan, perform, subject_plan
from pipelang.analysis.model.model import RIGHT, PipelineModel, value_key
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p


def tested(table: Table, plan: EvaluationPlan) -> dict[bool, Table]:
    """The states by whether a test holds."""
    table = perform(table, plan)
    keys = plan.keys
    return split(table, keys, lambda seen: bool(plan.compute(dict(zip(keys, seen, strict=True)))))


def by_arm(model: PipelineModel, item: p.MatchBranch, table: Table) -> dict[int, Table]:
    """The states by the number of the arm that they take."""
    plan = subject_plan(model, item.subject, (taken for taken, _ in item.arms))

    def arm(seen: State) -> int:
        value = plan.compute(dict(zip(plan.keys, seen, strict=True)))
        for number, (taken, _) in enumerate(item.arms):
            if taken is None or value in taken:
                return number
        raise LookupError(f"no arm takes {value!r}")

    return split(perform(table, plan), plan.keys, arm)


def outdated(table: Table, step: str) -> Table:
    """Without any draw about a value that is about to be made anew."""

    def keep(key: Key) -> bool:
        if key[0] in ("path", "test", "length"):
            return step not in expr.mentions(key[1])
        return not (key[0] == "bin" and key[1] == step)

    return forget(table, keep)


def is_right(
    model: PipelineModel, outcome: p.Outcome, values: Mapping[Key, Any], taint: frozenset[str]
) -> bool:
    """Whether what an outcome returns is right, by what was drawn."""
    if not isinstance(outcome, p.Return):
        return True
    mentioned = model.values(outcome.value) | taint
    return all(values.get(value_key(name)) in (RIGHT, None) for name in mentioned)
