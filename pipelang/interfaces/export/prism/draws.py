"""Draws: everything that is random beside the answers themselves.

Each path with shares, each confidence with evidence and each test that is judged as a whole is a
variable of the model: 0 as long as nobody asked, then what was drawn, until a step that it mentions
is made anew. So the same words over the same versions are one draw.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelang.interfaces.export.prism.constants import Constants
from pipelang.interfaces.export.prism.formulas import (
    TRUE,
    Formula,
    all_of,
    is_,
    is_not,
    no,
    rest,
)
from pipelang.interfaces.export.prism.machine import Machine, PrismUpdate
from pipelang.interfaces.export.prism.scopes import Cut, PrismFrame
from pipelang.records import dataclass, field
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import reads_budget

RIGHT, WRONG = 1, 2
"""Values of the variable of an answer; 0 if there is none yet."""

HOLDS, FAILS = 1, 2

Shares = tuple[tuple[int, str], ...]
"""The values that a draw can have, each with its probability."""


@dataclass(frozen=True, slots=True)
class PrismDraw:
    """A variable that is drawn on first need: by `right` if all of `given` are, else by `wrong`."""

    name: str
    given: frozenset[str]
    right: Shares
    wrong: Shares


@dataclass(slots=True)
class PrismTest:
    """The outcome of an expression: draw these, then `value` says it.

    A condition's value is a condition; that of an enum or of a tier is its number, from 1.
    """

    __test__ = False  # pytest would take it for a test class

    value: Formula
    draws: dict[str, PrismDraw]


@dataclass(slots=True)
class Draws:
    """All draws of a model. `mentions` says what a draw's variable is about, by own names, `places`
    where a test of what is left of a budget is asked.
    """

    program: p.Program
    machine: Machine
    constants: Constants
    cuts: dict[str, set[Cut]] = field(default_factory=dict)
    names: dict[object, str] = field(default_factory=dict)
    mentions: dict[str, frozenset[str]] = field(default_factory=dict)
    places: dict[tuple[int, expr.Expr], list[int]] = field(default_factory=dict)

    def looked_before(self, frame: PrismFrame, node: expr.Expr, place: int) -> int:
        """The number of places of a call before this one with the same test of what is left of a
        budget, which may come out otherwise here; 0 for another test.
        """
        if not reads_budget(node):
            return 0
        places = self.places.setdefault((id(frame), node), [])
        if place not in places:
            places.append(place)
        return places.index(place)

    def variable(
        self,
        frame: PrismFrame,
        key: object,
        like: str,
        highest: int,
        note: str,
        mentions: frozenset[str] = frozenset(),
    ) -> str:
        """The variable of a draw; the same draw of the same call has one."""
        name = self.names.get((id(frame), key))
        if name is None:
            name = self.names[id(frame), key] = frame.variable(like, highest, note)
            self.mentions[name] = mentions
        elif highest > self.machine.variables[name].highest:
            self.machine.declare(name, highest, note)
        return name

    def left_test(self, name: str) -> expr.Expr | None:
        """The test of what is left of a budget behind a variable; None for another draw."""
        for place, found in self.names.items():
            key = place[1] if isinstance(place, tuple) else None
            if found == name and isinstance(key, tuple) and key[0] in ("test", "path"):
                node: expr.Expr = key[1]
                return node if reads_budget(node) else None
        return None

    def about(self, own: str) -> tuple[str, ...]:
        """The draws that say something of a step's value, or of an element."""
        return tuple(name for name, values in self.mentions.items() if own in values)

    def perform(self, place: int, draws: Mapping[str, PrismDraw]) -> int:
        """Draw what was not drawn before; gives the place behind that."""
        machine = self.machine
        for draw in draws.values():
            behind = machine.place()
            machine.go(place, PrismUpdate(behind), is_not(draw.name, 0))
            open_ = is_(draw.name, 0)
            right = all_right(draw.given)
            cases = [(TRUE, draw.right)]
            if draw.given and draw.right != draw.wrong:
                cases = [(right, draw.right), (no(right), draw.wrong)]
            for case, shares in cases:
                moves = [(share, PrismUpdate(behind).setting(draw.name, v)) for v, share in shares]
                machine.choose(place, moves, all_of([open_, case]))
            place = behind
        return place


def either(holds: str) -> Shares:
    """A condition that holds so often."""
    return ((HOLDS, holds), (FAILS, rest(holds)))


def all_right(steps: frozenset[str]) -> Formula:
    """None of these values is wrong; what was never made is not."""
    return all_of(is_not(step, WRONG) for step in sorted(steps))
