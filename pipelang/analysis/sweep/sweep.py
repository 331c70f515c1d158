"""The sweep: one pass over a pipeline that carries the frontier and adds up where runs end.

Exactness. A run is a path through an absorbing Markov chain whose state is everything drawn so far.
The future reads only a part of it: the hidden bits of values that are still mentioned, shared
draws, outages, counters of redos. The sweep keeps exactly those, as a table from their values to a
probability, and sums the others out as soon as nothing reads them (`liveness`). Independence is
never assumed: two branches that share an ancestor carry the ancestor's bit until they have joined,
two calls at one provider carry its outage. Multiplying step reliabilities does neither, and its
error has no fixed sign.

Order. A pipeline is decomposed as the language does it: into blocks, blocks into regions and
barriers. A region is entered and left as a whole, so only the live bits cross its border; inside,
steps are taken in writing order, which is one of the orders in which they may run (`steps`). A
table is split where a test or an outcome decides (`branching`) and merged where branches meet. A
redo is a loop over the states that failed the gate; it ends because its counter is part of the
state (`redos`). An action, however long (a vote, a loop, a whole sub-pipeline), is first reduced to
a kernel: its outcome distribution in every situation (`kernels.chains`). A provider's outage is one
more live bit from its first use to its last, which conditions on it. Where the frontier grows too
large, it is made smaller: exactly if possible, else with certain bounds (`pruning`).

Arithmetic. The pass only adds and multiplies. So it runs over floats, over arrays (every draw of a
posterior at once), over the degrees of polynomials, or over terms, which write down its arithmetic
as a formula of the parameters (`compiled`); the moves of plain items, which repeat in a large
pipeline, are compiled once (`shapes`, `transitions`). Costs are additive, so their mean needs only
the probability of each situation, never a distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, assert_never

from pipelang.analysis.frontier.recorder import FrontierRecorder
from pipelang.analysis.frontier.states import add
from pipelang.analysis.frontier.table import Table, assign, merge
from pipelang.analysis.frontier.totals import Totals as Totals
from pipelang.analysis.frontier.totals import all_figures as all_figures
from pipelang.analysis.kernels.hard_cases import in_each_class
from pipelang.analysis.model.model import EFFECT, WRONG, PipelineModel, value_key
from pipelang.analysis.sweep.branching import (
    Judged,
    branches,
    by_asking,
    by_verdict,
    judged,
    together,
)
from pipelang.analysis.sweep.liveness import Needed, Taint, keeps_inside, needed_after
from pipelang.analysis.sweep.pruning import fewer_redos
from pipelang.analysis.sweep.redos import Visit, through
from pipelang.analysis.sweep.shapes import gate_shape
from pipelang.analysis.sweep.state import BlockSweep, Sweep, Watch, end
from pipelang.analysis.sweep.steps import region
from pipelang.analysis.sweep.transitions import moved
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.kernels.redo import last_outcome


def sweep(
    model: PipelineModel, recorder: FrontierRecorder | None = None, watch: Watch | None = None
) -> Totals:
    """Sweep a pipeline: return its outcomes, mean cost and reach. The operations on its frontier
    are told to a `recorder`; `watch` observes every block of the pipeline.
    """
    return sweep_root(model, lambda of_class, table: table, recorder, watch)


Start = Callable[[PipelineModel, Table], "Table | None"]
"""From the model of a class of cases and all its runs to those that a sweep starts from."""


def sweep_root(
    model: PipelineModel,
    start: Start,
    recorder: FrontierRecorder | None = None,
    watch: Watch | None = None,
) -> Totals:
    """Sweep a root pipeline, a class of cases after the other."""
    totals = Totals()
    model.parameters.unrolled = 0

    def act(of_class: PipelineModel, table: Table) -> None:
        begin = start(of_class, table)
        if begin is not None:
            _sweep_into(totals, of_class, begin, frozenset(), False, watch)

    in_each_class(model, Table(recorder=recorder), act)
    return totals


def sweep_from(
    model: PipelineModel, start: Table, taint: Taint, again: bool, watch: Watch | None = None
) -> Totals:
    """Sweep a sub-pipeline from a table of values known before; `again`: as part of a redo."""
    return _sweep_into(Totals(), model, start, taint, again, watch)


def _sweep_into(
    totals: Totals,
    model: PipelineModel,
    start: Table,
    taint: Taint,
    again: bool,
    watch: Watch | None,
) -> Totals:
    state = Sweep(model, totals, sweep_from, again, watch=watch)
    start = assign(start, (EFFECT,), (), lambda seen: [((False,), 1)])
    left = _block(state, model.pipeline.block, start, taint, None, 0)
    assert not left, "a checked pipeline ends on every path"
    return state.totals


# ------------------------------------------------------------------------------------ blocks


def _block(
    sweep: Sweep, block: p.Block, table: Table, taint: Taint, after: Needed | None, at: int
) -> Table:
    """The states that reach the end of a block."""
    walk = BlockSweep(sweep, block, taint, needed_after(sweep.model, block, taint, after, at))
    passage = _Passage(walk)
    return through(sweep.watch(passage, sweep.totals) if sweep.watch else passage, table)


@dataclass(slots=True)
class _Passage:
    """The operations of a sweep at the parts of a block."""

    walk: BlockSweep

    @property
    def block(self) -> p.Block:
        return self.walk.block

    def region(self, members: Sequence[int], table: Table, visit: Visit) -> Table:
        self.walk.sweep.totals.went_through(len(table))
        if not visit.first:
            self.walk.sweep.model.parameters.unrolled += len(table) * len(members)
        return region(self.walk, members, table, visit)

    def barrier(self, index: int, item: p.Item, table: Table, visit: Visit) -> Table:
        self.walk.sweep.totals.went_through(len(table))
        return self.walk.let_go(index, _barrier(self.walk, index, item, table, visit))

    def gate(self, index: int, gate: p.Gate, otherwise: p.Outcome, table: Table) -> Table:
        return _gate(self.walk, index, gate, otherwise, table)

    def judged(self, item: p.Gate | p.Person, table: Table) -> Judged:
        self.walk.sweep.model.parameters.unrolled += len(table)
        if isinstance(item, p.Person):
            return _asked(self.walk, item, table)
        return (*judged(self.walk.sweep.model, item, table, self.walk.sweep.plans), None)

    def going_back(self, index: int, table: Table) -> Table:
        return fewer_redos(self.walk.sweep.model, self.block, index, table)

    def end(self, table: Table, outcome: p.Outcome) -> None:
        end(self.walk, table, outcome)

    def let_go(self, index: int, table: Table) -> Table:
        return self.walk.let_go(index, table)


# ------------------------------------------------------------------------------------- gates


def _gate(walk: BlockSweep, index: int, gate: p.Gate, otherwise: p.Outcome, table: Table) -> Table:
    """Return the states that pass a gate that ends the run for the others."""

    def act(here: BlockSweep, index: int, table: Table, leaves: bool) -> Table:
        here.sweep.totals.went_through(len(table))
        passed, failed = judged(
            here.sweep.model,
            gate,
            table,
            here.sweep.plans,
            lambda key: here.needed.keeps(key, index),
        )
        if failed is not None:
            end(here, failed, otherwise)
        return here.let_go(index, passed)

    shape = None if table.vectors is None else gate_shape(walk.sweep.model, gate)
    after = None
    if shape is not None:
        after = moved(walk, table, shape, index, False, act, shape.own)
    return act(walk, index, table, False) if after is None else after


# ---------------------------------------------------------------------------------- barriers


def _barrier(walk: BlockSweep, index: int, item: p.Item, table: Table, visit: Visit) -> Table:
    match item:
        case p.Step():
            return region(walk, (index,), table, visit)
        case p.Person():
            return _person(walk, item, table)
        case p.When() | p.MatchBranch():
            return _branch(walk, index, item, table)
        case p.End():
            end(walk, table, item.outcome)
            return table.empty()
        case p.Remember():
            return _remember(walk, item, table)
        case p.Gate() | p.Let():
            raise AssertionError("not a barrier of this kind")
        case _:
            assert_never(item)


def _remember(walk: BlockSweep, item: p.Remember, table: Table) -> Table:
    """Sweep a write to a memory: it is a wrong effect if anything that it depends on is wrong."""
    names = walk.sweep.model.roots(item.reads) | walk.taint
    keys = tuple(value_key(name) for name in sorted(names))

    def outcomes(seen: tuple[Any, ...]) -> list[tuple[tuple[Any, ...], Any]]:
        wrong = seen[0] or any(bit == WRONG for bit in seen[1:])
        return [((wrong,), 1)]

    return assign(table, (EFFECT,), (EFFECT, *keys), outcomes)


def _person(walk: BlockSweep, person: p.Person, table: Table) -> Table:
    going, _, stopped = _asked(walk, person, table)
    if stopped is not None:
        end(walk, stopped, last_outcome(person))
    return going


def _asked(walk: BlockSweep, person: p.Person, table: Table) -> Judged:
    """Return the states by what comes of asking a person."""
    model = walk.sweep.model
    asked, unasked = by_asking(model, person, table)
    if asked is None:
        return together(unasked), None, None
    add(walk.sweep.totals.asked, person.role, asked.total())
    going, back, stopped = by_verdict(model, person, asked)
    return together(going, unasked), back, stopped


def _branch(walk: BlockSweep, index: int, item: p.When | p.MatchBranch, table: Table) -> Table:
    keeps = keeps_inside(walk.sweep.model, item, walk.taint, walk.needed, index)
    blocks, taint = branches(walk.sweep.model, item, table, walk.taint, keeps)
    return merge(
        [_block(walk.sweep, block, part, taint, walk.needed, index) for part, block in blocks]
    )
