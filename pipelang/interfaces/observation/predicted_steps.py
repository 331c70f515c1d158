"""Rows of the analysis by the names that events have for steps.

Two things keep a row from being compared as it is. Steps of two branches may have one name: the
analysis tells them apart (`reply (2)`), an event does not. And the rows of a pipeline that is run
add up all its runs, where an observation counts the runs of the root that came there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from math import inf
from typing import TypeVar

from pipelang.analysis.metrics.analyse import Analysis
from pipelang.analysis.metrics.step_rows import StepRow
from pipelang.analysis.model.intervals import Number
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.kernels.redo import redo_of
from pipelang.semantics.kernels.run import by_pipeline, pipelines_run
from pipelang.semantics.walk import all_items, all_steps, inner_links

Said = TypeVar("Said")


@dataclass(frozen=True, slots=True)
class PredictedStep:
    """The steps of one name, the share of the root's runs that reach any of them, and what they
    cost in a mean run. None where the analysis has no row.
    """

    steps: tuple[p.Step, ...]
    reached: Number | None
    cost_mean: Number | None


def predicted_steps(program: p.Program, analysis: Analysis) -> dict[str, PredictedStep]:
    """The steps of a pipeline and of those that it runs, in writing order."""
    rows = {row.name: row for row in (*analysis.steps, *analysis.inner)}
    runs = _most_runs(program, analysis.pipeline)
    found = {}
    for name, steps in declared_steps(program, analysis.pipeline).items():
        names = (name, *(f"{name} ({number})" for number in range(2, len(steps) + 1)))
        mine = [rows[one] for one in names if one in rows]
        inner, dot, _ = name.rpartition(".")
        most = runs[inner] if dot else 1.0
        found[name] = PredictedStep(tuple(steps), _reached(mine, most), _cost(mine))
    return found


def declared_steps(program: p.Program, pipeline: p.Pipeline) -> dict[str, list[p.Step]]:
    """The steps of a pipeline and of those that it runs, in writing order, by the names that events
    have for them.
    """
    found: dict[str, list[p.Step]] = {}
    for one in (pipeline, *pipelines_run(program, pipeline)):
        for step in all_steps(one):
            name = step.name if one is pipeline else f"{one.name}.{step.name}"
            found.setdefault(name, []).append(step)
    return found


def only(said: Collection[Said]) -> Said | None:
    """The one thing that all steps of a name declare; None where they differ."""
    return next(iter(said)) if len(said) == 1 else None


def _reached(rows: Sequence[StepRow], most: float) -> Number | None:
    """The share of runs that reach any of some steps, of which each run comes to each at most so
    often: no fewer than reach one of them, no more than all visits together.
    """
    if not rows:
        return None
    if len(rows) == 1 and most == 1:
        return rows[0].reached
    known = [(row.reached.low or 0.0, row.reached.high) for row in rows]
    low = max(low for low, _ in known) / most
    high = min(1.0, sum(inf if high is None else high for _, high in known))
    return Number(None, min(low, high), high, None, Basis.BOUND, tight=False)


def _cost(rows: Sequence[StepRow]) -> Number | None:
    """The costs of some steps together; with their range alone where they are several."""
    if len(rows) < 2:
        return rows[0].cost_mean if rows else None
    costs = [row.cost_mean for row in rows]
    lows, highs = [one.low for one in costs], [one.high for one in costs]
    low = None if None in lows else sum(one for one in lows if one is not None)
    high = None if None in highs else sum(one for one in highs if one is not None)
    return Number(None, low, high, None, Basis.BOUND, tight=False)


def _most_runs(program: p.Program, pipeline: p.Pipeline) -> dict[str, float]:
    """The most runs of each pipeline behind one, in a run of it; infinite where nothing here says
    (for the elements of a list, or where a gate redoes something).
    """

    def inside(of: Callable[[str], dict[str, float]], one: p.Pipeline) -> dict[str, float]:
        found: dict[str, float] = {}
        for name, times in _runs_in(one):
            for behind, often in ((name, 1.0), *of(name).items()):
                found[behind] = found.get(behind, 0.0) + times * often
        return found

    return by_pipeline(program, inside)(pipeline.name)


def _runs_in(pipeline: p.Pipeline) -> Iterator[tuple[str, float]]:
    """The pipelines that one runs itself, place by place, with the most runs there."""
    again = any(not isinstance(i, p.Step) and redo_of(i) for i in all_items(pipeline.block))
    for step in all_steps(pipeline):
        first = {id(link) for link in step.chain.links}
        for link in inner_links(step.chain):
            if isinstance(link.action, p.RunPipeline):
                once = not again and id(link) in first
                yield link.action.pipeline, 1.0 + link.retry.count if once else inf
