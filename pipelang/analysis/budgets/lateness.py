"""Lateness: how likely a run takes longer than a limit on its time, at most."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from pipelang.analysis.budgets.cuts import Cut
from pipelang.analysis.frontier.lattice import Lattice
from pipelang.analysis.frontier.meter import Measure, Scale
from pipelang.analysis.latency.quantiles import FINE, Taken, measured
from pipelang.analysis.latency.written import written
from pipelang.analysis.model.model import PipelineModel
from pipelang.analysis.model.parameters import Parameters

if TYPE_CHECKING:
    from pipelang.analysis.latency.moved import MovedRows
    from pipelang.analysis.sweep.bounds_over_unknowns import Enclosed

REACH = 1.25
"""The end of the lattice, as a part of the limit."""

EARLIER = 0.99
"""Times are right to 1%: a run counts as late from here on."""

NOISE = 1e-7
"""Noise of transforms: less than it is none, and a share is at most so much more."""

Z = 1.959963984540054
"""Two-sided 95% of the standard normal."""


def late_share(
    model: PipelineModel,
    cut: Cut,
    work: int,
    at_point: bool = False,
    bounded: Enclosed | None = None,
) -> float:
    """The most that P(a run takes longer than the limit of a cut) is, by a model at the point:
    P(the limit cuts it) is no more, for a cut is a run that was not done by then. 1 where nothing
    tells. `bounded` has what nobody declared, over all of which the share is bounded.
    """
    point = model.parameters
    budget = model.program.pipelines[cut.pipeline].budget
    if point.left_out or budget is None or budget.seconds is None or work > MOST_STATES:
        return 1.0
    limit = float(budget.seconds)
    unknown = bool(point.unknown_sites) and not at_point
    counted = bool(point.counted or point.counted_bins) and not at_point
    if not unknown:
        late, reach = _at_the_point(model, limit, counted)
        return _share(late + reach)
    late = 1.0 if bounded is None else _over_unknowns(model, limit, work, bounded)
    if late == 1.0 or not counted:
        return _share(late)
    return _share(late + _beside_counts(model, limit, work))


def _scales(limit: float) -> tuple[Scale, ...]:
    return (Scale(Measure.LATENCY_MOST, Lattice(limit * REACH / FINE, FINE)),) * 2


def _late(taken: Taken, limit: float) -> list[float]:
    """The share of late runs, for every set of parameters."""
    if not taken.lattices:
        return [0.0]  # nothing takes time
    step, masses = taken.lattices[0]
    in_time = (float(sum(row[: int(limit * EARLIER / step) + 1])) for row in masses)
    return [_beyond_noise(1 - share) for share in in_time]


def _beyond_noise(late: float) -> float:
    return late + NOISE if late > NOISE else 0.0


def _at_the_point(model: PipelineModel, limit: float, counted: bool) -> tuple[float, float]:
    """The share of late runs where nothing is unknown, and how much more counts leave open."""
    point = model.parameters
    if not counted:
        plain = Parameters(point.evidence, point.unknown)
        found = written(model, plain, with_numpy=False).at(_scales(limit), (Measure.LATENCY_MOST,))
        return _late(found.taken[Measure.LATENCY_MOST], limit)[0], 0.0
    from pipelang.analysis.latency.moved import moved

    rows = moved(point)
    return _moved_share(model, rows, rows.parameters, limit)


def _moved_share(
    model: PipelineModel, rows: MovedRows, given: Parameters, limit: float
) -> tuple[float, float]:
    """The share of late runs as counted, and how much more counts leave open, to first order."""
    from pipelang.analysis.latency.moved import spread_of

    measures = (Measure.LATENCY_MOST,)
    found = measured(model, given, _scales(limit), measures, means=False)
    shares = _late(found.taken[Measure.LATENCY_MOST], limit)
    if rows.rows == 1 or len(shares) == 1:
        return shares[0], 0.0
    spread = spread_of(shares[0], shares, rows.drifts)
    most = max(shares[0], spread.mean) + Z * spread.deviation + spread.drift
    return shares[0], most - shares[0]


def _over_unknowns(model: PipelineModel, limit: float, work: int, bounded: Enclosed) -> float:
    """The most late runs over all values of the unknowns: their share is a polynomial in them. 1
    where there are too many.
    """
    import numpy as np

    from pipelang.analysis.latency.figures import columns_of, grid_over, walks_fit

    grid, scales = grid_over(bounded.axes, bounded), _scales(limit)
    if not walks_fit(scales, grid.size, work):
        return 1.0
    values = columns_of(model.program, *grid.values())
    found = measured(model, values, scales, (Measure.LATENCY_MOST,), means=False)
    shares = _late(found.taken[Measure.LATENCY_MOST], limit)
    return shares[0] if len(shares) == 1 else grid.enclose(np.array(shares)).high


def _beside_counts(model: PipelineModel, limit: float, work: int) -> float:
    """The share of late runs that counts leave open beside unknowns: the most at some values of
    these, as of figures of time.
    """
    from pipelang.analysis.latency.figures import SETTINGS, walks_fit
    from pipelang.analysis.latency.moved import moved

    rows = moved(model.parameters)
    if not walks_fit(_scales(limit), rows.rows, work * len(SETTINGS)):
        return 1.0
    given = rows.parameters

    def more(unknown: float) -> float:
        here = Parameters(given.evidence, lambda _: unknown, given.measured, given.bins)
        return _moved_share(model, rows, here, limit)[1]

    return max(map(more, SETTINGS))


MOST_STATES = 20_000
"""States of a sweep above which lateness is not worked out."""


def _share(share: float) -> float:
    return min(1.0, max(0.0, share)) if isfinite(share) else 1.0
