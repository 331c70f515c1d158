"""Moves of plain items: compiled once for a structure, then one operation of a formula each time.

The effect of an item on one state depends only on its structure and the places of its variables;
its rates and costs are arguments. So it is worked out over terms, state by state, by the ordinary
code of the sweep, from a frontier that holds just that state, compiled to straight-line code, and
remembered with the layout. A pipeline of 10,000 steps has some dozen moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import count
from typing import Any

from pipelang.analysis.arithmetic.movers import CompiledMove, compiled_move
from pipelang.analysis.arithmetic.terms import Term, Trace
from pipelang.analysis.frontier.recorder import MOST_LAYOUTS, OpenEnding, Vectors
from pipelang.analysis.frontier.states import Key, Layout, State
from pipelang.analysis.frontier.table import Table, picker
from pipelang.analysis.frontier.totals import Totals
from pipelang.analysis.kernels.costs import AttemptCost
from pipelang.analysis.model.inputs import Arguments, FormulaInputs, Owner
from pipelang.analysis.model.model import END
from pipelang.analysis.sweep.liveness import Needed
from pipelang.analysis.sweep.pruning import MANY_STATES, narrowed
from pipelang.analysis.sweep.shapes import Form, Shape, Structure, form_of
from pipelang.analysis.sweep.state import BlockSweep, Sweep
from pipelang.records import NamedTuple, dataclass, replace
from pipelang.semantics import program as p
from pipelang.semantics.sizes import NONE, Size

FEW_STATES = 32
"""Up to so many states a move is compiled at once; from more, when it comes `OFTEN`."""

OFTEN = 3

Act = Callable[[BlockSweep, int, Table, bool], Table]
"""The ordinary computation: from a table to the table after the item of an index, with which a
region may be left; adds to the totals.
"""


Pick = Callable[[tuple[Key, ...]], tuple[Key, ...]]
"""Picks some of the slots before and the item's names."""


class Transition(NamedTuple):
    """The move of an item from a layout. `pick` gives the slots after. `ends` are the ways in which
    a run may end there (with None for the item's own outcome), `work` the states that are gone
    through.
    """

    move: CompiledMove
    target: Layout
    pick: Pick
    ends: tuple[OpenEnding, ...]
    work: int


def moved(
    walk: BlockSweep,
    table: Table,
    shape: Shape,
    index: int,
    leaves: bool,
    act: Act,
    told: p.Outcome | None,
) -> Table | None:
    """Return the table after the item of an index; None where that is better worked out as any
    other. `leaves` says that a region is left, `told` is the outcome that is counted (`Moved`).
    """
    form, names, owner, _ = shape
    slots, vectors, layout = table.slots, table.vectors, table.layout
    assert vectors is not None
    before = len(layout.states)
    if not 0 < before <= MANY_STATES:
        return None
    bundles = vectors.bundles[walk.sweep.model.parameters.hard]
    bundle, kind = bundles.get(form) or _arguments(walk, vectors, form, owner)
    key = _key(kind, slots, names, walk.needed.keeping(names, index), leaves)
    known: Transition | int = layout.moves.get(key, 0)
    if isinstance(known, int):
        made = None
        if before <= FEW_STATES or known + 1 >= OFTEN:
            made = _worked_out(walk, table, shape, kind, index, leaves, act, vectors)
        if made is None:
            layout.moves[key] = known + 1
            return None
        known = layout.moves[key] = made
    move, target, pick, ends, work = known
    at = vectors.trace.move(table.at, move, bundle, owner)
    if owner is not None or ends:
        vectors.moved.append((at, owner, ends, told))
    totals = walk.sweep.totals
    totals.work += work
    if before > totals.widest:
        totals.widest = before
    after = Table.of(pick(slots + names), target, at, vectors)
    if len(target.states) > MANY_STATES:
        return narrowed(walk.sweep.model, walk.needed, index, after)
    return after


