"""Totals over posterior draws, each of them in all ways in which what was measured may have
drifted.
"""

from __future__ import annotations

from pipelang.analysis.model.drift import Direction, beside_drift, directions
from pipelang.analysis.model.model import make_model
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.sweep.columns import sweep_columns
from pipelang.analysis.sweep.sweep import Totals, all_figures
from pipelang.semantics import program as p


def posterior_totals(
    program: p.Program,
    pipeline: p.Pipeline,
    point: Parameters,
    drawn: Parameters,
    count: int,
    widest: int,
) -> tuple[Totals, int]:
    """Sweep over `count` draws as they are, then in every way of drifting: the totals, and the
    number of ways. `widest` is how many states a frontier may have.
    """
    ways = drift_directions(program, pipeline, point, widest)
    parameters, times = beside_drift(drawn, point, ways, count)
    return _swept(program, pipeline, parameters, count * times, widest), times


def drift_directions(
    program: p.Program, pipeline: p.Pipeline, point: Parameters, widest: int
) -> tuple[Direction, ...]:
    """The ways of drifting that some figure of a pipeline finds worst or best."""
    return directions(
        point,
        lambda given, size: all_figures(_swept(program, pipeline, given, size, widest)),
    )


def _swept(
    program: p.Program, pipeline: p.Pipeline, parameters: Parameters, count: int, widest: int
) -> Totals:
    return sweep_columns(
        lambda given: make_model(program, pipeline, given), parameters, count, widest
    )
