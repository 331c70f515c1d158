"""Regions: their series-parallel decomposition, and the endings that their states tell apart.

A partial order is series-parallel exactly if it has no four elements in the shape of an N (Valdes,
Tarjan and Lawler, "The recognition of series parallel digraphs", 1982). Such an order is decomposed
down to single steps: into parts that run side by side, without any order between them, or into
parts that follow one another, of which one wholly precedes the other. Where neither is possible,
the order contains an N; then all other steps wait for those that wait for nothing, which makes the
region slower, never faster. The same is done where parts side by side lie in one another too deep:
a chain of which every step has another one beside it. Each of these needs an origin of its own in
every state, so that states grow with a power of the chain's length.

A step may end the run while others of its region go on. Of several endings the first in writing
order counts, so a state keeps the place of the one that it has. Two endings are alike if what
follows takes them for the same, and no step that is still to run stands between them and could end
the run in another way. Told apart, they would make a state of every step that can end the run, for
every such step beside it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from pipelang.analysis.frontier.states import State, add
from pipelang.analysis.frontier.table import Table
from pipelang.analysis.model.model import END
from pipelang.records import dataclass, field
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import ending

DEEPEST = 10
"""Parts side by side that lie in one another."""

PLAIN = (p.AskTier, p.AskRole, p.Cascade, p.Call, p.Value)
"""Actions that answer or fail; what else there is may end the run in ways of its own."""

STOPPED = "stopped"
"""Outcomes that end a run and all that it is a part of."""


@dataclass(frozen=True, slots=True)
class RegionLeaf:
    """One item, by its index in the block."""

    index: int


@dataclass(frozen=True, slots=True)
class Series:
    """One part after the other."""

    parts: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class ParallelRegion:
    """All parts at the same time."""

    parts: tuple[Order, ...]


Order = RegionLeaf | Series | ParallelRegion


def order_of(items: Sequence[p.Item], members: Sequence[int]) -> tuple[Order, bool]:
    """Return the order of a region's members, and whether it is exact or a slower one."""
    before = waits(items, members)
    steps = [index for index in members if isinstance(items[index], p.Step)]
    if not steps:
        return Series(()), True
    return _taken_apart(steps, before, 0)


def leaves(order: Order) -> list[int]:
    """Return the items of an order, by their index, in the sequence in which they are walked."""
    if isinstance(order, RegionLeaf):
        return [order.index]
    return [index for part in order.parts for index in leaves(part)]


def waits(items: Sequence[p.Item], members: Sequence[int]) -> dict[int, frozenset[int]]:
    """Return the transitive dependencies of every member, by index."""
    maker: dict[str, int] = {}
    found: dict[int, frozenset[int]] = {}
    for index in members:
        item = items[index]
        assert isinstance(item, (p.Step, p.Let))
        direct = {maker[name] for name in item.reads if name in maker}
        found[index] = frozenset(direct).union(*(found[other] for other in direct))
        maker[item.name] = index
    return found


def _taken_apart(
    steps: list[int], before: dict[int, frozenset[int]], deep: int
) -> tuple[Order, bool]:
    if len(steps) == 1:
        return RegionLeaf(steps[0]), True
    apart = _components(steps, before, ordered=True)
    here = set(steps)
    if len(apart) > 1 and (deep < DEEPEST or len(apart) == len(steps)):
        found = [_taken_apart(part, before, deep + 1) for part in apart]
        return ParallelRegion(tuple(order for order, _ in found)), all(exact for _, exact in found)
    chained = _components(steps, before, ordered=False)
    if len(chained) > 1:
        chained.sort(key=lambda part: len(before[part[0]].intersection(here)))
        found = [_taken_apart(part, before, deep) for part in chained]
        return Series(tuple(order for order, _ in found)), all(exact for _, exact in found)
    heads = [step for step in steps if not before[step] & here]
    rest = [step for step in steps if before[step] & here]
    first, _ = _taken_apart(heads, before, deep)
    then, _ = _taken_apart(rest, before, deep)
    return Series((first, then)), False


def _components(
    steps: list[int], before: dict[int, frozenset[int]], ordered: bool
) -> list[list[int]]:
    """The steps that hang together, where two do if one waits for the other (or, for `ordered`
    False, if neither does).
    """
    left = set(steps)
    found: list[list[int]] = []
    for step in steps:
        if step not in left:
            continue
        left.remove(step)
        part, todo = [], [step]
        while todo:
            here = todo.pop()
            part.append(here)
            near = {
                other
                for other in left
                if (other in before[here] or here in before[other]) is ordered
            }
            left -= near
            todo += near
        found.append(sorted(part))
    return found


@dataclass(slots=True)
class EndedRuns:
    """The endings of a walk, each with a number. `last`: nothing follows the runs of this walk, so
    however they end they are only added up.
    """

    last: bool
    known: dict[int, tuple[p.Outcome, bool]] = field(default_factory=dict)
    numbers: dict[tuple[p.Outcome, bool], int] = field(default_factory=dict)

    def number(self, outcome: p.Outcome, right: bool) -> int:
        """Return the number that stands for an outcome in a state."""
        number = self.numbers.setdefault((outcome, right), len(self.numbers) + 1)
        self.known[number] = (outcome, right)
        return number

    def alike(self, table: Table, items: Sequence[p.Item], later: Sequence[int]) -> Table:
        """Join the states of a table that differ in an ending, where nothing tells the endings
        apart; `later` are the steps of the region that are still to run, by their index.
        """
        at = table.index(END)
        assert at is not None
        first: dict[Any, tuple[int, int]] = {}
        between: dict[Any, list[int]] = {}
        instead: dict[Any, Any] = {None: None}
        for end in {state[at]: None for state in table.weights if state[at] is not None}:
            kind = self._kind(*self.known[end[1]])
            if kind not in between:
                between[kind] = sorted(j for j in later if self._may_differ(items[j], kind))
            instead[end] = first.setdefault((kind, bisect_left(between[kind], end[0])), end)
        if all(end == one for end, one in instead.items()):
            return table
        weights: dict[State, Any] = {}
        for state, weight in table.weights.items():
            add(weights, (*state[:at], instead[state[at]], *state[at + 1 :]), weight)
        return Table(table.slots, weights)

    def _kind(self, outcome: p.Outcome, right: bool) -> Any:
        """The kind of an ending: to a caller a failure is not a decision, and a value is right or
        wrong.
        """
        if self.last:
            return None
        match outcome:
            case p.Return():
                return right
            case p.Fail():
                return p.Fail
            case _:
                return STOPPED

    def _may_differ(self, item: p.Item, kind: Any) -> bool:
        """Whether a step may end the run in another way."""
        if self.last:
            return False
        assert isinstance(item, p.Step)
        if not all(isinstance(link.action, PLAIN) for link in item.chain.links):
            return True
        outcome = ending(item.chain, item)
        return isinstance(outcome, p.Return) or self._kind(outcome, True) != kind