def moved_on(
    walk: BlockSweep, table: Table, steps: Sequence[int], number: int, last: int
) -> tuple[Table, int]:
    """Go on through the `steps` of a region from the one of this number, as far as the move of each
    is known: the same as `moved`, in one loop, for all but the first of their kind.
    """
    vectors, needed, totals, model = table.vectors, walk.needed, walk.sweep.totals, walk.sweep.model
    assert vectors is not None
    plain, trace, told = needed.plain, vectors.trace, vectors.moved
    bundles, items = vectors.bundles[model.parameters.hard], walk.block.items
    slots, layout, at = table.slots, table.layout, table.at
    work, widest, began = 0, totals.widest, number
    while number < len(steps):
        index = steps[number]
        one = plain[index]
        if one is None:
            break
        outline, names, owner, own = one
        form = outline.form
        if form is False:
            step = items[index]
            assert isinstance(step, p.Step)
            form = form_of(model, step, outline)
        if form is None:
            break
        bundle, kind = bundles.get(form) or _arguments(walk, vectors, form, owner)
        known = layout.moves.get(_step_key(kind, slots, names, needed, index, index == last))
        if known.__class__ is not Transition:
            break
        before = len(layout.states)
        move, target, pick, ends, more = known
        if len(target.states) > MANY_STATES:
            break
        at = trace.move(at, move, bundle, owner)
        told.append((at, owner, ends, own))
        work += more
        if before > widest:
            widest = before
        slots, layout = pick(slots + names), target
        number += 1
    if number == began:
        return table, number
    totals.work += work
    totals.widest = widest
    model.passed += number - began
    return Table.of(slots, layout, at, vectors), number


def _key(
    kind: MoveKind,
    slots: tuple[Key, ...],
    names: tuple[Key, ...],
    keeping: Iterable[bool],
    leaves: bool,
) -> tuple[Any, ...]:
    """The key of a move from a layout: where each name is among the slots (None: nowhere), and
    which of them are read later. All other slots are, since what nothing reads was summed out.
    """
    return (kind, leaves, *map(dict(zip(slots, count())).get, names), *keeping)


def _step_key(
    kind: MoveKind,
    slots: tuple[Key, ...],
    names: tuple[Key, ...],
    needed: Needed,
    index: int,
    leaves: bool,
) -> tuple[Any, ...]:
    """The same key of a step that runs for the first time. For one that stands in no branch and
    reads a value or two it is written out, which takes a third of the time.
    """
    if needed.after is None:
        at, last = slots.index, needed.last.get
        try:
            # Its own value is not there yet, and what is marked of a run is always read.
            if len(names) == 4:
                own, effect, end, read = names
                places = None, at(effect), at(end), at(read)
                return (
                    kind,
                    leaves,
                    *places,
                    last(own, -1) > index,
                    True,
                    True,
                    last(read, -1) > index,
                )
            if len(names) == 5:
                own, effect, end, read, also = names
                return (
                    kind,
                    leaves,
                    None,
                    at(effect),
                    at(end),
                    at(read),
                    at(also),
                    last(own, -1) > index,
                    True,
                    True,
                    last(read, -1) > index,
                    last(also, -1) > index,
                )
        except ValueError:  # one is not among the slots
            pass
    return _key(kind, slots, names, needed.keeping(names, index), leaves)


@dataclass(frozen=True, slots=True, eq=False)
class MoveKind:
    """Items that have their moves in common: those of a structure by the `pattern` of which of
    their arguments are 0 or 1 (None: neither). There is one of each in a process.
    """

    structure: Structure
    pattern: tuple[Any, ...]


@lru_cache(MOST_LAYOUTS)
def _kind(structure: Structure, pattern: tuple[Any, ...]) -> MoveKind:
    return MoveKind(structure, pattern)


def _arguments(
    walk: BlockSweep, vectors: Vectors, form: Form, owner: Owner | None
) -> tuple[int, MoveKind]:
    """The register of an item's arguments, and its kind."""
    parameters = walk.sweep.model.parameters
    inputs = parameters.inputs
    assert isinstance(inputs, FormulaInputs)
    amounts = tuple([amount for _, amount in form.amounts])
    at, fixed = inputs.bundle(parameters, owner, form.chances, form.accuracies, amounts)
    kind = _kind(form.structure, fixed)
    known = vectors.bundles[parameters.hard][form] = (at, kind)
    return known


