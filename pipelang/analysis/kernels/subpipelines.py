"""Kernels of sub-pipelines: a sweep of the child for every situation in which it is run.

A situation says which providers are out, which arguments are right, and which values were drawn
about the arguments: paths and conditions with a share that mention only parameters are the caller's
draws, made once per version of the argument, by the caller's share or else by the child's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipelang.analysis.frontier.states import Key, add
from pipelang.analysis.frontier.table import Table
from pipelang.analysis.frontier.totals import COSTS, FLOW, REACHED, Inner, Totals
from pipelang.analysis.kernels.conditions import (
    Draw,
    EvaluationPlan,
    gate_plan,
    inherited_plan,
    subject_plan,
    test_plan,
)
from pipelang.analysis.kernels.each import fixed_length
from pipelang.analysis.kernels.outcome_distribution import Closed
from pipelang.analysis.kernels.providers import outage, outage_key, tiers_of
from pipelang.analysis.model.model import (
    AROUND,
    RIGHT,
    WRONG,
    PipelineModel,
    all_right,
    make_model,
    value_key,
)
from pipelang.records import dataclass, field
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import passed_on, with_inner
from pipelang.semantics.walk import all_items, contents

Compute = Callable[[dict[Key, Any]], Any]

PlanOfStep = Callable[[PipelineModel, p.Step], EvaluationPlan]
"""The draws that a step of a model makes before its chain is walked. Preparing a step prepares the
pipelines that it runs, and these their steps, so `prepared_step` hands this function down.
"""

SweepChild = Callable[[PipelineModel, Table, frozenset[str], bool], Totals]
"""Endings of the runs of a pipeline, from a table of what is known before, under some conditions,
as part of a redo or not: a sweep over probabilities, or a walk over distributions of times.
"""


@dataclass(slots=True)
class Child:
    """A pipeline as the sub-pipeline of another; `about` are its draws about its parameters.

    `closed` remembers the kernels that are known, by situation.
    """

    model: PipelineModel
    providers: tuple[str, ...]
    about: dict[Key, Draw]
    closed: dict[Any, Closed] = field(default_factory=dict)

    def close(self, start: dict[Key, Any], again: bool, sweep: SweepChild) -> Closed:
        """The child's kernel from the values that are known at its start."""
        situation = (*sorted(start.items(), key=str), again)
        known = self.closed.get(situation)
        if known is None:
            known = self.closed[situation] = self._swept(start, again, sweep)
        return known

    def _swept(self, start: dict[Key, Any], again: bool, sweep: SweepChild) -> Closed:
        taint = frozenset((AROUND,)) if start.get(value_key(AROUND)) == WRONG else frozenset[str]()
        table = Table(tuple(start), {tuple(start.values()): 1.0})
        flows: dict[Inner, Any] = {}
        if self.model.watched is None:
            totals = sweep(self.model, table, taint, again)
        else:
            totals, flows = self.model.watched(self.model, table, taint, again)
        closed = Closed(
            cost=totals.cost, tokens=totals.tokens, asked=dict(totals.asked), work=totals.work
        )
        if self.model.meter is None:
            closed.inside = {**inside(self.model.pipeline.name, totals), **flows}
        for (_, right, wrong), (outcome, weight) in totals.endings.items():
            match outcome:
                case p.Return():
                    add(closed.answers, (right, None, wrong), weight)
                case p.Fail():
                    add(closed.fails, wrong, weight)
                case _:
                    decision = passed_on(self.model.pipeline.name, outcome)
                    add(closed.ends, (decision, True, wrong), weight)
        return closed


@dataclass(slots=True)
class SubRun:
    """A `run` at its place: how the child's start follows from what the caller knows."""

    model: PipelineModel
    action: p.RunPipeline
    child: Child
    draws: tuple[Draw, ...]
    about: tuple[tuple[Key, Compute], ...]

    def close(
        self, values: dict[Key, Any], around: frozenset[str], again: bool, sweep: SweepChild
    ) -> Closed:
        """The child's kernel; `around` are the values that the run as a whole depends on."""
        calm = all_right(values, around)
        start: dict[Key, Any] = {value_key(AROUND): RIGHT if calm else WRONG}
        for name, argument in self.action.arguments:
            right = calm and all_right(values, self.model.values(argument))
            start[value_key(name)] = RIGHT if right else WRONG
        for provider in self.child.providers:
            start[outage_key(provider)] = values[outage_key(provider)]
        for key, compute in self.about:
            start[key] = compute(values)
        return self.child.close(start, again, sweep)


def inside(pipeline: str, totals: Totals) -> dict[Inner, Any]:
    """Visits and costs of the steps of a swept pipeline by name, and of those that it runs."""
    found = {key: amount for key, amount in totals.inside.items() if key[0] != FLOW}
    for name, often in totals.reached.items():
        add(found, (pipeline, name, REACHED), often)
    for name, cost in totals.step_costs.items():
        add(found, (pipeline, name, COSTS), cost)
    return found


