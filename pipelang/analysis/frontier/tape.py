"""The tape of a sweep, and its backward pass, which gives all importances at once.

Every operation of a sweep on its frontier is linear: the weights after an item are the weights
before it times a matrix (`Transition`), and success is a sum over the weights that ended. So
success is also a sum over the weights at any point before, each times its *value*: the probability
that a run succeeds from there. Values are computed from the end backwards, by the same matrices
transposed, in one pass (the adjoint method, or reverse-mode differentiation: Linnainmaa 1970,
Griewank and Walther 2008).

A step's Birnbaum importance is the derivative of success by the step's accuracy. Only that step's
own matrix depends on it, so it is (weights before) times (derivative of the matrix) times (values
after), summed over the places where the step runs. The derivative of a matrix comes from the
complex step (Squire and Trapp 1998): with accuracy a + ih, the imaginary part of an entry, divided
by h, is its derivative up to h squared, which vanishes at h = 1e-30.

Values of success and of silent error are the real and the imaginary part of one complex number.
"""

from __future__ import annotations

from typing import Any, Protocol

from pipelang.analysis.frontier.states import Edge, Key, Layout, State
from pipelang.analysis.frontier.totals import Ending, gain
from pipelang.records import dataclass, field
from pipelang.semantics import program as p

H = 1e-30

FEW_MISSES = 40
"""Transitions that are worked out before it is asked whether they repeat."""

Ends = tuple[p.Outcome | None, bool, bool, tuple[tuple[int, float], ...]]
"""An outcome (None: that of the item itself), whether what it returns is right, whether something
was done wrongly, and how likely each state before ends so.
"""


@dataclass(frozen=True, slots=True)
class Transition:
    """The effect of an item on the states of a layout.

    `edges` lead to the states of `target`; `slopes` are their derivatives by the item's accuracy.
    `recipe` gives the slots after: a slot before, or (as -1 - i) the item's i-th name. `gains` is
    what each state adds to success and silent error by ending here, `rises` the derivative of that.
    `reached` are the states that run the step, `costs` and `tokens` the spending of each (`same`:
    if it is the same), `asked` how often each state asks a role.
    """

    edges: tuple[Edge, ...]
    target: Layout | None = None
    recipe: tuple[int, ...] = ()
    slopes: tuple[Edge, ...] = ()
    ends: tuple[Ends, ...] = ()
    gains: tuple[tuple[int, complex], ...] = ()
    rises: tuple[tuple[int, complex], ...] = ()
    reached: tuple[int, ...] = ()
    costs: tuple[float, ...] = ()
    tokens: tuple[float, ...] = ()
    same: tuple[float, float] | None = None
    asked: tuple[tuple[str, tuple[tuple[int, float], ...]], ...] = ()
    work: int = 1


class WeightedStates(Protocol):
    """A table as the tape sees it: its weights by the number of their state, and the adjoints that
    the way back finds for them.
    """

    adjoint: list[complex] | None

    @property
    def values(self) -> list[Any]: ...


Entry = tuple[WeightedStates, WeightedStates | None, Transition, str | None]
"""Weights before and after, what led from one to the other, the step that it was."""


@dataclass(slots=True)
class Tape:
    """The operations of a sweep, in order. `slopes`: whether derivatives are wanted, without which
    nothing is recorded; `given_up`: they are not wanted any more, because the sweep left states
    out. `hits` and `misses` count the transitions that were known and those that were not.
    """

    slopes: bool = False
    given_up: bool = False
    hits: int = 0
    misses: int = 0
    entries: list[Entry] = field(default_factory=list)
    layouts: dict[tuple[State, ...], Layout] = field(default_factory=dict)

    @property
    def records(self) -> bool:
        """Whether operations are recorded."""
        return self.slopes and not self.given_up

    @property
    def repeats(self) -> bool:
        """Whether transitions are found again often enough to be worth working out state by state;
        True until there is something to go by.
        """
        return self.misses < FEW_MISSES or self.hits >= self.misses

    def give_up(self) -> None:
        """Stop recording: nothing will be read off the tape."""
        self.given_up = True
        self.entries.clear()

    def layout(self, states: tuple[State, ...]) -> Layout:
        """The one layout of these states."""
        known = self.layouts.get(states)
        if known is None:
            known = self.layouts[states] = Layout(states)
        return known

    def note(
        self, source: WeightedStates, target: WeightedStates, edges: list[Edge], name: str | None
    ) -> None:
        """Weights went from a table to another; of a step by name, chances carry derivatives."""
        if name is None:
            self.entries.append((source, target, Transition(tuple(edges)), None))
            return
        plain = tuple([(start, end, chance.real) for start, end, chance in edges])
        move = Transition(plain, slopes=tuple(_derived(edges)))
        self.entries.append((source, target, move, name))

    @property
    def shares(self) -> bool:
        """Whether transitions are shared by items of one shape."""
        return True

    def ended(self, source: WeightedStates, endings: list[tuple[int, Ending]]) -> None:
        """States that end here, and how."""
        gains = [(number, worth) for number, how in endings if (worth := gain(*how))]
        self.entries.append((source, None, Transition((), gains=tuple(gains)), None))

    def ended_by(
        self, source: WeightedStates, name: str, endings: list[tuple[int, Ending, Any]]
    ) -> None:
        """A step ends parts of some states: how, and how likely with its derivative."""
        ends = [(start, worth, chance) for start, how, chance in endings if (worth := gain(*how))]
        if not ends:
            return
        gains = tuple([(start, worth * chance.real) for start, worth, chance in ends])
        rises = tuple([(start, worth * (chance.imag / H)) for start, worth, chance in ends])
        self.entries.append((source, None, Transition((), gains=gains, rises=rises), name))

    def importances(self) -> dict[str, complex]:
        """The derivatives of success (real part) and silent error (imaginary part) by the accuracy
        of every step that ran; the tape is used up.
        """
        found: dict[str, complex] = {}
        nothing: list[complex] = []
        entries = self.entries
        while entries:
            source, target, move, name = entries.pop()
            values = source.adjoint
            if values is None:
                values = source.adjoint = [0j] * len(source.values)
            after = nothing
            if target is not None and target.adjoint is not None:
                after = target.adjoint
                for start, end, chance in move.edges:
                    values[start] += chance * after[end]
            for start, gained in move.gains:
                values[start] += gained
            if name is not None:
                slope = found.get(name, 0j)
                weights = source.values
                if after:
                    for start, end, rise in move.slopes:
                        slope += weights[start] * rise * after[end]
                for start, change in move.rises:
                    slope += weights[start] * change
                found[name] = slope
        return found


def _derived(edges: list[Edge]) -> list[Edge]:
    return [(start, end, chance.imag / H) for start, end, chance in edges if chance.imag]


def slots_after(recipe: tuple[int, ...], slots: tuple[Key, ...], names: tuple[Key, ...]) -> Any:
    """The slots that a move leaves, for the item with these names."""
    return tuple([slots[at] if at >= 0 else names[-1 - at] for at in recipe])
