"""Keeping the frontier small: exactly where that can be, with certain bounds where it cannot.

Thirty steps side by side leave 2^30 states, though the step that joins them asks only whether all
are right. So values that the rest of the pipeline reads only together become one: the worst of
them. That loses nothing.

Where the frontier is too large all the same, the least likely states are left out, and how likely
they are is added up. Whatever became of them, a probability that was worked out without them is too
low by no more than that, and so every figure has certain bounds. Nothing is taken as independent.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from math import inf
from operator import itemgetter
from typing import Any

from pipelang.analysis.arithmetic.terms import Term, Untraceable
from pipelang.analysis.frontier.states import Key, State
from pipelang.analysis.frontier.table import DerivedTable, Table
from pipelang.analysis.kernels.conditions import gate_plan
from pipelang.analysis.model.model import PipelineModel, value_key
from pipelang.analysis.model.work_limit import WorkPart, limited, note_limit
from pipelang.analysis.sweep.liveness import Needed, Taint, uses
from pipelang.analysis.sweep.plain_steps import plain_step
from pipelang.semantics import program as p
from pipelang.semantics.kernels.redo import all_reruns, last_outcome, redo_of
from pipelang.semantics.reads import outcome_reads

MANY_STATES = 256
"""Above it values that are read together are looked for."""
MOST_STATES = 4_096
"""Above it the least likely states are left out; at fewer states in a long pipeline
(`most_states`).
"""
LEAST_STATES = 16
"""So many always stay."""
MOST_WORK = 600_000
"""States of all large tables together: some seconds of work at the default limit."""


MOST_UNROLLED = 250_000
"""States that redos send through items once more, before any are left out: some seconds of work at
the default limit. At half as many again none are sent back any more.
"""
UNROLLED_A_STEP = 100
"""So many more for each step: a long pipeline has many gates with a redo of their own."""
LEAST_WEIGHT = 1e-8
"""A run less likely than that is the first that is not redone."""


MOST_UNCUT = 16_384
"""States at most where none is likelier than another."""


class TooLarge(Exception):
    """The frontier of a sweep is too large, and nothing says which of its states matter least."""


def narrowed(model: PipelineModel, needed: Needed, index: int, table: Table) -> Table:
    """The table after the item of an index, made smaller if it is large."""
    if len(table) <= MANY_STATES:
        return table
    table = joined(model, needed, index, table)
    model.parameters.handled += len(table)
    most = most_states(model)
    if len(table) <= most:
        return table
    name = getattr(needed.block.items[index], "name", None) or "a branch"
    note_limit(WorkPart.STATES, f"{model.pipeline.name}.{name}", len(table), most)
    return _cut(model, table, most)


def most_states(model: PipelineModel) -> int:
    """The most states of a frontier: twice its even share of the work that is left, so that a
    short wide part may take from narrow ones, and at least half of its even share of everything.
    """
    most, count = limited(MOST_WORK), max(1, len(model.steps))
    left = max(0, most - model.parameters.handled) // max(1, count - model.passed)
    return max(LEAST_STATES, min(MOST_STATES, max(2 * left, most // count // 2)))


def fewer_redos(model: PipelineModel, block: p.Block, index: int, table: Table) -> Table:
    """The states that the item of an index sends back: those that are likely enough, once redos
    have taken all the work that they may. Counters of many gates make a state each of all their
    combinations, though no table needs to be large.
    """
    most = limited(MOST_UNROLLED + UNROLLED_A_STEP * len(model.steps))
    over = model.parameters.unrolled / most - 1
    if over <= 0 or not table:
        return table
    where = f"{model.pipeline.name}.{getattr(block.items[index], 'name', '')}"
    note_limit(WorkPart.STATES, where, model.parameters.unrolled + len(table), most)
    least = float(LEAST_WEIGHT ** (1 - 2 * over)) if over < 1 / 2 else inf
    if not _by_likelihood(table):
        if least == inf:
            raise TooLarge
        return table
    return _kept(model, table, lambda state, weight: _size(weight) > least)


def joined(model: PipelineModel, needed: Needed, index: int, table: Table) -> Table:
    """Values that are only read together from here on, as one: the first, which is as bad as the
    worst of them. The others are as if they were never drawn, which nobody takes for wrong.
    """
    groups: dict[Any, list[int]] = {}
    for at, key in enumerate(table.slots):
        if key[0] == "value" and key[1] not in model.latent:
            readers = _readers(model, needed, index, key)
            if any(readers) and None not in map(itemgetter(at), table.states):
                groups.setdefault(readers, []).append(at)
    alike = [places for places in groups.values() if len(places) > 1]
    if not alike:
        return table
    worst = {places[0]: places for places in alike}
    dropped = {at for places in alike for at in places[1:]}
    kept = [at for at in range(len(table.slots)) if at not in dropped]
    made = DerivedTable(table)
    for number, (state, weight) in enumerate(table.pairs):
        values = [
            max([state[other] for other in worst[at]]) if at in worst else state[at] for at in kept
        ]
        made.add(number, tuple(values), weight)
    return made.table([table.slots[at] for at in kept])


def _cut(model: PipelineModel, table: Table, most: int) -> Table:
    """The likeliest states; all of them in an arithmetic that knows no likelier."""
    if not _by_likelihood(table):
        if len(table) > MOST_UNCUT:
            raise TooLarge
        return table
    ranked = sorted(table.weights.items(), key=lambda pair: -_size(pair[1]))[:most]
    likeliest = {state for state, _ in ranked}
    return _kept(model, table, lambda state, weight: state in likeliest)


def _by_likelihood(table: Table) -> bool:
    """Whether the arithmetic knows which states are likelier. Raises where none may be left out."""
    if table.vectors is not None or any(isinstance(weight, Term) for weight in table.values):
        raise Untraceable("some states would be left out")
    if not all(isinstance(weight, float) or hasattr(weight, "max") for weight in table.values):
        return False
    if table.recorder is not None:
        raise TooLarge
    return True


def _kept(model: PipelineModel, table: Table, keeps: Callable[[State, Any], bool]) -> Table:
    """Some states of a table; the others are left out, and that is remembered."""
    made = DerivedTable(table)
    for number, (state, weight) in enumerate(table.weights.items()):
        if keeps(state, weight):
            made.add(number, state, weight)
    if len(made.weights) < len(table):
        model.parameters.left_out[model.pipeline.name] = None
    return made.table(table.slots)


def _size(weight: Any) -> float:
    """The probability of a state; the largest, where there are several points."""
    if isinstance(weight, complex):
        return abs(weight)
    return float(weight if isinstance(weight, float) else weight.max())


Reader = tuple[int, int]
"""An item of a block, and one of the sets that it reads together."""


def _readers(
    model: PipelineModel, needed: Needed, index: int, key: Key
) -> tuple[tuple[Reader, ...], ...]:
    """Return the readers of a value after the item of an index, for its block and each one around
    it.
    """
    found = []
    here: Needed | None = needed
    while here is not None:
        mine = _of_block(model, here.block, here.taint).get(key, [])
        found.append(tuple(mine[bisect_right(mine, (index, inf)) :]))
        index, here = here.at, here.after
    return tuple(found)


def _of_block(model: PipelineModel, block: p.Block, taint: Taint) -> dict[Key, list[Reader]]:
    """Every reader of every value in a block, in order; found once."""
    cached = ("readers", id(block), taint)
    known: dict[Key, list[Reader]] | None = model.prepared.get(cached)
    if known is not None:
        return known
    known = model.prepared[cached] = {}
    for number, item in enumerate(block.items):
        together = list(_together(model, item, taint))
        redo = redo_of(item)
        if redo is not None:
            for again in all_reruns(block.items, number, redo):
                together += _together(model, block.items[again], taint)
        for which, keys in enumerate(together):
            for key in keys:
                known.setdefault(key, []).append((number, which))
    return known


def _together(model: PipelineModel, item: p.Item, taint: Taint) -> Iterator[frozenset[Key]]:
    """Return the values that an item reads, in sets of which it only asks whether all are right. A
    value that is read in any other way is a set of its own.
    """
    around = frozenset(map(value_key, taint))
    match item:
        case p.Step():
            waits = frozenset(map(value_key, model.roots(item.reads)))
            if plain_step(model, item, taint) is None:
                yield from (frozenset((key,)) for key in waits | around)
            else:
                yield from (waits, around, waits | around)
        case p.Gate():
            for draw in gate_plan(model, item).draws:
                yield frozenset(draw.given)
            yield _outcome(model, last_outcome(item), around)
        case p.End():
            yield _outcome(model, item.outcome, around)
        case p.Let():
            return
        case _:
            yield from (frozenset((key,)) for key in uses(model, item, taint))


def _outcome(model: PipelineModel, outcome: p.Outcome, around: frozenset[Key]) -> frozenset[Key]:
    return around | {value_key(name) for name in model.roots(outcome_reads(outcome))}
