"""Exact intervals and tests of fixed samples, against scipy."""

from __future__ import annotations

import random

import pytest

from pipelang.statistics.beta import at_least, at_most
from pipelang.statistics.fit import (
    chi_square_p_value,
    fit_p_value,
    holm,
    independence_p_value,
    more_often_p_value,
)
from pipelang.statistics.intervals import (
    exact_share,
    mean_interval,
    quantile_interval,
    quantile_ranks,
    runs_for_quantile,
    share_p_value,
    student_p_value,
    student_quantile,
)
from pipelang.statistics.mcnemar import exact_mcnemar
from pipelang.statistics.weights import sampling_weights, weighted_share

COUNTS = [(0, 1), (1, 1), (0, 20), (20, 20), (1, 200), (37, 410), (9_990, 10_000), (3, 100_000)]


@pytest.fixture(scope="module", autouse=True)
def judge() -> None:
    """scipy, which takes a second to import: each process collects this file, and one runs it."""
    global stats
    from scipy import stats


@pytest.mark.parametrize(("good", "total"), COUNTS)
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
def test_exact_share(good: int, total: int, confidence: float) -> None:
    judge = stats.binomtest(good, total).proportion_ci(confidence, method="exact")
    assert exact_share(good, total, confidence) == pytest.approx((judge.low, judge.high), abs=1e-9)


@pytest.mark.parametrize(("good", "total"), [(0, 10), (10, 10), (257, 1000), (900, 1000), (5, 7)])
@pytest.mark.parametrize("share", [0.001, 0.2, 0.5, 0.97])
def test_tails(good: int, total: int, share: float) -> None:
    assert at_least(good, total, share) == pytest.approx(
        stats.binom.sf(good - 1, total, share), rel=1e-8, abs=1e-300
    )
    assert at_most(good, total, share) == pytest.approx(
        stats.binom.cdf(good, total, share), rel=1e-8, abs=1e-300
    )
    assert share_p_value(good, total, share) <= 1


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("total", [1, 10, 59, 73, 500])
def test_ranks_are_the_widest_that_hold(share: float, total: int) -> None:
    """Each rank keeps its tail, and the next one inside would not."""
    low, high = quantile_ranks(share, total)
    below = stats.binom(total, share)
    assert below.cdf(low - 1) <= 0.025 + 1e-12
    assert below.cdf(low) > 0.025
    assert below.sf(high - 1) <= 0.025 + 1e-12
    assert high == 0 or below.sf(high - 2) > 0.025


def test_a_p95_needs_so_many_runs() -> None:
    total = runs_for_quantile(0.95)
    values = list(map(float, range(total)))
    assert all(abs(end) < 1e9 for end in quantile_interval(values, 0.95))
    assert any(abs(end) > 1e9 for end in quantile_interval(values[1:], 0.95))


def test_quantile_interval_covers() -> None:
    source = random.Random(7)
    kept = 0
    for _ in range(400):
        low, high = quantile_interval(sorted(source.random() for _ in range(150)), 0.95)
        kept += low <= 0.95 <= high
    assert stats.binomtest(kept, 400, 0.95, alternative="less").pvalue > 0.001


@pytest.mark.parametrize("degrees", [1, 4, 30, 2000])
def test_student(degrees: int) -> None:
    for share in (0.6, 0.95, 0.975, 0.9995):
        quantile = student_quantile(share, degrees)
        assert quantile == pytest.approx(stats.t.ppf(share, degrees), rel=1e-8)
        assert student_p_value(quantile, degrees) == pytest.approx(2 * (1 - share), rel=1e-8)


def test_mean_interval() -> None:
    values = [1.0, 2.5, 2.0, 8.0, 0.5]
    mean, low, high = mean_interval(values)
    judge = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (low, high) == pytest.approx((judge.low, judge.high))
    assert mean == pytest.approx(2.8)


@pytest.mark.parametrize(("worse", "better"), [(0, 0), (0, 8), (12, 3), (40, 41), (200, 120)])
def test_mcnemar(worse: int, better: int) -> None:
    found = exact_mcnemar(worse, better)
    if worse + better:
        judge = stats.binomtest(worse, worse + better, 0.5)
        assert found.p_value == pytest.approx(judge.pvalue)
        more = stats.binomtest(worse, worse + better, 0.5, alternative="greater")
        assert found.p_worse == pytest.approx(more.pvalue)
    else:
        assert found.p_value == 1


@pytest.mark.parametrize("degrees", [1, 2, 7, 60])
def test_chi_square(degrees: int) -> None:
    for statistic in (0.0, 0.3, 3.0, 20.0, 150.0):
        assert chi_square_p_value(statistic, degrees) == pytest.approx(
            stats.chi2.sf(statistic, degrees), rel=1e-9, abs=1e-200
        )


def test_fit() -> None:
    shares = {"a": 0.5, "b": 0.3, "c": 0.2}
    counts = {"a": 48, "b": 38, "c": 14}
    judge = stats.chisquare([48, 38, 14], [50, 30, 20]).pvalue
    assert fit_p_value(counts, shares) == pytest.approx(judge)
    assert fit_p_value({"a": 3, "d": 1}, shares) == 0.0
    assert fit_p_value({"a": 3}, shares) is None


def test_independence() -> None:
    judge = stats.fisher_exact([[9, 11], [21, 159]]).pvalue
    assert independence_p_value(9, 20, 30, 200) == pytest.approx(judge)
    assert holm([0.03, 0.001, 0.2, 0.02]) == [False, True, False, False]


@pytest.mark.parametrize(
    ("hits", "runs", "before", "total"), [(280, 1000, 400, 2000), (3, 20, 0, 500), (0, 10, 5, 50)]
)
def test_more_often(hits: int, runs: int, before: int, total: int) -> None:
    table = [[hits, runs - hits], [before, total - before]]
    judge = stats.fisher_exact(table, alternative="greater").pvalue
    assert more_often_p_value(hits, runs, before, total) == pytest.approx(judge, rel=1e-7)


def test_weights_undo_the_sampling() -> None:
    """Of 10,000 runs every error is sampled, and one of ten others: the share comes out right."""
    source = random.Random(11)
    kept = 0
    for _ in range(300):
        rows = []
        for _ in range(1500):
            wrong = source.random() < 0.04
            chance = 0.8 if wrong else 0.1
            if source.random() < chance:
                rows.append((wrong, chance))
        weights = sampling_weights(chance for _, chance in rows)
        found = weighted_share(zip((wrong for wrong, _ in rows), weights, strict=True))
        assert found.effective <= found.rows
        kept += found.low <= 0.04 <= found.high
    assert kept >= 280
    plain = weighted_share([(True, 1.0)] * 3 + [(False, 1.0)] * 7)
    assert (plain.low, plain.high) == pytest.approx(exact_share(3, 10))
    assert plain.effective == pytest.approx(10)
