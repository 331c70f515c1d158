"""Resets every variable that nothing reads any more, so that the model has fewer states.

Two runs that differ only in what no longer matters are then one state. Without it a model checker
would carry every bit of a run to its end, and their number doubles with each.

Which variables matter at a place is the classical analysis of live variables: what a command there
reads, and what matters where it leads, unless it is written on the way.
"""

from __future__ import annotations

from heapq import heappop, heappush

from pipelang.interfaces.export.prism.formulas import number
from pipelang.interfaces.export.prism.machine import Command, Machine, PrismUpdate


def forgetting(machine: Machine) -> list[Command]:
    """The commands, with what is dead set back wherever it dies."""
    live = _live(machine)
    return [
        Command(
            command.place,
            command.guard,
            tuple(
                (share, _trimmed(machine, live, command.place, move))
                for share, move in command.moves
            ),
        )
        for command in machine.commands
    ]


def _trimmed(
    machine: Machine, live: list[frozenset[str]], place: int, move: PrismUpdate
) -> PrismUpdate:
    matters = live[move.to] | machine.kept
    sets = {name: value for name, value in move.sets.items() if name in matters}
    for name in sorted(live[place] - matters):
        sets[name] = number(machine.variables[name].initial)
    return PrismUpdate(move.to, sets)


def _live(machine: Machine) -> list[frozenset[str]]:
    """For every place, the variables whose value there may still matter."""
    leaving: list[list[Command]] = [[] for _ in range(machine.places)]
    paid: list[frozenset[str]] = [frozenset()] * machine.places
    for reward in machine.rewards:
        paid[reward.place] |= reward.guard.reads
    coming: list[set[int]] = [set() for _ in range(machine.places)]
    for command in machine.commands:
        leaving[command.place].append(command)
        for _, move in command.moves:
            coming[move.to].add(command.place)
    live: list[frozenset[str]] = [frozenset()] * machine.places
    waiting = set(range(machine.places))
    order = [-place for place in reversed(range(machine.places))]
    while order:
        # Places are numbered along the run: from its end, few are seen twice.
        place = -heappop(order)
        waiting.remove(place)
        found = set(paid[place])
        for command in leaving[place]:
            found |= command.guard.reads
            for _, move in command.moves:
                found |= live[move.to] - move.sets.keys()
                for name, value in move.sets.items():
                    # What is only copied into something dead does not matter either.
                    if name in live[move.to] or name in machine.kept:
                        found |= value.reads
        if found != live[place]:
            live[place] = frozenset(found)
            for before in coming[place] - waiting:
                waiting.add(before)
                heappush(order, -before)
    return live
