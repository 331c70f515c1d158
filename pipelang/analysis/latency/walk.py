"""The walk: the sweep's pass with distributions of cost and time for weights.

The order of items, the kernels, the tests and the liveness of variables are those of the sweep.
Three things differ: weights carry the distribution of the cost and time so far, nothing is
accounted on the way, and the steps of a region run side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, assert_never

from pipelang.analysis.frontier.meter import Meter
from pipelang.analysis.frontier.mixtures import MixtureMeter
from pipelang.analysis.frontier.states import Key, State, add, is_zero
from pipelang.analysis.frontier.table import Table, assign, forget, merge, split, summed
from pipelang.analysis.kernels.chains import StepKernel
from pipelang.analysis.kernels.conditions import EvaluationPlan, perform
from pipelang.analysis.kernels.hard_cases import in_each_class
from pipelang.analysis.kernels.outcome_distribution import Closed, Ending
from pipelang.analysis.kernels.prepared_step import prepared_step
from pipelang.analysis.latency.regions import (
    EndedRuns,
    Order,
    ParallelRegion,
    RegionLeaf,
    Series,
    leaves,
    order_of,
    waits,
)
from pipelang.analysis.model.model import (
    ABSENT,
    END,
    RIGHT,
    WRONG,
    PipelineModel,
    latent_key,
    value_key,
)
from pipelang.analysis.sweep.branching import (
    Judged,
    branches,
    by_asking,
    by_rightness,
    by_verdict,
    is_right,
    judged,
    judged_by,
    outdated,
    together,
)
from pipelang.analysis.sweep.liveness import Needed, Taint, keeps_inside, needed_after, uses
from pipelang.analysis.sweep.pruning import joined
from pipelang.analysis.sweep.redos import Visit, through
from pipelang.analysis.sweep.sweep import Start, Totals
from pipelang.records import dataclass, field
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import ending
from pipelang.semantics.kernels.redo import last_outcome

RARE = 1e-11
"""States that fewer runs come to are left out: they move no quantile, and no mean that shows."""

FEW_STATES = 8
"""Above it values that are read together are looked for."""

FROM = "from"
"""The origin of a state, where steps run side by side: a key of its own for each nested part."""


@dataclass(slots=True)
class TimeWalk:
    """A walk in progress. `endings` are the outcomes of runs, with the distributions of their cost
    and time; `times` the mean time of every step and person per run, a number for each measure.
    """

    model: PipelineModel
    meter: Meter | MixtureMeter
    again: bool
    ended: EndedRuns
    endings: dict[Ending, Any] = field(default_factory=dict)
    times: dict[str, Any] = field(default_factory=dict)
    kernels: dict[tuple[int, Taint], StepKernel] = field(default_factory=dict)
    plans: dict[int, EvaluationPlan] = field(default_factory=dict)
    orders: dict[tuple[int, tuple[int, ...]], Order] = field(default_factory=dict)

    def spent(self, name: str, weight: Any, taken: Any) -> None:
        """Add the time of a step or person, where a run reaches it with this weight."""
        if not self.meter.times:
            return
        time = self.meter.spent(weight, taken)
        if time is not None:
            add(self.times, name, time)


def walk(model: PipelineModel, start: Start = lambda of_class, table: table) -> TimeWalk:
    """Walk the runs of a root pipeline, from a model with a meter, a class of cases after the
    other.
    """
    whole = TimeWalk(model, model.meter, False, EndedRuns(last=True))

    def act(of_class: PipelineModel, table: Table) -> None:
        begin = start(of_class, table)
        if begin is None:
            return
        walked = _walked(of_class, begin, frozenset(), again=False, last=True)
        for how, weight in walked.endings.items():
            add(whole.endings, how, weight)
        for name, time in walked.times.items():
            add(whole.times, name, time)

    in_each_class(model, Table(), act)
    return whole


def walk_from(model: PipelineModel, start: Table, taint: Taint, again: bool) -> Totals:
    """Return the endings of a sub-pipeline from a table of the values known before."""
    endings = _walked(model, start, taint, again, last=False).endings
    told = {
        (id(outcome), right, wrong): (outcome, weight)
        for (outcome, right, wrong), weight in endings.items()
    }
    return Totals(endings=told)


def _walked(model: PipelineModel, start: Table, taint: Taint, again: bool, last: bool) -> TimeWalk:
    state = TimeWalk(model, model.meter, again, EndedRuns(last))
    left = _block(state, model.pipeline.block, start, taint, None, 0)
    assert not left, "a checked pipeline ends on every path"
    return state


# ------------------------------------------------------------------------------------ blocks


@dataclass(slots=True)
class _Run:
    """A block during the walk, and the operations at its parts."""

    walk: TimeWalk
    block: p.Block
    taint: Taint
    needed: Needed

    def region(self, members: Sequence[int], table: Table, visit: Visit) -> Table:
        return _likely(self, _region(self, tuple(members), table, visit))

    def barrier(self, index: int, item: p.Item, table: Table, visit: Visit) -> Table:
        return _forget(self, index, _barrier(self, index, item, table, visit))

    def gate(self, index: int, gate: p.Gate, otherwise: p.Outcome, table: Table) -> Table:
        passed, failed = judged(
            self.walk.model,
            gate,
            table,
            self.walk.plans,
            lambda key: self.needed.keeps(key, index),
        )
        if failed is not None:
            _end(self, failed, otherwise)
        return _forget(self, index, passed)

    def judged(self, item: p.Gate | p.Person, table: Table) -> Judged:
        if isinstance(item, p.Person):
            return _asked(self, item, table)
        return (*judged(self.walk.model, item, table, self.walk.plans), None)

    def going_back(self, index: int, table: Table) -> Table:
        return table

    def end(self, table: Table, outcome: p.Outcome) -> None:
        _end(self, table, outcome)

    def let_go(self, index: int, table: Table) -> Table:
        return _forget(self, index, table)


def _region_walk(run: _Run, order: Order, members: tuple[int, ...]) -> _RegionWalk:
    """State of a region while it is walked in this order."""
    items, steps = run.block.items, leaves(order)
    last: dict[Key, int] = {}
    for at, index in enumerate(steps):
        last |= dict.fromkeys(uses(run.walk.model, items[index], run.taint), at)
    least_left = list(accumulate(reversed(steps), min))[::-1]
    before = waits(items, members)
    behind = Counter(index for step in steps for index in before[step])
    closing = frozenset(
        index for at, index in enumerate(steps) if behind[index] == len(steps) - at - 1
    )
    place = {index: at for at, index in enumerate(steps)}
    return _RegionWalk(run, members, steps, place, last, least_left, closing)


def _block(
    walk: TimeWalk, block: p.Block, table: Table, taint: Taint, after: Needed | None, at: int
) -> Table:
    needed = needed_after(walk.model, block, taint, after, at)
    return through(_Run(walk, block, taint, needed), table)


def _likely(run: _Run, table: Table) -> Table:
    """Remove the states that almost no run reaches."""
    rare = run.walk.meter.rare
    weights = {state: weight for state, weight in table.weights.items() if not rare(weight, RARE)}
    return table if len(weights) == len(table.weights) else Table(table.slots, weights)


def _forget(run: _Run, index: int, table: Table) -> Table:
    keeps = run.needed.keeps
    return forget(table, lambda key: keeps(key, index) or key == END or key[0] == FROM)


# ----------------------------------------------------------------------------------- regions


@dataclass(slots=True)
class _RegionWalk:
    """A region during the walk, and what it still needs: `steps` are its leaves, by their index and
    in the order in which they are walked; `last` is the leaf that reads a variable last; `closing`
    are the leaves that all leaves after them wait for.
    """

    run: _Run
    members: tuple[int, ...]
    steps: list[int]
    place: dict[int, int]
    last: dict[Key, int]
    least_left: list[int]
    closing: frozenset[int]

    def let_go(self, index: int, table: Table) -> Table:
        """Sum out what neither the rest of the region nor anything after it reads; end the runs for
        which nothing is left to do in the region.
        """
        at, keeps, end = self.place[index], self.run.needed.keeps, self.members[-1]
        last = self.last
        table = forget(
            table,
            lambda key: last.get(key, -1) > at or key == END or key[0] == FROM or keeps(key, end),
        )
        if index in self.closing and not any(key[0] == FROM for key in table.slots):
            table = self._ended_now(index, table)
        return self._narrowed(at, table)

    def joined(self, table: Table, part: Order) -> Table:
        """The same after a part of several side by side."""
        return self._narrowed(max(self.place[index] for index in leaves(part)), table)

    def _narrowed(self, at: int, table: Table) -> Table:
        if len(table) <= FEW_STATES:
            return table
        items, later = self.run.block.items, self.steps[at + 1 :]
        table = self.run.walk.ended.alike(table, items, later)
        index = self.least_left[at + 1] - 1 if later else self.members[-1]
        return joined(self.run.walk.model, self.run.needed, index, table)

    def _ended_now(self, index: int, table: Table) -> Table:
        """The states in which a step did not end the run that the whole rest of the region waits
        for: where it did, nothing of the rest runs.
        """
        at, walk = table.index(END), self.run.walk
        assert at is not None
        going: dict[State, Any] = {}
        for state, weight in table.weights.items():
            if state[at] is not None and state[at][0] == index:
                outcome, right = walk.ended.known[state[at][1]]
                add(walk.endings, (outcome, right, False), weight)
            else:
                going[state] = weight
        return table if len(going) == len(table) else Table(table.slots, going)


def _region(run: _Run, members: tuple[int, ...], table: Table, visit: Visit) -> Table:
    """A region, left as a whole, by the first ending in writing order."""
    walk = run.walk
    order = walk.orders.get((id(run.block), members))
    if order is None:
        order, exact = order_of(run.block.items, members)
        walk.orders[id(run.block), members] = order
        if not exact:
            walk.meter.bounded = True
    table = assign(table, (END,), (), lambda seen: [((None,), 1)])
    region = _region_walk(run, order, members)
    table = _in_order(region, order, table, visit, members[-1])
    table = _forget(run, members[-1], table)
    parts = split(table, (END,), lambda seen: seen[0])
    going = parts.pop(None, None)
    for (_, number), part in parts.items():
        outcome, right = walk.ended.known[number]
        add(walk.endings, (outcome, right, False), part.total())
    if going is None:
        return Table((), {})
    return forget(going, lambda key: key != END)


def _in_order(
    region: _RegionWalk, order: Order, table: Table, visit: Visit, last: int | None
) -> Table:
    """The steps of an order; `last` is the region's last item where nothing follows in it."""
    match order:
        case RegionLeaf():
            item = region.run.block.items[order.index]
            if not isinstance(item, p.Step):
                return table
            table = _step(region.run, order.index, item, table, visit)
            return region.let_go(order.index, table)
        case Series():
            for number, part in enumerate(order.parts, 1):
                ends = last if number == len(order.parts) else None
                table = _in_order(region, part, table, visit, ends)
            return table
        case ParallelRegion():
            return _side_by_side(region, order, table, visit, last)
        case _:
            assert_never(order)