def sub_run(model: PipelineModel, action: p.RunPipeline, plan_of_step: PlanOfStep) -> SubRun:
    """Prepare a `run`: the child's draws about its parameters become the caller's."""
    child = _child_of(model, action, plan_of_step)
    arguments = dict(action.arguments)
    draws: dict[Key, Draw] = {}
    for provider in child.providers:
        draws[outage_key(provider)] = outage(model, provider)
    about = []
    for key, draw in child.about.items():
        plan = _inherited(model, child, draw, arguments)
        for mine in plan.draws:
            draws.setdefault(mine.key, mine)  # of two shares for one argument, the first
        about.append((key, plan.compute))
    return SubRun(model, action, child, tuple(draws.values()), tuple(about))


def _inherited(
    model: PipelineModel, child: Child, draw: Draw, arguments: Mapping[str, expr.Expr]
) -> EvaluationPlan:
    """The caller's draw for a child's draw about its parameters."""
    kind, node = draw.key
    here = expr.substitute(node, arguments)
    if kind != "length":
        return inherited_plan(model, here, draw)
    whole = model.expand(here)
    length = fixed_length(whole)
    if length is not None:
        return EvaluationPlan((), lambda values: length)
    key: Key = ("length", whole)
    mine = Draw(key, model.given(whole), draw.outcomes, shared=True, known=draw.known)
    return EvaluationPlan((mine,), lambda values: values[key])


def child_model(model: PipelineModel, action: p.RunPipeline) -> PipelineModel:
    """The model of the pipeline that is run, with the lengths that the caller's traffic states of
    its arguments.
    """
    means = _means_of_arguments(model, action)
    key = (action.pipeline, *sorted(means.items()))
    known: PipelineModel | None = model.children.get(key)
    if known is None:
        made: PipelineModel | None = model.shapes.get(("child", key))
        if made is None:
            program, pipeline = model.program, model.program.pipelines[action.pipeline]
            inputs = frozenset((AROUND, *(parameter.name for parameter in pipeline.parameters)))
            made = make_model(program, pipeline, model.parameters, inputs, model.thresholds)
            made.means.update(means)
            model.shapes["child", key] = made
        known = made.of(model.parameters)  # kernels hold in one class of cases, and are its own
        known.children, known.meter = model.children, model.meter
        known.watched, known.repeats = model.watched, model.repeats
        model.children[key] = known
    return known


def _means_of_arguments(model: PipelineModel, action: p.RunPipeline) -> dict[tuple[str, ...], Any]:
    arguments = dict(action.arguments)
    means: dict[tuple[str, ...], Any] = {}
    for name, argument in arguments.items():
        path = model.place(argument)
        if path is not None:
            for line, mean in model.means.items():
                if line[: len(path)] == path:
                    means[(name, *line[len(path) :])] = mean
    return means


def _child_of(model: PipelineModel, action: p.RunPipeline, plan_of_step: PlanOfStep) -> Child:
    inner = child_model(model, action)
    key = ("child", id(inner))
    known: Child | None = model.children.get(key)
    if known is None:
        about = _about_parameters(inner, plan_of_step)
        known = Child(inner, _providers(inner.program, inner.pipeline), about)
        model.children[key] = known
    return known


def _providers(program: p.Program, pipeline: p.Pipeline) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for one in with_inner(program, pipeline):
        for _, link in contents(one.block).links:
            for tier in tiers_of(link.action):
                found[program.tiers[tier].provider] = None
    return tuple(found)


def _about_parameters(model: PipelineModel, plan_of_step: PlanOfStep) -> dict[Key, Draw]:
    """The draws of a pipeline that are statements about its parameters alone."""
    found: dict[Key, Draw] = {}
    for plan in _plans(model, plan_of_step):
        for draw in plan.draws:
            if draw.shared and isinstance(draw.key[1], expr.Expr):
                mentioned = expr.mentions(draw.key[1])
                if mentioned and mentioned <= model.inputs:
                    found[draw.key] = draw
    return found


def _plans(model: PipelineModel, plan_of_step: PlanOfStep) -> list[EvaluationPlan]:
    plans = []
    for item in all_items(model.pipeline.block):
        match item:
            case p.Step():
                plans.append(plan_of_step(model, item))
            case p.Gate():
                plans.append(gate_plan(model, item))
            case p.When():
                plans.append(test_plan(model, item.condition, item.name))
            case p.MatchBranch():
                patterns = (taken for taken, _ in item.arms)
                plans.append(subject_plan(model, item.subject, patterns))
            case p.Person():
                if item.when is not None:
                    plans.append(test_plan(model, item.when, None))
            case _:
                pass
    return plans
