"""Quantiles and means of cost and time, with their uncertainty.

Counts: one walk with every counted share moved by a standard deviation in turn gives the posterior
deviation of a mean, to first order, and that of the share of runs below each amount, which decides
where quantiles lie (`posterior_quantiles`). Unknowns: the share of runs below an amount is a
polynomial in the unknowns and lies between its Bernstein coefficients, so the quantile lies between
those of the two bounds. With both, these are moved by the most that counts leave open where all
unknowns are 0, a half and 1.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from pipelang.analysis.frontier.meter import Measure, MetUndeclared, Scale
from pipelang.analysis.latency.quantiles import (
    COARSE,
    SHARES,
    Measured,
    Taken,
    between,
    beyond,
    coarse_scales,
    fine_scales,
    measured,
    taking,
    with_lattices,
)
from pipelang.analysis.latency.worst_time import longest_runs
from pipelang.analysis.latency.written import WrittenWalk, written
from pipelang.analysis.model.bernstein_bounds import Axis, Grid
from pipelang.analysis.model.evidence import EvidenceTable
from pipelang.analysis.model.intervals import Number, certain
from pipelang.analysis.model.model import PipelineModel
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.model.work_limit import WorkPart, limited, note_limit
from pipelang.analysis.sweep.bounds_over_unknowns import Enclosed, highest, random_points
from pipelang.records import dataclass
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.kernels.run import asks_people, with_inner

if TYPE_CHECKING:
    from pipelang.analysis.latency.moved import FigureSpread, MovedRows
    from pipelang.analysis.latency.posterior_quantiles import QuantileSpread

MOST_WORK = 12_000_000
OVERHEAD = 5_000
"""States times the length of their arrays (and what a state takes besides, in such units); beyond
it there are bounds only. It is about a second.
"""

MOST_ROWS = 64
"""Sets of parameters that are walked at once."""

PAIRS = {
    m.COST: (Measure.COST, Measure.COST),
    m.LATENCY: (Measure.LATENCY_LEAST, Measure.LATENCY_MOST),
    m.TURNAROUND: (Measure.TURNAROUND_LEAST, Measure.TURNAROUND_MOST),
}

READ = (m.MEAN, *SHARES)


@dataclass(frozen=True, slots=True)
class FigureRange:
    """A figure: its value (None where unknown), bounds, posterior mean and spread."""

    value: float | None
    low: float
    high: float
    fixed: float | None = None
    spread: FigureSpread | QuantileSpread | None = None
    tight: bool = True

    @property
    def mean(self) -> float | None:
        """The posterior mean; of what was not counted, the figure itself."""
        return self.fixed if self.spread is None else self.spread.mean

    def number(self, basis: Basis) -> Number:
        high = None if self.high == inf else self.high
        if self.value is None or self.value == inf:
            low = 0.0 if self.low == inf else self.low
            if low == high:  # whatever is unknown does not move it
                return Number(low, low, high, low, basis)
            return Number(None, low, high, None, Basis.UNKNOWN, self.tight)
        return Number(self.value, self.low, high, self.mean, basis, self.tight)

    def probability(self, op: str, target: float) -> float | None:
        """P(the figure is on the right side of a target); None where nothing was counted."""
        return None if self.spread is None else chance_of(self.spread, op, target)


def chance_of(spread: FigureSpread | QuantileSpread, op: str, target: float) -> float | None:
    """P(a figure is on the right side of a target); None for one that is certain."""
    return spread.chance(op, target) if spread.deviation else None


@dataclass(frozen=True, slots=True)
class SpendingFigures:
    """Cost and time figures by name (`latency.p95`); `times` are the mean seconds of steps and
    people, by clock: machine time, and time with people. `bounded`: times are upper bounds.
    """

    ranges: dict[str, FigureRange]
    times: dict[str, dict[str, float]]
    bounded: bool

    def numbers(self, basis: Basis, priced: bool, bounded: bool) -> dict[str, Number]:
        """All figures but the mean cost, which has a sweep of its own. `basis` is the weakest of
        what was declared; without prices costs are unknown, with lengths that nobody declared
        (`bounded`) they are bounds.
        """
        found = {}
        for name, figure in self.ranges.items():
            if name == m.COST_MEAN:
                continue
            if m.metric_of(name).unit is not m.Unit.MONEY:
                mine = max(basis, Basis.BOUND if self.bounded else Basis.ASSUMED)
                found[name] = figure.number(mine if figure.high else basis)
            elif not priced:
                found[name] = Number(None, 0.0, None, None, Basis.UNKNOWN)
            else:
                found[name] = figure.number(max(basis, Basis.BOUND) if bounded else basis)
        return found


def spent(
    model: PipelineModel,
    bounded: Enclosed | None,
    work: int,
    families: Collection[str] = tuple(PAIRS),
) -> SpendingFigures | None:
    """Return the cost and time figures of a model that was swept, or those of some `families`
    alone; None where the walk would take too long.
    """
    point = model.parameters
    people = any(asks_people(one) for one in with_inner(model.program, model.pipeline))
    most = {name if people or name == m.COST else m.LATENCY for name in families}
    measures = tuple(PAIRS[name][1] for name in PAIRS if name in most)
    parameters, rows = Parameters(point.evidence, point.unknown), 1
    if bounded is not None:
        parameters, rows = _probes(model.program, bounded.axes)
    scales = coarse_scales(measures)
    if not walks_fit(scales, rows, work):
        return None
    if bounded is None:
        needed = bool(point.counted or point.counted_bins)
        once = written(model, parameters, with_numpy=needed)
        if once.meter.vague:
            measures = _with_least(measures)
        return _known(model, once.coarse(measures), work, families, once)
    try:
        coarse = measured(model, parameters, scales, measures, declared=True, times=True)
    except MetUndeclared:
        measures = _with_least(measures)
        scales = coarse_scales(taking(model, point, measures))
        coarse = measured(model, parameters, scales, measures, times=True)
    axes = [
        axis
        for index, axis in enumerate(bounded.axes, 1)
        if any(_differ(taken, index) for taken in coarse.taken.values())
    ]
    if axes:
        return _enclosed(model, coarse, bounded, axes, work, families)
    once = written(model, Parameters(point.evidence, point.unknown), True)
    if coarse.unit:  # its lattices have their points where these times are
        coarse = once.coarse(tuple(coarse.taken))
    return _known(model, coarse, work, families, once)


def _with_least(measures: Sequence[Measure]) -> tuple[Measure, ...]:
    """Measures with those in which an undeclared time is nothing."""
    least = (Measure(measure - 1) for measure in measures if measure is not Measure.COST)
    return tuple(sorted((*measures, *least)))


def time_figures(model: PipelineModel, taken: SpendingFigures | None) -> dict[str, Number]:
    """Return the figures that need no walk: the longest run, and open bounds for the others where
    there was no walk.
    """
    found: dict[str, Number] = {}
    for name, seconds in zip((m.LATENCY, m.TURNAROUND), longest_runs(model), strict=True):
        longest = Number(None, 0.0, None, None, Basis.UNKNOWN)
        if seconds is not None:
            longest = certain(seconds, Basis.BOUND)
        if taken is None:
            found |= {
                f"{name}.{read}": Number(None, 0.0, seconds, None, Basis.UNKNOWN, tight=False)
                for read in READ
            }
        found[f"{name}.{m.WORST}"] = longest
    if taken is None:
        open_cost = Number(None, 0.0, None, None, Basis.UNKNOWN, tight=False)
        found |= {f"{m.COST}.{share}": open_cost for share in SHARES}
    return found


def walks_fit(scales: Sequence[Any], rows: int, work: int) -> bool:
    """Whether a walk over so many sets of parameters is no more work than is done."""
    wanted, most = _wanted(scales, rows, work), limited(MOST_WORK)
    if wanted > most:
        note_limit(WorkPart.TIMES, "", wanted, most)
    return rows <= MOST_ROWS and wanted <= most


def _wanted(scales: Sequence[Any], rows: int, work: int) -> int:
    length: int = sum(scale.lattice.size // 2 + 1 for scale in scales)
    return work * (OVERHEAD + length * rows)


# ------------------------------------------------------------------------------------- known


def _known(
    model: PipelineModel,
    coarse: Measured,
    work: int,
    families: Collection[str],
    once: WrittenWalk,
) -> SpendingFigures:
    """Return figures that depend on no unknown except latencies."""
    point = model.parameters
    scales = fine_scales(coarse)
    fine = once.at(scales, coarse.taken) if scales else coarse
    away: Measured | None = None
    drifts = 0
    if point.counted or point.counted_bins:
        from pipelang.analysis.latency.moved import moved

        rows = moved(point)
        drifts = rows.drifts
        away = _away(model, rows, rows.parameters, coarse, work)
    ranges = {}
    for name, (least, most) in _pairs(coarse, families).items():
        for read in READ:
            low = _value(coarse, fine, least, read)
            high = _value(coarse, fine, most, read)
            if low != high:
                if away is not None:
                    low -= _reach(away.taken[least], read, drifts)[0]
                    high += _reach(away.taken[most], read, drifts)[1]
                ranges[f"{name}.{read}"] = FigureRange(None, max(0.0, low), high)
            else:
                ranges[f"{name}.{read}"] = _around(low, away, most, read, drifts)
    return SpendingFigures(ranges, _times(coarse, families), coarse.bounded)


def _pairs(found: Measured, families: Collection[str]) -> dict[str, tuple[Measure, Measure]]:
    """The measures behind the figures of each family: without people, turnaround is latency; where
    every latency is declared, the least is the most.
    """
    pairs = {}
    for name in families:
        least, most = PAIRS[name]
        if most not in found.taken:
            least, most = PAIRS[m.LATENCY]
        pairs[name] = (least if least in found.taken else most, most)
    return pairs


def _value(coarse: Measured, fine: Measured, measure: Measure, read: str) -> float:
    rough = coarse.taken[measure]
    if read == m.MEAN:
        return rough.mean[0]
    exact = fine.taken[measure].quantiles[read][0]
    return exact if rough.quantiles[read][0] and exact < inf else rough.quantiles[read][0]


def _away(
    model: PipelineModel, rows: MovedRows, given: Parameters, coarse: Measured, work: int
) -> Measured | None:
    """Return what runs take with every counted share moved in turn, on lattices that reach as far
    as a quantile may lie; None where that takes too long.
    """
    measures = tuple(coarse.taken)
    around = fine_scales(coarse, COARSE) or beyond(coarse, coarse)
    if not around or not walks_fit(around, rows.rows, work):
        return None
    found = measured(model, given, around, measures)
    more = tuple(
        scale
        for measure, taken in found.taken.items()
        for scale in _missing(coarse, found, measure, taken, rows.drifts)
    )
    if not more or not walks_fit(more, rows.rows, work):
        return found
    return with_lattices(found, measured(model, given, more, measures, means=False))


def _missing(
    coarse: Measured, found: Measured, measure: Measure, taken: Taken, drifts: int
) -> list[Scale]:
    """The scales that a measure lacks: beyond its lattices, and around the ends of posteriors that
    these are too coarse for.
    """
    spreads = [_quantile_spread(taken.quantiles[one][0], taken, one, drifts) for one in SHARES]
    scales = []
    if not all(spread.whole for spread in spreads):
        scales = [scale for scale in beyond(coarse, found) if scale.measure is measure]
    ends = {end for spread in spreads if spread.deviation for end in spread.bounds()}
    return scales + between(measure, taken, sorted(ends))


def _spread(value: float, taken: Taken, read: str, drifts: int) -> FigureSpread | QuantileSpread:
    """The posterior of a figure, to first order."""
    if read != m.MEAN:
        return _quantile_spread(value, taken, read, drifts)
    from pipelang.analysis.latency.moved import spread_of

    return spread_of(value, taken.mean, drifts)


def _quantile_spread(value: float, taken: Taken, read: str, drifts: int) -> QuantileSpread:
    from pipelang.analysis.latency.posterior_quantiles import quantile_spread

    return quantile_spread(value, taken.quantiles[read], taken.lattices, SHARES[read], drifts)


def _around(
    value: float, away: Measured | None, measure: Measure, read: str, drifts: int
) -> FigureRange:
    """Return a figure with its posterior deviation and its drift, to first order."""
    if away is None or value == inf:
        return FigureRange(
            value if value < inf else None, value if value < inf else 0.0, value, value
        )
    taken = away.taken[measure]
    if len(taken.mean) == 1 or (read == m.MEAN and inf in taken.mean):
        return FigureRange(value, value, value, value)
    spread = _spread(value, taken, read, drifts)
    if not spread.deviation:
        return FigureRange(value, value, value, value)
    ends = spread.bounds()
    if read != m.MEAN:
        from pipelang.analysis.latency.posterior_quantiles import QuantileSpread, ends_around

        assert isinstance(spread, QuantileSpread)
        ends = ends_around(value, spread)
    return FigureRange(value, *ends, spread=spread)


def _reach(taken: Taken, read: str, drifts: int) -> tuple[float, float]:
    """The distance of both ends of a posterior from a figure as counted, to first order."""
    rows = taken.mean if read == m.MEAN else taken.quantiles[read]
    if len(rows) == 1 or rows[0] == inf or (read == m.MEAN and inf in rows):
        return 0.0, 0.0
    low, high = _spread(rows[0], taken, read, drifts).bounds()
    return max(0.0, rows[0] - low), max(0.0, high - rows[0])


def _times(found: Measured, families: Collection[str]) -> dict[str, dict[str, float]]:
    pairs = _pairs(found, families)
    return {name: found.times[most] for name, (_, most) in pairs.items() if name != m.COST}


# ----------------------------------------------------------------------------------- unknown


def _probes(program: p.Program, axes: Sequence[Axis]) -> tuple[Parameters, int]:
    """Return parameters at a random point, then with each unknown changed in turn; and the number
    of rows.
    """
    unknown, choose = random_points(axes, 1)
    return columns_of(program, unknown, choose), len(axes) + 1


def columns_of(program: p.Program, unknown: Any, choose: Any) -> Parameters:
    """Parameters with a row for every set of unknowns."""

    def column(values: Any) -> Any:
        return values[:, None] if getattr(values, "shape", ()) else values

    def chosen(site: str, count: int) -> list[Any] | None:
        shares = choose(site, count)
        return None if shares is None else [column(share) for share in shares]

    return Parameters(
        EvidenceTable(program.evidence), lambda site: column(unknown(site)), choose=chosen
    )


def _differ(taken: Taken, row: int) -> bool:
    """Whether a set of parameters gives something else than the first."""
    import numpy as np

    if len(taken.mean) == 1:
        return False
    first, other = taken.mean[0], taken.mean[row]
    if first != other and abs(first - other) > 1e-6 * max(first, other):
        return True
    return any(float(np.abs(masses[row] - masses[0]).max()) > 1e-6 for _, masses in taken.lattices)


SETTINGS = (0.0, 1.0, 0.5)
"""Values of all unknowns at which it is looked how much the counts leave open: at the ends alone
where three walks would take too long.
"""


def _beside_counts(model: PipelineModel, coarse: Measured, work: int) -> tuple[list[Measured], int]:
    """Walks with every counted share moved in turn; none without counts, or where they would take
    too long. And how many shares may have drifted.
    """
    point = model.parameters
    if not (point.counted or point.counted_bins):
        return [], 0
    from pipelang.analysis.latency.moved import moved

    rows = moved(point)
    scales = fine_scales(coarse, COARSE) or beyond(coarse, coarse)
    if not scales or not walks_fit(scales, rows.rows, work):
        return [], 0
    given = rows.parameters

    def walk(unknown: float) -> Measured | None:
        here = Parameters(given.evidence, lambda _: unknown, given.measured, given.bins)
        return _away(model, rows, here, coarse, work)

    all_fit = _wanted(scales, rows.rows, work * len(SETTINGS)) <= limited(MOST_WORK)
    settings = SETTINGS if all_fit else SETTINGS[:2]
    walks = [found for found in map(walk, settings) if found is not None]
    return walks, rows.drifts


def grid_over(axes: Sequence[Axis], bounded: Enclosed) -> Grid:
    """Return the grid of some unknowns on which the share of runs below any amount is known, by the
    degrees of all figures.
    """
    degrees = dict(zip(bounded.axes, highest(bounded.degrees, len(bounded.axes)), strict=True))
    return Grid(tuple(axes), tuple(max(1, degrees[axis]) for axis in axes))


def _enclosed(
    model: PipelineModel,
    coarse: Measured,
    bounded: Enclosed,
    axes: Sequence[Axis],
    work: int,
    families: Collection[str],
) -> SpendingFigures:
    """Return bounds over the unknowns that the figures depend on; trivial bounds where there are
    too many.
    """
    from pipelang.analysis.latency.unknown_bounds import bounds_over_unknowns

    measures = tuple(coarse.taken)
    grid = grid_over(axes, bounded)
    scales = coarse_scales(measures)
    kept = {scale.measure for scale in coarse.scales}
    ranges: dict[str, FigureRange] = {}
    if not walks_fit(scales, grid.size, work):
        for name in families:
            ranges |= {f"{name}.{read}": FigureRange(None, 0.0, inf, tight=False) for read in READ}
        return SpendingFigures(ranges, _times(coarse, families), coarse.bounded)
    scales = tuple(scale for scale in scales if scale.measure in kept)
    values = columns_of(model.program, *grid.values())
    found = measured(model, values, scales, measures)
    # Takes no longer: three lattices a measure at most, where the first walk had a dozen.
    nearer = fine_scales(found)
    fine = measured(model, values, nearer, measures, means=False) if nearer else found
    bounds = {
        one: bounds_over_unknowns(grid, found.taken[one], fine.taken[one]) for one in measures
    }
    walks, drifts = _beside_counts(model, coarse, work)
    for name, (least, most) in _pairs(found, families).items():
        for read in READ:
            low, high = bounds[least][read][0], bounds[most][read][1]
            low -= max((_reach(one.taken[least], read, drifts)[0] for one in walks), default=0.0)
            high += max((_reach(one.taken[most], read, drifts)[1] for one in walks), default=0.0)
            low = max(0.0, low)
            ranges[f"{name}.{read}"] = FigureRange(None, low, high, tight=False)
    return SpendingFigures(ranges, _times(coarse, families), coarse.bounded)