def _side_by_side(
    region: _RegionWalk, order: ParallelRegion, table: Table, visit: Visit, last: int | None
) -> Table:
    """Parts that run at the same time. A state keeps the distribution of how long all parts so far
    take together; every part is walked from its states as from the beginning.
    """
    meter = region.run.walk.meter
    label: Key = (FROM, sum(key[0] == FROM for key in table.slots))
    origins = list(table.weights.values())
    labelled = {(*state, number): 1.0 for number, state in enumerate(table.weights)}
    now = Table((*table.slots, label), labelled)
    for part in order.parts:
        before, starts = list(now.weights.values()), list(now.weights)
        at = now.index(label)
        assert at is not None
        origin_of = [state[at] for state in starts]
        # As likely as a run comes there: times of single steps count by it.
        chances = list(map(meter.reached, map(origins.__getitem__, origin_of), before))
        fresh = {
            (*state[:at], number, *state[at + 1 :]): chances[number]
            for number, state in enumerate(starts)
            if not is_zero(chances[number])
        }
        after = _in_order(region, part, Table(now.slots, fresh), visit, None)
        at = after.index(label)
        assert at is not None
        weights: dict[State, Any] = {}
        for state, weight in after.weights.items():
            number = state[at]
            add(
                weights,
                (*state[:at], origin_of[number], *state[at + 1 :]),
                before[number] / chances[number] * meter.aside(weight),
            )
        now = region.joined(Table(after.slots, weights), part)
    if last is not None:  # fewer states are faster to bring back
        now = _ended_alike(_forget(region.run, last, now))
    at = now.index(label)
    assert at is not None
    done = {state: origins[state[at]] * meter.back(weight) for state, weight in now.weights.items()}
    return forget(Table(now.slots, done), lambda key: key != label)


