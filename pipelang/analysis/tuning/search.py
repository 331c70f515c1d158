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
        return [point for point in self.points.values() if point is not None and self.tells(point)]

    def tells(self, point: Point) -> bool:
        """Whether a point says something that the others do not."""
        dimensions, assignment = self.dimensions, point.assignment
        return all(assignment[at] == dimensions[at].now for at in self.idle)

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
        return sorted(kept, key=self.place)

    def place(self, point: Point) -> tuple[float, int]:
        """The place of a point among those that keep all: the cheapest, then what moves least."""
        return point.cost, moves(point.assignment, self.now)


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
    leaders = _Leaders(found, pipeline)
    while len(found.points) < budget:
        # A few at a time: these may lead to what is cheaper than all that seemed worth a look.
        best = [one.assignment for one in leaders.now()]
        ahead = [one for one in best if one not in expanded]
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


_Placed = tuple[float, float, int, float, Point]
"""A point behind what it is sorted by, the last of which, its number, is no other's, and behind the
figure that it is compared by.
"""


def frontier(points: list[Point]) -> list[Point]:
    """The points that no other beats in both cost and success, the cheapest first."""
    return _unbeaten(sorted(_by_cost(at, one) for at, one in enumerate(points)))


def errors(points: list[Point]) -> list[Point]:
    """The points that no other beats in both escalation and silent error."""
    silent = [one for one in points if one.figures[SUCCESS] > 0]
    return _unbeaten(sorted(_by_errors(at, one) for at, one in enumerate(silent)))


def _by_cost(at: int, point: Point) -> _Placed:
    second = -point.figures[SUCCESS]
    return _rounded(point.cost), _rounded(second), at, second, point


def _by_errors(at: int, point: Point) -> _Placed:
    second = point.figures[SILENT_ERROR]
    return _rounded(point.figures[ESCALATION]), _rounded(second), at, second, point


def _rounded(figure: float) -> float:
    """A figure without what its arithmetic adds in the last places: equals are equal."""
    return float(f"{figure:.12e}")


def _unbeaten(points: list[_Placed]) -> list[Point]:
    """The points with the least of the first figure, and after them those with less of the second
    than all.
    """
    found: list[Point] = []
    least = 0.0
    for _, _, _, second, point in points:
        if not found or second < least - 1e-12:
            found.append(point)
            least = second
    return found


class _Leaders:
    """The points that are worth a look around them, of all that are known so far. They are kept in
    order as they come in: to sort all of them at each look took most of a search.
    """

    def __init__(self, found: SearchResult, pipeline: p.Pipeline) -> None:
        self._found = found
        self._pipeline = pipeline
        self._seen = 0
        self._keeping: list[tuple[float, int, int, Point]] = []
        self._by_cost: list[_Placed] = []
        self._by_errors: list[_Placed] = []

    def now(self) -> list[Point]:
        """The cheapest that keep every promise, and those that no other beats."""
        found, before = self._found, self._seen
        self._seen = len(found.points)
        for at, point in enumerate(islice(found.points.values(), before, None), before):
            if point is None or not found.tells(point):
                continue
            if not broken(self._pipeline, point):
                self._keeping.append((*found.place(point), at, point))
            self._by_cost.append(_by_cost(at, point))
            if point.figures[SUCCESS] > 0:
                self._by_errors.append(_by_errors(at, point))
        self._keeping.sort()
        self._by_cost.sort()
        self._by_errors.sort()
        kept = [one[-1] for one in self._keeping[:3]]
        return [*kept, *_unbeaten(self._by_cost), *_unbeaten(self._by_errors)]
