"""The interval of a product of two shares: against scipy's distributions, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from pipelang.statistics.intervals import exact_share
from pipelang.statistics.products import product_of_shares

COUNTS = [
    ((70.0, 100.0), (3.0, 40.0)),
    ((1800.0, 2000.0), (5.0, 100.0)),
    ((9.0, 10.0), (9.0, 10.0)),
    ((1.0, 7.0), (90.5, 120.25)),
    ((20.0, 20.0), (5.0, 20.0)),
    ((50.0, 60.0), (0.0, 30.0)),
]


@pytest.fixture(scope="module", autouse=True)
def judge() -> None:
    """scipy, which takes a second to import: each process collects this file, and one runs it."""
    global integrate, stats
    from scipy import integrate, stats


def below(value: float, one: tuple[float, float], other: tuple[float, float]) -> float:
    """The chance that the product of two independent beta values is at most `value`."""
    if other[1] <= 0:
        one, other = other, one
    if one[1] <= 0:
        return float(stats.beta.cdf(value, *other))
    found, _ = integrate.quad(
        lambda u: stats.beta.cdf(min(1.0, value / stats.beta.ppf(u, *other)), *one), 0, 1, limit=400
    )
    return float(found)


@pytest.mark.parametrize(("first", "second"), COUNTS)
def test_the_ends_are_quantiles_of_products(
    first: tuple[float, float], second: tuple[float, float]
) -> None:
    low, high = product_of_shares(first, second)
    upper = [(good + 1, total - good) for good, total in (first, second)]
    assert below(high, *upper) == pytest.approx(0.975, abs=3e-4)
    if min(first[0], second[0]) == 0:
        assert low == 0
    else:
        lower = [(good, total - good + 1) for good, total in (first, second)]
        assert below(low, *lower) == pytest.approx(0.025, abs=3e-4)


def test_a_share_that_is_known_leaves_the_others_exact_interval() -> None:
    assert product_of_shares((10.0, 10.0), (5.0, 20.0))[1] == pytest.approx(
        exact_share(5, 20)[1], rel=1e-5
    )
    assert product_of_shares((1e9, 1e9), (5.0, 20.0)) == pytest.approx(exact_share(5, 20), rel=1e-4)
    assert product_of_shares((3.0, 3.0), (2.0, 2.0))[1] == 1.0


@pytest.mark.parametrize(
    ("runs", "covered", "labels", "wrong"),
    [
        (12, 0.8, 10, 0.3),
        (20, 0.5, 8, 0.5),
        (8, 0.3, 8, 0.7),
        (25, 0.95, 12, 0.1),
    ],
)
def test_it_covers_as_often_as_it_says_and_is_narrower(
    runs: int, covered: float, labels: int, wrong: float
) -> None:
    """In 19 of 20 samples at least; and narrower than the two intervals multiplied are, whether
    each is taken at 95% or, so that both hold at once, at 97.5%. All samples are enumerated.
    """
    truth, hits, width, plain, safe, mass = covered * wrong, 0.0, 0.0, 0.0, 0.0, 0.0
    for answered in range(runs + 1):
        one = float(stats.binom.pmf(answered, runs, covered))
        for bad in range(labels + 1):
            chance = one * float(stats.binom.pmf(bad, labels, wrong))
            if chance < 1e-4:
                continue
            low, high = product_of_shares((answered, runs), (bad, labels))
            mass += chance
            hits += chance * (low <= truth <= high)
            width += chance * (high - low)
            ends = [exact_share(answered, runs), exact_share(bad, labels)]
            plain += chance * (ends[0][1] * ends[1][1] - ends[0][0] * ends[1][0])
            ends = [exact_share(answered, runs, 0.975), exact_share(bad, labels, 0.975)]
            safe += chance * (ends[0][1] * ends[1][1] - ends[0][0] * ends[1][0])
    assert mass > 0.98
    assert hits / mass >= 0.95
    assert width < plain < safe


def test_it_does_not_hang_on_the_order() -> None:
    draw = np.random.default_rng(4)
    for _ in range(8):
        totals = draw.integers(1, 400, 2)
        first, second = ((float(draw.integers(0, n + 1)), float(n)) for n in totals)
        one, other = product_of_shares(first, second), product_of_shares(second, first)
        assert one == pytest.approx(other, rel=1e-4, abs=1e-9)
