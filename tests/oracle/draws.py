"""Every draw of a run made explicit: the depth-first oracle that `enumerate_runs` is built on.

A run is an ordinary function that calls `choose` wherever chance decides. `Draws` replays it once
for every path through its choices: the first time it takes the first option everywhere, and
`advance` then moves the last choice that has an option left. What comes after a choice may depend
on it in any way whatever, so nothing has to be known about the run beforehand.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, TypeVar

Value = TypeVar("Value")

ONE = Fraction(1)


class Draws:
    """The choices of one run, and which runs are still to come."""

    def __init__(self) -> None:
        # One entry for each choice of the current run: its open options, the one taken, and the
        # probability of everything up to and with it.
        self._options: list[list[tuple[Fraction, Any]]] = []
        self._taken: list[int] = []
        self._weights: list[Fraction] = []
        self._next = 0

    def restart(self) -> None:
        """Begins a run, which replays what is kept of the former one."""
        self._next = 0

    def choose(self, options: Sequence[tuple[Fraction, Value]]) -> Value:
        """One of the values, each with its probability. What cannot happen is not followed.

        While a run is being replayed the options are those of the time before.
        """
        if self._next == len(self._taken):
            if sum(p for p, _ in options) != 1:
                raise ValueError(f"probabilities do not sum to 1: {options}")
            possible = [(p, value) for p, value in options if p]
            self._options.append(possible)
            self._taken.append(0)
            self._weights.append(self.weight * possible[0][0])
        picked: Value = self._options[self._next][self._taken[self._next]][1]
        self._next += 1
        return picked

    def flip(self, probability: Fraction) -> bool:
        """Whether something of this probability happens."""
        if probability.denominator == 1:
            return probability == 1
        if self._next < len(self._taken):
            return self.choose(())  # replayed: the options are known
        return self.choose([(probability, True), (1 - probability, False)])

    @property
    def depth(self) -> int:
        """How many choices are kept: at the end of a run, all that it has made."""
        return len(self._taken)

    @property
    def replays(self) -> bool:
        """Whether this part of the run has been played before."""
        return self._next < len(self._taken)

    @property
    def weight(self) -> Fraction:
        """The probability of the current run, as far as it has been drawn."""
        return self._weights[-1] if self._weights else ONE

    @property
    def way(self) -> tuple[int, ...]:
        """The places of what was taken. Depth first, runs come in the order of their ways."""
        return tuple(self._taken)

    def advance(self) -> bool:
        """Moves on to the next run; False once all have been."""
        if self._next != len(self._taken):
            raise RuntimeError("the run did not replay its choices")
        while self._taken:
            options, taken = self._options.pop(), self._taken.pop() + 1
            self._weights.pop()
            if taken < len(options):
                weight = self.weight * options[taken][0]
                self._options.append(options)
                self._taken.append(taken)
                self._weights.append(weight)
                return True
        return False


class BroadDraws(Draws):
    """The same runs in another order: of all that can still be decided otherwise, what was decided
    first. `known` then tells early that there are many: nearly all are still to come, but every
    choice left open begins one at least.
    """

    def __init__(self) -> None:
        super().__init__()
        self._given = 0  # the choices of the current run that it was begun with
        # For each run to come the choices that begin it, as above: options, taken and weights.
        self._begun: deque[tuple[list[list[tuple[Fraction, Any]]], list[int], list[Fraction]]]
        self._begun = deque()

    @property
    def known(self) -> int:
        """How many runs to come are known to exist, after a run."""
        left = sum(len(options) - 1 for options in self._options[self._given :])
        return len(self._begun) + left

    def advance(self) -> bool:
        """Moves on to the next run; False once all have been."""
        if self._next != len(self._taken):
            raise RuntimeError("the run did not replay its choices")
        for at in range(self._given, len(self._taken)):
            options, before = self._options[at], self._weights[at - 1] if at else ONE
            for taken in range(1, len(options)):
                self._begun.append(
                    (
                        self._options[: at + 1],
                        [*self._taken[:at], taken],
                        [*self._weights[:at], before * options[taken][0]],
                    )
                )
        if not self._begun:
            return False
        self._options, self._taken, self._weights = self._begun.popleft()
        self._given = len(self._taken)
        return True
