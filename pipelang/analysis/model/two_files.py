"""Two files with one answer a case, and a given share of hard cases: what they say, and what not.

Four kinds of cases leave three free numbers, and two classes have four rates: the verdicts fit
along a curve. What both files do together is the same all along it; each file's rates are not. So
one point of the curve is taken, where the odds of a wrong answer are as many times as high in hard
cases for one file as for the other (Rasch 1960), and the range over the whole curve stands beside.
"""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING, Any

from pipelang.analysis.model.class_likelihood import NoFit, TalliedVerdicts, covariance_at, expected
from pipelang.records import dataclass

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

MOST_FACTOR = 60.0
"""The logarithm of the odds' factor at most."""


@dataclass(frozen=True, slots=True)
class TwoFiles:
    """The rates by class and file with their covariance, and for each file the lowest and highest
    rate of both classes along the curve.
    """

    rates: Array
    covariance: Array
    ranges: tuple[tuple[tuple[float, float], tuple[float, float]], ...]


def equally_hard(verdicts: TalliedVerdicts, share: float) -> TwoFiles:
    """Fit the two files. Raises `NoFit`."""
    import numpy as np

    weights, wrong = verdicts.often / verdicts.cases, verdicts.wrong
    errs = weights @ wrong
    together = float(weights @ (wrong[:, 0] * wrong[:, 1]) - errs[0] * errs[1])
    if together <= 0:
        why = "wrong answers do not fall on the same cases more often than chance has it"
        raise NoFit(f"{why}, so no cases are hard", "leave `hard` out: steps are independent here")
    gap = together / (share * (1 - share))
    most = [min(e / share, (1 - e) / (1 - share)) for e in map(float, errs)]
    if gap >= most[0] * most[1] * (1 - 1e-9):
        why = f"the fit is on the border: {share:.4%} hard cases cannot be wrong together so often"
        raise NoFit(why, "another `--hard`, or a third file of the same cases")
    low, high = 0.0, MOST_FACTOR
    for _ in range(200):
        middle = (low + high) / 2
        gaps = [_hard(easy, middle) - easy for easy in _easy(errs, share, middle)]
        low, high = (middle, high) if gaps[0] * gaps[1] < gap else (low, middle)
    easy = _easy(errs, share, low)
    at = np.array([*(log(one / (1 - one)) for one in easy), low])

    def rates_of(free: Array) -> Array:
        odds = np.exp(np.stack([free[:2], free[:2] + free[2]]))
        rates: Array = 1 / (1 + odds)
        return rates

    found = covariance_at(
        lambda free: float(expected(verdicts, share, rates_of(free))[1]),
        lambda free: rates_of(free).reshape(-1),
        at,
    )
    if found is None:
        why = "the fit is on the border: the files do not tell the two classes apart"
        raise NoFit(why, "more cases, or a third file of the same cases")
    ranges = tuple(
        _range(float(errs[one]), share, gap / most[1 - one], most[one]) for one in (0, 1)
    )
    return TwoFiles(rates_of(at), found, ranges)


def _hard(easy: float, factor: float) -> float:
    """The share of wrong answers where their odds are so many times (by its logarithm) as high."""
    odds = easy / (1 - easy) * exp(factor)
    return odds / (1 + odds)


def _easy(errs: Array, share: float, factor: float) -> list[float]:
    """The share of wrong answers of each file in cases that are not hard, given that in all."""
    found = []
    for err in map(float, errs):
        low, high = 0.0, err
        for _ in range(200):
            middle = (low + high) / 2
            both = (1 - share) * middle + share * _hard(middle, factor)
            low, high = (middle, high) if both < err else (low, middle)
        found.append(min(max(high, 1e-300), 1 - 1e-15))
    return found


def _range(
    err: float, share: float, least: float, most: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The rates of a file if hard cases are wrong more often by so much at least and at most."""
    easy = (1 - err + share * least, 1 - err + share * most)
    hard = (1 - err - (1 - share) * most, 1 - err - (1 - share) * least)
    return easy, hard
