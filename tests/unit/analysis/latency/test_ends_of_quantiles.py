"""Ends of the posterior of a quantile, beside its value: a point lies in its interval."""

from __future__ import annotations

import numpy as np
import pytest

from pipelang.analysis.latency.posterior_quantiles import CLOSE, ends_around, quantile_spread
from pipelang.analysis.latency.quantiles import quantile_of

STEP = 0.01


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("moved", [1e-9, 1e-8, 5e-8, 1e-7, 3e-7, 1e-6, 1e-5, 1e-3])
@pytest.mark.parametrize("seed", range(4))
def test_a_value_that_a_lattice_does_not_tell_from_its_ends_is_one_of_them(
    share: float, moved: float, seed: int
) -> None:
    """A count that hardly matters leaves both ends at one amount, which the noise of the lattice
    moved: by a millionth, where the value stood beside `low` = `high`.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    masses = generator.dirichlet(np.ones(200))
    away = masses + moved * (generator.dirichlet(np.ones(200)) - masses)
    value = quantile_of(masses, STEP, share)
    assert value is not None
    rows = (value, value, quantile_of(away, STEP, share) or 0.0)
    table = np.array([masses, masses, away])
    spread = quantile_spread(value, rows, [(STEP, table)], share, 0)
    low, high = ends_around(value, spread)
    assert low <= value <= high
    assert high - low <= 2 * CLOSE * value + 50 * moved * value
