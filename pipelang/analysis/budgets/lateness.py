"""Lateness: how likely a run takes longer than a limit on its time, at most."""

from __future__ import annotations

from math import isfinite

from pipelang.analysis.budgets.cuts import Cut
from pipelang.analysis.frontier.lattice import Lattice
from pipelang.analysis.frontier.meter import Measure, Scale
from pipelang.analysis.latency.moved import moved, spread_of
from pipelang.analysis.latency.quantiles import FINE, measured
from pipelang.analysis.latency.written import written
from pipelang.analysis.model.model import PipelineModel
from pipelang.analysis.model.parameters import Parameters

REACH = 1.25
"""The end of the lattice, as a part of the limit."""

EARLIER = 0.99
"""Times are right to 1%: a run counts as late from here on."""

NOISE = 1e-7
"""Noise of transforms: less than it is none, and a share is at most so much more."""

Z = 1.959963984540054
"""Two-sided 95% of the standard normal."""


def late_share(model: PipelineModel, cut: Cut, work: int, at_point: bool = False) -> float:
    """The most that P(a run takes longer than the limit of a cut) is, by a model at the point:
    P(the limit cuts it) is no more, for a cut is a run that was not done by then. 1 where nothing
    tells.
    """
    point = model.parameters
    budget = model.program.pipelines[cut.pipeline].budget
    unknown = bool(point.unknown_sites) and not at_point
    if unknown or point.left_out or budget is None or budget.seconds is None or work > MOST_STATES:
        return 1.0
    limit = float(budget.seconds)
    measures = (Measure.LATENCY_MOST,)
    scales = (Scale(Measure.LATENCY_MOST, Lattice(limit * REACH / FINE, FINE)),) * 2
    rows, drifts = 1, 0
    if not at_point and (point.counted or point.counted_bins):
        found_rows = moved(point)
        rows, drifts = found_rows.rows, found_rows.drifts
        found = measured(model, found_rows.parameters, scales, measures, means=False)
    else:
        plain = Parameters(point.evidence, point.unknown)
        found = written(model, plain, with_numpy=False).at(scales, measures)
    taken = found.taken[Measure.LATENCY_MOST]
    if not taken.lattices:
        return 0.0  # nothing takes time
    shares = []
    step, masses = taken.lattices[0]
    for row in masses:
        in_time = float(sum(row[: int(limit * EARLIER / step) + 1]))
        late = 1 - in_time
        shares.append(late + NOISE if late > NOISE else 0.0)
    if rows == 1 or len(shares) == 1:
        return _share(shares[0])
    spread = spread_of(shares[0], shares, drifts)
    return _share(max(shares[0], spread.mean) + Z * spread.deviation + spread.drift)


MOST_STATES = 20_000
"""States of a sweep above which lateness is not worked out."""


def _share(share: float) -> float:
    return min(1.0, max(0.0, share)) if isfinite(share) else 1.0
