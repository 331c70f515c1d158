"""Metrics under a condition: of runs in which a step was answered from its cache, or whose input
meets a condition.

Runs whose input meets a condition are those that start from it: the draws that it depends on are
made first. Runs with a cached answer are separated by a mark: answers from the cache count with a
factor, and the total of all runs minus the total at the factor 0 is that of the marked ones. Both
leave sums over some of the runs, which are divided by the probability of these.
"""

from __future__ import annotations

from math import inf
from typing import Any

from pipelang.analysis.frontier.meter import Measure, Meter, Scale
from pipelang.analysis.frontier.table import Table, split
from pipelang.analysis.frontier.totals import PLAIN
from pipelang.analysis.kernels.conditions import expression_plan, perform
from pipelang.analysis.latency.figures import PAIRS, READ, chance_of
from pipelang.analysis.latency.moved import FigureSpread, moved, spread_of
from pipelang.analysis.latency.posterior_quantiles import (
    QuantileSpread,
    ends_around,
    quantile_spread,
)
from pipelang.analysis.latency.quantiles import (
    SHARES,
    Measured,
    Taken,
    coarse_scales,
    fine_scales,
    read_off,
    with_lattices,
)
from pipelang.analysis.latency.walk import walk
from pipelang.analysis.metrics.conditional_bounds import bounds_over, unknowns_met
from pipelang.analysis.metrics.readings import READINGS, reader_of
from pipelang.analysis.model.intervals import Number, certain
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.sweep.pruning import TooLarge
from pipelang.analysis.sweep.sweep import Totals, sweep_root
from pipelang.records import dataclass, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.metrics import COST, MEAN, OUTCOMES, metric_of

Lattices = list[tuple[float, Any]]
"""Steps of lattices, with the masses of all rows."""

SUMS = tuple(name for name in PLAIN if name != "tokens")


@dataclass(frozen=True, slots=True)
class Conditioned:
    """A metric under its condition, or why it is not known. `spread` is the posterior's, `some`
    whether there are runs that meet the condition.
    """

    number: Number | None
    why: str = ""
    spread: FigureSpread | QuantileSpread | None = None
    some: bool = True

    def probability(self, line: p.SloLine) -> float | None:
        """The posterior probability that the objective holds."""
        if self.spread is None:
            return None
        return chance_of(self.spread, line.op, float(line.target))


def conditioned(
    program: p.Program, pipeline: p.Pipeline, point: Parameters, line: p.SloLine
) -> Conditioned:
    """The metric of a line over the runs that its `when` is about."""
    if line.condition is not None:
        inputs = {parameter.name for parameter in pipeline.parameters}
        if not expr.mentions(line.condition) <= inputs:
            return Conditioned(None, "only conditions on the input are worked out")
    rows = moved(point)
    case = _Case(program, pipeline, line, rows.parameters, rows.rows, rows.drifts)
    if point.unknown_sites:
        met = unknowns_met(case.sweep, point)
        if met is not None and met.unknown_sites:
            return _bounded(case, met)
    lattices: Lattices = []
    longer = False
    if reader_of(line.metric) is not None:
        found = _of_totals(case)
    else:
        found, lattices, longer = _of_walk(case)
    if found is None:
        return Conditioned(None, f"no run is one in which `{line.when}`", some=False)
    if found and any(value is None or value == inf for value in found):
        return Conditioned(None, f"`{line.metric}` is not known")
    if not found:
        return Conditioned(None, f"`{line.metric}` is not worked out under a condition")
    known = [value for value in found if value is not None]
    basis = point.known_basis
    if longer or metric_of(line.metric).unit in point.bounded:
        basis = max(basis, Basis.BOUND)
    spread: FigureSpread | QuantileSpread = spread_of(known[0], known, case.drifts)
    if lattices:
        share = SHARES[line.metric.partition(".")[2]]
        spread = quantile_spread(known[0], known, lattices, share, case.drifts)
    return _with_spread(known[0], spread, basis)


def _bounded(case: _Case, met: Parameters) -> Conditioned:
    """The metric's bounds over the unknowns that the runs under the condition meet."""
    number = None
    if reader_of(case.line.metric) is not None:
        number = bounds_over(case.sweep, met, case.parameters, case.rows, case.drifts)
    if number is None:
        return Conditioned(None, "too much of the pipeline is undeclared")
    if number.high is not None and number.high == inf:
        return Conditioned(number._replace(high=None))
    return Conditioned(number)


def _with_spread(value: float, spread: FigureSpread | QuantileSpread, basis: Basis) -> Conditioned:
    if not spread.deviation:
        return Conditioned(certain(value, basis))
    ends = spread.bounds()
    if isinstance(spread, QuantileSpread):
        ends = ends_around(value, spread)
    number = Number(value, *ends, spread.mean, basis)
    if number.high == inf:
        number = number._replace(high=None)
    return Conditioned(number, spread=spread)


