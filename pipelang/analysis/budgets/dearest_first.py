"""Whether budgets cut any run, looked for where runs spend the most.

A sweep over all states tells it for certain. Mostly runs are cut, and then a few of them show it:
a sweep that keeps no more than a few states at a time, those that have spent the most, goes where
runs that are cut go. Each state that it keeps is one that runs come to, so what it finds cut is; if
it finds nothing, that says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelang.analysis.budgets.limits import ENDLESS
from pipelang.analysis.budgets.sheets import Sheet
from pipelang.analysis.frontier.table import Table
from pipelang.analysis.sweep.branching import Judged
from pipelang.analysis.sweep.redos import Passage, Visit
from pipelang.records import dataclass
from pipelang.semantics import program as p

MOST_KEPT = 4
"""States that are kept where runs go on together."""


class PassedLimit(Exception):
    """Ends a sweep: a run that it came to has passed a limit, and more was not asked."""


@dataclass(slots=True)
class DearestFirst:
    """The operations at the parts of a block (`inner`), of which only the dearest states go on.
    Raises `PassedLimit` where one of them has passed a limit of the run itself, one of `limits` by
    their places: what it spent stays spent, however it ends. Those of sub-pipelines are decided
    where these end.
    """

    inner: Passage
    limits: tuple[int, ...]

    @property
    def block(self) -> p.Block:
        return self.inner.block

    def region(self, members: Sequence[int], table: Table, visit: Visit) -> Table:
        """Steps one after the other: what has spent little is not gone on with to the next."""
        for index in members:
            table = self._dearest(self.inner.region((index,), table, visit))
        return table

    def barrier(self, index: int, item: p.Item, table: Table, visit: Visit) -> Table:
        return self._dearest(self.inner.barrier(index, item, table, visit))

    def gate(self, index: int, gate: p.Gate, otherwise: p.Outcome, table: Table) -> Table:
        return self._dearest(self.inner.gate(index, gate, otherwise, table))

    def judged(self, item: p.Gate | p.Person, table: Table) -> Judged:
        return self.inner.judged(item, table)

    def going_back(self, index: int, table: Table) -> Table:
        return self._dearest(self.inner.going_back(index, table))

    def end(self, table: Table, outcome: p.Outcome) -> None:
        self.inner.end(table, outcome)

    def let_go(self, index: int, table: Table) -> Table:
        return self._dearest(self.inner.let_go(index, table))

    def _dearest(self, table: Table) -> Table:
        """The states of a table that have spent the most, of those that are possible."""
        if any(map(self._passed, table.weights.values())):
            raise PassedLimit
        if len(table) <= MOST_KEPT:
            return table
        ranked = sorted(table.weights.items(), key=lambda pair: _spent(pair[1]), reverse=True)
        return Table(table.slots, dict(ranked[:MOST_KEPT]))

    def _passed(self, weight: Any) -> bool:
        """Whether runs are behind a weight that have passed a limit."""
        return isinstance(weight, Sheet) and any(
            chance > 0 and any(amounts[3 * at + 1] == ENDLESS for at in self.limits)
            for (amounts, _), chance in weight.entries.items()
        )


def _spent(weight: Any) -> tuple[Any, ...]:
    """The most that is spent in a weight, of one limit after the other, and how likely it is."""
    if not isinstance(weight, Sheet):
        return ((), weight)
    most = max(amounts[1::3] for amounts, _ in weight.entries)
    return (most, sum(weight.entries.values()))
