"""A Markov chain under construction: places that a run comes through, and commands that lead on.

The program counter says at which place a run is; the variables say what was drawn. All variables
are whole numbers from 0, and 0 mostly means `not drawn` or `not made`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipelang.interfaces.export.prism.formulas import TRUE, Formula, number
from pipelang.records import dataclass, field

MOST_PLACES = 200_000
"""Places of a model: more are read by no checker, and not by people either."""


class NotExportable(Exception):
    """Something in the pipeline that has no translation; the message names it."""


def _nothing() -> Mapping[str, Formula]:
    return {}


@dataclass(frozen=True, slots=True)
class PrismVariable:
    """`note` says what its values mean."""

    name: str
    highest: int
    initial: int
    note: str


@dataclass(frozen=True, slots=True)
class PrismUpdate:
    """The next place of a run, and the variables that are set on the way."""

    to: int
    sets: Mapping[str, Formula] = field(default_factory=_nothing)

    def setting(self, name: str, value: int) -> PrismUpdate:
        """The same move with one thing more written down."""
        return PrismUpdate(self.to, {**self.sets, name: number(value)})


@dataclass(frozen=True, slots=True)
class Command:
    """At a place, if `guard` holds: one of the moves, each with its probability."""

    place: int
    guard: Formula
    moves: tuple[tuple[str, PrismUpdate], ...]


@dataclass(frozen=True, slots=True)
class Reward:
    """Dollars that every visit of a place costs where `guard` holds."""

    place: int
    dollars: str
    guard: Formula = TRUE


class TakenNames:
    """Names that are in use, and for each the number that was last put behind it: nobody tries
    again those that were taken when it was asked for before.
    """

    __slots__ = ("names",)

    def __init__(self) -> None:
        self.names: dict[str, int] = {}

    def unused(self, name: str) -> str:
        """The name, or the name with the first number that makes it one of its own."""
        candidate, count = name, self.names.get(name, 1)
        while candidate in self.names:
            count += 1
            candidate = f"{name}_{count}"
        self.names[name] = count
        self.names.setdefault(candidate, 1)
        return candidate


@dataclass(slots=True)
class Machine:
    """`kept` are variables whose last value counts when the run is over, `taken` names that are in
    use, `endings` what the variables say that remember endings.
    """

    variables: dict[str, PrismVariable] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)
    rewards: list[Reward] = field(default_factory=list)
    headings: dict[int, str] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)
    endings: dict[str, dict[str, int]] = field(default_factory=dict)
    reached: dict[str, list[int]] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    taken: TakenNames = field(default_factory=TakenNames)
    places: int = 0

    def place(self, heading: str = "") -> int:
        """A new place; a heading is printed above its commands."""
        number = self.places
        self.places += 1
        if number == MOST_PLACES:
            raise NotExportable(
                f"the model would have more than {MOST_PLACES:,} places, since a pipeline is"
                " written out wherever it is run: export those that it runs one by one"
            )
        if heading:
            self.headings[number] = heading
        return number

    def declare(self, name: str, highest: int, note: str, initial: int = 0) -> str:
        """A variable from 0 to `highest`; declaring it again may only widen it."""
        known = self.variables.get(name)
        if known is not None:
            highest = max(highest, known.highest)
        self.variables[name] = PrismVariable(name, highest, initial, note)
        return name

    def go(self, place: int, move: PrismUpdate, guard: Formula = TRUE) -> None:
        """From a place, where `guard` holds, there is one way on."""
        self.choose(place, [("1", move)], guard)

    def choose(
        self, place: int, moves: Iterable[tuple[str, PrismUpdate]], guard: Formula = TRUE
    ) -> None:
        """From a place, where `guard` holds, chance takes one of the ways."""
        possible = tuple((share, move) for share, move in moves if share != "0")
        if guard.text != "false":
            self.commands.append(Command(place, guard, possible))

    def end(self, variable: str, name: str) -> int:
        """The number of an ending by its name, which a variable may have from now on."""
        number = self.ends.setdefault(name, len(self.ends) + 1)
        found = self.endings.setdefault(variable, {})
        found[name] = number
        notes = ", ".join(f"{number} {name}" for name, number in found.items())
        self.declare(variable, number, notes)
        return number
