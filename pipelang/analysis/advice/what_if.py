"""What-if analysis for undeclared accuracies, and the accuracy that each promise requires.

Undeclared accuracies are assumed as 90, 95 and 99%, as `--assume accuracy=95%` does; everything
else undeclared stays so, and widens the result. The least accuracy that a promise requires is found
by ever finer grids: exactly where nothing else is undeclared, else with the rest at its best.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

from pipelang.analysis.advice.trying import Bench, is_budgeted
from pipelang.analysis.budgets.cuts import possible_cuts
from pipelang.analysis.budgets.enclosures import BudgetedRuns, budgeted_runs
from pipelang.analysis.metrics.analyse import Analysis
from pipelang.analysis.metrics.cut_numbers import share_with_cuts
from pipelang.analysis.metrics.metrics import Figures
from pipelang.analysis.metrics.readings import field_of, reader_of
from pipelang.analysis.model.evidence import EvidenceTable
from pipelang.analysis.model.intervals import Number, compare
from pipelang.analysis.model.model import make_model
from pipelang.analysis.model.parameters import Parameters, point_parameters
from pipelang.analysis.model.posterior import draws_for, posterior
from pipelang.analysis.sweep.bounds_over_unknowns import Read, enclosed, look_behind
from pipelang.analysis.sweep.compiled import Compiled
from pipelang.analysis.sweep.posterior_rows import posterior_rows
from pipelang.analysis.sweep.sweep import sweep
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.metrics import (
    COST_MEAN,
    OUTCOMES,
    SILENT_ERROR,
    SUCCESS,
    WRONG_EFFECT,
    Unit,
    metric_of,
)

SHARES = (0.90, 0.95, 0.99)
MOST_STEPS = 200
MOST_CORNERS = 5
"""Unknowns besides accuracies of which every combination of extremes is looked at."""
MOST_WIDENING = 40
"""Unknowns that are looked at one by one."""
POINTS, ROUNDS = 65, 5
"""Shares that a round looks at; each round is 64 times as exact."""
TYPICAL = {
    "accuracy": 0.95,
    "available": 0.999,
    "transient": 0.005,
    "succeeds": 0.999,
    "correlation": 0.3,
    "catches": 0.6,
    "false_alarms": 0.05,
    "hits": 0.3,
}
"""The values of unknowns while another one is varied; only the order of the results depends on
them.
"""


@dataclass(frozen=True, slots=True)
class WhatIfRow:
    """The figures of a run if every undeclared accuracy is `accuracy`."""

    accuracy: float
    success: Number
    silent_error: Number

    def as_json(self) -> dict[str, Any]:
        return {
            "accuracy": self.accuracy,
            SUCCESS: self.success.as_json(),
            SILENT_ERROR: self.silent_error.as_json(),
        }


@dataclass(frozen=True, slots=True)
class RequiredAccuracy:
    """The least share that every undeclared accuracy must reach for a promise to hold; None if it
    does not hold even at 100%. `at_best`: other unknowns are at their kindest.
    """

    line: p.SloLine
    accuracy: float | None
    at_best: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "metric": self.line.metric,
            "op": self.line.op,
            "target": float(self.line.target),
            "accuracy": self.accuracy,
            "at_best": self.at_best,
        }


@dataclass(frozen=True, slots=True)
class Widening:
    """An unknown, and the range of success over its values while the others are typical."""

    site: str
    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The figures of a pipeline with unknowns; `idle` are the unknowns that change none of them:
    the accuracy of a step that nothing reads, say.
    """

    rows: tuple[WhatIfRow, ...]
    needs: tuple[RequiredAccuracy, ...]
    widening: tuple[Widening, ...]
    idle: tuple[str, ...] = ()


def what_if(bench: Bench, analysis: Analysis) -> WhatIf:
    """Return the what-if analysis; an empty one for a pipeline without unknowns, or where it would
    take too long.
    """
    if not analysis.unknown or len(analysis.steps) > MOST_STEPS:
        return WhatIf((), (), ())
    program, pipeline = bench.program, analysis.pipeline
    rows: list[WhatIfRow] = []
    if any(is_accuracy(site) for site in analysis.unknown):
        rows = list(_rows(bench, pipeline))
    # What promises need is told of runs without cuts, as is the range that an unknown leaves.
    cut = analysis.cut is not None
    needs = _needs(program, analysis) if rows and not cut else ()
    widening, idle = _widening(program, analysis)
    return WhatIf(tuple(rows), tuple(needs), () if cut else tuple(widening), tuple(idle))


def is_accuracy(site: str) -> bool:
    """Whether an unknown is what `--assume accuracy=...` speaks of."""
    return site.endswith(".accuracy")


def _rows(bench: Bench, pipeline: p.Pipeline) -> Iterator[WhatIfRow]:
    for share in SHARES:
        program = bench.rebuilt((), {"accuracy": share}).program
        if program is None:
            return
        figure, runs = outcome_figures(program, program.pipelines[pipeline.name])
        numbers = []
        for metric in (SUCCESS, SILENT_ERROR):
            number = figure.number(field_of(metric))
            numbers.append(number if runs is None else share_with_cuts(metric, number, runs))
        yield WhatIfRow(share, *numbers)


