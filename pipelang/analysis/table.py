"""The frontier: a table from what is still needed of the past to its probability.

A variable is a hidden bit, a draw or a counter; a state gives a value to each. `None` means that
the variable was not drawn on the way here. Variables that nothing reads any more are summed out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Key = tuple[Any, ...]
State = tuple[Any, ...]


class Table:
    """Weights by state; `slots` says where in a state a variable stands."""

    __slots__ = ("slots", "weights")

    def __init__(self, slots: Iterable[Key] = (), weights: dict[State, Any] | None = None) -> None:
        self.slots: tuple[Key, ...] = tuple(slots)
        self.weights: dict[State, Any] = {(): 1.0} if weights is None else weights

    def __bool__(self) -> bool:
        return bool(self.weights)

    def total(self) -> Any:
        """The weight of all states together."""
        return sum(self.weights.values())

    def index(self, key: Key) -> int | None:
        """Where a variable stands, None if it was never drawn."""
        try:
            return self.slots.index(key)
        except ValueError:
            return None

    def empty(self) -> Table:
        """A table over the same variables without any state."""
        return Table(self.slots, {})


def reader(table: Table, keys: Iterable[Key]) -> Callable[[State], tuple[Any, ...]]:
    """A function from a state to the values of some variables (None where there is none)."""
    places = [table.index(key) for key in keys]

    def read(state: State) -> tuple[Any, ...]:
        return tuple(None if at is None else state[at] for at in places)

    return read


def assign(
    table: Table,
    keys: tuple[Key, ...],
    reads: tuple[Key, ...],
    outcomes: Callable[[tuple[Any, ...]], Iterable[tuple[tuple[Any, ...], Any]]],
) -> Table:
    """Give variables new values, drawn anew in every state.

    `outcomes` gets the values of `reads` and gives `(new values, probability)` pairs; it is asked
    once for every distinct combination. What is certain has the int 1, and costs no new array.

    Probabilities may be long arrays: each is let go after the last state that needs it.
    """
    slots = [key for key in table.slots if key not in keys]
    kept = [index for index, key in enumerate(table.slots) if key not in keys]
    read = reader(table, reads)
    memo: dict[tuple[Any, ...], list[tuple[tuple[Any, ...], Any]]] = {}
    weights: dict[State, Any] = {}
    states_left = Counter(map(read, table.weights))
    for state, weight in table.weights.items():
        seen = read(state)
        drawn = memo.get(seen)
        if drawn is None:
            drawn = memo[seen] = [
                (values, chance) for values, chance in outcomes(seen) if not is_zero(chance)
            ]
        base = tuple(state[index] for index in kept)
        for values, chance in drawn:
            target = base + values
            gain = weight if isinstance(chance, int) else weight * chance
            weights[target] = weights[target] + gain if target in weights else gain
        states_left[seen] -= 1
        if not states_left[seen]:
            del memo[seen]
    return Table((*slots, *keys), weights)


def is_zero(weight: Any) -> bool:
    """Whether a weight is a plain zero (arrays are never dropped)."""
    return isinstance(weight, (int, float)) and weight == 0


def forget(table: Table, keep: Callable[[Key], bool]) -> Table:
    """Sum out the variables that are not kept."""
    kept = [index for index, key in enumerate(table.slots) if keep(key)]
    if len(kept) == len(table.slots):
        return table
    weights: dict[State, Any] = {}
    for state, weight in table.weights.items():
        target = tuple(state[index] for index in kept)
        weights[target] = weights[target] + weight if target in weights else weight
    return Table([table.slots[index] for index in kept], weights)


def split(
    table: Table, reads: tuple[Key, ...], choose: Callable[[tuple[Any, ...]], Any]
) -> dict[Any, Table]:
    """The states by what a function makes of some of their variables."""
    read = reader(table, reads)
    parts: dict[Any, Table] = {}
    for state, weight in table.weights.items():
        label = choose(read(state))
        part = parts.get(label)
        if part is None:
            part = parts[label] = table.empty()
        part.weights[state] = weight
    return parts


def merge(tables: Iterable[Table]) -> Table:
    """One table of several; a variable that one of them lacks was not drawn there."""
    present = [table for table in tables if table]
    if not present:
        return Table((), {})
    if len(present) == 1:
        return present[0]
    slots: dict[Key, None] = {}
    for table in present:
        slots.update(dict.fromkeys(table.slots))
    order = tuple(slots)
    weights: dict[State, Any] = {}
    for table in present:
        places = [table.index(key) for key in order]
        same = table.slots == order
        for state, weight in table.weights.items():
            target = state if same else tuple(None if at is None else state[at] for at in places)
            weights[target] = weights[target] + weight if target in weights else weight
    return Table(order, weights)


def summed(table: Table, reads: tuple[Key, ...]) -> Mapping[tuple[Any, ...], Any]:
    """The weights by the values of some variables."""
    read = reader(table, reads)
    result: dict[tuple[Any, ...], Any] = {}
    for state, weight in table.weights.items():
        seen = read(state)
        result[seen] = result[seen] + weight if seen in result else weight
    return result
