"""The items that a redo may run again, and those that read them."""

from __future__ import annotations

from pipelang.interfaces.export.prism.constants import identifier
from pipelang.interfaces.export.prism.formulas import number
from pipelang.interfaces.export.prism.machine import PrismUpdate
from pipelang.interfaces.export.prism.scopes import PrismScope
from pipelang.interfaces.export.prism.translation import Translation
from pipelang.records import dataclass, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.redo import redo_of


@dataclass(frozen=True, slots=True)
class Flags:
    """Flags of the items of a block that stand between a redo's step and its gate, by index.

    `reads` are the variables of the steps that each of these items reads.
    """

    names: dict[int, str]
    reads: dict[int, frozenset[str]]
    steps: dict[str, int]

    def readers(self, step: str) -> list[str]:
        """The flags of what reads a step's value."""
        return [name for index, name in self.names.items() if step in self.reads[index]]

    def place_of(self, step: str) -> int:
        """The index of a step of the block."""
        return self.steps[step]


def flags_of(block: p.Block, scope: PrismScope) -> Flags:
    """The flags of a block; the steps that may be made again are noted in the frame."""
    inside = scope.inside()
    reads: dict[int, frozenset[str]] = {}
    steps: dict[str, int] = {}
    own: dict[int, str] = {}
    spans: list[tuple[int, int]] = []
    for index, item in enumerate(block.items):
        match item:
            case p.Step():
                reads[index] = inside.steps(item.reads)
                steps[item.name], own[index] = index, scope.own_names[id(item)]
            case p.Gate():
                reads[index] = inside.steps(expr.mentions(item.condition))
            case _:
                pass
        redo = redo_of(item)
        if redo is not None:
            spans.append((steps[redo.step], index))
        inside.add(item)
    within = sorted({i for first, last in spans for i in range(first, last + 1) if i in reads})
    flags = {}
    for index in within:
        name = identifier(getattr(block.items[index], "name", ""))
        kind = "step" if index in own else "gate"
        note = f"1 if {kind} {scope.frame.path}{name} must run"
        flags[index] = scope.frame.variable(f"todo_{name}", 1, note, initial=1)
    again = {own[first] for first, _ in spans}
    size = -1
    while len(again) != size:  # what reads something that may be new may be new itself
        size = len(again)
        again |= {own[i] for i in within if i in own and reads[i] & again}
    scope.frame.repeated |= again
    return Flags(flags, {index: reads[index] for index in within}, steps)


def renew(t: Translation) -> None:
    """A step that is made again, or a new element, takes all that was drawn about the former value
    along; a new call of a sub-pipeline takes all that the former one left behind.

    What is drawn about it is only known when the whole pipeline has been gone through.
    """
    machine = t.machine

    def renewed(move: PrismUpdate) -> PrismUpdate:
        old: list[str] = []
        if move.to in t.begins:
            old += t.draws.about(t.begins[move.to])
        if move.to in t.calls:
            old += t.calls[move.to].variables
        before = {name: number(machine.variables[name].initial) for name in old}
        return PrismUpdate(move.to, {**before, **move.sets}) if old else move

    machine.commands = [
        replace(command, moves=tuple((share, renewed(move)) for share, move in command.moves))
        for command in machine.commands
    ]
