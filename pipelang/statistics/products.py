"""The interval of a product of two shares that were counted apart from each other.

Two intervals of 95% each multiplied hold together in nine of ten samples alone, and where one of
the counts is large they are wider than they need be. Here the two are melded: M. P. Fay, M. A.
Proschan and E. Brittain, "Combining one-sample confidence procedures for inference in the
two-sample case", Biometrics 71 (2015). The ends of Clopper and Pearson's intervals over all levels
are distributions, Beta(k, n-k+1) of the lower ones and Beta(k+1, n-k) of the upper ones; the ends
of the melded interval are the quantiles of the products of independent values of these. Where one
share is known the interval is Clopper and Pearson's of the other.
"""

from __future__ import annotations

from functools import cache
from math import cos, pi

from pipelang.statistics.beta import beta_quantile, incomplete_beta
from pipelang.statistics.intervals import Interval

NODES = 24
"""Points at which the second distribution is taken."""

Counted = tuple[float, float]
"""The number that was counted, and of how many; fractional where rows are weighted."""


def product_of_shares(first: Counted, second: Counted, confidence: float = 0.95) -> Interval:
    """The interval of the product of two shares by their counts."""
    tail = (1 - confidence) / 2
    lower = [(good, total - good + 1) for good, total in (first, second)]
    upper = [(good + 1, total - good) for good, total in (first, second)]
    low = 0.0 if min(first[0], second[0]) <= 0 else _quantile(tail, lower[0], lower[1])
    return low, _quantile(1 - tail, upper[0], upper[1])


def _quantile(share: float, one: tuple[float, float], other: tuple[float, float]) -> float:
    """The quantile of a product of two independent values of beta distributions; one with nothing
    for its second parameter is 1.
    """
    if one[1] <= 0 and other[1] <= 0:
        return 1.0
    if one[1] <= 0 or other[1] <= 0:
        return beta_quantile(share, *(other if one[1] <= 0 else one))
    if sum(one) > sum(other):  # the narrower one is taken at points
        one, other = other, one
    taken = [(beta_quantile(at, *other), weight) for at, weight in _points()]

    def beyond(value: float) -> float:
        return share - sum(
            weight * (1.0 if factor <= value else incomplete_beta(value / factor, *one))
            for factor, weight in taken
        )

    # The false position of the Illinois kind: the end that stays counts for half each time.
    low, high, above, under = 0.0, 1.0, share, share - 1.0
    for _ in range(100):
        middle = (low * under - high * above) / (under - above)
        found = beyond(middle)
        if abs(found) < 1e-7 or high - low < 1e-9:
            return middle
        if found > 0:
            low, above, under = middle, found, under / 2
        else:
            high, under, above = middle, found, above / 2
    return (low + high) / 2


@cache
def _points() -> tuple[tuple[float, float], ...]:
    """Points in (0, 1) with weights, for the mean of a function: Gauss and Legendre's rule, made
    denser at both ends, where the tails of a product come from.
    """
    found = []
    for number in range(1, NODES + 1):
        x, slope = cos(pi * (number - 0.25) / (NODES + 0.5)), 1.0
        for _ in range(20):  # Newton: five are enough
            before, value = 1.0, x
            for degree in range(2, NODES + 1):
                later = ((2 * degree - 1) * x * value - (degree - 1) * before) / degree
                before, value = value, later
            slope = NODES * (x * value - before) / (x * x - 1)
            step = value / slope
            x -= step
            if abs(step) < 1e-15:
                break
        at, weight = (1 - x) / 2, 1 / ((1 - x * x) * slope * slope)
        found.append((at * at * (3 - 2 * at), weight * 6 * at * (1 - at)))
    return tuple(found)
