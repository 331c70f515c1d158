"""The sweep: one pass over a pipeline that carries the frontier and adds up where runs end.

Why it is exact. A run is a path through an absorbing Markov chain whose state is everything drawn
so far. Of that, the future reads little: the hidden bits of values that something still mentions,
the draws that are shared, outages, counters of redos. The sweep keeps exactly those, as a table
from their values to a probability, and sums the rest out as soon as nothing reads it (`liveness`).
No independence is ever assumed: two branches that share an ancestor carry the ancestor's bit until
they have joined, two calls at one provider carry its outage. Multiplying step reliabilities does
neither, and its error has no fixed sign.

A table is split where a test or an outcome decides and merged where branches meet. A redo is a loop
over the states that failed the gate; it ends because its counter is part of the state. Costs are
additive, so their mean needs only the probability of each situation, never a distribution.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, assert_never

from pipelang.analysis.chains import StepKernel
from pipelang.analysis.closed import Closed, Ending, add
from pipelang.analysis.conditions import Plan, gate_plan, perform, subject_plan, test_plan
from pipelang.analysis.liveness import EFFECT, END, Needed, Taint, needed_after, redo_key
from pipelang.analysis.model import ABSENT, RIGHT, WRONG, Model, value_key
from pipelang.analysis.preparing import latent_key, prepared_step
from pipelang.analysis.table import (
    Key,
    State,
    Table,
    assign,
    forget,
    merge,
    split,
    summed,
)
from pipelang.records import dataclass, field
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import ending
from pipelang.semantics.kernels.people import passes
from pipelang.semantics.kernels.redo import changed_by, may_redo, readers
from pipelang.semantics.reads import outcome_reads


@dataclass(slots=True)
class Totals:
    """Where runs end. Probabilities and dollars in the sweep's arithmetic.

    `endings` has every outcome with whether what it returns is right and whether something was done
    wrongly before it; `work` counts the states that were gone through, which is what a sweep over
    arrays takes time by.
    """

    success: Any = 0.0
    silent_error: Any = 0.0
    escalation: Any = 0.0
    rejection: Any = 0.0
    failure: Any = 0.0
    wrong_effect: Any = 0.0
    cost: Any = 0.0
    tokens: Any = 0.0
    escalations: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)
    reached: dict[str, Any] = field(default_factory=dict)
    step_costs: dict[str, Any] = field(default_factory=dict)
    endings: dict[Ending, Any] = field(default_factory=dict)
    work: int = 1


OUTCOMES = ("success", "silent_error", "escalation", "rejection", "failure")


def all_figures(totals: Totals) -> list[Any]:
    """Every figure of a sweep."""
    plain = [getattr(totals, name) for name in (*OUTCOMES, "wrong_effect", "cost", "tokens")]
    groups = (totals.escalations, totals.reached, totals.step_costs, totals.asked)
    return plain + [value for group in groups for value in group.values()]


@dataclass(slots=True)
class _Sweep:
    model: Model
    totals: Totals
    again: bool = False
    kernels: dict[tuple[int, Taint], StepKernel] = field(default_factory=dict)
    plans: dict[int, Plan] = field(default_factory=dict)
    ended: dict[int, tuple[p.Outcome, bool]] = field(default_factory=dict)
    numbers: dict[tuple[p.Outcome, bool], int] = field(default_factory=dict)

    def number(self, outcome: p.Outcome, right: bool) -> int:
        """What stands for an ending in a state: a number from 1, because outcomes hash slowly."""
        number = self.numbers.setdefault((outcome, right), len(self.numbers) + 1)
        self.ended[number] = (outcome, right)
        return number


def sweep(model: Model) -> Totals:
    """All outcomes, mean cost and reach of a pipeline."""
    return sweep_from(model, Table(), frozenset(), again=False)


def sweep_from(model: Model, start: Table, taint: Taint, again: bool) -> Totals:
    """The same from a table of what is known before; `again`: as part of what is being redone."""
    state = _Sweep(model, Totals(), again)
    start = assign(start, (EFFECT,), (), lambda seen: [((False,), 1)])
    left = _block(state, model.pipeline.block, start, taint, None, 0)
    assert not left, "a checked pipeline ends on every path"
    return state.totals


# ------------------------------------------------------------------------------------ blocks


def _block(
    sweep: _Sweep, block: p.Block, table: Table, taint: Taint, after: Needed | None, at: int
) -> Table:
    """The states that reach the end of a block."""
    needed = needed_after(sweep.model, block, taint, after, at)
    everything = range(len(block.items))
    run = _Run(sweep, block, taint, needed)
    return _span(run, 0, len(block.items), frozenset(everything), table, first=True)


@dataclass(slots=True)
class _Run:
    """A block being swept."""

    sweep: _Sweep
    block: p.Block
    taint: Taint
    needed: Needed


def _span(
    run: _Run, start: int, stop: int, chosen: frozenset[int], table: Table, first: bool
) -> Table:
    """Run the chosen items from `start` up to `stop` (not included).

    `first` is False while something runs again: then steps replace their values.
    """
    for segment in run.block.segments:
        if not table:
            return table
        run.sweep.totals.work += len(table.weights)
        if isinstance(segment, p.Region):
            members = [i for i in segment.members if start <= i < stop and i in chosen]
            if members:
                table = _region(run, members, table, first)
            continue
        index = segment.index
        if not (start <= index < stop and index in chosen):
            continue
        item = run.block.items[index]
        if isinstance(item, p.Gate):
            table, redone, more = _gate(run, index, item, table, stop)
            if redone:
                if more <= chosen:
                    table = merge((table, redone))
                else:
                    rest = _span(run, index + 1, stop, chosen | more, redone, first=False)
                    table = _span(run, index + 1, stop, chosen, table, first)
                    return merge((table, rest))
        else:
            table = _barrier(run, index, item, table, first)
        table = _forget(run, index, table)
    return table


def _forget(run: _Run, index: int, table: Table) -> Table:
    keeps = run.needed.keeps
    return forget(table, lambda key: keeps(key, index) or key in (EFFECT, END))


# ----------------------------------------------------------------------------------- regions


def _region(run: _Run, members: Iterable[int], table: Table, first: bool) -> Table:
    """Steps in writing order; a region is left as a whole, by the first ending in writing order."""
    table = assign(table, (END,), (), lambda seen: [((None,), 1)])
    for index in members:
        item = run.block.items[index]
        if isinstance(item, p.Step):
            table = _step(run, item, table, first)
        table = _forget(run, index, table)
    return _leave(run.sweep, table)


def _leave(sweep: _Sweep, table: Table) -> Table:
    parts = split(table, (END,), lambda seen: seen[0])
    going = parts.pop(None, None)
    for number, part in parts.items():
        outcome, right = sweep.ended[number]
        _record(sweep, part, outcome, right)
    if going is None:
        return Table((), {})
    return forget(going, lambda key: key != END)


def _step(run: _Run, step: p.Step, table: Table, first: bool) -> Table:
    sweep, model = run.sweep, run.sweep.model
    kernel = sweep.kernels.get((id(step), run.taint))
    if kernel is None:
        kernel = StepKernel(prepared_step(model, step, run.taint))
        sweep.kernels[id(step), run.taint] = kernel
    prepared = kernel.prepared
    if not first:
        table = _outdate(table, step.name)
    table = perform(table, prepared.plan)
    waits = [value_key(name) for name in sorted(model.roots(step.reads))]
    own, latent = value_key(step.name), latent_key(step.name)
    reads = (*prepared.reads, EFFECT, END, latent)
    bits = len(prepared.reads)
    waiting = [prepared.reads.index(key) for key in waits]
    weights = summed(table, reads)
    known: dict[tuple[Any, ...], Closed] = {}

    def results(seen: tuple[Any, ...]) -> list[tuple[tuple[Any, ...], Any]]:
        effect, end, former = seen[bits], seen[bits + 1], seen[bits + 2]
        if any(seen[at] == ABSENT for at in waiting):
            return [((ABSENT, None, effect, end), 1)]
        values = dict(zip(prepared.reads, seen[:bits], strict=True))
        situation = (*seen[:bits], former)
        closed = known.get(situation)
        if closed is None:
            again = sweep.again or not first
            closed = kernel.close(values, run.taint, None if first else former, again)
            known[situation] = closed
            sweep.totals.work += closed.work
        _account(run, step, weights[seen], closed, first)
        outcomes: list[tuple[tuple[Any, ...], Any]] = []
        for (right, kept, wrong), chance in closed.answers.items():
            bit = RIGHT if right else WRONG
            outcomes.append(((bit, kept, effect or wrong, end), chance))
        for wrong, chance in closed.fails.items():
            outcome = ending(step.chain, step)
            mine = end or sweep.number(outcome, _is_right(model, outcome, values, run.taint))
            outcomes.append(((ABSENT, None, effect or wrong, mine), chance))
        for (outcome, right, wrong), chance in closed.ends.items():
            mine = end or sweep.number(outcome, right)
            outcomes.append(((ABSENT, None, effect or wrong, mine), chance))
        return outcomes

    return assign(table, (own, latent, EFFECT, END), reads, results)


def _account(run: _Run, step: p.Step, weight: Any, closed: Closed, first: bool) -> None:
    totals = run.sweep.totals
    if first:
        totals.reached[step.name] = totals.reached.get(step.name, 0.0) + weight
    spent = _share_of(closed.cost, weight)
    totals.cost = totals.cost + spent
    totals.tokens = totals.tokens + _share_of(closed.tokens, weight)
    totals.step_costs[step.name] = totals.step_costs.get(step.name, 0.0) + spent
    for role, often in closed.asked.items():
        add(totals.asked, role, weight * often)


def _share_of(amount: Any, weight: Any) -> Any:
    """An amount times how likely it is; what never happens is nothing, even of what is endless."""
    if not isinstance(amount, float) or amount != float("inf"):
        return weight * amount
    if isinstance(weight, float):
        return amount if weight else 0.0
    from numpy import ndarray, where

    return where(weight == 0, 0.0, amount) if isinstance(weight, ndarray) else weight * amount


def _outdate(table: Table, step: str) -> Table:
    """Drop every draw about a value that is about to be made anew."""

    def keep(key: Key) -> bool:
        if key[0] in ("path", "test", "length"):
            return step not in _mentioned(key)
        return not (key[0] == "bin" and key[1] == step)

    return forget(table, keep)


def _mentioned(key: Key) -> frozenset[str]:
    expr: ir.Expr = key[1]
    return ir.mentions(expr)


def _is_right(model: Model, outcome: p.Outcome, values: dict[Key, Any], taint: Taint) -> bool:
    if not isinstance(outcome, p.Return):
        return True
    mentioned = model.values(outcome.value) | taint
    return all(values.get(value_key(name), RIGHT) == RIGHT for name in mentioned)


# ------------------------------------------------------------------------------------- gates


def _gate(
    run: _Run, index: int, gate: p.Gate, table: Table, stop: int
) -> tuple[Table, Table | None, frozenset[int]]:
    """Judge a gate. Returns what passes at once, what passes after a redo, and what that changes.

    The third part are the items below the gate that must run again behind a redo.
    """
    plan = run.sweep.plans.get(id(gate))
    if plan is None:
        plan = run.sweep.plans[id(gate)] = gate_plan(run.sweep.model, gate)
    table = perform(table, plan)
    keys = plan.keys
    parts = split(table, keys, lambda seen: bool(plan.compute(dict(zip(keys, seen, strict=True)))))
    passed = parts.get(True, table.empty())
    failed = parts.get(False)
    if failed is None:
        return passed, None, frozenset()
    if not isinstance(gate.otherwise, p.Redo):
        _end(run, failed, gate.otherwise)
        return passed, None, frozenset()
    redo = gate.otherwise
    counter = redo_key(gate.name)
    again: list[Table] = []
    chances = split(failed, (counter,), lambda seen: may_redo(redo, seen[0] or 0))
    if False in chances:
        _end(run, chances[False], redo.otherwise)
    if True not in chances:
        return passed, None, frozenset()
    more = assign(chances[True], (counter,), (counter,), lambda seen: [(((seen[0] or 0) + 1,), 1)])
    again.append(_span(run, redo.reruns[0], index + 1, frozenset(redo.reruns), more, first=False))
    items = run.block.items
    stale = readers(items, index + 1, stop - 1, changed_by(items, redo.reruns))
    return passed, merge(again), frozenset(stale)


def _end(run: _Run, table: Table, outcome: p.Outcome) -> None:
    """All states of a table end the run with an outcome."""
    model = run.sweep.model
    names = sorted(model.roots(outcome_reads(outcome)) | run.taint)
    keys = tuple(value_key(name) for name in names)

    def right(seen: State) -> bool:
        return _is_right(model, outcome, dict(zip(keys, seen, strict=True)), run.taint)

    for is_right, part in split(table, keys, right).items():
        _record(run.sweep, part, outcome, is_right)


def _record(sweep: _Sweep, table: Table, outcome: p.Outcome, is_right: bool) -> None:
    totals = sweep.totals
    for (wrong_effect,), weight in summed(table, (EFFECT,)).items():
        add(totals.endings, (outcome, is_right, wrong_effect), weight)
        if wrong_effect:
            totals.wrong_effect = totals.wrong_effect + weight
        match outcome:
            case p.Return():
                if is_right and not wrong_effect:
                    totals.success = totals.success + weight
                else:
                    totals.silent_error = totals.silent_error + weight
            case p.Escalate():
                totals.escalation = totals.escalation + weight
                add(totals.escalations, outcome.reason, weight)
                add(totals.asked, outcome.role, weight)
            case p.Reject():
                totals.rejection = totals.rejection + weight
            case p.Fail():
                totals.failure = totals.failure + weight
                add(totals.failures, outcome.code, weight)
            case _:
                assert_never(outcome)


# ---------------------------------------------------------------------------------- barriers


def _barrier(run: _Run, index: int, item: p.Item, table: Table, first: bool) -> Table:
    match item:
        case p.Step():
            return _region(run, (index,), table, first)
        case p.Person():
            return _person(run, item, table)
        case p.When():
            return _when(run, index, item, table)
        case p.MatchBranch():
            return _match(run, index, item, table)
        case p.End():
            _end(run, table, item.outcome)
            return table.empty()
        case p.Remember():
            return _remember(run, item, table)
        case p.Gate() | p.Let():
            raise AssertionError("not a barrier of this kind")
        case _:
            assert_never(item)


def _remember(run: _Run, item: p.Remember, table: Table) -> Table:
    """A write: something wrong is done if anything that it hangs on is wrong."""
    names = run.sweep.model.roots(item.reads) | run.taint
    keys = tuple(value_key(name) for name in sorted(names))

    def outcomes(seen: tuple[Any, ...]) -> list[tuple[tuple[Any, ...], Any]]:
        wrong = seen[0] or any(bit == WRONG for bit in seen[1:])
        return [((wrong,), 1)]

    return assign(table, (EFFECT,), (EFFECT, *keys), outcomes)


def _person(run: _Run, person: p.Person, table: Table) -> Table:
    model = run.sweep.model
    unasked: Table | None = None
    if person.when is not None:
        plan = test_plan(model, person.when, None)
        table = perform(table, plan)
        parts = split(
            table,
            plan.keys,
            lambda seen: bool(plan.compute(dict(zip(plan.keys, seen, strict=True)))),
        )
        unasked = parts.get(False)
        if True not in parts:
            return unasked if unasked is not None else table.empty()
        table = parts[True]
    add(run.sweep.totals.asked, person.role, table.total())
    role = model.program.roles[person.role]
    in_time = model.parameters.timely(role.responds, person.seconds, person.role)
    accuracy = model.parameters.value(role.accuracy)
    keys = tuple(value_key(name) for name in sorted(model.roots(person.judges)))
    verdict: Key = ("verdict",)

    def outcomes(seen: tuple[Any, ...]) -> list[tuple[tuple[Any, ...], Any]]:
        right = all(bit in (RIGHT, None) for bit in seen)
        yes = accuracy if right else 1 - accuracy
        chances: dict[bool, Any] = {}
        for timely, share in ((True, in_time), (False, 1 - in_time)):
            for says, part in ((True, yes), (False, 1 - yes)):
                goes_on = passes(person, timely, says)
                chances[goes_on] = chances.get(goes_on, 0.0) + share * part
        return [((goes_on,), chance) for goes_on, chance in chances.items()]

    decided = assign(table, (verdict,), keys, outcomes)
    parts = split(decided, (verdict,), lambda seen: seen[0])
    if False in parts:
        _end(run, parts[False], person.otherwise)
    going = parts.get(True)
    kept = [] if going is None else [forget(going, lambda key: key != verdict)]
    return merge([*kept, *([unasked] if unasked is not None else [])])


def _when(run: _Run, index: int, item: p.When, table: Table) -> Table:
    model = run.sweep.model
    plan = test_plan(model, item.condition, item.name)
    table = perform(table, plan)
    parts = split(
        table,
        plan.keys,
        lambda seen: bool(plan.compute(dict(zip(plan.keys, seen, strict=True)))),
    )
    taint = run.taint | model.values(item.condition)
    ends = [
        _block(run.sweep, block, parts[holds], taint, run.needed, index)
        for holds, block in ((True, item.then), (False, item.otherwise))
        if holds in parts
    ]
    return merge(ends)


def _match(run: _Run, index: int, item: p.MatchBranch, table: Table) -> Table:
    model = run.sweep.model
    plan = subject_plan(model, item.subject, (taken for taken, _ in item.arms))
    table = perform(table, plan)

    def arm(seen: tuple[Any, ...]) -> int:
        value = plan.compute(dict(zip(plan.keys, seen, strict=True)))
        for number, (taken, _) in enumerate(item.arms):
            if taken is None or value in taken:
                return number
        raise LookupError(f"no arm takes {value!r}")

    taint = run.taint | model.values(item.subject)
    ends = [
        _block(run.sweep, item.arms[number][1], part, taint, run.needed, index)
        for number, part in split(table, plan.keys, arm).items()
    ]
    return merge(ends)
