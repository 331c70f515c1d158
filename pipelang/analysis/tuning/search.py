"""The search over assignments: all of them where there are few, else Pareto local search.

Each assignment is a changed text, built and swept as a check would do it. The local search takes
the assignments that no other found so far dominates in all figures, and tries everything that
differs from one of them in one place (L. Paquete, M. Chiarandini and T. Stuetzle, "Pareto local
optimum sets in the biobjective traveling salesman problem", 2004).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import prod

from pipelang.analysis.advice.trying import Bench, figures
from pipelang.analysis.model.intervals import compare
from pipelang.analysis.tuning.dimensions import Dimension
from pipelang.diagnostics import Edit
from pipelang.records import dataclass, field
from pipelang.semantics import program as p
from pipelang.semantics.metrics import COST_MEAN, ESCALATION, SILENT_ERROR, SUCCESS

Assignment = tuple[int, ...]
"""For every dimension the place of its choice."""


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
    as they are; `possible` counts the assignments of the others.
    """

    dimensions: list[Dimension]
    points: dict[Assignment, Point | None] = field(default_factory=dict)
    idle: list[int] = field(default_factory=list)
    possible: int = 1
    complete: bool = False
    interrupted: bool = False

    @property
    def now(self) -> Assignment:
        return tuple(one.now for one in self.dimensions)

    def known(self) -> list[Point]:
        """Every assignment that was worked out and builds."""
        return [point for point in self.points.values() if point is not None]

    def keeping(self, pipeline: p.Pipeline) -> list[Point]:
        """Those that keep every promise that their figures tell of, the cheapest first."""
        kept = [point for point in self.known() if not broken(pipeline, point)]
        return sorted(kept, key=lambda one: (one.cost, _moves(one.assignment, self.now)))


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
    try:
        for assignment in _assignments(found, pipeline, budget):
            if assignment not in found.points:
                found.points[assignment] = _worked_out(bench, pipeline, dimensions, assignment)
                tick(len(found.points), min(budget, found.possible))
    except KeyboardInterrupt:
        found.interrupted = True
    return found


def _assignments(found: SearchResult, pipeline: p.Pipeline, budget: int) -> Iterator[Assignment]:
    """Return the next assignments to compute, given the results so far."""
    now, dimensions = found.now, found.dimensions
    found.possible = 1 + sum(len(one.choices) - 1 for one in dimensions)
    yield now
    start = found.points[now]
    for place in range(len(dimensions)):
        yield from _beside(found, now, place)
    for place in range(len(dimensions)):
        alone = [found.points[one] for one in _beside(found, now, place)]
        if start is not None and all(one and _same(one, start) for one in alone):
            found.idle.append(place)
    free = [place for place in range(len(dimensions)) if place not in found.idle]
    found.possible = prod(len(dimensions[place].choices) for place in free)
    if found.possible <= budget:
        ranges = [
            range(len(one.choices)) if place in free else (one.now,)
            for place, one in enumerate(dimensions)
        ]
        yield from product(*ranges)
        found.complete = True
        return
    expanded: set[Assignment] = set()
    while True:
        # One at a time: what it leads to may be cheaper than all that seemed worth a look before.
        best = [*found.keeping(pipeline)[:3], *frontier(found.known()), *errors(found.known())]
        ahead = next((one.assignment for one in best if one.assignment not in expanded), None)
        if ahead is None:
            return
        expanded.add(ahead)
        for place in free:
            for other in _beside(found, ahead, place):
                if len(found.points) >= budget:
                    return
                yield other


def _beside(found: SearchResult, at: Assignment, place: int) -> Iterator[Assignment]:
    """The assignments that differ from one at one place."""
    for choice in range(len(found.dimensions[place].choices)):
        if choice != at[place]:
            yield (*at[:place], choice, *at[place + 1 :])


def _same(one: Point, other: Point) -> bool:
    return all(abs(one.figures[name] - value) < 1e-14 for name, value in other.figures.items())


def _moves(one: Assignment, other: Assignment) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def edits_of(dimensions: list[Dimension], assignment: Assignment) -> list[Edit]:
    """The edits that make an assignment of what is written."""
    chosen = (one.choices[at].edit for one, at in zip(dimensions, assignment, strict=True))
    return [edit for edit in chosen if edit is not None]


def _worked_out(
    bench: Bench, pipeline: p.Pipeline, dimensions: list[Dimension], assignment: Assignment
) -> Point | None:
    edits = edits_of(dimensions, assignment)
    program = bench.rebuilt(edits).program if edits else bench.program
    if program is None:
        return None
    worked = figures(program, program.pipelines[pipeline.name])
    return None if worked is None else Point(assignment, worked)


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


def _front(
    points: list[Point], first: Callable[[Point], float], second: Callable[[Point], float]
) -> list[Point]:
    """The points with the least `first`, and after them those with less of `second` than all."""
    found: list[Point] = []
    for point in sorted(points, key=lambda one: (first(one), second(one), one.assignment)):
        if not found or second(point) < second(found[-1]) - 1e-12:
            found.append(point)
    return found
