"""Bounds of a metric under a condition, over all that nobody declared.

The metric is a quotient of two polynomials in the unknowns: a sum over the runs that meet the
condition, and how likely these are. Where every Bernstein coefficient of a numerator is at least t
times that of its denominator, so is the numerator itself: the quotient lies between the smallest
and the largest quotient of the coefficients (Narkawicz, Garloff, Smith and Muñoz, "Bounding the
range of a rational function over a box", 2012).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pipelang.analysis.latency.moved import Z, spread_of
from pipelang.analysis.model.bernstein_bounds import (
    GRID_LIMIT,
    Axis,
    Grid,
    axes_of,
    broken,
    unknown_degrees,
)
from pipelang.analysis.model.intervals import Number
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.model.work_limit import WorkPart, limited, note_limit
from pipelang.analysis.sweep.bounds_over_unknowns import MOST_WORK, highest
from pipelang.analysis.sweep.pruning import TooLarge
from pipelang.analysis.sweep.sweep import Totals
from pipelang.semantics.chance import Basis

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

SweepCase = Callable[[Parameters, int], "tuple[Totals, Any, Any] | None"]
"""The sweep of the runs that meet a condition: from parameters that are columns of so many rows to
its totals, the numerators of a metric and its denominators by row; None if no run meets it. With 0
rows the parameters are single numbers or degrees, and only the totals count.
"""


def unknowns_met(sweep: SweepCase, point: Parameters) -> Parameters | None:
    """Return parameters that remember which unknowns the runs under a condition meet; None where
    there is no such run.
    """
    met = Parameters(point.evidence, lambda site: 0.5, *point.interior())
    return None if sweep(met, 0) is None else met


def bounds_over(
    sweep: SweepCase, met: Parameters, moved: Parameters, rows: int, drifts: int
) -> Number | None:
    """The range of the metric over the unknowns that were `met`; None where there are too many of
    them. `moved` has a row for every counted share that is moved, as the delta method wants it.
    """
    import numpy as np

    axes = axes_of(met.unknown_sites, met.sticks)
    try:
        grid = _grid(sweep, met, axes)
        if grid is None:
            return None
        found = sweep(_beside(moved, grid, rows), grid.size * rows)
    except TooLarge:
        return None
    if found is None:
        return None
    above, below = (
        np.broadcast_to(part, (grid.size * rows,)).reshape(grid.size, rows) for part in found[1:]
    )
    low, high = _quotients(grid, above[:, 0], below[:, 0])
    spread = 0.0
    for upper, lower in zip(above, below, strict=True):
        if (lower > 1e-15).all():
            values = [float(value) for value in upper / lower]
            around = spread_of(values[0], values, drifts)
            reach = abs(around.mean - values[0]) + Z * around.deviation + around.drift
            spread = max(spread, reach)
    return Number(None, max(0.0, low - spread), high + spread, None, Basis.UNKNOWN, tight=False)


def _grid(sweep: SweepCase, met: Parameters, axes: list[Axis]) -> Grid | None:
    """The grid for the unknowns of a sweep; None if it would be too large."""
    degrees, work = _degrees(sweep, met, axes)
    linear = {axis.site for axis, degree in zip(axes, degrees, strict=True) if degree <= 1}
    if any(axis.parts and axis.site not in linear for axis in axes):
        axes = broken(axes, linear)
        degrees, work = _degrees(sweep, met, axes)
    grid = Grid(tuple(axes), tuple(degrees))
    most = min(GRID_LIMIT, limited(MOST_WORK) // work)
    if grid.size <= most:
        return grid
    note_limit(WorkPart.GRID, "slo when", grid.size, most)
    return None


def _degrees(sweep: SweepCase, met: Parameters, axes: Sequence[Axis]) -> tuple[list[int], int]:
    unknown, choose = unknown_degrees(axes)
    found = sweep(Parameters(met.evidence, unknown, *met.interior(), choose=choose), 0)
    assert found is not None
    return highest(found[0], len(axes)), found[0].work


def _beside(moved: Parameters, grid: Grid, rows: int) -> Parameters:
    """All rows of some parameters at every point of a grid, point by point."""
    import numpy as np

    unknown, choose = grid.values()

    def point(values: Any) -> Any:
        return np.repeat(np.broadcast_to(values, (grid.size,)), rows)[:, None]

    def row(values: Any) -> Any:
        return np.tile(values, (grid.size, 1)) if getattr(values, "shape", ()) else values

    def chosen(site: str, count: int) -> list[Any] | None:
        shares = choose(site, count)
        return None if shares is None else [point(share) for share in shares]

    return Parameters(
        moved.evidence,
        lambda site: point(unknown(site)),
        {site: row(values) for site, values in moved.measured.items()},
        {key: tuple(map(row, values)) for key, values in moved.bins.items()},
        choose=chosen,
    )


def _quotients(grid: Grid, above: Array, below: Array) -> tuple[float, float]:
    """The range of the quotient of two polynomials with these values on a grid."""
    upper = grid.coefficients(above).reshape(-1)
    lower = grid.coefficients(below).reshape(-1)
    some = lower > 1e-12
    if not some.any() or (lower < -1e-12).any() or (abs(upper[~some]) > 1e-12).any():
        return 0.0, float("inf")
    quotients = upper[some] / lower[some]
    return float(quotients.min()), float(quotients.max())
