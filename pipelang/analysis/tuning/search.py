"""The search over assignments: all of them where there are few, else Pareto local search.

Assignments are worked out many at a time (`columns`). The local search takes the assignments that
no other found so far dominates in all figures, and tries everything that differs from one of them
in one place (L. Paquete, M. Chiarandini and T. Stuetzle, "Pareto local
optimum sets in the biobjective traveling salesman problem", 2004).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, product
from math import prod

from pipelang.analysis.advice.trying import Bench, is_budgeted
from pipelang.analysis.model.intervals import compare
from pipelang.analysis.tuning.budgets import BudgetedAssignments
from pipelang.analysis.tuning.columns import Columns, columns
from pipelang.analysis.tuning.dimensions import Assignment, Dimension, moves
from pipelang.records import dataclass, field
from pipelang.semantics import program as p
from pipelang.semantics.metrics import COST_MEAN, ESCALATION, SILENT_ERROR, SUCCESS

BATCH = 8_000
"""Assignments between two looks at the clock and the keyboard."""

AT_ONCE = 4
"""Assignments whose neighbours are worked out together."""


@dataclass(frozen=True, slots=True)
class Point:
    """An assignment with its exact figures, at the point estimates of what was measured."""

    assignment: Assignment
    figures: dict[str, float]

    @property
    def cost(self) -> float:
        return self.figures.get(COST_MEAN, 0.0)


@dataclass(slots=True)
class SearchResult:
    """The result of a search. `idle` are the dimensions that change nothing by themselves, and stay
    as they are; `possible` counts the assignments of the others. `worker` is what worked them out,
    with the programs that it compiled for it.
    """

    dimensions: list[Dimension]
    points: dict[Assignment, Point | None] = field(default_factory=dict)
    idle: list[int] = field(default_factory=list)
    possible: int = 1
    complete: bool = False
    interrupted: bool = False
    budgets: BudgetedAssignments | None = None
    worker: Columns | None = None

    @property
    def now(self) -> Assignment:
        return tuple(one.now for one in self.dimensions)

    def known(self) -> list[Point]:
        """Every assignment that was worked out and builds. Those that only showed that a dimension
        is idle say nothing that the others do not.
        """
        now, idle = self.now, self.idle
        return [
            point
            for point in self.points.values()
            if point is not None and all(point.assignment[at] == now[at] for at in idle)
        ]

    def cut(self, point: Point) -> bool:
        """Whether a check would say that budgets may cut runs: its figures are bounds then."""
        return self.budgets is not None and self.budgets.cut(point.assignment)

    def uncut(self, front: Callable[[list[Point]], list[Point]]) -> list[Point]:
        """A front of the assignments in which no budget cuts runs; of equals, the nearest."""
        known = sorted(self.known(), key=lambda one: moves(one.assignment, self.now))
        while True:
            found = front(known)
            if not any(map(self.cut, found)):
                return found
            budgets = self.budgets
            assert budgets is not None
            known = [one for one in known if not budgets.told(one.assignment)]

    def keeping(self, pipeline: p.Pipeline) -> list[Point]:
        """Those that keep every promise that their figures tell of, the cheapest first."""
        kept = [point for point in self.known() if not broken(pipeline, point)]
        return sorted(kept, key=lambda one: (one.cost, moves(one.assignment, self.now)))


def search(
    bench: Bench,
    pipeline: p.Pipeline,
    dimensions: list[Dimension],
    budget: int,
    tick: Callable[[int, int], None],
) -> SearchResult:
    """Compute up to `budget` assignments. `tick` gets how many are done, of how many. Ctrl-C ends
    the search early, with the results so far.
    """
    found = SearchResult(dimensions)
    worker = found.worker = columns(bench, pipeline, dimensions)
    if is_budgeted(bench.program, pipeline):
        found.budgets = BudgetedAssignments(bench, pipeline, dimensions, frozenset(worker.cuts))
    try:
        for ahead in _assignments(found, pipeline, budget):
            new = [one for one in dict.fromkeys(ahead) if one not in found.points]
            found.points |= _worked_out(worker, new[: max(0, budget - len(found.points))])
            tick(len(found.points), min(budget, found.possible))
    except KeyboardInterrupt:
        found.interrupted = True
    return found


def _worked_out(worker: Columns, ahead: list[Assignment]) -> dict[Assignment, Point | None]:
    figures = worker.figures(ahead)
    return {
        one: None if found is None else Point(one, found)
        for one, found in zip(ahead, figures, strict=True)
    }


def _assignments(
    found: SearchResult, pipeline: p.Pipeline, budget: int
) -> Iterator[list[Assignment]]:
    """Return the next assignments to compute, given the results so far."""
    now, dimensions = found.now, found.dimensions
    found.possible = 1 + sum(len(one.choices) - 1 for one in dimensions)
    yield [now, *(one for place in range(len(dimensions)) for one in _beside(found, now, place))]
    start = found.points[now]
    for place in range(len(dimensions)):
        alone = [found.points.get(one) for one in _beside(found, now, place)]
        if start is not None and all(one and _same(one, start) for one in alone):
            found.idle.append(place)
    free = [place for place in range(len(dimensions)) if place not in found.idle]
    found.possible = prod(len(dimensions[place].choices) for place in free)
    if found.possible <= budget:
        ranges = [
            range(len(one.choices)) if place in free else (one.now,)
            for place, one in enumerate(dimensions)
        ]
        every = product(*ranges)
        while batch := list(islice(every, BATCH)):
            yield batch
        found.complete = True
        return
    expanded: set[Assignment] = set()
    while len(found.points) < budget:
        # A few at a time: these may lead to what is cheaper than all that seemed worth a look.
        best = [*found.keeping(pipeline)[:3], *frontier(found.known()), *errors(found.known())]
        ahead = [one.assignment for one in best if one.assignment not in expanded]
        ahead = list(dict.fromkeys(ahead))[:AT_ONCE]
        if not ahead:
            return
        expanded.update(ahead)
        yield [other for one in ahead for place in free for other in _beside(found, one, place)]


def _beside(found: SearchResult, at: Assignment, place: int) -> Iterator[Assignment]:
    """The assignments that differ from one at one place."""
    for choice in range(len(found.dimensions[place].choices)):
        if choice != at[place]:
            yield (*at[:place], choice, *at[place + 1 :])


def _same(one: Point, other: Point) -> bool:
    return all(abs(one.figures[name] - value) < 1e-14 for name, value in other.figures.items())


def broken(pipeline: p.Pipeline, point: Point) -> list[p.SloLine]:
    """Return the promises that a point's figures break; promises about other figures are
    ignored.
    """
    return [
        line
        for line in pipeline.slo
        if line.when is None
        and line.metric in point.figures
        and not compare(point.figures[line.metric], line.op, float(line.target))
    ]


# ------------------------------------------------------------------------------------- fronts


def frontier(points: list[Point]) -> list[Point]:
    """The points that no other beats in both cost and success, the cheapest first."""
    return _front(points, lambda one: one.cost, lambda one: -one.figures[SUCCESS])


def errors(points: list[Point]) -> list[Point]:
    """The points that no other beats in both escalation and silent error."""
    silent = [one for one in points if one.figures[SUCCESS] > 0]
    return _front(
        silent, lambda one: one.figures[ESCALATION], lambda one: one.figures[SILENT_ERROR]
    )


def _rounded(figure: float) -> float:
    """A figure without what its arithmetic adds in the last places: equals are equal."""
    return float(f"{figure:.12e}")


def _front(
    points: list[Point], first: Callable[[Point], float], second: Callable[[Point], float]
) -> list[Point]:
    """The points with the least `first`, and after them those with less of `second` than all."""
    found: list[Point] = []
    for point in sorted(points, key=lambda one: (_rounded(first(one)), _rounded(second(one)))):
        if not found or second(point) < second(found[-1]) - 1e-12:
            found.append(point)
    return found