def outcome_figures(
    program: p.Program, pipeline: p.Pipeline
) -> tuple[Figures, BudgetedRuns | None]:
    """Return the figures of the outcomes that a report shows, without the slower ones, and the
    fates of runs where budgets may cut some; measured figures beside unknown ones are point
    estimates.
    """
    point = point_parameters(program)
    model = make_model(program, pipeline, point)
    totals = sweep(model)
    compiled = Compiled(program, pipeline)
    look_behind(compiled, point)
    bounded = None if point.left_out else enclosed(compiled, point, totals.work)
    drawn = None
    if (point.counted or point.counted_bins) and not point.unknown_sites:
        from pipelang.analysis.metrics.drawn_figures import drawn_figures

        draws, count = posterior(point, totals.work), draws_for(totals.work)
        drawn = drawn_figures(compiled, posterior_rows(compiled, point, draws, count), totals)
    elif point.unknown_sites:
        point.counted.clear()
        point.counted_bins.clear()
    cuts = tuple(possible_cuts(model)) if is_budgeted(program, pipeline) else ()
    runs = None
    if cuts:
        runs = budgeted_runs(model, cuts, bounded, totals)
        if not runs.cut().high:
            runs = None
    figure = Figures(totals, drawn, point, bounded)
    figure.expect(map(field_of, (SUCCESS, SILENT_ERROR)))
    return figure, runs


# ------------------------------------------------------------------------------------- needs


def _needs(program: p.Program, analysis: Analysis) -> Iterator[RequiredAccuracy]:
    """Return the accuracy that each promise about outcomes requires of the undeclared ones."""
    others = [site for site in analysis.unknown if not is_accuracy(site)]
    if len(others) > MOST_CORNERS:
        return
    compiled = Compiled(program, analysis.pipeline)
    for line in analysis.pipeline.slo:
        read = reader_of(line.metric)
        if read is None or line.when is not None or metric_of(line.metric).unit is Unit.MONEY:
            continue

        least = _least(compiled, line, read, others)
        if least != 0.0:  # else it holds without any right answer, and needs nothing of them
            yield RequiredAccuracy(line, least, bool(others))


def _least(compiled: Compiled, line: p.SloLine, read: Read, others: Sequence[str]) -> float | None:
    """The least share from which on a promise holds; None if there is none. A round looks at many
    shares in one sweep over arrays, the next between the last that fails and the one after it.
    """
    import numpy as np

    corners = np.array(list(product((0.0, 1.0), repeat=len(others)))).reshape(
        2 ** len(others), len(others)
    )
    low, high = 0.0, 1.0
    for _ in range(ROUNDS):
        shares = np.linspace(low, high, POINTS)
        values = {site: np.repeat(corners[:, at], POINTS) for at, site in enumerate(others)}
        everywhere = np.tile(shares, len(corners))

        def unknown(site: str, values: Any = values, else_: Any = everywhere) -> Any:
            return values.get(site, else_)

        totals = compiled.totals(_with(compiled, unknown))
        found = np.broadcast_to(np.asarray(read(totals), dtype=float), everywhere.shape)
        holds = compare(found, line.op, float(line.target)).reshape(-1, POINTS).any(axis=0)
        if not holds[-1]:
            return None
        if holds.all():
            return low
        last = int(np.flatnonzero(~holds)[-1])
        low, high = float(shares[last]), float(shares[last + 1])
    return high


def _with(compiled: Compiled, unknown: Callable[[str], Any]) -> Parameters:
    return Parameters(EvidenceTable(compiled.program.evidence), unknown)


# ---------------------------------------------------------------------------------- widening


def _widening(program: p.Program, analysis: Analysis) -> tuple[list[Widening], list[str]]:
    """The unknowns that success depends on, the one that it depends on most first; and those on
    which neither an outcome nor a wrong effect nor the cost depends.
    """
    sites = analysis.unknown[:MOST_WIDENING]
    success = _spans(program, analysis.pipeline, sites, typical, (SUCCESS,))[0]
    found = [
        Widening(site, float(row.min()), float(row.max()))
        for site, row in zip(sites, success, strict=True)
    ]
    wide = sorted((one for one in found if one.width > 1e-9), key=lambda one: -one.width)
    at = {site: _GENERIC * number % 1.0 for number, site in enumerate(analysis.unknown, 1)}
    spans = _spans(program, analysis.pipeline, sites, lambda site: at.get(site, 0.5), MOVED)
    still = (all(_stands_still(row) for row in rows) for rows in zip(*spans, strict=True))
    return wide, [site for site, still_there in zip(sites, still, strict=True) if still_there]


def _stands_still(row: Any) -> bool:
    least, most = float(row.min()), float(row.max())
    return least == most or most - least <= 1e-12


_GENERIC = (5**0.5 - 1) / 2
"""Multiples of it, without their whole part, are spread over 0..1, no two alike. A figure is a
polynomial in the unknowns: one that does not move there does not move anywhere, while at typical
values that are equal (rates of a gate for right and for wrong) it may just stand still.
"""


def _spans(
    program: p.Program,
    pipeline: p.Pipeline,
    sites: Sequence[str],
    otherwise: Callable[[str], float],
    metrics: Sequence[str],
) -> list[Any]:
    """Each metric in a row an unknown, over its values while the others are `otherwise`."""
    import numpy as np

    ends = np.array([0.0, 0.5, 1.0])
    values: dict[str, Any] = {}
    for number, site in enumerate(sites):
        table = np.full((len(sites), len(ends)), otherwise(site))
        table[number] = ends
        values[site] = table.reshape(-1)
    compiled = Compiled(program, pipeline)
    totals = compiled.totals(_with(compiled, lambda site: values.get(site, otherwise(site))))
    reads = [read for read in map(reader_of, metrics) if read is not None]
    found = [np.asarray(read(totals), dtype=float) for read in reads]
    return [
        np.broadcast_to(one, (len(sites) * len(ends),)).reshape(len(sites), len(ends))
        for one in found
    ]


MOVED = (*OUTCOMES, WRONG_EFFECT, COST_MEAN)


def typical(site: str) -> float:
    """Return the typical value of an unknown while another one is varied."""
    return TYPICAL.get(site.rpartition(".")[2], 0.5)
