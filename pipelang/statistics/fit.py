"""Goodness of fit: whether counts are what declared shares would give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, inf, lgamma, log

FEWEST = 5.0
"""A class with fewer cases expected is put together with others (W. G. Cochran, 1954)."""


def chi_square_p_value(statistic: float, degrees: int) -> float:
    """P(X >= statistic), X of the chi-square distribution: Q(degrees/2, statistic/2).

    The incomplete gamma function by its series below a + 1 and its continued fraction above (NIST
    Digital Library of Mathematical Functions, 8.7.1 and 8.9.2).
    """
    a, x = degrees / 2, statistic / 2
    if x <= 0:
        return 1.0
    if x == inf:
        return 0.0
    front = exp(a * log(x) - x - lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        n = a
        while term > total * 1e-16:
            n += 1
            term *= x / n
            total += term
        return max(0.0, 1 - front * total)
    b = x + 1 - a
    c, d = inf, 1 / b
    value = d
    for i in range(1, 10_000):
        even = -i * (i - a)
        b += 2
        d = 1 / (even * d + b or 1e-300)
        c = b + even / c or 1e-300
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * value


def fit_p_value(counts: Mapping[str, int], shares: Mapping[str, float]) -> float | None:
    """Pearson's test of counts against shares that sum to 1; None where there are too few.

    A class that cannot happen and did is refuted at once.
    """
    total = sum(counts.values())
    if any(counts.get(name, 0) and shares.get(name, 0.0) <= 0 for name in counts):
        return 0.0
    cells = sorted((share * total, counts.get(name, 0)) for name, share in shares.items())
    merged: list[tuple[float, int]] = []
    expected, seen = 0.0, 0
    for one, count in cells:
        expected, seen = expected + one, seen + count
        if expected >= FEWEST:
            merged.append((expected, seen))
            expected, seen = 0.0, 0
    if expected and merged:
        last = merged.pop()
        merged.append((last[0] + expected, last[1] + seen))
    if len(merged) < 2:
        return None
    statistic = sum((count - mean) ** 2 / mean for mean, count in merged)
    return chi_square_p_value(statistic, len(merged) - 1)


def holm(p_values: Sequence[float], alpha: float = 0.05) -> list[bool]:
    """Tests that reject, of several, if all false rejections together stay below alpha (S. Holm,
    Scandinavian Journal of Statistics 6, 1979).
    """
    rejected = [False] * len(p_values)
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[place] > alpha / (len(p_values) - rank):
            break
        rejected[place] = True
    return rejected


def independence_p_value(both: int, first: int, second: int, total: int) -> float:
    """The two-sided exact test of whether two things happen independently (R. A. Fisher, 1935).

    `both` of `total` runs had the two of them, `first` and `second` had each. The sum of the
    chances of all tables that are no likelier than this one.
    """

    def log_chance(k: int) -> float:
        return _choose(first, k) + _choose(total - first, second - k) - _choose(total, second)

    here = log_chance(both) + 1e-9
    low, high = max(0, first + second - total), min(first, second)
    chances = (log_chance(k) for k in range(low, high + 1))
    return min(1.0, sum(exp(chance) for chance in chances if chance <= here))


def more_often_p_value(hits: int, runs: int, before: int, runs_before: int) -> float:
    """The one-sided exact test of whether something happens more often now than before (R. A.
    Fisher): the chance of so many hits or more, if all hits fell on runs at random.
    """
    every, total = hits + before, runs + runs_before
    bottom = _choose(total, runs)
    chance = 0.0
    for k in range(hits, min(runs, every) + 1):
        term = exp(_choose(every, k) + _choose(total - every, runs - k) - bottom)
        chance += term
        if k > runs * every / total and term < chance * 1e-17:
            break
    return min(1.0, chance)


def _choose(n: int, k: int) -> float:
    if not 0 <= k <= n:
        return -inf
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
