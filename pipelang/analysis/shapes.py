"""Shapes: what two items must have in common to do the same to a frontier.

A large pipeline says the same thing many times: a call of the same tool under other names, a gate
with the same rates. What such an item does to the states depends on its numbers, on where in a
state the variables stand that it reads, and on which of them are read later. The numbers are its
signature; items with one signature share their moves (`pipelang.analysis.moves`).

Only plain items have one: calls and asks of a fixed tier, with retries and fallbacks, all of which
read the same values, and gates with declared rates that end the run. All others are worked out
one by one.
"""

from __future__ import annotations

from typing import Any

from pipelang.analysis.conditions import gate_plan
from pipelang.analysis.model import EFFECT, END, Model, value_key
from pipelang.analysis.preparing import outage_key
from pipelang.analysis.prices import attempt_cost
from pipelang.analysis.table import Key
from pipelang.records import dataclass
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p


@dataclass(frozen=True, slots=True)
class Shape:
    """`names` are the variables that the item makes and reads, in the order in which the signature
    speaks of them; `reads` those among them that it reads.
    """

    signature: tuple[Any, ...]
    names: tuple[Key, ...]
    reads: tuple[Key, ...]


def step_shape(model: Model, step: p.Step, taint: frozenset[str]) -> Shape | None:
    """The shape of a step under the conditions `taint`, found once; None for one that has none."""
    key = ("shape", id(step), taint)
    if key not in model.prepared:
        model.prepared[key] = _step_shape(model, step, taint)
    known: Shape | None = model.prepared[key]
    return known


def _step_shape(model: Model, step: p.Step, taint: frozenset[str]) -> Shape | None:
    if step.name in model.latent or isinstance(step.chain.end, p.Return):
        return None
    roots = model.roots(step.reads)
    parts: list[Any] = []
    providers: list[Key] = []
    for link in step.chain.links:
        part = _link(model, step, link, roots, providers)
        if part is None:
            return None
        parts.append(part)
    behind = sorted(taint - roots) if taint else ()
    reads = (*map(value_key, sorted(roots)), *map(value_key, behind), *providers)
    names = (value_key(step.name), EFFECT, END, *reads)
    return Shape(("step", len(roots), len(behind), *parts), names, reads)


def _link(
    model: Model, step: p.Step, link: p.Link, roots: frozenset[str], providers: list[Key]
) -> tuple[Any, ...] | None:
    """The numbers of a link, as the chain's kernel asks for them."""
    if link.vote is not None or link.cache is not None:
        return None
    number = model.parameters.value
    program, action, accuracy = model.program, link.action, link.accuracy
    what: tuple[Any, ...]
    match action:
        case p.Call():
            given = _given(model, action.arguments)
            tool = program.tools[action.tool]
            what = ("call", tool.acts, number(tool.succeeds), float(tool.cost))
        case p.AskTier(who=ir.Const(value=name)):
            given = _given(model, action.arguments)
            tier = program.tiers[str(name)]
            outage = outage_key(tier.provider)
            if outage not in providers:
                providers.append(outage)
            spent = attempt_cost(model, step, link, tier.name)
            what = (
                "ask",
                providers.index(outage),
                number(program.providers[tier.provider].available),
                number(tier.transient),
                number(link.recovers),
                spent.mean,
                spent.tokens_in.mean + spent.tokens_out.mean,
            )
            accuracy = link.accuracy_by_tier.get(tier.name, accuracy)
        case p.Value():
            given = model.values(action.value)
            what = ("value",)
        case _:
            return None
    if given and given != roots:
        return None
    return (*what, number(accuracy), link.retry.count, bool(given))


def _given(model: Model, arguments: tuple[tuple[str, ir.Expr], ...]) -> frozenset[str]:
    """The steps behind some arguments."""
    names: set[str] = set()
    for _, value in arguments:
        if isinstance(value, ir.Read):
            names.add(value.name)
        else:
            names |= ir.mentions(value)
    return model.roots(frozenset(names))


def gate_shape(model: Model, gate: p.Gate) -> Shape | None:
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
    return Shape(("gate", len(draw.given), catches, alarms), names, (draw.key, *draw.given))
