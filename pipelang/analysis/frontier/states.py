"""The states of a frontier: how variables, states and the transitions between them are written.

A variable is a tuple that begins with its kind (`("value", step)`); a state is a tuple with a value
for each variable; weights are numbers, arrays of numbers, or whatever else a sweep computes with.
"""

from __future__ import annotations

from math import inf
from typing import Any

Key = tuple[Any, ...]
"""A variable: a hidden bit, a draw, an outage or a counter."""

State = tuple[Any, ...]
"""A value for each variable of a table; None where the variable was not drawn."""

Edge = tuple[int, int, Any]
"""From a state before (by its number) to a state after, and how likely."""


class Layout:
    """The states of a frontier; `moves` remembers the transitions that are known to start there."""

    __slots__ = ("moves", "states")

    def __init__(self, states: tuple[State, ...]) -> None:
        self.states = states
        self.moves: dict[Any, Any] = {}


def is_zero(weight: Any) -> bool:
    """Whether a weight is a plain zero (arrays are never dropped)."""
    if weight.__class__ is float:
        return bool(weight == 0.0)
    return isinstance(weight, (int, float, complex)) and weight == 0


def share_of(amount: Any, weight: Any) -> Any:
    """Return an amount times its probability; 0 where the probability is 0, even for an infinite
    amount.
    """
    if amount.__class__ is float:
        if amount != inf:
            return weight * amount
    elif not hasattr(amount, "dtype"):
        return weight * amount
    if isinstance(weight, (int, float)) and isinstance(amount, float):
        return amount if weight else 0.0
    from numpy import errstate, isnan, ndarray, where

    with errstate(invalid="ignore"):
        found = weight * amount
    return where(isnan(found), 0.0, found) if isinstance(found, ndarray) else found


def add(sums: dict[Any, Any], key: Any, weight: Any) -> None:
    """Add a weight to the sum under a key. A plain zero makes no entry."""
    if not is_zero(weight):
        sums[key] = sums[key] + weight if key in sums else weight
