"""The frontier: a table from the live variables of the past to their probability.

A variable is a hidden bit, a draw or a counter; a state gives a value to each. `None` means that
the variable was not drawn on the way here. Variables that nothing reads any more are summed out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import reduce
from itertools import repeat
from operator import itemgetter
from typing import Any

from pipelang.analysis.frontier.recorder import FrontierRecorder, Vectors
from pipelang.analysis.frontier.states import Edge, Key, Layout, State, is_zero


class Table:
    """Weights by state; `slots` is the order of the variables in a state.

    With a `recorder` operations are told to it. If that is `Vectors` (`vectors`), the weights are a
    register of a trace, and each is a term only where it is asked for.
    """

    __slots__ = ("_at", "_layout", "_values", "_weights", "recorder", "slots", "vectors")

    def __init__(
        self,
        slots: Iterable[Key] = (),
        weights: dict[State, Any] | None = None,
        recorder: FrontierRecorder | None = None,
    ) -> None:
        self.slots: tuple[Key, ...] = tuple(slots)
        self.recorder = recorder
        self.vectors = recorder if isinstance(recorder, Vectors) else None
        self._weights: dict[State, Any] | None = {(): 1.0} if weights is None else weights
        self._layout: Layout | None = None
        self._values: list[Any] | None = None
        self._at: int | None = None

    @classmethod
    def of(cls, slots: tuple[Key, ...], layout: Layout, at: int, recorder: Vectors) -> Table:
        """A table from the register of the weights of a layout's states."""
        table = cls.__new__(cls)
        table.slots, table.recorder, table.vectors = slots, recorder, recorder
        table._layout, table._at = layout, at
        table._weights = table._values = None
        return table

    @property
    def at(self) -> int:
        """The register of all weights; of a table of `Vectors`."""
        if self._at is None:
            assert self.vectors is not None
            self._at = self.vectors.trace.pack(self.values)
        return self._at

    @property
    def weights(self) -> dict[State, Any]:
        """The weights by state. Not to be changed once the table is in use."""
        if self._weights is None:
            assert self._layout is not None
            self._weights = dict(zip(self._layout.states, self.values, strict=True))
        return self._weights

    @property
    def values(self) -> list[Any]:
        """The weights by the number of their state."""
        if self._values is None:
            if self._weights is None:
                assert self._layout is not None and self._at is not None
                assert self.vectors is not None
                item, at = self.vectors.trace.item, self._at
                self._values = [item(at, number) for number in range(len(self._layout.states))]
            else:
                self._values = list(self._weights.values())
        return self._values

    @property
    def states(self) -> Collection[State]:
        """The states by their number."""
        if self._weights is None:
            assert self._layout is not None
            return self._layout.states
        return self._weights

    @property
    def pairs(self) -> Iterable[tuple[State, Any]]:
        """The states with their weights; without, where weights are registers."""
        if self.vectors is not None:
            return zip(self.states, repeat(0.0))
        return self.weights.items()

    @property
    def layout(self) -> Layout:
        """The states; of a table with a recorder."""
        if self._layout is None:
            assert self.recorder is not None and self._weights is not None
            self._layout = self.recorder.layout(tuple(self._weights))
        return self._layout

    def __bool__(self) -> bool:
        return bool(self.states)

    def __len__(self) -> int:
        if self._layout is not None:
            return len(self._layout.states)
        return len(self.states)

    def total(self) -> Any:
        """The weight of all states together."""
        return sum(self.values)

    def index(self, key: Key) -> int | None:
        """The index of a variable in a state, None if it was never drawn."""
        try:
            return self.slots.index(key)
        except ValueError:
            return None

    def empty(self) -> Table:
        """A table over the same variables without any state."""
        return Table(self.slots, {}, self.recorder)


def reader(table: Table, keys: Iterable[Key]) -> Callable[[State], tuple[Any, ...]]:
    """A function from a state to the values of some variables (None where there is none)."""
    places = [table.index(key) for key in keys]
    if None not in places:
        return picker([at for at in places if at is not None])
    pick = picker([-1 if at is None else at for at in places])
    return lambda state: pick((*state, None))


def picker(places: Sequence[int]) -> Callable[[State], tuple[Any, ...]]:
    """A function from a state to its values at some places."""
    if len(places) > 1:
        several: Callable[[State], tuple[Any, ...]] = itemgetter(*places)
        return several
    if not places:
        return lambda state: ()
    (at,) = places
    return lambda state: (state[at],)


