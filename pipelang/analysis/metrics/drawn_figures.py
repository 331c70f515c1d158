"""Figures over the draws of a posterior: the interval of each, without all draws of all figures.

At each point of a grid over what nobody declared, and in each way in which what was measured may
have drifted, a figure has a row of thousands of draws, of which an interval is all that is asked.
So some rows are swept at a time, what is asked of every figure is read off, and they are let go. A
sweep gives all figures at once, so what will be asked is said before (`expect`); any other question
sweeps once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pipelang.analysis.model.drawn_rows import DrawnRows
from pipelang.analysis.model.posterior import Interval, around, interval, share_of, widest
from pipelang.analysis.sweep.compiled import Compiled
from pipelang.analysis.sweep.sweep import Totals, all_figures
from pipelang.records import dataclass, field

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Reading = Callable[[Any], Any]
"""Reads a figure off what a sweep of some rows gives."""

MOST_NUMBERS = 2_000_000
"""Numbers of all figures together that are swept at a time, where one row is not more: 16 MB."""


@dataclass(frozen=True, slots=True)
class DrawsQuestion:
    """A question about a figure's draws: the interval in each way of drifting, at the first point;
    `everywhere`, the widest over all points as well; with an `op`, how many of the draws at the
    first point are on that side of a target.
    """

    read: Reading
    everywhere: bool = False
    op: str = ""
    target: float = 0.0

    def answer(self, values: Any, rows: int, each: int) -> list[Any]:
        """The answer for each of some rows, or one for all of them that is enough."""
        import numpy as np

        if self.everywhere:
            return [widest(values, rows)]
        found = np.asarray(values, dtype=float)
        # A figure that hangs on nothing that was drawn is one number.
        table = np.broadcast_to(found, (rows, 1) if found.size == 1 else (rows * each,))
        table = table.reshape(rows, -1)
        if self.op:
            return [share_of(row, self.op, self.target) for row in table]
        return [interval(row) for row in table]


@dataclass(slots=True)
class DrawnFigures:
    """Figures over rows of draws. `sweep` gives the totals of some rows, which readings take, and
    which have about so many `figures`.
    """

    rows: DrawnRows
    sweep: Callable[[Array], Any]
    figures: int
    expected: dict[DrawsQuestion, None] = field(default_factory=dict)
    answers: dict[DrawsQuestion, list[Any]] = field(default_factory=dict)

    @property
    def at_points(self) -> bool:
        """Whether there are draws at points of a grid over what nobody declared."""
        return self.rows.grid is not None

    def beside(self, other: DrawnFigures) -> DrawnFigures:
        """The figures of two pipelines over the same draws; readings take the totals of both."""

        def sweep(some: Array) -> tuple[Any, Any]:
            return self.sweep(some), other.sweep(some)

        return DrawnFigures(self.rows, sweep, self.figures + other.figures)

    def expect(self, questions: Iterable[DrawsQuestion]) -> None:
        """Answer these as well when the first is asked."""
        self.expected.update(dict.fromkeys(questions))

    def by_way(self, read: Reading) -> list[Interval]:
        """The interval of a figure in each way of drifting, at the first point."""
        return self._answer(DrawsQuestion(read))

    def spread(self, read: Reading) -> Interval:
        """The widest interval of a figure over all ways of drifting, at the first point, about the
        mean without any.
        """
        return around(self.by_way(read))

    def widest(self, read: Reading) -> Interval:
        """The widest interval of a figure everywhere."""
        return around(self._answer(DrawsQuestion(read, everywhere=True)))

    def shares(self, read: Reading, op: str, target: float) -> list[float]:
        """The share of the draws that satisfy `figure op target` in each way of drifting."""
        return self._answer(DrawsQuestion(read, op=op, target=target))

    def _answer(self, question: DrawsQuestion) -> list[Any]:
        if question not in self.answers:
            self.expect([question])
            self._sweep([one for one in self.expected if not one.everywhere], everywhere=False)
            self._sweep([one for one in self.expected if one.everywhere], everywhere=True)
            self.expected.clear()
        return self.answers[question]

    def _sweep(self, questions: list[DrawsQuestion], everywhere: bool) -> None:
        import numpy as np

        if not questions:
            return
        self.answers.update((question, []) for question in questions)
        rows, each = self.rows, self.rows.each
        which = np.arange(rows.count) if everywhere else rows.firsts
        most = max(1, MOST_NUMBERS // (each * self.figures))
        for start in range(0, len(which), most):
            part = which[start : start + most]
            totals = self.sweep(part)
            for question in questions:
                found = question.answer(question.read(totals), len(part), each)
                self.answers[question] += found


def drawn_figures(compiled: Compiled, rows: DrawnRows, point: Totals) -> DrawnFigures:
    """The figures of a pipeline over rows of draws; `point` has the totals at its point."""

    def sweep(some: Array) -> Totals:
        return compiled.totals(rows.parameters(some), len(some) * rows.each)

    return DrawnFigures(rows, sweep, figures_in(point))


def figures_in(totals: Totals) -> int:
    """The number of figures that a sweep adds up."""
    return len(all_figures(totals)) + len(totals.failures) + len(totals.endings)
