"""Sub-pipelines closed into kernels: a sweep of the child for every situation that it is run in.

A situation is which providers are out, which arguments are right, and what was drawn about the
arguments: paths and conditions with a share that mention only parameters are the caller's draws,
made once per version of the argument, by the caller's share or else by the child's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipelang.analysis.frontier.table import Key, Table
from pipelang.analysis.kernels.conditions import (
    Draw,
    EvaluationPlan,
    gate_plan,
    inherited_plan,
    subject_plan,
    test_plan,
)
from pipelang.analysis.kernels.each import fixed_length
from pipelang.analysis.kernels.outcome_distribution import Closed, add
from pipelang.analysis.kernels.prepared_step import outage, outage_key, prepare, tiers_of
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
from pipelang.semantics.kernels.run import passed_on, sub_pipelines
from pipelang.semantics.walk import all_items, inner_links

Compute = Callable[[dict[Key, Any]], Any]


@dataclass(slots=True)
class Child:
    """A pipeline as somebody's sub-pipeline. `about` are its draws about its parameters."""

    model: PipelineModel
    providers: tuple[str, ...]
    about: dict[Key, Draw]
    closed: dict[Any, Closed] = field(default_factory=dict)

    def close(self, start: dict[Key, Any], again: bool) -> Closed:
        """What it comes to from a start; the same situation is worked out once."""
        situation = (*sorted(start.items(), key=str), again)
        known = self.closed.get(situation)
        if known is None:
            known = self.closed[situation] = _swept(self.model, start, again)
        return known


def _swept(model: PipelineModel, start: dict[Key, Any], again: bool) -> Closed:
    from pipelang.analysis.latency.walk import walk_from
    from pipelang.analysis.sweep.sweep import sweep_from

    taint = frozenset((AROUND,)) if start.get(value_key(AROUND)) == WRONG else frozenset[str]()
    table = Table(tuple(start), {tuple(start.values()): 1.0})
    go = sweep_from if model.meter is None else walk_from
    totals = go(model, table, taint, again)
    closed = Closed(
        cost=totals.cost, tokens=totals.tokens, asked=dict(totals.asked), work=totals.work
    )
    for (_, right, wrong), (outcome, weight) in totals.endings.items():
        match outcome:
            case p.Return():
                add(closed.answers, (right, None, wrong), weight)
            case p.Fail():
                add(closed.fails, wrong, weight)
            case _:
                decision = passed_on(model.pipeline.name, outcome)
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

    def close(self, values: dict[Key, Any], around: frozenset[str], again: bool) -> Closed:
        """What the child comes to; `around` is what the run as a whole hangs on."""
        calm = all_right(values, around)
        start: dict[Key, Any] = {value_key(AROUND): RIGHT if calm else WRONG}
        for name, argument in self.action.arguments:
            right = calm and all_right(values, self.model.values(argument))
            start[value_key(name)] = RIGHT if right else WRONG
        for provider in self.child.providers:
            start[outage_key(provider)] = values[outage_key(provider)]
        for key, compute in self.about:
            start[key] = compute(values)
        return self.child.close(start, again)


def sub_run(model: PipelineModel, action: p.RunPipeline) -> SubRun:
    """Prepare a `run`: the child's draws about its parameters become the caller's."""
    child = child_of(model, action)
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
    """How the caller draws what is a draw about parameters for the child."""
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


def child_of(model: PipelineModel, action: p.RunPipeline) -> Child:
    """The pipeline that is run, with what the caller's traffic says of the arguments' lengths."""
    arguments = dict(action.arguments)
    means: dict[tuple[str, ...], Any] = {}
    for name, argument in arguments.items():
        path = expr.path_of(argument)
        if path is not None:
            for line, mean in model.means.items():
                if line[: len(path)] == path:
                    means[(name, *line[len(path) :])] = mean
    key = (action.pipeline, *sorted(means.items()))
    known: Child | None = model.children.get(key)
    if known is None:
        known = model.children[key] = _child(model, action.pipeline, means)
    return known


def _child(caller: PipelineModel, name: str, means: Mapping[tuple[str, ...], Any]) -> Child:
    program = caller.program
    pipeline = program.pipelines[name]
    inputs = frozenset((AROUND, *(parameter.name for parameter in pipeline.parameters)))
    model = make_model(program, pipeline, caller.parameters, inputs, caller.thresholds)
    model.means.update(means)
    model.children, model.meter = caller.children, caller.meter
    return Child(model, _providers(program, pipeline), _about_parameters(model))


def _providers(program: p.Program, pipeline: p.Pipeline) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for item in all_items(pipeline.block):
        if isinstance(item, p.Step):
            for link in inner_links(item.chain):
                for tier in tiers_of(link.action):
                    found[program.tiers[tier].provider] = None
    for inner in sub_pipelines(pipeline.block):
        found |= dict.fromkeys(_providers(program, program.pipelines[inner]))
    return tuple(found)


def _about_parameters(model: PipelineModel) -> dict[Key, Draw]:
    """The draws of a pipeline that are statements about its parameters alone."""
    found: dict[Key, Draw] = {}
    for plan in _plans(model):
        for draw in plan.draws:
            if draw.shared and isinstance(draw.key[1], expr.Expr):
                mentioned = expr.mentions(draw.key[1])
                if mentioned and mentioned <= model.inputs:
                    found[draw.key] = draw
    return found


def _plans(model: PipelineModel) -> list[EvaluationPlan]:
    plans = []
    for item in all_items(model.pipeline.block):
        match item:
            case p.Step():
                plans.append(prepare(model, item, frozenset()).plan)
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
