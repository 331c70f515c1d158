"""Intervals of fixed samples: exact ones of shares and quantiles, Student's of means.

They hold for a sample whose size was not chosen by looking at it. Who looks again and again uses
`sequences.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, fsum, inf, sqrt

from pipelang.statistics.beta import at_least, at_most, beta_quantile, incomplete_beta

Interval = tuple[float, float]


def exact_share(good: float, total: float, confidence: float = 0.95) -> Interval:
    """The exact interval of a share: every share that the count does not reject.

    C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the
    case of the binomial", Biometrika 26 (1934). Counts may be fractions, as those of weighted rows
    are (`weights.py`). All of [0, 1] where nothing was counted.
    """
    tail = (1 - confidence) / 2
    low = beta_quantile(tail, good, total - good + 1) if good > 0 else 0.0
    high = beta_quantile(1 - tail, good + 1, total - good) if good < total else 1.0
    return low, high


def upper_share(good: int, total: int, confidence: float) -> float:
    """The exact upper bound of a share, one-sided."""
    return exact_share(good, total, 2 * confidence - 1)[1]


def lower_share(good: int, total: int, confidence: float) -> float:
    """The exact lower bound of a share, one-sided."""
    return exact_share(good, total, 2 * confidence - 1)[0]


def share_p_value(good: int, total: int, share: float) -> float:
    """The exact two-sided p-value of a count: twice the smaller tail, at most 1."""
    if not total:
        return 1.0
    return min(1.0, 2 * min(at_least(good, total, share), at_most(good, total, share)))


def quantile_ranks(share: float, total: int, confidence: float = 0.95) -> tuple[int, int]:
    """The places in order, from 1, of the two values between which a quantile lies.

    0 or total + 1 where no value bounds it. Of n values K lie below the quantile, K binomial; so
    the r-th smallest lies above it with P(K < r) (H. A. David and H. N. Nagaraja, "Order
    statistics", 3rd ed. 2003, 7.1). Nothing is assumed of the distribution.
    """
    tail = (1 - confidence) / 2
    # The largest r with P(K < r) <= tail, and the smallest r with P(K >= r) <= tail.
    low = _first(total + 1, lambda r: at_most(r, total, share) > tail)
    high = _first(total + 1, lambda r: at_least(r, total, share) <= tail)
    return low, high


def _first(end: int, holds: Callable[[int], bool]) -> int:
    """The smallest r in 0..end of which a monotone condition holds, by halving; end if none."""
    low, high = 0, end
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def quantile_interval(ordered: Sequence[float], share: float, confidence: float = 0.95) -> Interval:
    """The exact interval of a quantile of a sorted sample; infinite where it has no bound."""
    low, high = quantile_ranks(share, len(ordered), confidence)
    return (
        ordered[low - 1] if low else -inf,
        ordered[high - 1] if high <= len(ordered) else inf,
    )


def quantile_at(ordered: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of a sorted sample does not pass."""
    return ordered[min(len(ordered), max(1, ceil(share * len(ordered)))) - 1]


def runs_for_quantile(share: float, confidence: float = 0.95) -> int:
    """The fewest values whose interval of a quantile has two ends."""
    total = 1
    while not ((ranks := quantile_ranks(share, total, confidence))[0] >= 1 and ranks[1] <= total):
        total += 1
    return total


def student_quantile(share: float, degrees: int) -> float:
    """The quantile of Student's distribution, for shares of at least 1/2.

    P(|T| > t) = I_x(degrees/2, 1/2) with x = degrees/(degrees + t^2) (NIST handbook 26.5.27).
    """
    tail = 2 * (1 - share)
    if tail >= 1:
        return 0.0
    x = beta_quantile(tail, degrees / 2, 0.5)
    return sqrt(degrees * (1 - x) / x)


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float, float]:
    """The mean with Student's interval, which is exact for normal values and close for many.

    Of one value there is no interval: it is infinite.
    """
    n = len(values)
    mean = fsum(values) / n
    if n < 2:
        return mean, -inf, inf
    spread = fsum((value - mean) ** 2 for value in values) / (n - 1)
    half = student_quantile((1 + confidence) / 2, n - 1) * sqrt(spread / n)
    return mean, mean - half, mean + half


def student_p_value(t: float, degrees: int) -> float:
    """The two-sided p-value of a t statistic."""
    return incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5)
