"""Rows of posterior draws, in all ways of drifting that matter to some figure of a pipeline."""

from __future__ import annotations

from pipelang.analysis.model.bernstein_bounds import Grid
from pipelang.analysis.model.drawn_rows import DrawnRows, drawn_rows
from pipelang.analysis.model.drift import Direction, directions
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.sweep.compiled import Compiled
from pipelang.analysis.sweep.sweep import all_figures


def posterior_rows(
    compiled: Compiled, point: Parameters, drawn: Parameters, each: int, grid: Grid | None = None
) -> DrawnRows:
    """The first `each` draws as they are, then in every way of drifting; of all these one row at
    every point of a grid.
    """
    return drawn_rows(drawn, point, drift_directions(compiled, point), each, grid)


def drift_directions(compiled: Compiled, point: Parameters) -> tuple[Direction, ...]:
    """The ways of drifting that some figure of a pipeline finds worst or best."""
    return directions(point, lambda given, size: all_figures(compiled.totals(given, size)))
