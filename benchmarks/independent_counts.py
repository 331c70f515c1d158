"""Distance of independent counts to the variances of a fit of two classes: a linear programme.

Lines that are pasted have posteriors of their own, and the figures of a fit hang together. For each
setting of `benchmarks.coverage` the Fisher information of the verdicts says how sure the fit is of
what steps do together. A linear programme then looks for variances of the share of hard cases and
of the rates, each by itself, with which all of these figures are as sure as that, as nearly as can
be: none is further off than by the factor that is printed. Counts of more cases than there are make
a variance smaller than it can be, so they are left out.

    python -m benchmarks.independent_counts
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product
from statistics import NormalDist
from typing import Any

import numpy as np
from scipy.optimize import linprog

from benchmarks.coverage import SETTINGS, Rates

Array = np.ndarray[Any, Any]
CASES = 1_000
NORMAL = NormalDist()
MOVE = 1e-6


def covariance(hard: float, rates: Array) -> Array:
    """The covariance of the maximum likelihood of one answer a case and file: of the share of hard
    cases, the rates of easy ones, those of hard ones.
    """
    easy, bad = rates
    information = np.zeros((1 + 2 * len(easy),) * 2)
    for verdicts in product((False, True), repeat=len(easy)):
        right = np.array(verdicts)
        of_easy, of_bad = (np.where(right, one, 1 - one) for one in (easy, bad))
        sign = np.where(right, 1, -1)
        slope = np.concatenate(
            [
                [of_bad.prod() - of_easy.prod()],
                (1 - hard) * of_easy.prod() / of_easy * sign,
                hard * of_bad.prod() / of_bad * sign,
            ]
        )
        chance = (1 - hard) * of_easy.prod() + hard * of_bad.prod()
        information += CASES * np.outer(slope, slope) / chance
    found: Array = np.linalg.inv(information)
    return found


def figures(at: Array) -> Array:
    """What a report is about: all steps in a chain, each alone, two of them, a vote of three by
    each, and such a vote before another step.
    """
    hard, (easy, bad) = at[0], at[1:].reshape(2, -1)
    files = range(len(easy))

    def mixed(right: Callable[[Array], Any]) -> float:
        return float((1 - hard) * right(easy) + hard * right(bad))

    found = [mixed(np.prod)]
    for one in files:
        found.append(mixed(lambda rates, one=one: rates[one]))
        found.append(mixed(lambda rates, one=one: vote(rates[one])))
    for one, two in permutations(files, 2):
        found.append(mixed(lambda rates, one=one, two=two: rates[one] * rates[two]))
        found.append(mixed(lambda rates, one=one, two=two: vote(rates[one]) * rates[two]))
    return np.array(found)


def vote(right: Any) -> Any:
    return right * right * (3 - 2 * right)


def nearest(hard: float, rates: Rates) -> float:
    """The least factor by which standard deviations of some figure are too large or too small."""
    pairs = np.array(rates).T
    at = np.concatenate([[hard], pairs.reshape(-1)])
    moves = np.eye(len(at)) * MOVE
    slopes = np.array([(figures(at + one) - figures(at - one)) / (2 * MOVE) for one in moves]).T
    wanted = np.einsum("fi,ij,fj->f", slopes, covariance(hard, pairs), slopes)
    parts = slopes**2 / wanted[:, None]
    members = np.concatenate([[1.0], np.full(len(rates), 1 - hard), np.full(len(rates), hard)])
    least = at * (1 - at) / (CASES * members)
    low, high = 1.0, 100.0
    for _ in range(40):
        factor = (low * high) ** 0.5
        found = linprog(
            np.zeros(len(at)),
            A_ub=np.vstack([parts, -parts]),
            b_ub=np.concatenate([np.full(len(parts), factor), np.full(len(parts), -1 / factor)]),
            bounds=[(one, None) for one in least],
        )
        low, high = (low, factor) if found.status == 0 else (factor, high)
    return float(high**0.5)


def covers(factor: float) -> float:
    """The share of the truths that a 95% interval holds whose width is so many times right."""
    return 2 * NORMAL.cdf(factor * NORMAL.inv_cdf(0.975)) - 1


def main() -> None:
    print("The best that independent counts can do for all figures at once")
    for name, (hard, rates) in SETTINGS.items():
        factor = nearest(hard, rates)
        ends = f"{covers(1 / factor):.1%} to {covers(factor):.1%}"
        print(f"  {name}: widths off by a factor of {factor:.3f}, so 95% intervals hold {ends}")


if __name__ == "__main__":
    main()
