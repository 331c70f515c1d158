"""Redos: the order in which states go through a block.

A gate or an approval may send states back, to run again what it redoes and all that reads it, up to
itself; gates in between may send them back once more. States wait where they are. The least
advanced go on first, up to the next item that may send some back, so that all states that reach one
place are merged before they go on: whatever the order of redos, each continuation is computed once.
It terminates because redos are counted in the state.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Protocol

from pipelang.analysis.frontier.table import Table, assign, merge, split
from pipelang.analysis.model.model import redo_key
from pipelang.analysis.sweep.branching import Judged
from pipelang.records import NamedTuple, dataclass, replace
from pipelang.semantics import program as p
from pipelang.semantics.kernels.redo import (
    changed_by,
    last_outcome,
    may_redo,
    readers,
    redo_of,
)


class Visit(NamedTuple):
    """A visit of items: whether they did not run before, and the index of the step that a gate has
    just sent back, with its feedback (-1: none).
    """

    first: bool
    told: int = -1


FIRST_VISIT = Visit(first=True)


class Passage(Protocol):
    """The operations on a table at the parts of a block. All of them but `judged` sum out the
    variables that are not read any more (`let_go`).
    """

    @property
    def block(self) -> p.Block: ...

    def region(self, members: Sequence[int], table: Table, visit: Visit) -> Table:
        """Steps by their index."""

    def barrier(self, index: int, item: p.Item, table: Table, visit: Visit) -> Table:
        """Anything but a gate."""

    def gate(self, index: int, gate: p.Gate, otherwise: p.Outcome, table: Table) -> Table:
        """A gate that ends the run for what it does not let pass."""

    def judged(self, item: p.Gate | p.Person, table: Table) -> Judged:
        """Return the states that pass a gate or person with a redo, those that are sent back, and
        those that end the run in any case.
        """

    def going_back(self, index: int, table: Table) -> Table:
        """The states that an item sends back; fewer, where redos have taken all the work that they
        may.
        """

    def end(self, table: Table, outcome: p.Outcome) -> None:
        """All states of a table end the run."""

    def let_go(self, index: int, table: Table) -> Table:
        """Sum out what nothing reads after an item."""


@dataclass(frozen=True, slots=True)
class BlockPosition:
    """A position in a block: before the segment of number `at`.

    Where a gate sent them back, all items up to the one of index `horizon` ran before, and those
    of `again` among them run again; else `horizon` is -1. `redos` counts how often that was, and
    `told` is the step that the last gate sent back, as long as it has not run.
    """

    at: int
    horizon: int = -1
    again: frozenset[int] = frozenset()
    redos: int = 0
    told: int = -1


def through(passage: Passage, table: Table) -> Table:
    """The states that reach the end of a block."""
    segments = passage.block.segments
    starts = [_first(segment) for segment in segments]
    waiting: dict[BlockPosition, list[Table]] = {BlockPosition(0): [table]}
    ends: list[Table] = []

    def how_far(place: BlockPosition) -> tuple[int, int, int]:
        far = starts[place.at] if place.at < len(starts) else len(passage.block.items)
        return (max(place.horizon, far), place.redos, place.at)

    while waiting:
        place = min(waiting, key=how_far)
        here = merge(waiting.pop(place))
        for going, states in _on(passage, place, here, starts):
            if states and going.at == len(segments):
                ends.append(states)
            elif states:
                waiting.setdefault(going, []).append(states)
    return merge(ends)


def _first(segment: p.Region | p.Barrier) -> int:
    """The index of a segment's first item."""
    return segment.members[0] if isinstance(segment, p.Region) else segment.index


def _on(
    passage: Passage, place: BlockPosition, table: Table, starts: list[int]
) -> Iterator[tuple[BlockPosition, Table]]:
    """Go on from a place to the next gate that may send states back, or to the end."""
    block = passage.block
    for number in range(place.at, len(block.segments)):
        segment = block.segments[number]
        first = starts[number] > place.horizon
        told = place.told if number == place.at else -1
        visit = FIRST_VISIT if first and told < 0 else Visit(first, told)
        if isinstance(segment, p.Region):
            members: Sequence[int] = segment.members
            if not first:
                members = [i for i in members if i in place.again]
            if members and table:
                table = passage.region(members, table, visit)
            continue
        index = segment.index
        if not table or not (first or index in place.again):
            continue
        item = block.items[index]
        redo = redo_of(item)
        if redo is not None:
            assert isinstance(item, (p.Gate, p.Person))
            passed, back = _redoing(passage, index, item, redo, table)
            yield _below(place, number, index, starts), passage.let_go(index, passed)
            yield _above(block, place, index, redo, starts), back
            return
        if isinstance(item, p.Gate):
            table = passage.gate(index, item, last_outcome(item), table)
        else:
            table = passage.barrier(index, item, table, visit)
    yield BlockPosition(len(block.segments)), table


def _redoing(
    passage: Passage, index: int, gate: p.Gate | p.Person, redo: p.Redo, table: Table
) -> tuple[Table, Table]:
    """Return the states that pass a gate or person, and those that it sends back; end those without
    a redo left.
    """
    passed, failed, out = passage.judged(gate, table)
    if out is not None:
        passage.end(out, redo.otherwise)
    if failed is None:
        return passed, table.empty()
    counter = redo_key(gate.name)
    chances = split(failed, (counter,), lambda seen: may_redo(redo, seen[0] or 0))
    if False in chances:
        passage.end(chances[False], redo.otherwise)
    if True not in chances:
        return passed, table.empty()
    back = passage.going_back(index, chances[True])
    return passed, assign(back, (counter,), (counter,), lambda seen: [(((seen[0] or 0) + 1,), 1)])


def _below(place: BlockPosition, number: int, gate: int, starts: list[int]) -> BlockPosition:
    """Behind a gate that was passed."""
    if number + 1 == len(starts) or starts[number + 1] > place.horizon:
        return BlockPosition(number + 1)
    left = frozenset(index for index in place.again if index > gate)
    return replace(place, at=number + 1, again=left, told=-1)


def _above(
    block: p.Block, place: BlockPosition, gate: int, redo: p.Redo, starts: list[int]
) -> BlockPosition:
    """Return the position to which a gate sends states back, with all that runs again."""
    horizon = max(gate, place.horizon)
    stale = readers(block.items, gate + 1, horizon, changed_by(block.items, redo.reruns))
    left = {index for index in place.again if index > gate}
    again = frozenset({*redo.reruns, gate, *stale, *left})
    told = redo.reruns[0]
    return BlockPosition(bisect_right(starts, told) - 1, horizon, again, place.redos + 1, told)