@dataclass(frozen=True, slots=True)
class _Case:
    """A line, with parameters as rows (see `moved`)."""

    program: p.Program
    pipeline: p.Pipeline
    line: p.SloLine
    parameters: Parameters
    rows: int
    drifts: int

    def sweep(self, parameters: Parameters, rows: int) -> tuple[Totals, Any, Any] | None:
        """Sweep with other parameters (see `conditional_bounds.SweepCase`)."""
        model = make_model(self.program, self.pipeline, parameters)
        whole = not rows and self.line.condition is None
        totals = sweep_root(model, (lambda of_class, table: table) if whole else self.starts)
        if not totals.endings:
            return None
        if not rows:
            return totals, 0.0, 0.0
        if parameters.left_out:
            raise TooLarge
        case = replace(self, rows=rows)
        sums = {name: case.marked(getattr(totals, name))[:, 0] for name in SUMS}
        runs = sum(sums[name] for name in OUTCOMES)
        ratio = READINGS[self.line.metric].ratio if self.line.metric in READINGS else None
        if ratio is not None:
            first, rest = (sums[part] for part in ratio)
            return totals, first, first + rest
        escalations = {name: case.marked(share)[:, 0] for name, share in totals.escalations.items()}
        read = reader_of(self.line.metric)
        assert read is not None
        # What is read off is affine in the sums, so its part without any sum counts for all runs.
        constant = read(Totals())
        return (
            totals,
            read(Totals(**sums, escalations=escalations)) - constant + constant * runs,
            runs,
        )

    def starts(self, model: PipelineModel, start: Table) -> Table | None:
        """The states in which the condition holds, as a table; None if there are none."""
        if self.line.condition is None:
            import numpy as np

            model.marked = (str(self.line.cached), np.array([1.0, 0.0]).reshape(2, 1, 1))
            return start
        plan = expression_plan(model, self.line.condition)
        table = perform(start, plan)
        keys = plan.keys
        parts = split(
            table, keys, lambda seen: bool(plan.compute(dict(zip(keys, seen, strict=True))))
        )
        return parts.get(True)

    def marked(self, total: Any) -> Any:
        """Of a sum over all runs, the part of those that are asked about: a row a parameter set."""
        import numpy as np

        length = np.shape(total)[-1] if np.ndim(total) else 1
        if self.line.condition is not None:
            return np.broadcast_to(total, (self.rows, length))
        both = np.broadcast_to(total, (2, self.rows, length))
        return both[0] - both[1]


def _of_totals(case: _Case) -> list[float | None] | None:
    """A metric that a sweep has, for every row."""
    model = make_model(case.program, case.pipeline, case.parameters)
    totals = sweep_root(model, case.starts)
    if not totals.endings:
        return None
    sums = {name: case.marked(getattr(totals, name))[:, 0] for name in SUMS}
    escalations = {name: case.marked(share)[:, 0] for name, share in totals.escalations.items()}
    runs = sum(sums[name] for name in OUTCOMES)
    if not (abs(runs) > 1e-15).all():
        return None
    read = reader_of(case.line.metric)
    assert read is not None
    parts = Totals(
        **{name: values / runs for name, values in sums.items()},
        escalations={name: values / runs for name, values in escalations.items()},
    )
    import numpy as np

    return [float(value) for value in np.broadcast_to(read(parts), (case.rows,))]


def _of_walk(case: _Case) -> tuple[list[float | None] | None, Lattices, bool]:
    """A mean or quantile of dollars or seconds, for every row, and the lattices that a quantile is
    read off where rows differ; empty if it is neither. And whether times are upper bounds.
    """
    family, _, read = case.line.metric.partition(".")
    if family not in PAIRS or read not in READ:
        return [], [], False
    measure = PAIRS[family][1]
    rough = _walked(case, measure, coarse_scales((measure,)))
    if rough is None or rough.vague:
        return None if rough is None else [None], [], False
    taken, longer = rough.taken[measure], rough.bounded and family != COST
    if read == MEAN:
        return list(taken.mean), [], longer
    scales = fine_scales(rough)
    fine = _walked(case, measure, scales) if scales else rough
    assert fine is not None
    exact = fine.taken[measure].quantiles[read]
    pairs = zip(taken.quantiles[read], exact, strict=True)
    both = fine if fine is rough else with_lattices(fine, rough)
    lattices = [
        (step, masses) for step, masses in both.taken[measure].lattices if len(masses) == case.rows
    ]
    found = [one if first and one < inf else first for first, one in pairs]
    return list(found), lattices if case.rows > 1 else [], longer


def _walked(case: _Case, measure: Measure, scales: tuple[Scale, ...]) -> Measured | None:
    """Return cost and time of the runs that meet the condition; None if there are none."""
    meter = Meter(scales, (measure,), scales[0].lattice.size)
    model = make_model(case.program, case.pipeline, case.parameters)
    model.meter = meter
    endings = walk(model, case.starts).endings
    if not endings:
        return None
    part = case.marked(sum(endings.values()))
    runs = part[:, -1:].real
    if not (abs(runs) > 1e-15).all():
        return None
    taken = read_off(meter, part / runs)
    if len(taken[measure].mean) < case.rows:  # nothing takes anything
        taken = {measure: Taken((0.0,) * case.rows, dict.fromkeys(SHARES, (0.0,) * case.rows))}
    return Measured(taken, scales, {}, meter.vague, meter.bounded, meter.unit)
