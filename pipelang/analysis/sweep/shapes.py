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

from collections.abc import Iterable
from functools import lru_cache
from math import inf
from typing import Any, Literal

from pipelang.analysis.frontier.states import Key
from pipelang.analysis.kernels.conditions import drawn_by_rates
from pipelang.analysis.kernels.costs import attempt_cost
from pipelang.analysis.kernels.providers import outage_key
from pipelang.analysis.model.inputs import Owner
from pipelang.analysis.model.model import EFFECT, END, PipelineModel, value_key
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


class Plain(NamedTuple):
    """A step that has a shape, by its outline and by what its shape has besides the form. `own` is
    None where its chain ends as all do that do not say how.
    """

    outline: Outline
    names: tuple[Key, ...]
    owner: Owner
    own: p.Outcome | None

    @property
    def reads(self) -> tuple[Key, ...]:
        """Every variable that it reads."""
        return self.names[MADE:]


MADE = 3
"""The variables that a step makes, which stand before those that it reads."""


def plain_step(model: PipelineModel, step: p.Step, taint: frozenset[str]) -> Plain | None:
    """A step under the conditions `taint`, if it has a shape; no number is asked for."""
    key = (id(step), taint) if taint else id(step)
    known: Any = model.shapes.get(key, False)
    if known is False:
        known = model.shapes[key] = _plain_step(model, step, taint)
    found: Plain | None = known
    return found


def plain_steps(
    model: PipelineModel, items: Iterable[p.Item], taint: frozenset[str]
) -> list[Plain | None]:
    """The items of a block by their index: a step that has a shape, else None."""
    shapes, latent, here, roots_of = model.shapes, model.latent, model.pipeline.name, model.roots
    new = tuple.__new__  # half the time of a call
    # Most steps of a long pipeline call one tool. What such a step has alike with others is found
    # by the identity of what they share, without a call for each.
    lone: dict[tuple[Any, ...], Outline] = {}
    found: list[Plain | None] = []
    for item in items:
        if not isinstance(item, p.Step):
            found.append(None)
            continue
        chain, reads, name = item.chain, item.reads, item.name
        link = chain.links[0]
        action = link.action
        if (
            not isinstance(action, p.Call)
            or len(chain.links) > 1
            or chain.end is not None
            or link.reads is not reads
            or link.vote is not None
            or link.cache is not None
            or taint
            or name in latent
        ):
            found.append(plain_step(model, item, taint))
            continue
        roots, retry = roots_of(reads), link.retry
        count = len(roots)
        key = (count, action.tool, id(link.accuracy), retry.count, retry.backoff, link.timeout)
        outline = lone.get(key)
        if outline is None:
            alike = _of_call(action, link, bool(roots))
            outline = lone[key] = _outline(model, count, 0, (), (bool(roots),), alike)
        if count == 1:
            (root,) = roots
            names: tuple[Key, ...] = (value_key(name), EFFECT, END, value_key(root))
        else:
            names = (value_key(name), EFFECT, END, *map(value_key, sorted(roots)))
        one = shapes[id(item)] = new(Plain, (outline, names, (here, name), None))
        found.append(one)
    return found


def outlines_of(model: PipelineModel, steps: Iterable[p.Step]) -> list[Outline | None]:
    """The outlines of steps by themselves, whatever they stand under; None of one without."""
    nowhere, known = frozenset[str](), model.shapes.get
    found: list[Outline | None] = []
    for step in steps:
        one: Any = known(id(step), False)
        if one is False:
            one = plain_step(model, step, nowhere)
        found.append(None if one is None else one[0])
    return found


def _plain_step(model: PipelineModel, step: p.Step, taint: frozenset[str]) -> Plain | None:
    chain, reads, name = step.chain, step.reads, step.name
    links, end = chain.links, chain.end
    if (end is not None and isinstance(end, p.Return)) or name in model.latent:
        return None
    roots = model.roots(reads)
    around = sorted(taint - roots) if taint else ()
    outages: tuple[Key, ...] = ()
    given: list[bool] = []
    # Steps that call tools alone have an outline in common with all that are alike in this.
    alike: tuple[Any, ...] = ()
    calls = True
    for link in links:
        if link.vote is not None or link.cache is not None:
            return None
        action, behind = link.action, roots
        if link.reads is not reads and link.reads != reads:
            behind = model.roots(link.reads)
            if behind and behind != roots:
                return None
        given.append(bool(behind))
        if isinstance(action, p.Call):
            alike += _of_call(action, link, bool(behind))
            continue
        calls = False
        if not isinstance(action, p.Value):
            if not isinstance(action, p.AskTier) or not isinstance(action.who, expr.Const):
                return None
            outage = outage_key(model.program.tiers[str(action.who.value)].provider)
            outages = outages if outage in outages else (*outages, outage)
    names = (value_key(name), EFFECT, END, *map(value_key, sorted(roots)))
    if around or outages:
        names = (*names, *map(value_key, around), *outages)
    outline = _outline(
        model, len(roots), len(around), outages, tuple(given), alike if calls else None
    )
    made = (outline, names, (model.pipeline.name, name), end)
    return tuple.__new__(Plain, made)  # half the time of a call


def _of_call(action: p.Call, link: p.Link, given: bool) -> tuple[Any, ...]:
    """All that steps have alike whose links call a tool in the same way."""
    # A site is one parameter: where it is named, its number need not be compared.
    accuracy, retry = link.accuracy, link.retry
    kind = accuracy.__class__
    return (action.tool, accuracy.site, kind, retry.count, retry.backoff, link.timeout, given)


def _outline(
    model: PipelineModel,
    roots: int,
    around: int,
    outages: tuple[Key, ...],
    given: tuple[bool, ...],
    alike: tuple[Any, ...] | None,
) -> Outline:
    """The outline of a step; the one of all whose links call tools alone and are `alike`."""
    if alike is None:
        return Outline(roots, around, outages, given, False)
    key = (roots, around, alike)
    known: Outline | None = model.shapes.get(key)
    if known is None:
        known = model.shapes[key] = Outline(roots, around, outages, given, True)
    return known


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
    key, given = drawn_by_rates(model, gate)
    catches, alarms = gate.evidence.catches, gate.evidence.false_alarms
    # Values that an outcome hands over decide nothing about it.
    if catches.site == alarms.site and catches == alarms:
        form = Form(structure("gate", len(given), 0, 0), (catches,))
    else:
        form = Form(structure("gate", len(given), 0, 1), (catches, alarms))
    return Shape(form, (EFFECT, END, key, *given), None, gate.otherwise)
