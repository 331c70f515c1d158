"""Boxes of a polynomial that bounds are found by halving: which of them are kept."""

from __future__ import annotations

import tracemalloc

import numpy as np

from pipelang.analysis.model.bernstein_bounds import TIGHT, enclose


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
