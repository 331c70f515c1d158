"""Moves one after the other: one operation of a formula, however many they are.

Nearly all of a large pipeline is steps in a row, each of which moves the weights of the states on.
An operation of its own for each was looked up, unpacked and put away four times in an analysis.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import add
from typing import Any, Protocol

from pipelang.records import dataclass, field


class Mover(Protocol):
    """A way from the weights of some states to those of others. Weights are a pair: those of
    the states, and what else comes of the step (`Transition.ends`).
    """

    def forward(self, weights: Any, arguments: Any) -> Any:
        """The weights after, from those before and the arguments."""

    def backward(self, weights: Any, after: Any, arguments: Any) -> tuple[Any, Any, Any]:
        """The derivatives by the weights before and by the arguments (None: none is wanted) from
        those by the weights after; and the derivative by the step's accuracy.
        """


@dataclass(slots=True, eq=False)
class Moves:
    """Moves, each from the weights that the one before leaves; the `first` from a register. By
    move: the register of its arguments, with whose accuracy it hangs on, and the register after it.
    The arguments of all but the first are inputs, so that they are there when the first is made.
    """

    first: int
    movers: list[Mover] = field(default_factory=list)
    arguments: list[int] = field(default_factory=list)
    owners: list[Any] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def add(self, mover: Mover, arguments: int, owner: Any, at: int) -> None:
        """One more move."""
        self.movers.append(mover)
        self.arguments.append(arguments)
        self.owners.append(owner)
        self.places.append(at)

    def singly(self) -> Iterator[tuple[Mover, int, int, int]]:
        """Each move, with the registers of the weights before, its arguments and those after."""
        before = (self.first, *self.places)
        return zip(self.movers, before, self.arguments, self.places, strict=False)

    def forward(self, weights: Any, values: list[Any]) -> Any:
        """The weights after all moves; those after each go to their registers."""
        for mover, by, at in zip(self.movers, self.arguments, self.places, strict=True):
            weights = values[at] = mover.forward(weights, values[by])
        return weights

    def backward(self, values: list[Any], slopes: list[Any], owned: dict[Any, complex]) -> None:
        """The derivatives by the weights before, from those after; and by owners' accuracies."""
        slope: Any = 0j
        places, before = self.places, [self.first, *self.places[:-1]]
        for number in range(len(places) - 1, -1, -1):
            at = places[number]
            slope = added(slopes[at], slope) if slope else slopes[at]
            if not slope:
                continue
            by, owner = self.arguments[number], self.owners[number]
            weights = values[before[number]][0]
            slope, of_arguments, rise = self.movers[number].backward(weights, slope, values[by])
            if of_arguments is not None:
                slopes[by] = added(slopes[by], of_arguments)
            if owner is not None:
                owned[owner] = owned[owner] + rise if owner in owned else rise
        if slope:
            slopes[self.first] = added(slopes[self.first], slope)


def added(known: Any, more: Any) -> Any:
    """Slopes by weights, added to what is known of them."""
    return [*map(add, known, more)] if known else more
