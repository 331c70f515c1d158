"""Boxes of a polynomial that bounds are found by halving: which of them are kept."""

from __future__ import annotations

import tracemalloc
from functools import reduce

import numpy as np
import pytest

from pipelang.analysis.model import bernstein_bounds
from pipelang.analysis.model.bernstein_bounds import TIGHT, Axis, Grid, enclose


def test_boxes_that_are_never_halved_are_not_kept() -> None:
    """Thousands of boxes were, each as large as the grid: gigabytes on one of 40,000 points."""
    coefficients = np.random.Generator(np.random.PCG64(6)).random((33, 33))
    tracemalloc.start()
    bounds = enclose(coefficients)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert bounds.tight
    assert peak < 40 * coefficients.nbytes


def test_bounds_are_those_of_a_fine_grid() -> None:
    """Of x (1 - x) y, which is least on an edge and most where x is a half."""
    degree_two = np.array([[0.0, 0.0], [0.0, 0.5], [0.0, 0.0]])
    bounds = enclose(degree_two)
    assert bounds.tight
    assert abs(bounds.low) <= TIGHT
    assert abs(bounds.high - 0.25) <= TIGHT


def test_boxes_that_wait_are_no_more_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A valley that no corner lies in is never tight: 4,000 boxes of a grid of 40,000 points waited
    for being halved, a gigabyte of them.
    """
    unknowns = 7
    grid = Grid(tuple(Axis(f"u{at}") for at in range(unknowns)), (2,) * unknowns)
    points = [grid.values()[0](axis.site) for axis in grid.axes]
    valley = (reduce(np.add, points) - 2.3) ** 2
    most = 60 * valley.size
    monkeypatch.setattr(bernstein_bounds, "MOST_KEPT", most)
    tracemalloc.start()
    bounds = grid.enclose(valley)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not bounds.tight
    assert bounds.low <= 0.0
    assert bounds.low > -0.5
    assert bounds.high == pytest.approx((unknowns - 2.3) ** 2)
    assert peak < 1.3 * 8 * most
