"""Reachability in a piece of a model: from which values of the variables around it no run gets to
its goal.

What comes from a cache is played until it answers, so whether it can has to be known before: every
value that the variables around the piece may have is tried, and every way that chance may take.
"""

from __future__ import annotations

from itertools import product
from math import prod

from pipelang.interfaces.export.prism.formula_values import Compute, compute
from pipelang.interfaces.export.prism.formulas import Formula, all_of, any_of, is_
from pipelang.interfaces.export.prism.machine import Command, NotExportable
from pipelang.interfaces.export.prism.translation import Translation

MOST_STATES = 200_000
"""States of a piece that are gone through."""

_State = tuple[int, tuple[int, ...]]

_Way = tuple[Compute, tuple[tuple[int, tuple[tuple[int, Compute], ...]], ...]]
"""A guard, and the moves: the place that each leads to, and the variables that it sets."""


def never_reached(t: Translation, commands: list[Command], begin: int, goal: int) -> Formula:
    """The condition at `begin` under which the commands lead to `goal` on no way. Raises
    `NotExportable` where that takes too long.
    """
    piece = _Piece(t, commands)
    around = [name for name in piece.names if name not in piece.inside]
    sizes = [t.machine.variables[name].highest + 1 for name in around]
    if prod(sizes) > MOST_STATES:
        raise _too_many()
    starts = {
        values: piece.entered(begin, dict(zip(around, values, strict=True)))
        for values in product(*map(range, sizes))
    }
    reaching = piece.reaching(list(starts.values()), goal)
    never = [values for values, start in starts.items() if start not in reaching]
    return any_of(
        all_of(is_(name, value) for name, value in zip(around, values, strict=True))
        for values in never
    )


def _too_many() -> NotExportable:
    return NotExportable(
        f"whether a cached `run` ever answers hangs on more than {MOST_STATES:,} states: leave its"
        " `cache` out, or export the pipeline that it runs"
    )


class _Piece:
    """A piece of a model. `inside` are the variables that a call in it begins anew."""

    def __init__(self, t: Translation, commands: list[Command]) -> None:
        self.t = t
        here = {command.place for command in commands}
        calls = [frame for place, frame in t.calls.items() if place in here]
        self.inside = {name for frame in calls for name in frame.variables}
        read = {name for command in commands for name in command.guard.reads}
        for command in commands:
            for _, move in command.moves:
                read |= {name for value in move.sets.values() for name in value.reads}
        self.names = sorted(read)
        self.index = {name: at for at, name in enumerate(self.names)}
        self.ways: dict[int, list[_Way]] = {}
        for command in commands:
            moves = []
            for _, move in command.moves:
                sets = move.sets.items()
                known = ((self.index[n], compute(v.text)) for n, v in sets if n in self.index)
                moves.append((move.to, tuple(known)))
            way = compute(command.guard.text), tuple(moves)
            self.ways.setdefault(command.place, []).append(way)

    def entered(self, place: int, values: dict[str, int]) -> _State:
        """The state at a place, where a call or what is made again begins anew."""
        variables = self.t.machine.variables
        frame = self.t.calls.get(place)
        old = set(frame.variables) if frame is not None else set[str]()
        if place in self.t.begins:
            old.update(self.t.draws.about(self.t.begins[place]))
        found = []
        for name in self.names:
            fresh = name in old or name not in values
            found.append(variables[name].initial if fresh else values[name])
        return place, tuple(found)

    def following(self, state: _State) -> list[_State]:
        """The states that a state may lead to."""
        place, seen = state
        values = dict(zip(self.names, seen, strict=True))
        found = []
        for guard, moves in self.ways.get(place, ()):
            if not guard(values):
                continue
            for to, sets in moves:
                after = dict(values)
                after.update((self.names[at], int(value(values))) for at, value in sets)
                found.append(self.entered(to, after))
        return found

    def reaching(self, starts: list[_State], goal: int) -> set[_State]:
        """The states from which a goal can be reached."""
        coming: dict[_State, list[_State]] = {state: [] for state in starts}
        todo = list(coming)
        while todo:
            state = todo.pop()
            for after in self.following(state):
                if after not in coming:
                    if len(coming) == MOST_STATES:
                        raise _too_many()
                    coming[after] = []
                    todo.append(after)
                coming[after].append(state)
        reached = {state for state in coming if state[0] == goal}
        todo = list(reached)
        while todo:
            for before in coming[todo.pop()]:
                if before not in reached:
                    reached.add(before)
                    todo.append(before)
        return reached
