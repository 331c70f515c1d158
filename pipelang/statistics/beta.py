"""The Beta distribution, its quantiles, and the tails of counts that follow from it.

The regularized incomplete beta function I_x(a, b) by its continued fraction (NIST Digital Library
of Mathematical Functions, 8.17.22), evaluated by Lentz's method as W. J. Lentz (1976) and I. J.
Thompson and A. R. Barnett (1986) have it. The fraction converges quickly for x < (a+1)/(a+b+2);
beyond, I_x(a, b) = 1 - I_(1-x)(b, a) is used (8.17.4).
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p, sqrt

_TINY = 1e-300


def incomplete_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b) for a, b > 0: P(X <= x), X of the distribution Beta(a, b)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction: two terms a round, written out since a posterior asks for some
    hundred thousand. What is divided by is kept away from 0 (`_TINY`).
    """
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > _TINY else _TINY)
    value = d
    # The number of terms grows with the square root of the counts.
    for m in range(1, 200 + int(10 * sqrt(a + b))):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 + even * d
        d = 1 / (d if abs(d) > _TINY else _TINY)
        c = 1 + even / c
        c = c if abs(c) > _TINY else _TINY
        value *= c * d
        d = 1 + odd * d
        d = 1 / (d if abs(d) > _TINY else _TINY)
        c = 1 + odd / c
        c = c if abs(c) > _TINY else _TINY
        step = c * d
        value *= step
        if abs(step - 1) < 1e-15:
            break
    return value


def beta_quantile(share: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = share, by halving, to the last digit or two."""
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
