"""The loss waterfall: the effect of every item on the runs that reach it, counted by one sweep.

Runs are of two kinds: no value that is still read is wrong ("right so far"), or some value is. A
sweep is linear in its table, so each item is given the two kinds one after the other, and the
results of each are counted: how many go on right, how many go on wrong, and how the others end.
These are all the possibilities, so nothing is lost on the way:

    success = 1 - right runs that ended without an answer - right runs that went wrong
                + wrong runs that were put right + wrong runs whose fault the answer does not show

A wrong value that nothing reads any more counts as right from there on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pipelang.analysis.frontier.states import State
from pipelang.analysis.frontier.table import Table, merge, split
from pipelang.analysis.frontier.totals import FLOW, Inner, Totals
from pipelang.analysis.metrics.waterfall_rows import WaterfallRow, inner_flows, put_inside
from pipelang.analysis.model.model import EFFECT, WRONG, PipelineModel
from pipelang.analysis.sweep.branching import Judged
from pipelang.analysis.sweep.redos import Passage, Visit
from pipelang.records import dataclass, field, replace
from pipelang.semantics import program as p
from pipelang.semantics.kernels.redo import redo_of
from pipelang.semantics.metrics import (
    ESCALATION,
    OUTCOMES,
    WRONG_EFFECT,
)

Judge = Callable[[Table], Callable[[State], bool]]
"""Says of the states of a table whether something about them is wrong."""


@dataclass(slots=True)
class Waterfall:
    """The rows in the order in which runs first came to them. `judge` says what counts as wrong;
    `items` are those of sub-pipelines, by their identity.
    """

    judge: Judge
    rows: dict[tuple[int, bool], WaterfallRow] = field(default_factory=dict)
    items: dict[int, p.Item] = field(default_factory=dict)

    def row(self, item: p.Item, again: bool) -> WaterfallRow:
        key = (id(item), again)
        if key not in self.rows:
            self.rows[key] = WaterfallRow(item, again)
        return self.rows[key]

    def parts(self, table: Table) -> dict[bool, Table]:
        """The right and the wrong runs of a table."""
        wrong = self.judge(table)
        return split(table, table.slots, wrong)

    def right(self, table: Table) -> float:
        part = self.parts(table).get(False)
        return 0.0 if part is None else float(part.total())

    @property
    def left_right(self) -> float:
        return sum(row.left_right for row in self.rows.values())


def anything_wrong(table: Table) -> Callable[[State], bool]:
    """Whether some value that is still read is wrong, or something was done with a wrong one."""
    bits = [at for at, key in enumerate(table.slots) if key[0] == "value"]
    done = wrongly_done(table)
    return lambda state: any(state[at] == WRONG for at in bits) or done(state)


def wrongly_done(table: Table) -> Callable[[State], bool]:
    """Whether something was done in the world with a wrong value."""
    effect = table.index(EFFECT)
    return lambda state: effect is not None and bool(state[effect])


def waterfall(model: PipelineModel, judge: Judge = anything_wrong) -> tuple[Waterfall, Totals]:
    """A sweep of the point that counts at every item; beside it, its totals."""
    from pipelang.analysis.sweep.sweep import sweep, sweep_from

    found = Waterfall(judge)

    def watched(
        child: PipelineModel, start: Table, taint: frozenset[str], again: bool
    ) -> tuple[Totals, dict[Inner, float]]:
        inner = Waterfall(judge, items=found.items)
        totals = sweep_from(
            child, start, taint, again, lambda passage, totals: Watched(passage, inner, totals)
        )
        found.items.update((item, row.item) for (item, _), row in inner.rows.items())
        return totals, inner_flows(child.pipeline.name, inner.rows)

    model = replace(model, watched=watched, children={}, prepared={})
    return found, sweep(model, watch=lambda passage, totals: Watched(passage, found, totals))


def ended_by(totals: Totals) -> dict[str, float]:
    """The runs that ended so far, by outcome; those that went to people also by the way."""
    shares = {f"{ESCALATION}.{name}": float(part) for name, part in totals.escalations.items()}
    for name in (*OUTCOMES, WRONG_EFFECT):
        shares[name] = float(getattr(totals, name))
    return shares


@dataclass(slots=True)
class Watched:
    """The operations at the parts of a block (`inner`), with the runs that go in and out
    counted.
    """

    inner: Passage
    found: Waterfall
    totals: Totals

    @property
    def block(self) -> p.Block:
        return self.inner.block

    def region(self, members: Sequence[int], table: Table, visit: Visit) -> Table:
        """Steps one after the other: of a run that ended nothing more is counted."""
        for index in members:
            item = self.block.items[index]
            if isinstance(item, p.Step):

                def act(part: Table, at: int = index) -> Table:
                    return self.inner.region((at,), part, visit)

                table = self._counted(self.found.row(item, not visit.first), table, act)
        return table

    def barrier(self, index: int, item: p.Item, table: Table, visit: Visit) -> Table:
        row = self.found.row(item, not visit.first)
        if not isinstance(item, (p.When, p.MatchBranch)):
            return self._counted(
                row, table, lambda part: self.inner.barrier(index, item, part, visit)
            )
        # What is inside counts for itself; here it is what the end of the branch lets go.
        before, left = self.found.right(table), self.found.left_right
        out = self.inner.barrier(index, item, table, visit)
        row.wrong.on_right += self.found.right(out) - before + self.found.left_right - left
        return out

    def gate(self, index: int, gate: p.Gate, otherwise: p.Outcome, table: Table) -> Table:
        def act(part: Table) -> Table:
            return self.inner.gate(index, gate, otherwise, part)

        return self._counted(self.found.row(gate, False), table, act)

    def judged(self, item: p.Gate | p.Person, table: Table) -> Judged:
        """Of a gate or person with a redo: what passes, what is sent back, and what ends anyway."""
        row = self.found.row(item, False)
        passed, failed, ended = [], [], []
        for wrong, part in self.found.parts(table).items():
            good, bad, out = self.inner.judged(item, part)
            flow = row.of(wrong)
            flow.came += float(part.total())
            if wrong:
                flow.on_wrong += float(good.total())
            else:
                flow.on_right += float(good.total())
            passed.append(good)
            if bad is not None:
                flow.back += float(bad.total())
                failed.append(bad)
            if out is not None:
                flow.back += float(out.total())
                ended.append(out)
        return (
            merge(passed),
            merge(failed) if failed else None,
            merge(ended) if ended else None,
        )

    def going_back(self, index: int, table: Table) -> Table:
        return self.inner.going_back(index, table)

    def end(self, table: Table, outcome: p.Outcome) -> None:
        """End the runs for which a gate has no redo left, or a person no answer."""
        gate = next(
            item
            for item in self.block.items
            if (redo := redo_of(item)) is not None and redo.otherwise is outcome
        )
        row = self.found.row(gate, False)
        for wrong, part in self.found.parts(table).items():
            before = ended_by(self.totals)
            self.inner.end(part, outcome)
            row.of(wrong).end(_more(before, ended_by(self.totals)))
            row.of(wrong).back -= float(part.total())

    def let_go(self, index: int, table: Table) -> Table:
        """Behind a gate that redoes: what was wrong and is read no more."""
        before = self.found.right(table)
        out = self.inner.let_go(index, table)
        flow, put_right = (
            self.found.row(self.block.items[index], False).wrong,
            self.found.right(out),
        )
        flow.on_right += put_right - before
        flow.on_wrong -= put_right - before
        return out

    def _counted(self, row: WaterfallRow, table: Table, act: Callable[[Table], Table]) -> Table:
        """Do something to right and to wrong runs one after the other, and count the results."""
        after = []
        for wrong, part in self.found.parts(table).items():
            before, inside = ended_by(self.totals), dict(self.totals.inside)
            out = act(part)
            flow, right = row.of(wrong), self.found.right(out)
            for key, amount in self.totals.inside.items():
                if key[0] == FLOW and amount != inside.get(key, 0.0):
                    put_inside(row, key, amount - inside.get(key, 0.0), self.found.items)
            flow.came += float(part.total())
            flow.on_right += right
            flow.on_wrong += float(out.total()) - right
            flow.end(_more(before, ended_by(self.totals)))
            after.append(out)
        return merge(after)


def _more(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    return {name: share - before.get(name, 0.0) for name, share in now.items()}
