"""Tuning: the cheapest assignment that keeps every promise, verified by a full analysis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import sqrt
from typing import Any

from pipelang.analysis.advice.trying import Bench, figures
from pipelang.analysis.metrics.analyse import Analysis, analyse
from pipelang.analysis.tuning.bound import least_cost
from pipelang.analysis.tuning.dimensions import Assignment, dimensions, edits_of, untold_tiers
from pipelang.analysis.tuning.held_out import HeldOut, held_out
from pipelang.analysis.tuning.search import (
    Point,
    SearchResult,
    errors,
    frontier,
    search,
)
from pipelang.diagnostics import Edit
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.metrics import Unit, metric_of


@dataclass(frozen=True, slots=True)
class Tuned:
    """The result of tuning a pipeline.

    `best` is the cheapest assignment found that keeps every promise, with the `analysis` of its
    promises; `sure`: a check decides so too, not only the point estimates. `bound`: a lower bound
    on the cost of all assignments, where known. `missing` are steps whose tiers could not be
    compared. `held_out`: what the thresholds of the best do on rows that did not choose them.
    """

    pipeline: p.Pipeline
    found: SearchResult
    now: Point
    best: Point | None
    analysis: Analysis | None
    sure: bool
    bound: float | None
    missing: tuple[str, ...]
    held_out: HeldOut | None = None

    @property
    def cut_now(self) -> bool:
        """Whether budgets may cut runs as it is written: `now` tells of runs without cuts."""
        return self.found.cut(self.now)

    @property
    def cheaper(self) -> Point | None:
        """The cheapest that keeps every promise by its point estimates alone, if that is cheaper
        than the best.
        """
        best = self.best
        if best is None or not self.pipeline.slo:
            return None
        cheaper = (one for one in self.found.keeping(self.pipeline) if one.cost < best.cost)
        return next((one for one in cheaper if not self.found.cut(one)), None)

    @property
    def front(self) -> list[Point]:
        return self.found.uncut(frontier)

    @property
    def errors(self) -> list[Point]:
        return self.found.uncut(errors)

    @property
    def gap(self) -> float | None:
        """The share of the best cost that another assignment might save at most."""
        if self.best is None or self.bound is None:
            return None
        return 0.0 if not self.best.cost else max(0.0, 1 - self.bound / self.best.cost)

    def edits(self, point: Point) -> list[Edit]:
        """Return the edits that make an assignment of the file."""
        return edits_of(self.found.dimensions, point.assignment)

    def changes(self, point: Point) -> list[tuple[str, str, str]]:
        """Return the differences from the file: name, before, after."""
        return [
            (one.name, one.choices[one.now].shown, one.choices[at].shown)
            for one, at in zip(self.found.dimensions, point.assignment, strict=True)
            if at != one.now
        ]


def tune(
    bench: Bench, pipeline: p.Pipeline, budget: int, tick: Callable[[int, int], None]
) -> Tuned | None:
    """Search the assignments of a pipeline; None where something undeclared decides its figures."""
    if figures(bench.program, pipeline) is None:
        return None
    found = search(bench, pipeline, dimensions(bench, pipeline), budget, tick)
    now = found.points.get(found.now)
    if now is None:
        return None
    nothing = None, None, False, None
    best, analysis, sure, bound = _best(bench, pipeline, found) if pipeline.slo else nothing
    if best is not None and (bound is None or _cut_below(pipeline, found, best)):
        bound = least_cost(bench.program, pipeline, found.dimensions)
    missing = tuple(untold_tiers(pipeline, bench))
    score = None
    if best is not None and found.worker is not None:
        score = held_out(found.worker, pipeline, best.assignment, [*found.points])
    return Tuned(pipeline, found, now, best, analysis, sure, bound, missing, score)


MOST_LOOKED_AT = 40
"""Assignments that keep every promise by their figures and are analysed one by one though nothing
speaks for them, so that it can be said that none is cheaper.
"""
MOST_SCANNED = 120
"""Assignments cheaper than the best that are analysed one by one because they may be sure."""
SURE_FROM = 1.645
"""Spreads by which a promise is kept of which evidence is 95% sure."""
HOPELESS = 0.7
"""A promise of an assignment is not looked at that is expected to lie so many times as far from its
target as it must, at most: how far its evidence is spread is guessed from another assignment.
"""


def _best(
    bench: Bench, pipeline: p.Pipeline, found: SearchResult
) -> tuple[Point | None, Analysis | None, bool, float | None]:
    """The cheapest point that a check says keeps every promise; else the cheapest of which it does
    not say that it breaks one. With whether it is sure and, where all were worked out, the cost
    below which none is.

    Where a check says so of a point, it mostly does of all that keep them by more. So of the points
    that nothing cheaper beats in its margin, the cheapest and the widest are analysed, and then the
    middle of what is left between one that is not sure and one that is. What is certain counts in a
    margin as well: if none is sure, it is tried again with the promises that the evidence leaves
    open. Margins are not spreads: a point may keep one promise by less and another by as much as it
    must. So what is cheaper is gone through, but for what has no hope by what is known by then.
    """
    analyses: dict[Assignment, Analysis | None] = {}

    def analysed(point: Point, promises: bool) -> Analysis | None:
        program = bench.rebuilt(edits_of(found.dimensions, point.assignment)).program
        return None if program is None else analyse(program, program.pipelines[here], promises)

    def sure(point: Point) -> bool:
        if point.assignment not in analyses:
            analyses[point.assignment] = analysed(point, promises=True)
        analysis = analyses[point.assignment]
        return analysis is not None and all(verdict.holds for verdict in analysis.slo)

    here = pipeline.name
    keeping = [point for point in found.keeping(pipeline) if not found.cut(point)]
    try:
        best = _halved(list(_safer(pipeline, keeping, lambda line: True)), sure)
        if best is None:
            open_ones = _left_open(analyses.values())
            best = _halved(
                list(_safer(pipeline, keeping, lambda line: _said(line) in open_ones)), sure
            )
        cheaper = [point for point in keeping if best is None or point.cost < best.cost]
        spreads = _Spreads(keeping, analyses)
        hopeful = (one for one in cheaper if one.assignment in analyses or spreads.may_hold(one))
        best = next((one for one in islice(hopeful, MOST_SCANNED) if sure(one)), best)
        cheaper = [point for point in keeping if best is None or point.cost < best.cost]
        unknown = [point for point in cheaper if point.assignment not in analyses]
        if found.complete and len(unknown) <= MOST_LOOKED_AT:
            next(filter(sure, unknown), None)
    except KeyboardInterrupt:
        found.interrupted = True
    known = [point for point in keeping if point.assignment in analyses]
    for point in known:
        if sure(point):
            open_costs = (one.cost for one in keeping if one.assignment not in analyses)
            least = min(point.cost, next(open_costs, point.cost)) if found.complete else None
            return point, analyses[point.assignment], True, least
    for point in known:
        analysis = analyses[point.assignment]
        if analysis and all(verdict.holds is not False for verdict in analysis.slo):
            # With times: they are left out where another promise is not kept.
            analysis = analysed(point, promises=False)
            if analysis and all(verdict.holds is not False for verdict in analysis.slo):
                return point, analysis, False, None
    return None, None, False, None


class _Spreads:
    """Spreads of figures by their evidence, in what was analysed so far: to guess those of others.

    A promise that holds by d with a probability of Φ(d / s) has the spread s.
    """

    def __init__(
        self, points: Iterable[Point], analyses: Mapping[Assignment, Analysis | None]
    ) -> None:
        self._points = {point.assignment: point for point in points}
        self._analyses = analyses
        self._seen: set[Assignment] = set()
        self._known: dict[tuple[Any, ...], list[tuple[float, float]]] = {}

    def may_hold(self, point: Point) -> bool:
        """Whether every promise may be sure, by the spread where one is kept by most nearly as
        much.
        """
        self._take_in()
        for (metric, _, target, _), known in self._known.items():
            value = point.figures.get(metric)
            if value is None:
                continue
            kept_by = abs(value - float(target))
            _, spread = min(known, key=lambda one: abs(one[0] - kept_by))
            if kept_by < HOPELESS * SURE_FROM * spread:
                return False
        return True

    def _take_in(self) -> None:
        from statistics import NormalDist

        for assignment in self._analyses.keys() - self._seen:
            self._seen.add(assignment)
            analysis, point = self._analyses[assignment], self._points.get(assignment)
            if analysis is None or point is None:
                continue
            for verdict in analysis.slo:
                chance, value = verdict.probability, point.figures.get(verdict.line.metric)
                if value is None or verdict.line.when is not None or chance is None:
                    continue
                kept_by = abs(value - float(verdict.line.target))
                if 0.5 < chance < 1 and kept_by > 0:
                    spread = kept_by / NormalDist().inv_cdf(chance)
                    self._known.setdefault(_said(verdict.line), []).append((kept_by, spread))


def _halved(points: Sequence[Point], sure: Callable[[Point], bool]) -> Point | None:
    """The first sure one of points of which those after a sure one are sure."""
    if not points or sure(points[0]):
        return points[0] if points else None
    if not sure(points[-1]):
        return None
    low, high = 0, len(points) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if sure(points[middle]) else (middle, high)
    return points[high]


def _left_open(analyses: Iterable[Analysis | None]) -> set[tuple[Any, ...]]:
    """The promises of which evidence says how sure they are."""
    verdicts = [verdict for one in analyses if one is not None for verdict in one.slo]
    return {_said(one.line) for one in verdicts if one.probability not in (None, 0.0, 1.0)}


def _said(line: p.SloLine) -> tuple[Any, ...]:
    """A promise, wherever an edit of its file has put it."""
    return (line.metric, line.op, line.target, line.when)


def _cut_below(pipeline: p.Pipeline, found: SearchResult, best: Point) -> bool:
    """Whether something cheaper was left out only since budgets may cut its runs."""
    return any(found.cut(one) for one in found.keeping(pipeline) if one.cost < best.cost)


def _safer(
    pipeline: p.Pipeline, keeping: Sequence[Point], counts: Callable[[p.SloLine], bool]
) -> Iterator[Point]:
    """Of assignments that keep every promise, the cheapest first, those with a wider margin than
    all before them, in the promises that count. None of them is one in which budgets may cut runs:
    its figures are not those of a check.
    """
    widest = -1.0
    for point in keeping:
        margin = _margin(pipeline, point, counts)
        if margin > widest:
            widest = margin
            yield point


def _margin(pipeline: p.Pipeline, point: Point, counts: Callable[[p.SloLine], bool]) -> float:
    """The least margin by which a promise about a share is kept, in standard deviations of one
    case; 1 where none is about a share.
    """
    margins = [1.0]
    for line in filter(counts, pipeline.slo):
        value, target = point.figures.get(line.metric), float(line.target)
        share = metric_of(line.metric).unit is Unit.SHARE
        if share and value is not None and line.when is None and 0 < target < 1:
            margins.append(abs(value - target) / sqrt(target * (1 - target)))
    return min(margins)
