"""Totals over posterior draws, each of them in all ways in which what was measured may have
drifted.
"""

from __future__ import annotations

from pipelang.analysis.model.drift import Direction, beside_drift, directions
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.sweep.compiled import Compiled
from pipelang.analysis.sweep.sweep import Totals, all_figures


def posterior_totals(
    compiled: Compiled, point: Parameters, drawn: Parameters, count: int
) -> tuple[Totals, int]:
    """The totals of `count` draws as they are, then in every way of drifting, and the number of
    ways.
    """
    ways = drift_directions(compiled, point)
    parameters, times = beside_drift(drawn, point, ways, count)
    return compiled.totals(parameters, count * times), times


def drift_directions(compiled: Compiled, point: Parameters) -> tuple[Direction, ...]:
    """The ways of drifting that some figure of a pipeline finds worst or best."""
    return directions(point, lambda given, size: all_figures(compiled.totals(given, size)))
