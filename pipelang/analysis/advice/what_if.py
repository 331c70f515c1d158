"""For someone without numbers: what follows if every undeclared accuracy is so and so.

Accuracies that nobody declared are taken as 90, 95 and 99%, as `--assume accuracy=95%` takes them;
what else is undeclared stays so, and widens the result. The least accuracy that a promise needs is
found by bisection: exactly where nothing else is undeclared, else with the rest at its kindest.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from pipelang.analysis.advice.trying import Bench
from pipelang.analysis.analyse import Analysis
from pipelang.analysis.enclosed import enclosed, look_behind
from pipelang.analysis.figures import Figures, field_of, reader_of
from pipelang.analysis.model import make_model
from pipelang.analysis.numbers import Number
from pipelang.analysis.objectives import compare
from pipelang.analysis.parameters import Parameters
from pipelang.analysis.posterior import posterior
from pipelang.analysis.sweep import Totals, sweep
from pipelang.records import dataclass
from pipelang.semantics import program as p

SHARES = (0.90, 0.95, 0.99)
MOST_CORNERS = 6
"""Unknowns besides accuracies of which every combination of extremes is looked at."""
MOST_WIDENING = 40
"""Unknowns that are looked at one by one."""
HALVINGS = 40
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
"""What unknowns count as while another one is looked at; only the order hangs on it."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a run comes to if every undeclared accuracy is `accuracy`."""

    accuracy: float
    success: Number
    silent_error: Number

    def as_json(self) -> dict[str, Any]:
        return {
            "accuracy": self.accuracy,
            "success": self.success.as_json(),
            "silent_error": self.silent_error.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Need:
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
    """An unknown, and how far success moves with it while the others are typical."""

    site: str
    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class WhatIf:
    rows: tuple[Row, ...]
    needs: tuple[Need, ...]
    widening: tuple[Widening, ...]


def what_if(bench: Bench, analysis: Analysis) -> WhatIf:
    """Nothing for a pipeline of which all is declared."""
    if not analysis.unknown:
        return WhatIf((), (), ())
    program, pipeline = bench.program, analysis.pipeline
    rows: list[Row] = []
    if any(is_accuracy(site) for site in analysis.unknown):
        rows = list(_rows(bench, pipeline))
    needs = _needs(program, analysis) if rows else ()
    return WhatIf(tuple(rows), tuple(needs), tuple(_widening(program, analysis)))


def is_accuracy(site: str) -> bool:
    """Whether an unknown is what `--assume accuracy=...` speaks of."""
    return site.endswith(".accuracy")


def _rows(bench: Bench, pipeline: p.Pipeline) -> Iterator[Row]:
    for share in SHARES:
        program = bench.rebuilt((), {"accuracy": share}).program
        if program is None:
            return
        figure = outcome_figures(program, program.pipelines[pipeline.name])
        success = figure.number(field_of("success"))
        yield Row(share, success, figure.number(field_of("silent_error")))


def outcome_figures(program: p.Program, pipeline: p.Pipeline) -> Figures:
    """What a report reads its outcomes off, without what takes longer; measured figures that stand
    beside unknown ones are taken at their point estimates.
    """
    point = Parameters(program.evidence, lambda site: 0.5)
    totals = sweep(make_model(program, pipeline, point))
    look_behind(program, pipeline, point)
    bounded = None if point.left_out else enclosed(program, pipeline, point, totals.work)
    draws = None
    if (point.counted or point.counted_bins) and not point.unknown_sites:
        draws = sweep(make_model(program, pipeline, posterior(point, totals.work)))
    elif point.unknown_sites:
        point.counted.clear()
        point.counted_bins.clear()
    return Figures(totals, draws, point, bounded)


# ------------------------------------------------------------------------------------- needs


def _needs(program: p.Program, analysis: Analysis) -> Iterator[Need]:
    """What each promise about outcomes needs of the undeclared accuracies."""
    others = [site for site in analysis.unknown if not is_accuracy(site)]
    if len(others) > MOST_CORNERS:
        return
    for line in analysis.pipeline.slo:
        read = reader_of(line.metric)
        if read is None or line.when is not None or line.metric.startswith("cost"):
            continue

        def holds(share: float, line: p.SloLine = line, read: Any = read) -> bool:
            return any(
                compare(float(read(totals)), line.op, float(line.target))
                for totals in _corners(program, analysis.pipeline, share, others)
            )

        if holds(0.0):
            continue  # a promise that holds without any right answer needs nothing of them
        least = None
        if holds(1.0):
            low, high = 0.0, 1.0
            for _ in range(HALVINGS):
                middle = (low + high) / 2
                low, high = (low, middle) if holds(middle) else (middle, high)
            least = high
        yield Need(line, least, bool(others))


def _corners(
    program: p.Program, pipeline: p.Pipeline, share: float, others: list[str]
) -> Iterator[Totals]:
    """The figures with accuracies at a share, for every combination of extremes of the others."""
    for ends in product((0.0, 1.0), repeat=len(others)):
        at = dict(zip(others, ends, strict=True))

        def unknown(site: str, at: dict[str, float] = at) -> float:
            return at.get(site, share)

        yield _at(program, pipeline, unknown)


def _at(program: p.Program, pipeline: p.Pipeline, unknown: Any) -> Totals:
    return sweep(make_model(program, pipeline, Parameters(program.evidence, unknown)))


# ---------------------------------------------------------------------------------- widening


def _widening(program: p.Program, analysis: Analysis) -> list[Widening]:
    """The unknowns that success hangs on, the one that it hangs on most first."""
    found = []
    for site in analysis.unknown[:MOST_WIDENING]:
        values = []
        for end in (0.0, 0.5, 1.0):

            def unknown(other: str, end: float = end, site: str = site) -> float:
                return end if other == site else typical(other)

            values.append(float(_at(program, analysis.pipeline, unknown).success))
        one = Widening(site, min(values), max(values))
        if one.width > 1e-9:
            found.append(one)
    return sorted(found, key=lambda one: -one.width)


def typical(site: str) -> float:
    """What an unknown counts as where another one is looked at."""
    return TYPICAL.get(site.rpartition(".")[2], 0.5)
