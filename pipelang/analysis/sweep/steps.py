"""A step in the sweep: its draws, its value, and where it ends the run.

A region is left as a whole. A step whose chain is used up ends the run there and then, because
steps are taken in writing order and the first ending in writing order counts; the state still
carries (`END`) which of the region's other steps run, and their cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelang.analysis.frontier.recorder import FrontierRecorder
from pipelang.analysis.frontier.states import Key, State, add, share_of
from pipelang.analysis.frontier.table import Table, assign, forget, reader, split, summed
from pipelang.analysis.frontier.totals import Ending, record
from pipelang.analysis.kernels.conditions import perform
from pipelang.analysis.kernels.outcome_distribution import Closed
from pipelang.analysis.model.model import (
    ABSENT,
    EFFECT,
    END,
    RIGHT,
    WRONG,
    latent_key,
    value_key,
)
from pipelang.analysis.sweep.branching import is_right, outdated
from pipelang.analysis.sweep.redos import FIRST_VISIT, Visit
from pipelang.analysis.sweep.shapes import shape_of
from pipelang.analysis.sweep.state import BlockSweep
from pipelang.analysis.sweep.transitions import moved, moved_on
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import ending


def region(walk: BlockSweep, members: Sequence[int], table: Table, visit: Visit) -> Table:
    """Steps in writing order."""
    items, model, plain = walk.block.items, walk.sweep.model, walk.needed.plain
    steps = [index for index in members if plain[index] or isinstance(items[index], p.Step)]
    last = steps[-1] if steps else -1
    last_reads: dict[Key, int] | None = None
    number = 0
    while number < len(steps):
        if plain[steps[number]] and visit.first and table.vectors is not None and table:
            table, number = moved_on(walk, table, steps, number, last)
            if number == len(steps):
                break
        index = steps[number]
        step = items[index]
        assert isinstance(step, p.Step)
        model.passed += 1
        number += 1
        after = None
        one = plain[index]
        if one is not None and visit.first and table.vectors is not None:
            shape = shape_of(model, step, one)
            if shape is not None:
                after = moved(walk, table, shape, index, index == last, _at_first, one[3])
        if after is None:
            after = _visited(walk, index, table, visit, index == last)
        table = after
        if len(table.slots) > LIVE and index != last and len(table) > MANY:
            last_reads = _last_reads(walk, steps) if last_reads is None else last_reads
            table = _ended_alike(table, last_reads, index)
    return table


MANY, LIVE = 256, 5
"""States, and variables that make them, of which it pays to look for those that are alike."""


def _last_reads(walk: BlockSweep, steps: Sequence[int]) -> dict[Key, int]:
    """The last place in a region that reads the value of a step of it; its own if none does."""
    model, items = walk.sweep.model, walk.block.items
    found: dict[Key, int] = {}
    for index in steps:
        step = items[index]
        assert isinstance(step, p.Step)
        reads = list(walk.sweep.kernel(step, walk.taint).prepared.reads)
        for name in model.roots(step.reads):
            reads += (value_key(name), latent_key(name))
        found.update((key, index) for key in reads if key in found)
        found.update(dict.fromkeys((value_key(step.name), latent_key(step.name)), index))
    return found


def _ended_alike(table: Table, last_reads: Mapping[Key, int], index: int) -> Table:
    """The table in which a run that is to end knows of its region's steps only what is read in it
    from here on: 8 calls side by side, each of which may end the run, are 256 states that go on,
    and had 6,305 besides that do not.
    """
    at = table.index(END)
    gone = tuple(key for key in table.slots if last_reads.get(key, index + 1) <= index)
    if at is None or not gone or not any(state[at] for state in table.states):
        return table
    nothing = (None,) * len(gone)

    def known(seen: State) -> list[tuple[State, int]]:
        return [(nothing if seen[0] else seen[1:], 1)]

    return assign(table, gone, (END, *gone), known)


def _at_first(walk: BlockSweep, index: int, table: Table, leaves: bool) -> Table:
    return _visited(walk, index, table, FIRST_VISIT, leaves)


def _visited(walk: BlockSweep, index: int, table: Table, visit: Visit, leaves: bool) -> Table:
    step = walk.block.items[index]
    assert isinstance(step, p.Step)
    walk.sweep.totals.went_through(len(table))
    table = walk.let_go(index, _step(walk, index, table, visit.first, visit.told == index))
    return _leave(table) if leaves else table


def _leave(table: Table) -> Table:
    """Return the states in which the run did not end in the region."""
    if table.index(END) is None:
        return table
    going = split(table, (END,), lambda seen: bool(seen[0])).get(False)
    return table.empty() if going is None else forget(going, lambda key: key != END)


def _step(walk: BlockSweep, index: int, table: Table, first: bool, told: bool) -> Table:
    sweep, model, step = walk.sweep, walk.sweep.model, walk.block.items[index]
    assert isinstance(step, p.Step)
    counts_beside = model.meter is not None and model.meter.counts_beside
    kernel = sweep.kernel(step, walk.taint)
    prepared = kernel.prepared
    if not first:
        table = outdated(table, step.name)
    table = perform(table, prepared.plan)
    waits = [value_key(name) for name in sorted(model.roots(step.reads))]
    own, latent = value_key(step.name), latent_key(step.name)
    reads = (*prepared.reads, EFFECT, END, latent)
    bits = len(prepared.reads)
    waiting = [prepared.reads.index(key) for key in waits]
    weights = summed(table, reads)
    known: dict[tuple[Any, ...], Closed] = {}
    alike: dict[Any, Closed] = {}
    endings: dict[State, list[tuple[Ending, Any]]] = {}

    def ends(seen: State, outcome: p.Outcome, right: bool, wrong: bool, chance: Any) -> None:
        if not seen[bits + 1]:  # the first ending in writing order counts
            weight = weights[seen] * chance
            if counts_beside:
                weight = weight * model.meter.beside(model, walk.block, index)
            record(sweep.totals, outcome, right, wrong, weight)
            endings.setdefault(seen, []).append(((outcome, right, wrong), chance))

    def results(seen: State) -> list[tuple[tuple[Any, ...], Any]]:
        effect, end, former = seen[bits], seen[bits + 1], seen[bits + 2]
        if any(seen[at] == ABSENT for at in waiting):
            return [((ABSENT, None, effect, end), 1)]
        values = dict(zip(prepared.reads, seen[:bits], strict=True))
        situation = (*seen[:bits], former)
        closed = known.get(situation)
        if closed is None:
            again = sweep.again or not first
            closed = kernel.close(values, walk.taint, None if first else former, again, told, alike)
            known[situation] = closed
            sweep.totals.work += closed.work
        _account(walk, step, weights[seen], closed, first)
        outcomes: list[tuple[tuple[Any, ...], Any]] = []
        for (right, kept, wrong), chance in closed.answers.items():
            bit = RIGHT if right else WRONG
            outcomes.append(((bit, kept, effect or wrong, end), chance))
        for wrong, chance in closed.fails.items():
            outcome = ending(step.chain, step)
            right = is_right(model, outcome, values, walk.taint)
            ends(seen, outcome, right, effect or wrong, chance)
            outcomes.append(((ABSENT, None, effect or wrong, True), chance))
        for (outcome, right, wrong), chance in closed.ends.items():
            ends(seen, outcome, right, effect or wrong, chance)
            outcomes.append(((ABSENT, None, effect or wrong, True), chance))
        return outcomes

    made = assign(table, (own, latent, EFFECT, END), reads, results, step.name)
    if table.recorder is not None and table.recorder.records:
        _note_endings(table.recorder, table, reads, endings, step.name)
    return made


def _note_endings(
    recorder: FrontierRecorder,
    table: Table,
    reads: tuple[Key, ...],
    endings: dict[State, list[tuple[Ending, Any]]],
    name: str,
) -> None:
    read = reader(table, reads)
    found = [
        (number, how, chance)
        for number, state in enumerate(table.layout.states)
        for how, chance in endings.get(read(state), ())
    ]
    if found:
        recorder.ended_by(table, name, found)


def _account(walk: BlockSweep, step: p.Step, weight: Any, closed: Closed, first: bool) -> None:
    totals = walk.sweep.totals
    if first:
        totals.reached[step.name] = totals.reached.get(step.name, 0.0) + weight
    spent = share_of(closed.cost, weight)
    totals.cost = totals.cost + spent
    totals.tokens = totals.tokens + share_of(closed.tokens, weight)
    totals.step_costs[step.name] = totals.step_costs.get(step.name, 0.0) + spent
    for role, often in closed.asked.items():
        add(totals.asked, role, weight * often)
    for place, amount in closed.inside.items():
        add(totals.inside, place, share_of(amount, weight))