def _ended_alike(table: Table) -> Table:
    """Of states that end the run, only how they do matters any more."""
    at = table.index(END)
    assert at is not None
    kept = [key == END or key[0] == FROM for key in table.slots]
    weights: dict[State, Any] = {}
    for state, weight in table.weights.items():
        if state[at] is not None:
            state = tuple(v if keep else None for v, keep in zip(state, kept, strict=True))
        add(weights, state, weight)
    return Table(table.slots, weights)


def _step(run: _Run, index: int, step: Any, table: Table, visit: Visit) -> Table:
    walk, model = run.walk, run.walk.model
    first, told = visit.first, visit.told == index
    kernel = walk.kernels.get((id(step), run.taint))
    if kernel is None:
        kernel = StepKernel(prepared_step(model, step, run.taint), walk_from)
        walk.kernels[id(step), run.taint] = kernel
    prepared = kernel.prepared
    if not first:
        table = outdated(table, step.name)
    table = perform(table, prepared.plan)
    waits = [value_key(name) for name in sorted(model.roots(step.reads))]
    own, latent = value_key(step.name), latent_key(step.name)
    reads = (*prepared.reads, END, latent)
    bits = len(prepared.reads)
    waiting = [prepared.reads.index(key) for key in waits]
    weights = summed(table, reads)
    known: dict[tuple[Any, ...], Closed] = {}
    alike: dict[Any, Closed] = {}

    def results(seen: tuple[Any, ...]) -> list[tuple[tuple[Any, ...], Any]]:
        end, former = seen[bits], seen[bits + 1]
        if any(seen[at] == ABSENT for at in waiting):
            return [((ABSENT, None, end), 1)]
        values = dict(zip(prepared.reads, seen[:bits], strict=True))
        situation = (*seen[:bits], former)
        closed = known.get(situation)
        if closed is None:
            again = walk.again or not first
            closed = kernel.close(values, run.taint, None if first else former, again, told, alike)
            known[situation] = closed
        outcomes: list[tuple[tuple[Any, ...], Any]] = []
        for (right, kept, _), chance in closed.answers.items():
            outcomes.append(((RIGHT if right else WRONG, kept, end), chance))
        for chance in closed.fails.values():
            outcome = ending(step.chain, step)
            right = is_right(model, outcome, values, run.taint)
            mine = _first_of(end, (index, walk.ended.number(outcome, right)))
            outcomes.append(((ABSENT, None, mine), chance))
        for (outcome, right, _), chance in closed.ends.items():
            mine = _first_of(end, (index, walk.ended.number(outcome, right)))
            outcomes.append(((ABSENT, None, mine), chance))
        for _, chance in outcomes:
            walk.spent(step.name, weights[seen], chance)
        return outcomes

    return assign(table, (own, latent, END), reads, results)


