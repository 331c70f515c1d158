"""Shapes: the equality of items that transform a frontier in the same way, whatever their numbers.

A large pipeline repeats itself: a call of a tool that may fail and err, a gate with rates. The
effect of such an item on the states depends on its structure, on the places of the variables that
it reads, and on which of them are read later; its rates and costs are arguments. Items of one
structure share their moves (`pipelang.analysis.sweep.transitions`).

Only plain items have a shape: calls and asks of a fixed tier, with retries and fallbacks, all of
which read the same values, and gates with declared rates that end the run. All others are computed
one by one.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

from pipelang.analysis.frontier.states import Key
from pipelang.analysis.kernels.conditions import gate_plan
from pipelang.analysis.kernels.costs import attempt_cost
from pipelang.analysis.kernels.providers import outage_key
from pipelang.analysis.model.model import EFFECT, END, PipelineModel, value_key
from pipelang.records import dataclass
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance


@dataclass(frozen=True, slots=True)
class Shape:
    """`names` are the variables that the item makes and reads, in the order in which the structure
    speaks of them; `chances` and `amounts` are its arguments, each once, and `accuracies` says
    which of the chances are those of a step, as its structure does. An amount is the mean of
    what is spent by a tool (its name) or by an attempt of a link (its place among the model's
    costs).
    """

    structure: tuple[Any, ...]
    names: tuple[Key, ...]
    chances: tuple[Chance, ...]
    amounts: tuple[tuple[Any, float], ...] = ()
    accuracies: frozenset[int] = frozenset()


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
    if key not in model.shapes:
        model.shapes[key] = _plain_step(model, step, taint)
    known: Plain | None = model.shapes[key]
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
    if key not in model.shapes:
        plain = plain_step(model, step, taint)
        model.shapes[key] = None if plain is None else _shape(model, step, plain)
    known: Shape | None = model.shapes[key]
    return known


def _shape(model: PipelineModel, step: p.Step, plain: Plain) -> Shape | None:
    asked = _Arguments({}, {}, set())
    parts = [
        (*_numbers(model, step, link, plain.outages, asked), link.retry.count, given)
        for link, given in zip(step.chain.links, plain.given, strict=True)
    ]
    if not all(map(isfinite, asked.amounts.values())):
        return None
    names = (value_key(step.name), EFFECT, END, *plain.reads)
    structure = ("step", len(plain.roots), len(plain.around), *parts)
    chances, amounts = tuple(asked.chances), tuple(asked.amounts.items())
    return Shape(structure, names, chances, amounts, frozenset(asked.accuracies))


@dataclass(frozen=True, slots=True)
class _Arguments:
    """The arguments of an item, as they are met."""

    chances: dict[Chance, int]
    amounts: dict[Any, float]
    accuracies: set[int]

    def chance(self, chance: Chance) -> int:
        return self.chances.setdefault(chance, len(self.chances))

    def accuracy(self, chance: Chance) -> int:
        number = self.chance(chance)
        self.accuracies.add(number)
        return number

    def amount(self, key: Any, amount: float) -> int:
        if key not in self.amounts:
            self.amounts[key] = amount
        return list(self.amounts).index(key)


def _numbers(
    model: PipelineModel,
    step: p.Step,
    link: p.Link,
    outages: tuple[Key, ...],
    asked: _Arguments,
) -> tuple[Any, ...]:
    """The numbers of a link, as the chain's kernel asks for them: which arguments they are."""
    program, accuracy = model.program, link.accuracy
    match link.action:
        case p.Call(tool=name):
            tool = program.tools[name]
            spent = asked.amount(name, float(tool.cost))
            succeeds = asked.chance(tool.succeeds)
            return ("call", tool.acts, succeeds, spent, asked.accuracy(accuracy))
        case p.AskTier(who=expr.Const(value=name)):
            tier = program.tiers[str(name)]
            cost = attempt_cost(model, step, link, tier.name)
            key = (id(link), tier.name, 1, False)
            return (
                "ask",
                outages.index(outage_key(tier.provider)),
                asked.chance(program.providers[tier.provider].available),
                asked.chance(tier.transient),
                asked.chance(link.recovers),
                asked.amount((key, "dollars"), cost.mean),
                asked.amount((key, "tokens"), cost.tokens_in.mean + cost.tokens_out.mean),
                asked.accuracy(link.accuracy_by_tier.get(tier.name, accuracy)),
            )
        case _:
            return ("value", asked.accuracy(accuracy))


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
    asked = _Arguments({}, {}, set())
    rates = (asked.chance(gate.evidence.catches), asked.chance(gate.evidence.false_alarms))
    names = (draw.key, EFFECT, *draw.given)
    # Values that an outcome hands over decide nothing about it.
    return Shape(("gate", len(draw.given), *rates), names, tuple(asked.chances))
