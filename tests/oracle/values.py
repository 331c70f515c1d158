"""Hidden bits: whether an answer is right, decided only when somebody asks.

Each answer has a latent draw: right with `accuracy` if all that it was made from is right, and a
second one, right with `recovers`, if not. They are independent of everything else, so it makes no
difference to any probability when they are drawn. Drawing them as late as possible keeps the
number of runs small: an answer that nobody looks at costs no branch at all.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

from .draws import Draws


class OpenReadingError(Exception):
    """A run came to a place where the design does not say what holds; no number is right there."""


class Verdicts(Protocol):
    def verdict(self, inputs_right: bool) -> bool:
        """Whether the answer is right, given whether all that it was made from is."""


class Known:
    """The verdict of a vote, which is there as soon as the vote is over."""

    def __init__(self, inputs_right: bool, right: bool) -> None:
        self.inputs_right = inputs_right
        self.right = right

    def verdict(self, inputs_right: bool) -> bool:
        if inputs_right != self.inputs_right:
            raise OpenReadingError("what a vote would have said about other arguments")
        return self.right


class Latent:
    """The verdict behind an answer, drawn anew or copied from the former answer of the step.

    A redo copies both draws together, with the probability `correlation` of the link that answers
    now, whatever link answered before.
    """

    def __init__(
        self,
        draws: Draws,
        accuracy: Fraction,
        recovers: Fraction,
        former: Verdicts | None = None,
        correlation: Fraction = Fraction(0),
    ) -> None:
        self._draws = draws
        self.chances = {True: accuracy, False: recovers}
        self.former = former
        self.correlation = correlation
        self.copied: bool | None = None
        self.verdicts: dict[bool, bool] = {}

    def verdict(self, inputs_right: bool) -> bool:
        if self.former is not None:
            if self.copied is None:
                self.copied = self._draws.flip(self.correlation)
            if self.copied:
                return self.former.verdict(inputs_right)
        if inputs_right not in self.verdicts:
            self.verdicts[inputs_right] = self._draws.flip(self.chances[inputs_right])
        return self.verdicts[inputs_right]


class Value:
    """One version of a value: a redo makes another one. Told apart by identity."""

    def __init__(self, latent: Verdicts, made_from: tuple[Value, ...]) -> None:
        self.latent = latent
        self.made_from = made_from
        self.known: bool | None = None

    def right(self) -> bool:
        if self.known is None:
            self.known = self.latent.verdict(all_right(self.made_from))
        return self.known


def all_right(values: tuple[Value, ...]) -> bool:
    return all(value.right() for value in values)
