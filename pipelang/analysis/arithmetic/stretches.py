"""Very long rows of moves, worked out a stretch beside the other with numpy.

Moves in a row follow on one another, so nothing of them can be done at once; but weights are linear
in those that a row begins with. A row is cut where few states are left, as behind gates, and each
stretch is worked out from every single state that it may begin with: the first moves of all
stretches at once, then all second ones, and so on. What stretches begin with follows from one to
the next, and gives the weights in between. Derivatives go the same way back.

The result is that of the row move by move, but for rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from pipelang.analysis.arithmetic.movers import CompiledMove, MoveParts
from pipelang.analysis.arithmetic.terms import (
    MINUS,
    OVER,
    PLUS,
    TIMES,
    Moves,
    Operation,
    Term,
    added,
)
from pipelang.records import dataclass

Array = Any

FUNCTIONS = {PLUS: np.add, MINUS: np.subtract, TIMES: np.multiply, OVER: np.divide}
"""The operations of which the chances of a plain item are made."""

NONE = np.zeros(0, dtype=np.int64)

FEW_STATES = (1, 2, 4)
"""Most states at a cut, by what is tried first: each stretch is worked out for each of them."""

APART = 16
"""Moves between cuts at least."""

MOST_LEVELS = 200
"""Moves of a stretch at most: each is a step of its own in numpy."""


MOST_MOVERS = 1_000


class _Factors:
    """Factors that the moves of one mover multiply weights with: sums and products of its
    arguments, each once. Edges, further sums and rises are columns: from a state, to a state (or a
    sum), by which.
    """

    def __init__(self, parts: MoveParts) -> None:
        self.before, self.after, self.sums = parts.before, parts.after, len(parts.more)
        self._arguments = [one.at for one in parts.arguments]
        trace = parts.trace
        self._constants = {at: number for number, at in trace.constants.items()}
        self._numbers: list[Any] = []
        self._known: dict[Any, int] = {}
        self.edges = self._columns(parts.edges)
        more = [(s, j, by) for j, one in enumerate(parts.more) for s, by in one.items()]
        self.more = self._columns(more)
        self.rises = self._columns(parts.rises)
        wanted = {one.at for one in self._numbers if isinstance(one, Term)}
        operations: list[Operation] = []
        for one in reversed(trace.operations):
            if one.at in wanted:
                wanted.update((one.first, one.second))
                operations.append(one)
        self._operations = operations[::-1]

    def _columns(self, edges: Iterable[tuple[int, int, Any]]) -> tuple[Array, Array, Array]:
        rows = [(start, end, self._number(by)) for start, end, by in edges]
        start, end, by = np.array(rows, dtype=np.int64).reshape(-1, 3).T
        return start, end, by

    def _number(self, factor: Any) -> int:
        key = ("term", factor.at) if isinstance(factor, Term) else float(factor)
        if key not in self._known:
            self._known[key] = len(self._numbers)
            self._numbers.append(factor)
        return self._known[key]

    def values(self, arguments: Array) -> Array:
        """Every factor, by the arguments of some moves: a column a move."""
        found: dict[int, Any] = {
            **self._constants,
            **dict(zip(self._arguments, arguments.T, strict=True)),
        }
        for one in self._operations:
            found[one.at] = FUNCTIONS[one.kind](found[one.first], found[one.second])
        rows = [found[one.at] if isinstance(one, Term) else one for one in self._numbers]
        return np.array([np.broadcast_to(row, len(arguments)) for row in rows])


@lru_cache(MOST_MOVERS)
def _factors(mover: CompiledMove) -> _Factors:
    return _Factors(mover.parts)


@dataclass(slots=True, eq=False)
class _Group:
    """The moves of one mover: which, and which arguments each has of those that there are."""

    factors: _Factors
    moves: Array
    registers: list[int]
    which: Array


class Stretches:
    """A row that is cut: what hangs on its moves alone, and not on numbers."""

    def __init__(
        self,
        row: Moves,
        owners: Sequence[Any],
        places: Array,
        groups: list[_Group],
        cuts: list[int],
        few: int,
    ) -> None:
        # Not the row itself, which has its stretches: circles are kept until garbage is looked for.
        self.first, self.owners = row.first, owners
        self.places, self.groups, self.few = places, groups, few
        count = len(places)
        self.before, after = np.empty(count, dtype=np.int64), 0
        sums = np.empty(count, dtype=np.int64)
        for group in groups:
            self.before[group.moves], sums[group.moves] = group.factors.before, group.factors.sums
            if group.moves[-1] == count - 1:
                after = group.factors.after
        self.sums_at = np.cumsum(sums) - sums
        self.sums = int(sums.sum())
        self.cuts = np.array(cuts)
        ends = np.array([*cuts[1:], count])
        number = np.zeros(count, dtype=np.int64)
        number[self.cuts] = 1
        number = np.cumsum(number) - 1
        level = np.arange(count) - self.cuts[number]
        # Weights before each move, and after the last of each stretch: by level, so that those
        # of a level lie together.
        stretches = np.concatenate([number, np.arange(len(cuts))])
        levels = np.concatenate([level, ends - self.cuts])
        sizes = np.concatenate([self.before, [*self.before[ends[:-1]], after]])
        order = np.argsort(levels.astype(np.int16), kind="stable")
        starts = np.empty_like(sizes)
        starts[order] = np.cumsum(sizes[order]) - sizes[order]
        self.states = int(sizes.sum())
        self.stretch = np.repeat(stretches[order], sizes[order])
        by_level = np.bincount(levels, weights=sizes).astype(np.int64)
        self.levels = np.concatenate([[0], np.cumsum(by_level)])
        self.starts, self.ends = starts[self.cuts], starts[count:]
        self.first_sizes, self.last_sizes = sizes[self.cuts], sizes[count:]
        self.begin = slice(int(starts[0]), int(starts[0] + sizes[0]))
        into = starts[np.where(np.arange(count) + 1 == ends[number], count + number, 0)]
        inside = np.arange(count) + 1 < ends[number]
        into[inside] = starts[np.flatnonzero(inside) + 1]
        self.out, self.into = starts[:count], into
        source, target, of_level = [], [], []
        for group in groups:
            start, end, _ = group.factors.edges
            source.append((self.out[group.moves][:, None] + start).ravel())
            target.append((self.into[group.moves][:, None] + end).ravel())
            of_level.append(np.repeat(level[group.moves].astype(np.int16), len(start)))
        of = np.concatenate(of_level)
        self.order = np.argsort(of, kind="stable")
        self.source = np.concatenate(source)[self.order]
        self.target = np.concatenate(target)[self.order]
        self.edges = np.searchsorted(of[self.order], np.arange(len(by_level)))

    def worked_out(self, weights: Sequence[float], values: list[Any]) -> WorkedOut | None:
        """The row from some weights on; None where numbers are not plain ones."""
        factors = []
        for group in self.groups:
            arguments = np.array([values[at] for at in group.registers])
            if arguments.dtype != np.float64 or arguments.ndim != 2:
                return None
            factors.append(group.factors.values(arguments[group.which]))
        return WorkedOut(self, np.array(weights, dtype=np.float64), factors)


class WorkedOut:
    """A row with its weights and further sums."""

    def __init__(self, cut: Stretches, weights: Array, factors: list[Array]) -> None:
        self.cut, self._factors = cut, factors
        gains = [
            values[group.factors.edges[2]].T.ravel()
            for group, values in zip(cut.groups, factors, strict=True)
        ]
        self._gains = np.concatenate(gains)[cut.order]
        single = np.zeros((cut.few, cut.states))
        for number in range(cut.few):
            some = cut.first_sizes[1:] > number
            single[number, cut.starts[1:][some] + number] = 1.0
        single[0, cut.begin] = weights  # what the first begins with is known
        for level in range(len(cut.levels) - 2):
            self._on(single, level)
        self._through = self._ways(single)
        begin = [np.eye(cut.few)[0]]
        for way in self._through:
            begin.append(begin[-1] @ way)
        begins = np.array(begin).T
        self.weights = sum(row * one[cut.stretch] for row, one in zip(single, begins, strict=True))
        last = slice(int(cut.ends[-1]), int(cut.ends[-1] + cut.last_sizes[-1]))
        self._last = single[:, last]
        sums, places = [], []
        for group, values in zip(cut.groups, factors, strict=True):
            start, number, by = group.factors.more
            found = values[by] * self.weights[cut.out[group.moves] + start[:, None]]
            sums.append(found.ravel())
            places.append((cut.sums_at[group.moves] + number[:, None]).ravel())
        self.sums = np.bincount(np.concatenate(places), np.concatenate(sums), cut.sums)

    def _on(self, single: Array, level: int) -> None:
        """The weights of the next level."""
        cut = self.cut
        edges = slice(cut.edges[level], cut.edges[level + 1])
        begin, end = cut.levels[level + 1], cut.levels[level + 2]
        target, source = cut.target[edges] - begin, cut.source[edges]
        for row in single:
            gain = self._gains[edges] * row[source]
            row[begin:end] = np.bincount(target, gain, int(end - begin))

    def _ways(self, single: Array) -> list[Array]:
        """From the states that a stretch begins with to those that the next does: a matrix each."""
        cut = self.cut
        states = np.arange(cut.few)
        there = states < cut.last_sizes[:-1, None]
        at = np.where(there, cut.ends[:-1, None] + states, 0)
        return list((single[:, at] * there).transpose(1, 0, 2))

    def sums_of(self, registers: Sequence[int]) -> Array:
        """The places of the first of the further sums of moves to some registers."""
        return self.cut.sums_at[np.searchsorted(self.cut.places, registers)]

    def pair(self, register: int) -> tuple[list[float], list[float]]:
        """The weights in a register of the row, with the further sums of its move."""
        cut = self.cut
        number = int(np.searchsorted(cut.places, register))
        begin = int(cut.into[number])
        if number + 1 < len(cut.places):
            size, more = cut.before[number + 1], cut.sums_at[number + 1]
        else:
            size, more = cut.last_sizes[-1], cut.sums
        sums = self.sums[cut.sums_at[number] : more]
        return self.weights[begin : begin + size].tolist(), sums.tolist()

    def backward(self, slopes: list[Any], read: Iterable[int], owned: dict[Any, complex]) -> None:
        """The derivatives by the weights before, from those of registers that are read elsewhere;
        and by owners' accuracies. All but the last of these registers are cuts.
        """
        cut = self.cut
        inside = {int(at): number for number, at in enumerate(cut.places[cut.cuts[1:] - 1])}
        more = {inside[at]: np.array(slopes[at]) for at in read if at in inside and slopes[at]}
        last = slopes[int(cut.places[-1])] or [0j] * int(cut.last_sizes[-1])
        here = self._last @ np.array(last)
        ahead: list[Array] = []
        for number in range(len(self._through) - 1, -1, -1):
            if number in more:
                here = here.copy()
                here[: len(more[number])] += more[number]
            ahead.append(here)
            here = self._through[number] @ here
        back = self._back(np.array(ahead[::-1]), np.array(last))
        first = (back[0, cut.begin] + 1j * back[1, cut.begin]).tolist()
        slopes[cut.first] = added(slopes[cut.first], first)
        self._rises(back, owned)

    def _back(self, ahead: Array, last: Array) -> Array:
        """The derivatives by all weights, of success and of silent error, from those by the weights
        at the ends of stretches.
        """
        cut = self.cut
        parts = np.zeros((2, cut.states))
        for number in range(cut.few if len(ahead) else 0):
            some = cut.last_sizes[:-1] > number
            one = ahead[some, number]
            parts[:, cut.ends[:-1][some] + number] = one.real, one.imag
        parts[:, cut.ends[-1] : cut.ends[-1] + cut.last_sizes[-1]] = last.real, last.imag
        for level in range(len(cut.levels) - 3, -1, -1):
            edges = slice(cut.edges[level], cut.edges[level + 1])
            begin, end = cut.levels[level], cut.levels[level + 1]
            source, target = cut.source[edges] - begin, cut.target[edges]
            for row in parts:
                gain = self._gains[edges] * row[target]
                row[begin:end] += np.bincount(source, gain, int(end - begin))
        return parts

    def _rises(self, back: Array, owned: dict[Any, complex]) -> None:
        """The derivatives by accuracies, from those by all weights."""
        cut = self.cut
        before: list[Array] = [np.zeros(0)]
        into: list[Array] = [NONE]
        of_move: list[Array] = [NONE]
        for group, values in zip(cut.groups, self._factors, strict=True):
            start, end, by = group.factors.rises
            if len(start):
                here = values[by] * self.weights[cut.out[group.moves] + start[:, None]]
                before.append(here.ravel())
                into.append((cut.into[group.moves] + end[:, None]).ravel())
                of_move.append(np.tile(group.moves, len(start)))
        weights, at = np.concatenate(before), np.concatenate(into)
        moves = np.concatenate(of_move)
        rises = [np.bincount(moves, weights * slope[at], len(cut.places)) for slope in back]
        found = (rises[0] + 1j * rises[1]).tolist()
        pairs = zip(cut.owners, found, strict=True)
        mine = {owner: one for owner, one in pairs if owner is not None}
        if owned.keys().isdisjoint(mine) and len(mine) == len(found) - cut.owners.count(None):
            owned.update(mine)
            return
        for owner, one in zip(cut.owners, found, strict=True):
            if owner is not None:
                owned[owner] = owned[owner] + one if owner in owned else one


def stretches(row: Moves) -> Stretches | None:
    """The stretches of a row; None where it cannot well be cut."""
    movers, arguments, owners, at = zip(*row.row, strict=True)
    count = len(movers)
    _, first, which = np.unique(
        np.fromiter(map(id, movers), np.int64, count), return_index=True, return_inverse=True
    )
    registers, places = np.array(arguments), np.array(at)
    groups = []
    by_mover = np.argsort(which.astype(np.int16), kind="stable")
    ends = np.cumsum(np.bincount(which))
    for at_first, moves in zip(first.tolist(), np.split(by_mover, ends[:-1]), strict=True):
        mover = movers[at_first]
        if not isinstance(mover, CompiledMove):
            return None
        distinct, of = np.unique(registers[moves], return_inverse=True)
        groups.append(_Group(_factors(mover), moves, distinct.tolist(), of))
    before = np.array([group.factors.before for group in groups])[which]
    needed = {int(np.searchsorted(places, one)) + 1 for one in row.read} - {count}
    for few in FEW_STATES:
        if any(before[one] > few for one in needed):
            continue
        cuts = [0]
        for one in np.flatnonzero(before <= few).tolist():
            if one - cuts[-1] >= APART or (one in needed and one > cuts[-1]):
                cuts.append(one)
        longest = max(np.diff([*cuts, count]))
        if longest <= MOST_LEVELS:
            return Stretches(row, owners, places, groups, cuts, few)
    return None
