"""The central interval of draws: numpy's quantiles to the bit, without what numpy loads for it."""

from __future__ import annotations

import subprocess
import sys
from math import ceil, floor

import numpy as np
import pytest

from pipelang.analysis.model.posterior import interval, widest


@pytest.mark.parametrize("count", [2, 3, 39, 40, 41, 81, 250, 999, 1_000, 2_000, 20_000])
def test_it_is_what_numpy_says(count):
    draw = np.random.default_rng(count)
    for draws in (
        draw.random(count),
        draw.normal(size=count) * 1e-9,
        draw.integers(0, 3, count).astype(float),
        np.where(draw.random(count) < 0.5, 0.0, 1.0),
    ):
        if np.ptp(draws) == 0:
            continue
        low, high = np.quantile(draws, [0.025, 0.975])
        found = interval(draws)
        assert (found.low, found.high) == (low, high)
    rows = draw.random((3, count))
    low, high = np.quantile(rows, [0.025, 0.975], axis=-1)
    found = widest(rows.reshape(-1), 3)
    assert (found.low, found.high) == (low.min(), high.max())


def test_between_a_number_and_infinity_is_nothing():
    draws = np.random.default_rng(1).random(1_000)
    draws[:500] = np.inf
    ordered = np.sort(draws)
    found = interval(draws)
    assert (found.low, found.high) == (ordered[floor(0.025 * 999)], ordered[ceil(0.975 * 999)])
    assert found.mean == np.inf  # and not the least of them, as if all were one number


def test_no_masked_arrays_are_loaded_for_it():
    code = (
        "import sys, numpy as np\n"
        "from pipelang.analysis.model.posterior import interval\n"
        "interval(np.arange(1000.0))\n"
        "print('numpy.ma' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
