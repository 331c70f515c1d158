"""The kernel of an agent: a bounded loop of model calls, and what it may call.

A turn is one call of the model, with its retries. Its answer is the action's answer, or it asks for
tools: what they give (or why they failed) is read by the next turn. After `steps` turns without an
answer the action has failed.

Who is asked is decided when the loop begins. Only where that hangs on what is left of the budget is
it decided before every turn, by what is left then; the retries of a turn ask the same tier.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.jsonschema import parameters_schema
from pipelang.semantics.types import Type

CALLS_A_TURN = 8
"""Tool calls that one turn may ask for; those beyond are refused."""


def chosen_by_turn(action: p.Action) -> bool:
    """Whether an action is an agent whose tier is decided before each of its turns."""
    return isinstance(action, p.Agent) and reads_budget(action.who)


def reads_budget(node: expr.Expr) -> bool:
    """Whether an expression reads what is left of the budget, which is less with every call."""
    return any(isinstance(part, expr.BudgetLeft) for part in expr.walk(node))


def tools_of(program: p.Program, agent: p.Agent) -> Iterator[tuple[dict[str, Any], Type]]:
    """The tools of an agent as described to the model, each with the type of its result."""
    for name in agent.tools:
        tool = program.tools[name]
        yield _described(program, name, tool.doc, tool.parameters), tool.returns
    for name in agent.pipelines:
        pipeline = program.pipelines[name]
        yield _described(program, name, pipeline.doc, pipeline.parameters), pipeline.returns


def _described(
    program: p.Program, name: str, doc: str | None, parameters: tuple[p.Parameter, ...]
) -> dict[str, Any]:
    schema = parameters_schema(parameters, program.patterns)
    described: dict[str, Any] = {"name": name, "input_schema": schema}
    return described if doc is None else {**described, "description": doc}
