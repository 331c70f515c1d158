"""The Beta distribution, its quantiles, and the tails of counts that follow from it.

The regularized incomplete beta function I_x(a, b) by its continued fraction (NIST Digital Library
of Mathematical Functions, 8.17.22), evaluated by Lentz's method as W. J. Lentz (1976) and I. J.
Thompson and A. R. Barnett (1986) have it. The fraction converges quickly for x < (a+1)/(a+b+2);
beyond, I_x(a, b) = 1 - I_(1-x)(b, a) is used (8.17.4).
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma, log, log1p, sqrt

_TINY = 1e-300


@lru_cache(maxsize=4096)  # quantiles of one check ask for a third again, of advice for two thirds
def incomplete_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b) for a, b > 0: P(X <= x), X of the distribution Beta(a, b)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    # The number of terms grows with the square root of the counts. Both halves of a term are
    # written out, and all that counts is a float, which is a third faster than whole numbers that
    # are made floats at every step: this is most of the work of every interval.
    a, b = float(a), float(b)
    total, tiny = a + b, _TINY
    c, d = 1.0, 1.0 / _apart(1.0 - total * x / (a + 1.0))
    value, m = d, 0.0
    for _ in range(1, 200 + int(10 * sqrt(total))):
        m += 1.0
        place = a + 2.0 * m
        even = m * (b - m) * x / ((place - 1.0) * place)
        d = 1.0 + even * d
        d = 1.0 / (d if d > tiny or d < -tiny else tiny)
        c = 1.0 + even / c
        if -tiny <= c <= tiny:
            c = tiny
        value *= c * d
        odd = -(a + m) * (total + m) * x / (place * (place + 1.0))
        d = 1.0 + odd * d
        d = 1.0 / (d if d > tiny or d < -tiny else tiny)
        c = 1.0 + odd / c
        if -tiny <= c <= tiny:
            c = tiny
        step = c * d
        value *= step
        if -1e-15 < step - 1.0 < 1e-15:
            break
    return value


def _apart(value: float) -> float:
    """Away from 0, by which nothing can be divided."""
    return value if abs(value) > _TINY else _TINY


@lru_cache(maxsize=1024)  # the same counts are asked for by every figure that hangs on them
def beta_quantile(share: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = share, by halving, to the last digit or two."""
    low, high = 0.0, 1.0
    below, above = _around(share, a, b)
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if middle <= below or (middle < above and incomplete_beta(middle, a, b) < share):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _around(share: float, a: float, b: float) -> tuple[float, float]:
    """Two places between which a quantile lies for certain, by false position with the step of
    Illinois: what lies beyond need not be looked at. I_x is computed at both to be further from the
    share than rounding can take it.
    """
    sure = min(share, 1 - share) * (1e-12 + 1e-14 * (a + b))
    low, high = 0.0, 1.0
    under, over = -share, 1 - share
    deviation = sqrt(a * b / (a + b + 1)) / (a + b)
    kept = 0
    for _ in range(60):
        if high - low > deviation:
            place = (low + high) / 2
        else:
            place = high - over * (high - low) / (over - under)
        if not low < place < high:
            break
        off = incomplete_beta(place, a, b) - share
        if abs(off) <= sure:
            near = 8 * sure * (high - low) / (over - under)
            if incomplete_beta(place - near, a, b) - share < -sure:
                low = max(low, place - near)
            if incomplete_beta(place + near, a, b) - share > sure:
                high = min(high, place + near)
            break
        if off < 0:
            low, under = place, off
            over = over / 2 if kept < 0 else over
            kept = -1
        else:
            high, over = place, off
            under = under / 2 if kept > 0 else under
            kept = 1
    return low, high


def log_beta(a: float, b: float) -> float:
    """The logarithm of the complete beta function B(a, b)."""
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def at_least(count: int, total: int, share: float) -> float:
    """P(X >= count), X binomial of `total` draws with chance `share` (8.17.5).

    Small chances are exact: what is far out is never one less something.
    """
    if count <= 0:
        return 1.0
    return 0.0 if count > total else incomplete_beta(share, count, total - count + 1)


def at_most(count: int, total: int, share: float) -> float:
    """P(X <= count), X binomial of `total` draws with chance `share`."""
    return at_least(total - count, total, 1 - share)
