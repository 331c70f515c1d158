"""Bounds of a figure over all values of the unknowns, off the walks at a grid of them."""

from __future__ import annotations

from math import inf
from typing import Any

from pipelang.analysis.latency.quantiles import SHARES, Taken, quantile, quantile_of
from pipelang.analysis.model.bernstein_bounds import Grid
from pipelang.semantics import metrics as m

ROUGH = 1 / 16
"""A step of a lattice of the first walk, as a part of the least amount that is read off it."""

APART = 8
"""Points of a lattice that a quantile read off it may be away from where it is. Each amount that
adds up is shared between two points, so a sum of n amounts spreads by half the root of n points.
"""


Bounds = tuple[float, float]
Lattices = list[tuple[float, Any]]


def bounds_over_unknowns(grid: Grid, rough: Taken, fine: Taken) -> dict[str, Bounds]:
    """Return the smallest and the largest value, over all values of the unknowns, of the mean and
    of every quantile.

    Quantiles are read off lattices over all magnitudes, `rough`, and off `fine` ones around the
    quantiles where these reach; both may be the same.
    """
    found = {m.MEAN: _of_mean(grid, rough)}
    if not rough.lattices or len(rough.mean) == 1:
        ends = rough.quantiles.items()
        return found | {read: (min(values), max(values)) for read, values in ends}
    (lows, highs), near = _enclosing(grid, rough), None
    if fine is not rough and fine.lattices:
        near = _enclosing(grid, fine)
    for read, share in SHARES.items():
        low, high = quantile(lows, share), quantile(highs, share)
        low, high = max(0.0, low * (1 - ROUGH)), high * (1 + ROUGH)
        if near is not None:
            (least, narrow), (most, wide) = (_quantile(one, share) for one in near)
            if most < inf:
                high = most + APART * wide
            if least < inf and APART * narrow <= ROUGH * least:
                low = least - APART * narrow
        found[read] = low, high
    return found


def _of_mean(grid: Grid, taken: Taken) -> Bounds:
    import numpy as np

    if len(taken.mean) == 1 or inf in taken.mean:
        return min(taken.mean), max(taken.mean)
    bounds = grid.enclose(np.array(taken.mean))
    return max(0.0, bounds.low), bounds.high


def _enclosing(grid: Grid, taken: Taken) -> tuple[Lattices, Lattices]:
    """Lattices with the masses of the quickest and of the slowest runs that there may be."""
    import numpy as np

    lows, highs = [], []
    for step, masses in taken.lattices:
        below = np.cumsum(masses, axis=-1)
        if any(degree > 1 for degree in grid.degrees):
            below = grid.coefficients(below).reshape(grid.size, -1)
        # More runs are below an amount where the quantile is lower.
        most = np.minimum.accumulate(below.max(axis=0)[::-1])[::-1]
        least = np.maximum.accumulate(below.min(axis=0))
        lows.append((step, np.diff(most, prepend=0.0)))
        highs.append((step, np.diff(least, prepend=0.0)))
    return lows, highs


def _quantile(lattices: Lattices, share: float) -> tuple[float, float]:
    """A quantile by the finest lattice that reaches it, and its step; infinite where none does."""
    for step, masses in lattices:
        found = quantile_of(masses, step, share)
        if found is not None:
            return found, step
    return inf, 0.0
