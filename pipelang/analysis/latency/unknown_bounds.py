"""Bounds of a figure over all values of the unknowns, off the walks at a grid of them."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Any

from pipelang.analysis.latency.quantiles import SHARES, Taken, quantile_of
from pipelang.analysis.model.bernstein_bounds import Grid
from pipelang.semantics import metrics as m

ROUGH = 1 / 16
"""A step of a lattice of the first walk, as a part of the least amount that is read off it."""

APART = 8
"""Points of a lattice that a quantile read off it may be away from where it is. Each amount that
adds up is shared between two points, so a sum of n amounts spreads by half the root of n points.
"""


def bounds_over_unknowns(
    grid: Grid, rough: Taken, fine: Taken | None, read: str
) -> tuple[float, float]:
    """Return the smallest and the largest value of a figure over all values of the unknowns.

    Quantiles are read off lattices over all magnitudes, `rough`, and off `fine` ones around the
    quantiles where they were walked and reach.
    """
    import numpy as np

    if read == m.MEAN:
        if len(rough.mean) == 1 or inf in rough.mean:
            return min(rough.mean), max(rough.mean)
        bounds = grid.enclose(np.array(rough.mean))
        return max(0.0, bounds.low), bounds.high
    if not rough.lattices or len(rough.mean) == 1:
        return min(rough.quantiles[read]), max(rough.quantiles[read])
    (low, _), (high, _) = _ends(grid, rough, SHARES[read])
    low, high = max(0.0, low * (1 - ROUGH)), high * (1 + ROUGH)
    if fine is None or not fine.lattices:
        return low, high
    (least, narrow), (most, wide) = _ends(grid, fine, SHARES[read])
    if most < inf:
        high = most + APART * wide
    if least < inf and APART * narrow <= ROUGH * least:
        low = least - APART * narrow
    return low, high


def _ends(grid: Grid, taken: Taken, share: float) -> tuple[tuple[float, float], ...]:
    """The least and the largest quantile, each with the step of the lattice it was read off."""
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
    return _quantile(lows, share), _quantile(highs, share)


def _quantile(lattices: Iterable[tuple[float, Any]], share: float) -> tuple[float, float]:
    """A quantile by the finest lattice that reaches it, and its step; infinite where none does."""
    for step, masses in lattices:
        found = quantile_of(masses, step, share)
        if found is not None:
            return found, step
    return inf, 0.0
