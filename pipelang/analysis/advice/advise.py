"""Ranking of changes: candidates, of which the most promising are tried, ordered by their exact
effect.

A candidate costs a build and a sweep, so an estimate comes first: Birnbaum importance times the
possible gain. The estimate is never printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelang.analysis.advice.attempts import fallbacks, retries, tiers
from pipelang.analysis.advice.changes import Change, ChangeKind
from pipelang.analysis.advice.cuts import settings, thresholds, turns
from pipelang.analysis.advice.raised import with_budgets
from pipelang.analysis.advice.roots import SHOWN, breaks, concerned, roots_moved
from pipelang.analysis.advice.shares import Weights, accuracies, value_of
from pipelang.analysis.advice.trying import Bench
from pipelang.analysis.advice.verifiers import names, verifiers
from pipelang.analysis.advice.written import page, written_links
from pipelang.analysis.metrics.analyse import Analysis, analyse
from pipelang.analysis.metrics.objectives import ObjectiveVerdict
from pipelang.analysis.model.intervals import compare
from pipelang.diagnostics import Sources
from pipelang.diagnostics.render import edit_json
from pipelang.records import dataclass, field, replace
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import pipelines_run
from pipelang.semantics.metrics import (
    COST_MEAN,
    SILENT_ERROR,
    SUCCESS,
    TURNAROUND,
    Unit,
    metric_of,
)

FEW, MANY = 4, 40
"""Changes that are tried, in a plain check and where everything is wanted."""
MOST_BUILDS = 8
"""Changes that a plain check tries for all pipelines of a file together."""
MOST_STEPS = 200
"""In a pipeline with more, a plain check tries none: each would take as long as the check."""
NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Advice:
    """A change with what it does to a metric, and to the others, by the exact analysis.

    `cost_delta` is in dollars a run, None where a price is unknown. `reaches`: the promise that was
    missed or undecided holds then, going by the point estimates. `roots` are the figures of the
    other pipelines that run the one that is changed, and that no other runs.
    """

    change: Change
    metric: str
    before: float
    after: float
    cost_delta: float | None
    figures: dict[str, tuple[float, float]]
    reaches: bool | None
    roots: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)

    @property
    def trades(self) -> bool:
        """Whether it pays for one of success and silent error with the other: fewer right answers
        without as many wrong ones fewer, or more wrong ones among the answers that are given.
        """
        if self.reaches is not None:
            return False
        (right, then), (wrong, later) = self.figures[SUCCESS], self.figures[SILENT_ERROR]
        if then < right - NOTHING:
            return right - then > wrong - later
        return later > wrong + NOTHING and later * right > wrong * then * (1 + NOTHING)

    def as_json(self, sources: Sources) -> dict[str, Any]:
        """The documented entry; `edits` make the change, by offsets into the file."""
        found: dict[str, Any] = {
            "change": self.change.words,
            "kind": self.change.kind.value,
            "step": self.change.step,
            "metric": self.metric,
            "from": self.before,
            "to": self.after,
            "cost_delta": self.cost_delta,
            "reaches": self.reaches,
            "figures": {
                name: {"from": before, "to": after}
                for name, (before, after) in self.figures.items()
            },
            "edits": [edit_json(edit, sources) for edit in self.change.edits],
        }
        if self.roots:
            found["roots"] = {
                root: {
                    name: {"from": before, "to": after} for name, (before, after) in moved.items()
                }
                for root, moved in self.roots.items()
            }
        return found


def advise(bench: Bench, analysis: Analysis, everything: bool = False) -> list[Advice]:
    """Return the changes that help, the best first; none where success itself is unknown, or where
    budgets may cut runs already: a change with the budget that it needs would tell of both at once.
    """
    pipeline = analysis.pipeline
    if analysis.numbers[SUCCESS].value is None or analysis.cut is not None or not analysis.steps:
        return []
    few = FEW if everything else _few(bench.program)
    if not few or (len(analysis.steps) > MOST_STEPS and not everything):
        return []
    goal = wanted(analysis)
    now = bench.analysed(analysis)
    if now is None:
        return []
    found = []
    for change in _chosen(candidates(bench, analysis, everything), MANY if everything else few):
        advice = tried(bench, pipeline, change, now, goal)
        if advice is not None:
            found.append(advice)
    found = [one for one in found if everything or not one.trades]
    return sorted(found, key=lambda one: (one.trades, -_gain(one, goal)))


def wanted(analysis: Analysis) -> ObjectiveVerdict | None:
    """Return the promise that changes should fulfil: one that is missed, else one that is
    undecided.
    """
    for state in (False, None):
        for verdict in analysis.slo:
            known = verdict.number is not None and verdict.number.value is not None
            if verdict.holds is state and verdict.line.when is None and known and not verdict.cut:
                return verdict
    return None


def candidates(bench: Bench, analysis: Analysis, everything: bool) -> Iterator[Change]:
    """Return all single changes of a pipeline and of those that it runs."""
    program, pipeline = bench.program, analysis.pipeline
    hard = pipeline.traffic.hard
    known = None if hard is None else value_of(program, hard.share)
    weights = replace(_weights(analysis), hard=1.0 if known is None else known)
    goal = wanted(analysis)
    saves = goal is not None and _is_spent(goal.line.metric)
    for one in (pipeline, *pipelines_run(program, pipeline)):
        inside = "" if one is pipeline else one.name
        for change in _in_one(bench, one, inside, weights, saves, everything):
            yield replace(change, pipeline=one.name)
    if page(bench.sources, pipeline.span.file) is not None:
        knobs = settings(program, pipeline, bench.sources)
        yield from turns(knobs, weights, everything)


def _in_one(
    bench: Bench, one: p.Pipeline, inside: str, weights: Weights, saves: bool, everything: bool
) -> Iterator[Change]:
    """The changes of what is written in one pipeline: the one that is advised on, or one that it
    runs.
    """
    program, mine = bench.program, page(bench.sources, one.span.file)
    if mine is None:
        return
    links = written_links(mine, one, inside)
    yield from accuracies(program, mine, links, weights)
    yield from retries(program, mine, links, weights, fewer=saves)
    yield from tiers(program, mine, links, weights)
    yield from turns(thresholds(program, one, mine, inside), weights, everything)
    yield from verifiers(program, one, mine, links, weights, names(mine, one))
    yield from fallbacks(program, mine, links, weights)


def _is_spent(metric: str) -> bool:
    """Whether fewer retries make a metric better: what a run takes, but for the time of people."""
    row = metric_of(metric)
    return row.unit is not Unit.SHARE and row.family != TURNAROUND


def _weights(analysis: Analysis) -> Weights:
    found = {}
    for row in (*analysis.steps, *analysis.inner):
        right, wrong = row.importance_success.value, row.importance_silent_error.value
        found[row.name] = abs(right or 0.0) + abs(wrong or 0.0)
    return Weights(found)


def _few(program: p.Program) -> int:
    """The number of changes that a plain check tries for each pipeline: fewer where a file has
    many, since every change builds all of it anew.
    """
    here = sum(one.span.file == program.file for one in program.pipelines.values())
    return min(FEW, MOST_BUILDS // max(1, here))


def _chosen(found: Iterator[Change], most: int) -> list[Change]:
    """Return the most promising candidates; where few are tried, the best accuracy, then the first
    of each kind before the second of any.
    """
    ranked = sorted(found, key=lambda change: -change.guess)
    if most == MANY:
        return ranked[:MANY]
    counts: dict[ChangeKind, int] = {}
    places: list[tuple[bool, bool, Change]] = []
    for change in ranked:
        counts[change.kind] = counts.get(change.kind, 0) + 1
        # Of accuracies, two for each one of another kind: they are what a reader can always change,
        # and the best of them pays for nothing with something else, as thresholds and checks do.
        accurate = change.kind is ChangeKind.ACCURACY
        first = accurate and counts[change.kind] == 1
        turn = counts[change.kind] / (2 if accurate else 1)
        places.append((not first, turn > 1, change))
    return [change for *_, change in sorted(places, key=lambda one: one[:2])][:most]


def tried(
    bench: Bench,
    pipeline: p.Pipeline,
    change: Change,
    now: dict[str, float],
    goal: ObjectiveVerdict | None,
) -> Advice | None:
    """Return a change with its effect, and with the budgets that it needs; None if the changed file
    does not build, or is not better.
    """
    made = _made(bench, pipeline, change, goal is None or goal.line.metric in now)
    if made is None:
        return None
    change, program = made
    after = bench.after(change, program, pipeline.name)
    if after is None:
        return None
    if breaks(pipeline, now, after):
        return None
    roots = roots_moved(bench, program, pipeline, change)
    if roots is None:
        return None
    shown = {name: (now[name], after[name]) for name in SHOWN}
    cost = after[COST_MEAN] - now[COST_MEAN] if COST_MEAN in after and COST_MEAN in now else None
    right = after[SUCCESS] - now[SUCCESS]
    wrong = now[SILENT_ERROR] - after[SILENT_ERROR]
    if goal is not None:
        metric = goal.line.metric
        if metric not in now or metric not in after:
            if not change.edits or goal.number is None or goal.number.value is None:
                return None
            number = analyse(program, program.pipelines[pipeline.name]).numbers.get(metric)
            if number is None or number.value is None:
                return None
            before, then = goal.number.value, number.value
        else:
            before, then = now[metric], after[metric]
        found = Advice(change, metric, before, then, cost, shown, _holds(goal, then), roots)
    else:
        metric = SUCCESS if right >= wrong else SILENT_ERROR
        found = Advice(change, metric, now[metric], after[metric], cost, shown, None, roots)
    better = max(right, wrong) if goal is None else _gain(found, goal)
    return found if better > NOTHING else None


def _made(
    bench: Bench, pipeline: p.Pipeline, change: Change, swept: bool
) -> tuple[Change, p.Program] | None:
    """A change with the budgets that it needs, and the program that its shares stand in: where they
    are all that changes and one sweep tells what is wanted (`swept`), the one that is written.
    """
    if not change.edits:
        return change, bench.program
    names = concerned(bench, pipeline, change)
    if change.shares and swept and all(map(bench.within_budgets, names)):
        return change, bench.program
    return with_budgets(bench, replace(change, shares={}), names)


def _holds(goal: ObjectiveVerdict, value: float) -> bool:
    return bool(compare(value, goal.line.op, float(goal.line.target)))


def _gain(advice: Advice, goal: ObjectiveVerdict | None) -> float:
    """Return the gain of a change in the wanted promise; without one, in success and silent
    error.
    """
    if goal is None:
        (right, then), (wrong, later) = advice.figures[SUCCESS], advice.figures[SILENT_ERROR]
        return (then - right) + (wrong - later)
    change = advice.after - advice.before
    return change if goal.line.op in (">=", ">") else -change
