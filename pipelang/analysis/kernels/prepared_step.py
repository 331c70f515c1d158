"""Preparation of a step's kernel: its draws, its routes, and the sub-pipelines and lists inside it.

Draws about the step as a whole (outages, routes, lengths, traffic of an argument) are made before
its chain is walked; those about an element of an `each` once per element.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pipelang.analysis.frontier.states import Key
from pipelang.analysis.kernels.conditions import Draw, EvaluationPlan, expression_plan, subject_plan
from pipelang.analysis.kernels.each import length_draw
from pipelang.analysis.kernels.providers import outage, tiers_of
from pipelang.analysis.kernels.subpipelines import SubRun, sub_run
from pipelang.analysis.model.model import PipelineModel, value_key
from pipelang.records import dataclass, field, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import Declared
from pipelang.semantics.kernels.agent import chosen_by_turn
from pipelang.semantics.kernels.run import endings_of, pipeline_acts
from pipelang.semantics.walk import inner_links

if TYPE_CHECKING:
    from pipelang.analysis.kernels.turns import TurnRoute


@dataclass(frozen=True, slots=True)
class AgentLoop:
    """The draws of an agent: its number of turns, and the effects of its pipelines."""

    turns: Key
    hazard: Key | None
    hazards: tuple[tuple[p.Outcome | None, bool], ...]


@dataclass(slots=True)
class Inside:
    """The body of an `each`: the model that knows its variable, and what an element draws."""

    model: PipelineModel
    plan: EvaluationPlan


@dataclass(slots=True)
class Prepared:
    """`plan` is what a step draws before its chain is walked, `reads` are all variables that the
    walk is given; routes, sub-pipelines, loops and bodies are by the identity of their parts, and
    so are the routes of agents that are asked by turn.
    """

    step: p.Step
    model: PipelineModel
    plan: EvaluationPlan
    reads: tuple[Key, ...]
    tracks_latent: bool
    routes: dict[int, Callable[[dict[Key, Any]], Any]] = field(default_factory=dict)
    runs: dict[int, SubRun] = field(default_factory=dict)
    loops: dict[int, AgentLoop] = field(default_factory=dict)
    elements: dict[int, Inside] = field(default_factory=dict)
    by_turn: dict[int, TurnRoute] = field(default_factory=dict)


def prepared_step(model: PipelineModel, step: p.Step, taint: frozenset[str]) -> Prepared:
    """The step prepared, once for a model."""
    known: Prepared | None = model.prepared.get((id(step), taint))
    if known is None:
        known = model.prepared[id(step), taint] = prepare(model, step, taint)
    return known


def prepare(model: PipelineModel, step: p.Step, taint: frozenset[str]) -> Prepared:
    """Prepare a step that stands under the conditions `taint`."""
    prepared = Prepared(step, model, EvaluationPlan((), _nothing), (), False)
    draws: dict[Key, Draw] = {}
    for link in step.chain.links:
        _link(prepared, model, link, draws)
    prepared.plan = EvaluationPlan(tuple(draws.values()), _nothing)
    bits = {value_key(name) for name in model.roots(step.reads) | taint}
    given = {key for draw in draws.values() for key in draw.given}
    prepared.reads = tuple(sorted(bits | given | set(draws), key=str))
    prepared.tracks_latent = step.name in model.latent and not all(
        map(never_copies, inner_links(step.chain))
    )
    return prepared


def _plan_of_step(model: PipelineModel, step: p.Step) -> EvaluationPlan:
    return prepare(model, step, frozenset()).plan


def _nothing(values: dict[Key, Any]) -> None:
    return None


def _link(prepared: Prepared, model: PipelineModel, link: p.Link, draws: dict[Key, Draw]) -> None:
    action = link.action
    for tier in tiers_of(action):
        _add(draws, outage(model, model.program.tiers[tier].provider))
    match action:
        case p.AskTier():
            _route(prepared, model, link, action.who, draws)
        case p.Choose():
            patterns = (taken for taken, _ in action.arms)
            plan = subject_plan(model, action.subject, patterns)
            prepared.routes[id(link)] = plan.compute
            for draw in plan.draws:
                _add(draws, draw)
            for _, arm in action.arms:
                _link(prepared, model, arm, draws)
        case p.Agent():
            if chosen_by_turn(action):
                from pipelang.analysis.kernels.turns import turn_route

                place = _place(model, prepared.step, link)
                by_turn = turn_route(model, prepared.step, link, action, place)
                prepared.by_turn[id(link)] = by_turn
                for draw in by_turn.draws:
                    _add(draws, draw)
            else:
                _route(prepared, model, link, action.who, draws)
            _loop(prepared, model, link, action, draws)
        case p.Cascade():
            if action.agent is not None:
                _loop(prepared, model, link, action.agent, draws)
        case p.RunPipeline():
            run = prepared.runs[id(action)] = sub_run(model, action, _plan_of_step)
            for draw in run.draws:
                _add(draws, draw)
        case p.Each():
            _each(prepared, model, action, draws)
        case _:
            pass


def _add(draws: dict[Key, Draw], draw: Draw) -> None:
    draws.setdefault(draw.key, draw)


def _route(
    prepared: Prepared, model: PipelineModel, link: p.Link, node: expr.Expr, draws: dict[Key, Draw]
) -> None:
    plan = expression_plan(model, node)
    prepared.routes[id(link)] = plan.compute
    for draw in plan.draws:
        _add(draws, draw)


def _place(model: PipelineModel, step: p.Step, link: p.Link) -> str:
    return f"{model.pipeline.name}.{step.name}@{link.span.start}"


def _loop(
    prepared: Prepared, model: PipelineModel, link: p.Link, agent: p.Agent, draws: dict[Key, Draw]
) -> None:
    place = _place(model, prepared.step, link)
    turns: Key = ("turns", place)
    if agent.turns is None:
        numbers = model.parameters
        _add(
            draws,
            Draw(
                turns,
                (),
                lambda right: list(enumerate(numbers.stick(f"{place}.turns", agent.steps), 1)),
                known=False,
            ),
        )
    hazards: list[tuple[p.Outcome | None, bool]] = [(None, False)]
    for name in agent.pipelines:
        acts = pipeline_acts(model.program, name)
        ways = [None, *endings_of(model.program, name)]
        hazards += [(way, wrong) for way in ways for wrong in ((False, True) if acts else (False,))]
    hazards = list(dict.fromkeys(hazards))
    hazard: Key | None = None
    if len(hazards) > 1:
        hazard = ("hazard", place)
        _add(draws, _hazard_draw(model, hazard, place, len(hazards)))
    prepared.loops[id(agent)] = AgentLoop(turns, hazard, tuple(hazards))


def _hazard_draw(model: PipelineModel, key: Key, place: str, count: int) -> Draw:
    site = f"{place}.tools"
    return Draw(
        key, (), lambda right: list(enumerate(model.parameters.stick(site, count))), known=False
    )


def _each(prepared: Prepared, model: PipelineModel, each: p.Each, draws: dict[Key, Draw]) -> None:
    length = length_draw(model, each)
    if length is not None:
        _add(draws, length)
    behind = model.values(each.elements)
    inner = replace(model, bound={**model.bound, each.variable: behind})
    mine: dict[Key, Draw] = {}
    for link in each.body.links:
        _link(prepared, inner, link, mine)
    own: dict[Key, Draw] = {}
    for key, draw in mine.items():
        node = key[1] if len(key) > 1 else None
        about = isinstance(node, expr.Expr) and each.variable in expr.mentions(node)
        (own if about else draws).setdefault(key, draw)
    prepared.elements[id(each)] = Inside(inner, EvaluationPlan(tuple(own.values()), _nothing))


def never_copies(link: p.Link) -> bool:
    """Whether the answers of a link are known never to repeat the one before."""
    return isinstance(link.correlation, Declared) and link.correlation.share == 0
