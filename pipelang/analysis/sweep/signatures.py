"""Shapes: the equality of items that transform a frontier in the same way.

A large pipeline repeats itself: a call of the same tool under other names, a gate with the same
rates. The effect of such an item on the states depends on its numbers, on the places of the
variables that it reads, and on which of them are read later. The numbers are its signature; items
with one signature share their transitions (`pipelang.analysis.sweep.transitions`).

Only plain items have a shape: calls and asks of a fixed tier, with retries and fallbacks, all of
which read the same values, and gates with declared rates that end the run. All others are computed
one by one.
"""

from __future__ import annotations

from typing import Any

from pipelang.analysis.frontier.states import Key
from pipelang.analysis.kernels.conditions import gate_plan
from pipelang.analysis.kernels.costs import attempt_cost
from pipelang.analysis.kernels.providers import outage_key
from pipelang.analysis.model.model import EFFECT, END, PipelineModel, value_key
from pipelang.records import dataclass
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p


@dataclass(frozen=True, slots=True)
class Shape:
    """`names` are the variables that the item makes and reads, in the order in which the signature
    speaks of them.
    """

    signature: tuple[Any, ...]
    names: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Plain:
    """A step that has a shape: the values that all of its links read, or none (`given`, by link),
    the conditions around it that it does not read, the outages of its providers.
    """

    roots: tuple[Key, ...]
    around: tuple[Key, ...]
    outages: tuple[Key, ...]
    given: tuple[bool, ...]

    @property
    def reads(self) -> tuple[Key, ...]:
        """Every variable that the step reads."""
        return (*self.roots, *self.around, *self.outages)


def plain_step(model: PipelineModel, step: p.Step, taint: frozenset[str]) -> Plain | None:
    """A step under the conditions `taint`, if it has a shape; no number is asked for."""
    key = ("plain", id(step), taint)
    if key not in model.prepared:
        model.prepared[key] = _plain_step(model, step, taint)
    known: Plain | None = model.prepared[key]
    return known


def _plain_step(model: PipelineModel, step: p.Step, taint: frozenset[str]) -> Plain | None:
    if step.name in model.latent or isinstance(step.chain.end, p.Return):
        return None
    roots = model.roots(step.reads)
    outages: dict[Key, None] = {}
    given: list[bool] = []
    for link in step.chain.links:
        if link.vote is not None or link.cache is not None:
            return None
        match link.action:
            case p.Call(arguments=arguments):
                behind = _given(model, arguments)
            case p.AskTier(arguments=arguments, who=expr.Const(value=name)):
                behind = _given(model, arguments)
                outages[outage_key(model.program.tiers[str(name)].provider)] = None
            case p.Value(value=value):
                behind = model.values(value)
            case _:
                return None
        if behind and behind != roots:
            return None
        given.append(bool(behind))
    around = sorted(taint - roots) if taint else ()
    return Plain(
        tuple(map(value_key, sorted(roots))),
        tuple(map(value_key, around)),
        tuple(outages),
        tuple(given),
    )


def step_shape(model: PipelineModel, step: p.Step, taint: frozenset[str]) -> Shape | None:
    """Return the shape of a step under the conditions `taint`; None for one without."""
    key = ("shape", id(step), taint)
    if key not in model.prepared:
        plain = plain_step(model, step, taint)
        model.prepared[key] = None if plain is None else _shape(model, step, plain)
    known: Shape | None = model.prepared[key]
    return known


def _shape(model: PipelineModel, step: p.Step, plain: Plain) -> Shape:
    parts = [
        (*_numbers(model, step, link, plain.outages), link.retry.count, given)
        for link, given in zip(step.chain.links, plain.given, strict=True)
    ]
    names = (value_key(step.name), EFFECT, END, *plain.reads)
    return Shape(("step", len(plain.roots), len(plain.around), *parts), names)


def _numbers(
    model: PipelineModel, step: p.Step, link: p.Link, outages: tuple[Key, ...]
) -> tuple[Any, ...]:
    """The numbers of a link, as the chain's kernel asks for them."""
    number = model.parameters.value
    program, accuracy = model.program, link.accuracy
    match link.action:
        case p.Call(tool=name):
            tool = program.tools[name]
            cost = float(tool.cost)
            return ("call", tool.acts, number(tool.succeeds), cost, number(accuracy))
        case p.AskTier(who=expr.Const(value=name)):
            tier = program.tiers[str(name)]
            spent = attempt_cost(model, step, link, tier.name)
            return (
                "ask",
                outages.index(outage_key(tier.provider)),
                number(program.providers[tier.provider].available),
                number(tier.transient),
                number(link.recovers),
                spent.mean,
                spent.tokens_in.mean + spent.tokens_out.mean,
                number(link.accuracy_by_tier.get(tier.name, accuracy)),
            )
        case _:
            return ("value", number(accuracy))


def _given(model: PipelineModel, arguments: tuple[tuple[str, expr.Expr], ...]) -> frozenset[str]:
    """The steps behind some arguments."""
    names: set[str] = set()
    for _, value in arguments:
        if isinstance(value, expr.Read):
            names.add(value.name)
        else:
            names |= expr.mentions(value)
    return model.roots(frozenset(names))


def gate_shape(model: PipelineModel, gate: p.Gate) -> Shape | None:
    """The shape of a gate; None for one that has none."""
    if not isinstance(gate.evidence, p.ByRates):
        return None
    if not isinstance(gate.otherwise, (p.Escalate, p.Reject, p.Fail)):
        return None
    (draw,) = gate_plan(model, gate).draws
    catches = model.parameters.value(gate.evidence.catches)
    alarms = model.parameters.value(gate.evidence.false_alarms)
    names = (draw.key, EFFECT, *draw.given)
    # Values that an outcome hands over decide nothing about it.
    return Shape(("gate", len(draw.given), catches, alarms), names)
