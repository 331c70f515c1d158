"""Counted shares as numbers of the report: the posterior of a count without a single draw."""

from __future__ import annotations

from pipelang.analysis.model.intervals import Number
from pipelang.semantics.chance import Basis


def jeffreys(good: int, total: int) -> Number:
    """A counted share with the mean and the central 95% of its posterior Beta(good + 1/2,
    total - good + 1/2), which is what a sweep over posterior draws takes it for (`posterior.py`).
    Unknown where nothing was counted.

    The interval is that of L. D. Brown, T. T. Cai and A. DasGupta, "Interval estimation for a
    binomial proportion", Statistical Science 16 (2001), without their change at 0 and `total`.
    """
    if not total:
        return Number(None, 0.0, 1.0, None, Basis.UNKNOWN)
    from pipelang.statistics.beta import beta_quantile

    a, b = good + 0.5, total - good + 0.5
    low, high = beta_quantile(0.025, a, b), beta_quantile(0.975, a, b)
    return Number(good / total, low, high, a / (a + b), Basis.MEASURED)
