"""The analysis of one pipeline: a sweep for the point, one for the posterior, the worst run.

Everything that `check` reports about a pipeline's behaviour is worked out here, as plain data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelang.analysis.importance import importances
from pipelang.analysis.model import Model, make_model
from pipelang.analysis.numbers import UNCOMPUTED, Number, certain
from pipelang.analysis.objectives import Verdict, decide
from pipelang.analysis.parameters import Parameters
from pipelang.analysis.posterior import interval, posterior, share_of
from pipelang.analysis.reliability import own_reliability
from pipelang.analysis.sweep import Totals, sweep
from pipelang.analysis.worst import Worst, worst_run
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis

DAYS_A_MONTH = 30
OUTCOMES = ("success", "silent_error", "escalation", "rejection", "failure")


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step in the report. `own` is P(answers and is right | reached, arguments right).

    `importance_*` are the derivatives of an outcome by the step's accuracy (Birnbaum importance).
    """

    name: str
    own: float | None
    reached: Number
    importance_success: Number
    importance_silent_error: Number
    cost_mean: Number


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a pipeline will do. `open_ends` says why numbers are missing, if they are.

    `bases` says of every parameter that was used, by its site, how well founded it is; `counts` are
    the cases behind the measured ones: how many were good, of how many.
    """

    pipeline: p.Pipeline
    numbers: dict[str, Number]
    escalations: dict[str, Number]
    steps: tuple[StepRow, ...]
    slo: tuple[Verdict, ...]
    worst: Worst | None
    unknown: tuple[str, ...]
    measured: tuple[str, ...]
    unpriced: tuple[str, ...]
    open_ends: tuple[str, ...]
    bases: Mapping[str, Basis] = field(default_factory=dict)
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def analyse(program: p.Program, pipeline: p.Pipeline) -> Analysis:
    """Analyse a pipeline. Never fails: what cannot be worked out is left open and said so."""
    open_ends = tuple(dict.fromkeys(what for what, _ in pipeline.open_ends))
    if open_ends:
        return _left_open(pipeline, open_ends)
    point = Parameters(program.evidence, lambda site: 0.5)
    model = make_model(program, pipeline, point)
    totals = sweep(model)
    worst = worst_run(model)
    unpriced = tuple(
        dict.fromkeys(tier for (_, tier), cost in model.costs.items() if not cost.priced)
    )
    draws: Totals | None = None
    if (point.counted or point.counted_bins) and not point.unknown_sites:
        draws = sweep(make_model(program, pipeline, posterior(point)))
    figure = _Figures(totals, draws, point)
    numbers = figure.all(pipeline, worst, unpriced)
    slo = []
    for line in pipeline.slo:
        number = numbers.get(line.metric)
        if number is None and line.metric.startswith("escalation."):
            name = line.metric.removeprefix("escalation.")
            number = figure.number(lambda t: t.escalations.get(name, 0.0))
        slo.append(decide(line, number, figure.probability(line)))
    return Analysis(
        pipeline=pipeline,
        numbers=numbers,
        escalations={
            name: figure.number(lambda t, name=name: t.escalations.get(name, 0.0))
            for name in totals.escalations
        },
        steps=_steps(model, totals, figure),
        slo=tuple(slo),
        worst=worst,
        unknown=tuple(point.unknown_sites),
        measured=tuple(point.counted),
        unpriced=unpriced,
        open_ends=(),
        bases=dict(point.bases),
        counts=dict(point.counted),
    )


def _left_open(pipeline: p.Pipeline, open_ends: tuple[str, ...]) -> Analysis:
    names = (*OUTCOMES, *_DERIVED, *(f"cost.{q}" for q in _COST), "tokens.mean", "tokens.worst")
    numbers = dict.fromkeys(names, UNCOMPUTED)
    slo = tuple(decide(line, None, None) for line in pipeline.slo)
    return Analysis(pipeline, numbers, {}, (), slo, None, (), (), (), open_ends)


_DERIVED: dict[str, Callable[[Totals], Any]] = {
    "coverage": lambda t: t.success + t.silent_error,
    "availability": lambda t: 1 - t.failure,
    "wrong_effect": lambda t: t.wrong_effect,
}
_COST = ("mean", "p50", "p95", "p99", "worst", "month")


@dataclass(slots=True)
class _Figures:
    """Numbers from the point sweep and, where there is one, the posterior sweep."""

    point: Totals
    draws: Totals | None
    parameters: Parameters

    def number(self, read: Callable[[Totals], Any], unit: bool = True) -> Number:
        """A figure; `unit` says that it is a probability, so [0, 1] bounds it when unknown."""
        value = float(read(self.point))
        basis = self.parameters.basis
        if self.parameters.unknown_sites:
            if not unit:
                return Number(None, 0.0, None, None, Basis.UNKNOWN, tight=False)
            return Number(None, 0.0, 1.0, None, Basis.UNKNOWN, tight=False)
        if self.draws is None:
            return certain(value, basis)
        spread = interval(read(self.draws))
        return Number(value, spread.low, spread.high, spread.mean, basis)

    def probability(self, line: p.SloLine) -> float | None:
        """How sure the posterior is of an objective; None where nothing was measured."""
        read = _reader(line.metric)
        if self.draws is None or read is None:
            return None
        return share_of(read(self.draws), line.op, float(line.target))

    def all(
        self, pipeline: p.Pipeline, worst: Worst, unpriced: tuple[str, ...]
    ) -> dict[str, Number]:
        numbers = {name: self.number(_field(name)) for name in OUTCOMES}
        numbers |= {name: self.number(read) for name, read in _DERIVED.items()}
        numbers["selective_risk"] = self._selective_risk()
        numbers |= self._cost(pipeline, worst, unpriced)
        numbers["tokens.mean"] = self._bounded(self.number(lambda t: t.tokens, unit=False))
        tokens = None if worst.tokens is None else float(worst.tokens)
        numbers["tokens.worst"] = Number(tokens, tokens, tokens, tokens, Basis.BOUND)
        return numbers

    def _selective_risk(self) -> Number:
        covered = self.point.success + self.point.silent_error
        if not covered:
            return UNCOMPUTED
        return self.number(lambda t: t.silent_error / (t.success + t.silent_error))

    def _cost(
        self, pipeline: p.Pipeline, worst: Worst, unpriced: tuple[str, ...]
    ) -> dict[str, Number]:
        mean = self._bounded(self.number(lambda t: t.cost, unit=False))
        if unpriced or mean.value == float("inf"):
            mean = Number(None, 0.0, None, None, Basis.UNKNOWN)
        numbers = {"cost.mean": mean, "cost.p50": UNCOMPUTED}
        numbers["cost.p95"] = numbers["cost.p99"] = UNCOMPUTED
        most = None if unpriced else worst.cost
        numbers["cost.worst"] = Number(
            most, most, most, most, Basis.UNKNOWN if most is None else Basis.BOUND
        )
        per_day = pipeline.traffic.per_day
        month = UNCOMPUTED
        if per_day is not None and mean.value is not None:
            runs = float(per_day) * DAYS_A_MONTH
            scaled = [None if x is None else x * runs for x in (mean.low, mean.high, mean.mean)]
            month = Number(mean.value * runs, *scaled, mean.basis)
        numbers["cost.month"] = month
        return numbers

    def _bounded(self, number: Number) -> Number:
        """Lengths that nobody declared count as their maximum, so the figure is a bound."""
        if number.value is None or not number.value:
            return number
        basis = max(number.basis, Basis.BOUND) if self.parameters.bounded else number.basis
        return Number(number.value, number.low, number.high, number.mean, basis)


def _field(name: str) -> Callable[[Totals], Any]:
    return lambda totals: getattr(totals, name)


def _reader(metric: str) -> Callable[[Totals], Any] | None:
    if metric in OUTCOMES:
        return _field(metric)
    if metric in _DERIVED:
        return _DERIVED[metric]
    if metric.startswith("escalation."):
        name = metric.removeprefix("escalation.")
        return lambda totals: totals.escalations.get(name, 0.0)
    if metric == "selective_risk":
        return lambda t: t.silent_error / (t.success + t.silent_error)
    return (lambda totals: totals.cost) if metric == "cost.mean" else None


def _steps(model: Model, totals: Totals, figure: _Figures) -> tuple[StepRow, ...]:
    unknown = bool(model.parameters.unknown_sites)
    derivatives = {} if unknown else importances(model)
    rows = []
    for name, step in model.steps.items():
        success, silent = derivatives.get(name, (None, None))
        basis = model.parameters.basis
        rows.append(
            StepRow(
                name,
                None if unknown else own_reliability(model, step),
                figure.number(lambda t, name=name: t.reached.get(name, 0.0)),
                UNCOMPUTED if success is None else certain(success, basis),
                UNCOMPUTED if silent is None else certain(silent, basis),
                figure.number(lambda t, name=name: t.step_costs.get(name, 0.0), unit=False),
            )
        )
    return tuple(rows)
