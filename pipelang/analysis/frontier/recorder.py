"""Recorders: what a table tells of the operations that it went through.

A sweep over ranges notes them one by one (`sweep.robust_bounds`). A sweep over terms of a large
pipeline writes each down as one operation on weights that stand side by side (`Vectors`): a term
for each weight of each state would be far too many.
"""

from __future__ import annotations

from typing import Any, Protocol

from pipelang.analysis.arithmetic.movers import EdgeList
from pipelang.analysis.arithmetic.terms import Term, Trace
from pipelang.analysis.frontier.states import Edge, Layout, State
from pipelang.analysis.frontier.totals import Ending
from pipelang.records import dataclass, field
from pipelang.semantics import program as p


class FrontierRecorder(Protocol):
    """A listener to each operation; `records` False: it is told nothing, because all is written
    down as terms.
    """

    records: bool

    def layout(self, states: tuple[State, ...]) -> Layout:
        """The one layout of these states."""

    def note(self, source: Any, target: Any, edges: list[Edge], name: str | None) -> None:
        """Weights went from a table to another, by a step of a name."""

    def ended(self, source: Any, endings: list[tuple[int, Ending]]) -> None:
        """States that end here, and how."""

    def ended_by(self, source: Any, name: str, endings: list[tuple[int, Ending, Any]]) -> None:
        """A step ends parts of some states: how, and how likely."""


OpenEnding = tuple[p.Outcome | None, bool, bool]
"""An ending (`totals.Ending`), in which None stands for an outcome that is given beside it."""

Moved = tuple[int, tuple[str, str] | None, tuple[OpenEnding, ...], p.Outcome | None]
"""A move of a plain item in a formula: the register of the weights after, with what else comes of
it beside them; the step that it is, of which these are how often it is reached, dollars, tokens;
the ways in which a run may end there, whose weights are the others; and the item's own outcome
(None: it is a step whose chain ends as all do that do not say how).
"""


MOST_LAYOUTS = 4_000

LAYOUTS: dict[tuple[State, ...], Layout] = {}
"""Layouts of this process, with the moves that were compiled for them: both are about structure
alone, so that the next pipeline, or the next question, finds them.
"""


@dataclass(slots=True)
class Vectors:
    """The weights of tables as registers of a trace, each for all states of a table; `moved` are
    the moves whose totals are read off the formula; `bundles` has the arguments of forms, of cases
    that are not hard and of those that are.
    """

    trace: Trace
    all_slopes: bool = False
    moved: list[Moved] = field(default_factory=list)
    bundles: tuple[dict[Any, Any], dict[Any, Any]] = field(default_factory=lambda: ({}, {}))
    records: bool = False

    def layout(self, states: tuple[State, ...]) -> Layout:
        known = LAYOUTS.get(states)
        if known is None:
            if len(LAYOUTS) == MOST_LAYOUTS:
                LAYOUTS.clear()
            known = LAYOUTS[states] = Layout(states)
        return known

    def by_edges(self, weights: int, size: int, edges: list[Edge]) -> int:
        """The register of the weights after some edges."""
        places: dict[int, int] = {}
        plain: list[tuple[int, int, int]] = []
        for start, end, chance in edges:
            by = -1
            if isinstance(chance, Term) or chance != 1:
                at = self.trace.register(chance)
                by = places.setdefault(at, len(places))
            plain.append((start, end, by))
        bundle = self.trace.bundle(tuple(places))
        return self.trace.lone_move(weights, EdgeList(size, tuple(plain)), bundle)

    def note(self, source: Any, target: Any, edges: list[Edge], name: str | None) -> None:
        raise AssertionError("what is written down is not told")

    def ended(self, source: Any, endings: list[tuple[int, Ending]]) -> None:
        raise AssertionError("what is written down is not told")

    def ended_by(self, source: Any, name: str, endings: list[tuple[int, Ending, Any]]) -> None:
        raise AssertionError("what is written down is not told")
