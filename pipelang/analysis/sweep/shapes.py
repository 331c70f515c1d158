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

from functools import lru_cache
from math import inf
from typing import Any, Literal

from pipelang.analysis.frontier.states import Key
from pipelang.analysis.kernels.costs import attempt_cost
from pipelang.analysis.kernels.providers import outage_key
from pipelang.analysis.model.inputs import Owner
from pipelang.analysis.model.model import EFFECT, END, PipelineModel, test_key
from pipelang.records import NamedTuple, dataclass
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance
from pipelang.semantics.kernels.chain import ending


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """All that items have alike that differ in names and numbers alone. Equal ones are one object
    (`structure`), so that finding what hangs on one does not compare its parts.
    """

    parts: tuple[Any, ...]


MOST_STRUCTURES = 4_000


@lru_cache(MOST_STRUCTURES)
def structure(*parts: Any) -> Structure:
    """The one structure of these parts."""
    return Structure(parts)


@dataclass(slots=True, eq=False)
class Form:
    """All that items have alike that differ in names alone: `chances` and `amounts` are the
    arguments, each once, and `accuracies` says which of the chances are those of a step, as the
    structure does. An amount is the mean of what is spent by a tool (its name) or by an attempt of
    a link (its place among the model's costs). Items of one form share one object.
    """

    structure: Structure
    chances: tuple[Chance, ...]
    amounts: tuple[tuple[Any, float], ...] = ()
    accuracies: tuple[int, ...] = ()


class Shape(NamedTuple):
    """An item by its form; `names` are the variables that it makes and reads, in the order in which
    the structure speaks of them. `own` is the outcome that it may end a run with, `owner` the step
    that it is.
    """

    form: Form
    names: tuple[Key, ...]
    owner: Owner | None
    own: p.Outcome


@dataclass(slots=True, eq=False)
class Outline:
    """All that plain steps have alike that differ in names alone: the values that all links read,
    or none (`given`, by link), the conditions around that the step does not read, the outages of
    its providers. Steps whose links call tools alone (`calls`) share it; `form` is there once it
    was asked for (False: it was not; None: an amount has no bound).
    """

    roots: int
    around: int
    outages: tuple[Key, ...]
    given: tuple[bool, ...]
    calls: bool
    form: Form | Literal[False] | None = False


Plain = tuple[Outline, tuple[Key, ...], Owner, p.Outcome | None]
"""A step that has a shape: its outline, and what its shape has besides the form (names, owner, own
outcome). The outcome is None where its chain ends as all do that do not say how. A tuple as it is,
which takes a third of the time of one with names: a long pipeline has one for each step.
"""

MADE = 3
"""The variables that a step makes, which stand before those that it reads."""


def form_of(model: PipelineModel, step: p.Step, outline: Outline) -> Form | None:
    """Return the form of a step that has a shape, by its outline; none if an amount has no
    bound.
    """
    if outline.form is False:
        links = step.chain.links
        outline.form = _form_of_call(model, outline, links[0]) if len(links) == 1 else None
        outline.form = outline.form or _new_form(model, step, outline)
    return outline.form


def shape_of(model: PipelineModel, step: p.Step, plain: Plain) -> Shape | None:
    """Return the shape of a step that has one, unless an amount has no bound."""
    outline, names, owner, _ = plain
    form = form_of(model, step, outline)
    return None if form is None else Shape(form, names, owner, ending(step.chain, step))


def _form_of_call(model: PipelineModel, outline: Outline, link: p.Link) -> Form | None:
    """The same form that `_new_form` makes, of a single call, as most steps are; None where its two
    chances may be one, or where it calls nothing.
    """
    if not isinstance(link.action, p.Call):
        return None
    tool, accuracy, (given,) = model.program.tools[link.action.tool], link.accuracy, outline.given
    if tool.succeeds.site == accuracy.site:
        return None
    call = ("call", tool.acts, 0, 0, 1, link.retry.count, given)
    alike = structure("step", outline.roots, outline.around, call)
    return Form(alike, (tool.succeeds, accuracy), ((tool.name, float(tool.cost)),), (1,))


def _new_form(model: PipelineModel, step: p.Step, outline: Outline) -> Form | None:
    asked = _Arguments()
    parts = [
        (*_numbers(model, step, link, outline.outages, asked), link.retry.count, given)
        for link, given in zip(step.chain.links, outline.given, strict=True)
    ]
    accuracies = dict.fromkeys(asked.accuracies)
    if inf in [amount for _, amount in asked.amounts]:
        return None
    alike = structure("step", outline.roots, outline.around, *parts)
    return Form(alike, tuple(asked.chances), tuple(asked.amounts), (*accuracies,))


class _Arguments:
    """The arguments of an item, as they are met: a few, so that looking through them is quick."""

    __slots__ = ("accuracies", "amounts", "chances")

    def __init__(self) -> None:
        self.chances: list[Chance] = []
        self.amounts: list[tuple[Any, float]] = []
        self.accuracies: list[int] = []

    def chance(self, chance: Chance) -> int:
        for number, known in enumerate(self.chances):
            if known is chance or (known.site == chance.site and known == chance):
                return number
        self.chances.append(chance)
        return len(self.chances) - 1

    def accuracy(self, chance: Chance) -> int:
        number = self.chance(chance)
        self.accuracies.append(number)
        return number

    def amount(self, key: Any, amount: float) -> int:
        for number, (known, _) in enumerate(self.amounts):
            if known == key:
                return number
        self.amounts.append((key, amount))
        return len(self.amounts) - 1


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


TESTED = 2
"""The variables of a gate's shape before those that it tests."""


def gate_shape(model: PipelineModel, gate: p.Gate) -> Shape | None:
    """The shape of a gate; None for one that has none. No number is asked for."""
    known: Any = model.shapes.get(id(gate), False)
    if known is False:
        known = model.shapes[id(gate)] = _gate_shape(model, gate)
    found: Shape | None = known
    return found


def _gate_shape(model: PipelineModel, gate: p.Gate) -> Shape | None:
    if not isinstance(gate.evidence, p.ByRates):
        return None
    if not isinstance(gate.otherwise, (p.Escalate, p.Reject, p.Fail)):
        return None
    condition = model.expand(gate.condition)
    given = model.given(condition)
    catches, alarms = gate.evidence.catches, gate.evidence.false_alarms
    # Values that an outcome hands over decide nothing about it.
    if catches.site == alarms.site and catches == alarms:
        form = Form(structure("gate", len(given), 0, 0), (catches,))
    else:
        form = Form(structure("gate", len(given), 0, 1), (catches, alarms))
    return Shape(form, (EFFECT, END, test_key(condition), *given), None, gate.otherwise)