def _first_of(end: tuple[int, int] | None, mine: tuple[int, int]) -> tuple[int, int]:
    """Of two endings, the one that stands first in writing order."""
    return mine if end is None or mine[0] < end[0] else end


def _end(run: _Run, table: Table, outcome: p.Outcome) -> None:
    """All states of a table end the run with an outcome."""
    for all_right, part in by_rightness(run.walk.model, outcome, table, run.taint).items():
        add(run.walk.endings, (outcome, all_right, False), part.total())


# ---------------------------------------------------------------------------------- barriers


def _barrier(run: _Run, index: int, item: p.Item, table: Table, visit: Visit) -> Table:
    match item:
        case p.Step():
            return _region(run, (index,), table, visit)
        case p.Person():
            return _person(run, item, table)
        case p.When() | p.MatchBranch():
            return _branch(run, index, item, table)
        case p.End():
            _end(run, table, item.outcome)
            return table.empty()
        case p.Remember():
            return table
        case p.Gate() | p.Let():
            raise AssertionError("not a barrier of this kind")
        case _:
            assert_never(item)


def _branch(run: _Run, index: int, item: p.When | p.MatchBranch, table: Table) -> Table:
    keeps = keeps_inside(run.walk.model, item, run.taint, run.needed, index)
    blocks, taint = branches(run.walk.model, item, table, run.taint, keeps)
    return merge(
        [_block(run.walk, block, part, taint, run.needed, index) for part, block in blocks]
    )


def _person(run: _Run, person: p.Person, table: Table) -> Table:
    going, _, stopped = _asked(run, person, table)
    if stopped is not None:
        _end(run, stopped, last_outcome(person))
    return going


def _asked(run: _Run, person: p.Person, table: Table) -> Judged:
    """An approval or a hold. A hold that nobody vetoes lasts to its end."""
    walk, model = run.walk, run.walk.model
    asked, unasked = by_asking(model, person, table)
    going: Table | None = None
    back: Table | None = None
    stopped: Table | None = None
    if asked is not None:
        timely, late = walk.meter.asks(model.program.roles[person.role], person.seconds)
        weights = summed(asked, judged_by(model, person))

        def takes(answers: bool, goes_on: bool) -> Any:
            return late if not answers or (person.kind == "hold" and goes_on) else timely

        def seen_by(seen: State, chances: list[Any]) -> None:
            for chance in chances:
                walk.spent(person.name, weights[seen], chance)

        going, back, stopped = by_verdict(model, person, asked, takes, seen_by)
    return together(going, unasked), back, stopped
