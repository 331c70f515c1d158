"""Transitions of plain items: computed once for a shape, then a few multiplications each time.

The effect of an item on one state depends only on its shape and the places of its variables. So it
is computed state by state by the ordinary code of the sweep, from a frontier that holds just that
state, and remembered with the layout. A pipeline of 10,000 steps has a few hundred transitions.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

from pipelang.analysis.frontier.states import Key, State, add
from pipelang.analysis.frontier.table import Table
from pipelang.analysis.frontier.tape import Ends, H, Transition, slots_after
from pipelang.analysis.frontier.totals import Totals, gain, record
from pipelang.analysis.sweep.liveness import Needed
from pipelang.analysis.sweep.pruning import MANY_STATES
from pipelang.analysis.sweep.signatures import Shape
from pipelang.semantics import program as p

FEW_STATES = 16
"""Up to so many states a transition is always worked out state by state."""

Act = Callable[[Totals, Table], Table]
"""The ordinary computation: from a table to the table after an item; adds to the totals."""


def may_be_shared(table: Table) -> bool:
    """Whether the transition of a table is worked out state by state and remembered."""
    if table.tape is None or not table.tape.shares or not 0 < len(table) <= MANY_STATES:
        return False
    return len(table) <= FEW_STATES or table.tape.repeats


def moved(
    table: Table,
    shape: Shape,
    needed: Needed,
    index: int,
    leaves: bool,
    act: Act,
    totals: Totals,
    own: p.Outcome,
    name: str | None,
) -> Table:
    """Return the table after the item of an index. `needed` says which variables are read later,
    `leaves` that a region is left; `own` is the outcome that the item itself may end with, `name`
    that of a step.
    """
    slots, tape = table.slots, table.tape
    assert tape is not None
    names = shape.names
    places = tuple([slots.index(key) if key in slots else -1 for key in names])
    key = (
        shape.signature,
        places,
        needed.keeping(slots, index),
        needed.keeping(names, index),
        leaves,
    )
    move: Transition | None = table.layout.moves.get(key)
    tape.hits += move is not None
    if move is None:
        tape.misses += len(table) > FEW_STATES
        move = table.layout.moves[key] = _worked_out(table, names, act, own, name)
    assert move.target is not None
    weights = table.values
    after = [0.0] * len(move.target.states)
    for start, end, chance in move.edges:
        after[end] += weights[start] * chance
    result = Table.of(slots_after(move.recipe, slots, names), move.target, after, tape)
    if tape.records:
        tape.entries.append((table, result, move, name))
    _account(totals, move, weights, own, name)
    return result


def _account(
    totals: Totals, move: Transition, weights: list[float], own: p.Outcome, name: str | None
) -> None:
    totals.work += move.work
    totals.widest = max(totals.widest, len(weights))
    for outcome, is_right, wrong, shares in move.ends:
        weight = 0.0
        for start, share in shares:
            weight += weights[start] * share
        if weight:
            record(totals, outcome or own, is_right, wrong, weight)
    if name is None:
        return
    if move.same is not None:
        reached = sum([weights[start] for start in move.reached])
        cost, tokens = reached * move.same[0], reached * move.same[1]
    else:
        reached = cost = tokens = 0.0
        for start, dollars, count in zip(move.reached, move.costs, move.tokens, strict=True):
            weight = weights[start]
            if weight:  # what never happens costs nothing, even where nothing bounds it
                reached += weight
                cost += weight * dollars
                tokens += weight * count
    totals.reached[name] = totals.reached.get(name, 0.0) + reached
    totals.step_costs[name] = totals.step_costs.get(name, 0.0) + cost
    totals.cost += cost
    totals.tokens += tokens
    for role, shares in move.asked:
        add(totals.asked, role, sum(weights[start] * often for start, often in shares))


def _worked_out(
    table: Table, names: tuple[Key, ...], act: Act, own: p.Outcome, name: str | None
) -> Transition:
    tape, slots = table.tape, table.slots
    assert tape is not None
    made: dict[State, int] = {}
    order: tuple[Key, ...] | None = None
    edges: list[tuple[int, int, Any]] = []
    ends: dict[tuple[bool, bool, bool], tuple[Any, list[tuple[int, Any]]]] = {}
    spent: list[tuple[int, float, float]] = []
    asked: dict[str, list[tuple[int, float]]] = {}
    work = 0
    for start, state in enumerate(table.layout.states):
        totals = Totals()
        result = act(totals, Table(slots, {state: 1.0}))
        work += totals.work
        if result:
            order = result.slots if order is None else order
            places = [result.slots.index(key) for key in order]
            for target, chance in result.weights.items():
                end = made.setdefault(tuple([target[at] for at in places]), len(made))
                edges.append((start, end, chance))
        for (_, is_right, wrong), (outcome, chance) in totals.endings.items():
            kind = (outcome == own, is_right, wrong)
            ends.setdefault(kind, (outcome, []))[1].append((start, chance))
        if totals.reached:
            spent.append((start, totals.cost.real, totals.tokens.real))
        for role, often in totals.asked.items():
            asked.setdefault(role, []).append((start, often.real))
    recipe = [slots.index(key) if key in slots else -1 - names.index(key) for key in order or ()]
    gains, rises, closed = _ended(ends, own)
    return Transition(
        edges=tuple([(start, end, chance.real) for start, end, chance in edges]),
        target=tape.layout(tuple(made)),
        recipe=tuple(recipe),
        slopes=tuple([(s, end, chance.imag / H) for s, end, chance in edges if chance.imag]),
        ends=closed,
        gains=gains,
        rises=rises,
        reached=tuple([start for start, _, _ in spent]),
        costs=tuple([cost for _, cost, _ in spent]),
        tokens=tuple([tokens for _, _, tokens in spent]),
        same=_same([(cost, tokens) for _, cost, tokens in spent]),
        asked=tuple((role, tuple(shares)) for role, shares in asked.items()),
        work=work,
    )


def _ended(
    ends: dict[tuple[bool, bool, bool], tuple[Any, list[tuple[int, Any]]]], own: p.Outcome
) -> tuple[tuple[tuple[int, complex], ...], tuple[tuple[int, complex], ...], tuple[Ends, ...]]:
    gains: list[tuple[int, complex]] = []
    rises: list[tuple[int, complex]] = []
    closed: list[Ends] = []
    for (mine, is_right, wrong), (outcome, shares) in ends.items():
        plain = tuple([(start, chance.real) for start, chance in shares])
        closed.append((None if mine else outcome, is_right, wrong, plain))
        worth = gain(outcome, is_right, wrong)
        if worth:
            gains += [(start, worth * chance) for start, chance in plain]
            rises += [(start, worth * chance.imag / H) for start, chance in shares]
    return tuple(gains), tuple(rises), tuple(closed)


def _same(spent: list[tuple[float, float]]) -> tuple[float, float] | None:
    """Return the cost and tokens of every state, if they are all the same and finite; else None."""
    alike = set(spent)
    if len(alike) != 1 or not all(map(isfinite, spent[0])):
        return None
    return spent[0]