def _worked_out(
    walk: BlockSweep,
    table: Table,
    shape: Shape,
    kind: MoveKind,
    index: int,
    leaves: bool,
    act: Act,
    vectors: Vectors,
) -> Transition | None:
    """The transition from a table; None for one that has a slot which nobody reads any more."""
    form, names, owner, own = shape
    if not all(walk.needed.keeps(key, index) for key in table.slots if key not in names):
        return None
    trace = Trace()
    numbers = [trace.new() if fixed is None else fixed for fixed in kind.pattern]
    chances = dict(zip(form.chances, numbers, strict=False))
    amounts = dict(zip([key for key, _ in form.amounts], numbers[len(form.chances) :], strict=True))
    model = walk.sweep.model
    model = replace(
        model,
        parameters=replace(model.parameters, inputs=Arguments(chances)),
        prepared={},
        amounts={key: amount for key, amount in amounts.items() if isinstance(key, str)},
        costs=_costs(amounts),
    )
    sweep = replace(walk.sweep, model=model, kernels={}, plans={})
    made: dict[State, int] = {}
    order: tuple[Key, ...] = ()
    edges: list[tuple[int, int, Any]] = []
    ends: dict[OpenEnding, dict[int, Any]] = {}
    spent: list[dict[int, Any]] = [{}, {}, {}]
    work = 0
    # States that are alike in what the item reads fare alike: the rest of them is carried along.
    alike = picker([at for at, key in enumerate(table.slots) if key in names])
    effects: dict[State, _Effect] = {}
    for start, state in enumerate(table.states):
        seen = alike(state)
        effect = effects.get(seen)
        if effect is None:
            single = Table(table.slots, {state: 1.0})
            effect = effects[seen] = _effect(walk, sweep, act, index, single, leaves)
        work += effect.totals.work
        order = order or effect.slots
        rest = {key: one for key, one in zip(table.slots, state, strict=True) if key not in names}
        for target, chance in effect.goes_on:
            values = tuple([rest[key] if key in rest else target[key] for key in order])
            edges.append((start, made.setdefault(values, len(made)), chance))
        for (_, is_right, wrong), (outcome, chance) in effect.totals.endings.items():
            mine = ends.setdefault((None if outcome == own else outcome, is_right, wrong), {})
            mine[start] = mine.get(start, 0.0) + chance
        if effect.totals.reached:
            amounts_here = (1.0, effect.totals.cost, effect.totals.tokens)
            for amount, sums in zip(amounts_here, spent, strict=True):
                sums[start] = amount
    variables = table.slots + names
    pick = picker([variables.index(key) for key in order])
    arguments = [one for one in numbers if isinstance(one, Term)]
    moving = [numbers[number] for number in sorted(form.accuracies)]
    more = [*(spent if owner is not None else ()), *ends.values()]
    # A run that has ended is carried on for what its region still does: it comes to no other end.
    ended = order.index(END) if END in order else None
    move = compiled_move(
        len(table),
        len(made),
        edges,
        more,
        arguments,
        [one for one in moving if isinstance(one, Term)],
        set() if ended is None else {at for state, at in made.items() if state[ended]},
    )
    return Transition(move, vectors.layout(tuple(made)), pick, tuple(ends), work)


class _Effect(NamedTuple):
    """An item's effect on a state: the variables after, with the ways to go on, and the totals."""

    slots: tuple[Key, ...]
    goes_on: list[tuple[dict[Key, Any], Any]]
    totals: Totals


def _effect(
    walk: BlockSweep, sweep: Sweep, act: Act, index: int, single: Table, leaves: bool
) -> _Effect:
    totals = Totals()
    here = replace(walk, sweep=sweep.scratch(totals))
    result = act(here, index, single, leaves)
    if not result:
        return _Effect((), [], totals)
    goes_on = [
        (dict(zip(result.slots, target, strict=True)), chance)
        for target, chance in result.weights.items()
    ]
    return _Effect(result.slots, goes_on, totals)


def _costs(amounts: dict[Any, Any]) -> dict[Any, Any]:
    """Costs of attempts in terms."""
    found: dict[Any, Any] = {}
    for key, dollars in amounts.items():
        if isinstance(key, tuple) and key[1] == "dollars":
            tokens = Size(amounts[key[0], "tokens"], None, True)
            found[key[0]] = AttemptCost(dollars, None, tokens, NONE, True)
    return found
