"""Quantiles of the Beta distribution, against halving from end to end."""

from __future__ import annotations

import random

import pytest

from pipelang.statistics.beta import beta_quantile, incomplete_beta


def halved(share: float, a: float, b: float) -> float:
    """A quantile by halving alone, which looks at every middle."""
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if incomplete_beta(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@pytest.mark.parametrize("most", [3, 40, 1_000, 30_000])
def test_a_quantile_is_the_one_that_halving_finds_to_the_last_digit(most: int):
    """Whatever is not looked at lies where it was known to: not a digit of a report changes."""
    drawn = random.Random(most)
    for _ in range(120):
        total = drawn.randint(1, most)
        good = drawn.choice([0, total, drawn.randint(0, total), drawn.randint(0, total)])
        ends = [(good + 0.5, total - good + 0.5), (good + 1.0, total - good + 1.0)]
        share = drawn.choice([0.025, 0.975, 0.05, 0.5, 1e-9, 1 - 1e-7, drawn.random()])
        for a, b in ends:
            assert beta_quantile(share, a, b) == halved(share, a, b), (share, a, b)


def test_a_quantile_looks_at_few_places(monkeypatch: pytest.MonkeyPatch):
    """Halving alone looks at 52 places and more."""
    from pipelang.statistics import beta

    looked: list[float] = []

    def counted(x: float, a: float, b: float) -> float:
        looked.append(x)
        return incomplete_beta(x, a, b)

    monkeypatch.setattr(beta, "incomplete_beta", counted)
    cases = [(0.025, 8.5, 2.5), (0.975, 80.5, 20.5), (0.5, 900.5, 100.5), (0.025, 190.25, 11.75)]
    for case in cases:
        beta_quantile.cache_clear()
        beta_quantile(*case)
    assert len(looked) / len(cases) < 40
