"""Draws: what chance decides beside the answers themselves.

Each path with shares, each confidence with evidence and each test that is judged as a whole is a
variable of the model: 0 as long as nobody asked, then what was drawn, until a step that it mentions
is made anew. So the same words over the same versions are one draw.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelang.interfaces.export.prism.constants import Constants, identifier, unused
from pipelang.interfaces.export.prism.formulas import (
    TRUE,
    Formula,
    all_of,
    is_,
    is_not,
    no,
    rest,
)
from pipelang.interfaces.export.prism.machine import Machine, Move
from pipelang.interfaces.export.prism.scopes import Cut, Scope
from pipelang.records import dataclass, field
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p

RIGHT, WRONG = 1, 2
"""What the variable of a value says; 0 if there is none (yet)."""

HOLDS, FAILS = 1, 2

Shares = tuple[tuple[int, str], ...]
"""The values that a draw can have, each with its probability."""


@dataclass(frozen=True, slots=True)
class Draw:
    """A variable that is drawn on first need: by `right` if all of `given` are, else by `wrong`."""

    name: str
    given: frozenset[str]
    right: Shares
    wrong: Shares


@dataclass(slots=True)
class Test:
    """How an expression comes out: draw these, then `value` says it.

    A condition's value is a condition; that of an enum or of a tier is its number, from 1.
    """

    __test__ = False  # pytest would take it for a test class

    value: Formula
    draws: dict[str, Draw]


@dataclass(slots=True)
class Draws:
    """All draws of a model. `mentions` says which steps a draw's variable is about."""

    program: p.Program
    machine: Machine
    constants: Constants
    cuts: dict[str, set[Cut]] = field(default_factory=dict)
    names: dict[object, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    mentions: dict[str, frozenset[str]] = field(default_factory=dict)

    def given(self, scope: Scope, expr: ir.Expr) -> frozenset[str]:
        """The steps behind an expanded expression."""
        return ir.mentions(expr) & scope.written.keys()

    def verdict(self, scope: Scope, expr: ir.Expr, right: str, wrong: str) -> Draw:
        """A condition that is judged as a whole."""
        given, shown = self.given(scope, expr), scope.show(expr)
        note = f"{shown}: 1 holds, 2 does not"
        name = self.variable(("test", expr), f"t_{identifier(shown)}", 2, note, given)
        return Draw(
            name,
            given,
            ((HOLDS, right), (FAILS, rest(right))),
            ((HOLDS, wrong), (FAILS, rest(wrong))),
        )

    def variable(
        self, key: object, like: str, highest: int, note: str, mentions: frozenset[str]
    ) -> str:
        """The variable of a draw; the same draw has one."""
        name = self.names.get(key)
        if name is None:
            name = self.names[key] = unused(like, self.taken)
            self.machine.declare(name, highest, note)
            self.mentions[name] = mentions
        return name

    def about(self, step: str) -> tuple[str, ...]:
        """The draws that say something of a step's value."""
        return tuple(name for name, steps in self.mentions.items() if step in steps)

    def perform(self, place: int, draws: Mapping[str, Draw]) -> int:
        """Draw what was not drawn before; gives the place behind that."""
        machine = self.machine
        for draw in draws.values():
            behind = machine.place()
            machine.go(place, Move(behind), is_not(draw.name, 0))
            open_ = is_(draw.name, 0)
            right = all_right(draw.given)
            cases = [(TRUE, draw.right)]
            if draw.given and draw.right != draw.wrong:
                cases = [(right, draw.right), (no(right), draw.wrong)]
            for case, shares in cases:
                moves = [(share, Move(behind).setting(draw.name, v)) for v, share in shares]
                machine.choose(place, moves, all_of([open_, case]))
            place = behind
        return place


def all_right(steps: frozenset[str]) -> Formula:
    """None of these values is wrong; what was never made is not."""
    return all_of(is_not(step, WRONG) for step in sorted(steps))