def assign(
    table: Table,
    keys: tuple[Key, ...],
    reads: tuple[Key, ...],
    outcomes: Callable[[tuple[Any, ...]], Iterable[tuple[tuple[Any, ...], Any]]],
    name: str | None = None,
) -> Table:
    """Give variables new values, drawn anew in every state; `name` is the step that does, which a
    recorder is told.

    `outcomes` gets the values of `reads` and gives `(new values, probability)` pairs; it is asked
    once for every distinct combination. What is certain has the int 1, and costs no new array.

    Probabilities may be long arrays: each is let go after the last state that needs it.
    """
    slots = [key for key in table.slots if key not in keys]
    kept = [index for index, key in enumerate(table.slots) if key not in keys]
    read, pick = reader(table, reads), picker(kept)
    memo: dict[tuple[Any, ...], list[tuple[tuple[Any, ...], Any]]] = {}
    made = DerivedTable(table)
    states_left = Counter(map(read, table.states))
    for number, (state, weight) in enumerate(table.pairs):
        seen = read(state)
        drawn = memo.get(seen)
        if drawn is None:
            drawn = memo[seen] = [
                (values, chance) for values, chance in outcomes(seen) if not is_zero(chance)
            ]
        base = pick(state)
        for values, chance in drawn:
            made.add(number, base + values, weight, chance)
        states_left[seen] -= 1
        if not states_left[seen]:
            del memo[seen]
    return made.table((*slots, *keys), name)


class DerivedTable:
    """The weights that come of a table, and for a recorder from which states they come."""

    __slots__ = ("edges", "numbers", "source", "told", "vectors", "weights")

    def __init__(self, source: Table, weights: dict[State, Any] | None = None) -> None:
        self.source = source
        self.weights: dict[State, Any] = {} if weights is None else weights
        self.edges: list[Edge] = []
        self.numbers: dict[State, int] = {}
        self.vectors = source.vectors
        self.told = source.recorder is not None

    def add(self, number: int, target: State, weight: Any, chance: Any = 1) -> None:
        """A part of a state's weight goes to a state."""
        if self.told:
            end = self.numbers.setdefault(target, len(self.numbers))
            self.edges.append((number, end, chance))
            if self.vectors is not None:
                return
        gain = weight if isinstance(chance, int) else weight * chance
        weights = self.weights
        weights[target] = weights[target] + gain if target in weights else gain

    def table(self, slots: Iterable[Key], name: str | None = None) -> Table:
        source = self.source
        if self.vectors is not None:
            layout = self.vectors.layout(tuple(self.numbers))
            at = self.vectors.by_edges(source.at, len(self.numbers), self.edges)
            return Table.of(tuple(slots), layout, at, self.vectors)
        made = Table(slots, self.weights, source.recorder)
        if source.recorder is not None:
            source.recorder.note(source, made, self.edges, name)
        return made


def forget(table: Table, keep: Callable[[Key], bool]) -> Table:
    """Sum out the variables that are not kept."""
    kept = [index for index, key in enumerate(table.slots) if keep(key)]
    if len(kept) == len(table.slots):
        return table
    made, pick = DerivedTable(table), picker(kept)
    if not made.told:
        weights = made.weights
        for state, weight in table.weights.items():
            target = pick(state)
            weights[target] = weights[target] + weight if target in weights else weight
    else:
        for number, (state, weight) in enumerate(table.pairs):
            made.add(number, pick(state), weight)
    return made.table(table.slots[index] for index in kept)


def split(
    table: Table, reads: tuple[Key, ...], choose: Callable[[tuple[Any, ...]], Any]
) -> dict[Any, Table]:
    """The states by what a function makes of some of their variables."""
    read = reader(table, reads)
    parts: dict[Any, DerivedTable] = {}
    for number, (state, weight) in enumerate(table.pairs):
        label = choose(read(state))
        part = parts.get(label)
        if part is None:
            part = parts[label] = DerivedTable(table)
        part.add(number, state, weight)
    return {label: part.table(table.slots) for label, part in parts.items()}


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
    numbers: dict[State, int] = {}
    parts: list[DerivedTable] = []
    for table in present:
        made = DerivedTable(table, weights)
        made.numbers = numbers
        places = [table.index(key) for key in order]
        same = table.slots == order
        for number, (state, weight) in enumerate(table.pairs):
            target = state if same else tuple(None if at is None else state[at] for at in places)
            made.add(number, target, weight)
        parts.append(made)
    vectors, recorder = present[0].vectors, present[0].recorder
    if vectors is not None:
        found = [vectors.by_edges(part.source.at, len(numbers), part.edges) for part in parts]
        at = reduce(vectors.trace.sum, found)
        return Table.of(order, vectors.layout(tuple(numbers)), at, vectors)
    merged = Table(order, weights, recorder)
    if recorder is not None:
        for part in parts:
            recorder.note(part.source, merged, part.edges, None)
    return merged


def summed(table: Table, reads: tuple[Key, ...]) -> Mapping[tuple[Any, ...], Any]:
    """The weights by the values of some variables."""
    read = reader(table, reads)
    result: dict[tuple[Any, ...], Any] = {}
    for state, weight in table.weights.items():
        seen = read(state)
        result[seen] = result[seen] + weight if seen in result else weight
    return result
