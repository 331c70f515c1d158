"""What runs come to, added up as it happens; runs that meet go on as one.

Everything that is asked of all runs together is a sum over them: chances of results, dollars,
cases. So each summand is taken down at the moment when it is settled, with the chance of the run
up to there, and once for all the runs that go on from it.

A place where a run stands between two items is a `Node`, named by all that the rest of the run can
depend on (`meeting`). The first run that comes to it explores all ways on, since `Draws` is depth
first; another that comes to it later has the same ways on, with the same chances, and ends there.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from fractions import Fraction

from .draws import Draws

NOTHING = Fraction(0)


class MetAnotherError(Exception):
    """A run stands where another has been, and has been counted."""


@dataclass(slots=True)
class Sums:
    """`runs` is their number, each counted for itself."""

    amounts: dict[Hashable, Fraction] = field(default_factory=dict)
    runs: int = 0

    def add(self, what: Hashable, amount: Fraction) -> None:
        self.amounts[what] = self.amounts.get(what, NOTHING) + amount

    def add_all(self, others: Sums, times: Fraction) -> None:
        self.runs += others.runs
        for what, amount in others.amounts.items():
            self.add(what, amount * times)


@dataclass(slots=True)
class Node:
    """A place of which not all ways on have been taken; `weight` is the chance to come to it."""

    key: Hashable
    depth: int
    weight: Fraction
    sums: Sums = field(default_factory=Sums)


class Tally:
    """The sums over all runs so far."""

    def __init__(self, draws: Draws) -> None:
        self._draws = draws
        self._open = [Node(None, 0, Fraction(1))]
        self._explored: dict[Hashable, Sums] = {}  # from there on, given that a run is there

    @property
    def sums(self) -> Sums:
        return self._open[0].sums

    @property
    def runs(self) -> int:
        return sum(node.sums.runs for node in self._open)

    def add(self, what: Hashable, amount: Fraction) -> None:
        """`amount` more of something, in this run and all that go on from here."""
        if not self._draws.replays:
            self._open[-1].sums.add(what, amount * self._draws.weight)

    def end(self, result: Hashable) -> None:
        last = self._open[-1].sums
        last.runs += 1
        last.add(result, self._draws.weight)

    def stand(self, key: Hashable) -> None:
        """Raises `MetAnotherError` where the rest of the run is known."""
        explored = self._explored.get(key)
        if explored is None:
            self._open.append(Node(key, self._draws.depth, self._draws.weight))
            return
        self._open[-1].sums.add_all(explored, self._draws.weight)
        raise MetAnotherError

    def close(self) -> None:
        """Ends the nodes that the run to come does not go through: all ways on are taken."""
        while len(self._open) > 1 and self._open[-1].depth >= self._draws.depth:
            node = self._open.pop()
            explored = self._explored[node.key] = Sums()
            explored.add_all(node.sums, 1 / node.weight)
            self._open[-1].sums.add_all(node.sums, Fraction(1))
