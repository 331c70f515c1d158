"""Transforms on lattices against closed forms and against convolution by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelang.analysis.frontier.lattice import Lattice, Lognormal, inverted, sigma_of
from pipelang.analysis.latency.quantiles import quantile_of

SIZE = 512


def half_a_second(limit: float) -> Lognormal:
    return Lognormal(0.5, sigma_of(0.5, 2.0), limit)


@pytest.mark.parametrize(("limit", "mean"), [(2.0, 0.6625317855), (10.0, 0.7127121773)])
def test_the_designs_means(limit: float, mean: float) -> None:
    assert half_a_second(limit).mean == pytest.approx(mean, abs=1e-10)


@pytest.mark.parametrize("limit", [0.3, 2.0, math.inf])
def test_a_lattice_keeps_the_mean_of_what_it_holds(limit: float) -> None:
    lattice = Lattice(100 / SIZE, SIZE)
    masses = inverted(lattice.lognormal(half_a_second(limit)), SIZE)
    points = np.arange(SIZE) * lattice.step
    assert masses.sum() == pytest.approx(1.0, abs=1e-6)
    assert (masses * points).sum() == pytest.approx(half_a_second(limit).mean, abs=1e-5)


def test_quantiles_of_a_lognormal() -> None:
    spread = half_a_second(math.inf)
    for share, distance in ((0.5, 0.0), (0.95, 1.6448536269514722), (0.99, 2.3263478740408408)):
        exact = spread.quantile(distance)
        lattice = Lattice(1.25 * exact / SIZE, SIZE)
        masses = inverted(lattice.lognormal(spread), SIZE)
        assert quantile_of(masses, lattice.step, share) == pytest.approx(exact, rel=2e-3)


def test_what_is_beyond_the_end_does_not_come_back() -> None:
    lattice = Lattice(1.0, 64)
    masses = inverted(lattice.point(60.0) * lattice.point(50.0), 64)
    assert np.abs(masses).max() < 1e-7


@given(st.lists(st.floats(0, 20), min_size=1, max_size=5))
@settings(max_examples=50)
def test_sums_of_certain_amounts(amounts: list[float]) -> None:
    """A sum of certain amounts stands alone, so its quantiles are exact."""
    lattice = Lattice(0.5, SIZE)
    product = np.ones(SIZE // 2 + 1, dtype=complex)
    for amount in amounts:
        product = product * lattice.point(amount)
    masses = inverted(product, SIZE)
    points = np.arange(SIZE) * lattice.step
    assert (masses * points).sum() == pytest.approx(sum(amounts), abs=1e-4)


def test_sums_of_random_amounts() -> None:
    """Against 400,000 sums drawn by numpy."""
    rng = np.random.default_rng(5)
    spread = half_a_second(2.0)
    drawn = np.minimum(0.5 * np.exp(spread.sigma * rng.standard_normal((400_000, 3))), 2.0)
    waits = rng.uniform(0, 1.5, 400_000)
    lattice = Lattice(8 / SIZE, SIZE)
    product = lattice.lognormal(spread) ** 3 * lattice.uniform(1.5)
    masses = inverted(product, SIZE)
    for share in (0.5, 0.95, 0.99):
        seen = float(np.quantile(drawn.sum(axis=1) + waits, share))
        assert quantile_of(masses, lattice.step, share) == pytest.approx(seen, rel=0.01)
