"""Counts to paste for a fit of two classes, so that what `check` makes of them is as sure as it is.

Pasted counts are independent of each other. The figures of a fit are not: nobody saw which case is
hard, so the share of hard cases and the rates are each known badly, and what they say together is
known well. No independent counts have both. A report tells of what steps do together, so the counts
are those with which that has the variance that it has in the fit, as nearly as can be: that all
files are right, that one is, that votes among its answers are. Counts of the cases that most likely
belong to a class make these intervals up to a third too narrow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

PULL = 0.05
"""Weight of the counts of the cases that most likely belong to a class, beside the figures."""

ROUNDS = 60
STEP = 0.7
NEAR = 0.07
"""By so much a count may be off, so that rounding moves its share as little as can be."""


def counts_as_sure(shares: Array, covariance: Array, seen: Array) -> list[tuple[int, int]]:
    """A count `(good, total)` for each share, in the order of `shares`: those of hard cases, then
    the rates of all files in easy cases, then in hard ones. `covariance` is that of the fit, where
    what was given has none, and `seen` are the most that there can be: the cases of each class.
    """
    import numpy as np

    one_case = shares * (1 - shares)
    floor = np.log(one_case / np.maximum(seen, 1))
    ceiling = np.maximum(np.log(np.maximum(np.diag(covariance), 1e-18)), floor)
    slopes, weights = _figures(float(shares[0]), shares[1:].reshape(2, -1))
    if not covariance[0, 0]:
        slopes[:, 0] = 0.0  # a share that was given is no count
    wanted = np.log(np.maximum(np.einsum("fi,ij,fj->f", slopes, covariance, slopes), 1e-18))
    found = floor.copy()
    pull = PULL / len(floor) * np.eye(len(floor))
    for _ in range(ROUNDS):
        parts = slopes**2 * np.exp(found)
        sums = parts.sum(axis=1)
        moves = parts / sums[:, None]
        across = moves.T * weights
        step = np.linalg.solve(
            across @ moves + pull, across @ (np.log(sums) - wanted) + pull @ (found - floor)
        )
        found = np.clip(found - STEP * step, floor, ceiling)
    # A Beta posterior of n cases has the variance of n + 2.
    totals = np.minimum(one_case / np.exp(found) - 2, seen)
    return [
        _rounded(float(s), float(n), float(m)) for s, n, m in zip(shares, totals, seen, strict=True)
    ]


def _figures(hard: float, rates: Array) -> tuple[Array, Array]:
    """The derivatives of what is predicted from a fit by its shares, and the weights: as much for
    all files together as for each of the kinds of figures of one.
    """
    import numpy as np

    files = rates.shape[1]
    one = np.eye(files)
    every = np.ones((1, files))
    kinds = (
        (rates.prod(axis=1)[:, None], every * (rates.prod(axis=1)[:, None, None] / rates[:, None])),
        (rates, one * np.ones_like(rates)[:, None]),
        (rates**2 * (3 - 2 * rates), one * (6 * rates * (1 - rates))[:, None]),
        (_of_nine(rates), one * (630 * (rates * (1 - rates)) ** 4)[:, None]),
        (rates**4, one * (4 * rates**3)[:, None]),
    )
    values = np.concatenate([value for value, _ in kinds], axis=1)
    by_rate = np.concatenate([slope for _, slope in kinds], axis=1)
    slopes = np.concatenate(
        [(values[1] - values[0])[:, None], (1 - hard) * by_rate[0], hard * by_rate[1]], axis=1
    )
    weights = np.array([files, *[1.0] * (len(slopes) - 1)])
    return slopes, weights / weights.sum()


def _of_nine(right: Array) -> Array:
    """The share of votes of nine that are right."""
    ways = ((9, 1), (8, 9), (7, 36), (6, 84), (5, 126))
    found: Array = sum(count * right**k * (1 - right) ** (9 - k) for k, count in ways)
    return found


def _rounded(share: float, total: float, most: float) -> tuple[int, int]:
    """A count of about so many cases whose share is nearest."""
    least, last = max(1, round(total * (1 - NEAR))), max(1, round(min(total * (1 + NEAR), most)))
    best = min(
        range(least, max(least, last) + 1),
        key=lambda n: (round(abs(round(share * n) / n - share), 12), abs(n - total)),
    )
    return round(share * best), best
