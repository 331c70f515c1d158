"""Confidence sequences: intervals that hold at all times at once, for who looks again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, log, log1p

from pipelang.statistics.beta import log_beta
from pipelang.statistics.intervals import Interval


def share_sequence(good: int, total: int, confidence: float = 0.95) -> Interval:
    """The interval of a share that holds at every number of runs at once.

    Every share p against which the mixture of all likelihood ratios, by the uniform prior, has not
    gathered 1/alpha (H. Robbins, "Statistical methods related to the law of the iterated
    logarithm", Annals of Mathematical Statistics 41, 1970).
    """
    if not total:
        return 0.0, 1.0
    mixed = log_beta(good + 1, total - good + 1) + log(1 - confidence)
    seen = good / total

    def rejected(p: float) -> bool:
        return mixed - good * log(p) - (total - good) * log1p(-p) >= 0

    return (
        0.0 if good == 0 else _edge(0.0, seen, rejected),
        1.0 if good == total else _edge(1.0, seen, rejected),
    )


def _edge(outside: float, inside: float, rejected: Callable[[float], bool]) -> float:
    """The border between rejected shares and others, by halving; on the safe side."""
    for _ in range(60):
        middle = (outside + inside) / 2
        if middle in (outside, inside):
            break
        if rejected(middle):
            outside = middle
        else:
            inside = middle
    return outside


def quantile_sequence(ordered: Sequence[float], share: float, confidence: float = 0.95) -> Interval:
    """The interval of a quantile of a sorted sample that holds at every number of runs at once.

    A value is too small for the quantile if the share of runs up to it is surely below `share`, by
    the sequence of that share (S. R. Howard and A. Ramdas, Bernoulli 28, 2022, give sharper ones).
    Infinite where no value bounds it.
    """
    total = len(ordered)
    # Up to the r-th smallest there are r runs: both ends are monotone in r.
    low = _last(total, lambda r: share_sequence(r, total, confidence)[1] < share)
    high = _last(total, lambda r: share_sequence(r, total, confidence)[0] <= share)
    return (ordered[low - 1] if low else -inf, ordered[high] if high < total else inf)


def _last(total: int, holds: Callable[[int], bool]) -> int:
    """The largest r up to which a condition holds that ends for good, by halving; 0 if none."""
    low, high = 0, total
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low
