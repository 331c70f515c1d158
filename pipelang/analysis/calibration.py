"""What a confidence is worth: are answers that are 80% sure right 80% of the time?

The expected calibration error is the distance between confidence and accuracy, averaged over bins
of equal width by how many answers fall into them (Naeini, Cooper and Hauskrecht, "Obtaining well
calibrated probabilities using Bayesian binning", 2015; Guo et al., "On calibration of modern neural
networks", 2017). Intervals are central 95% of Jeffreys' posterior, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from pipelang.records import dataclass
from pipelang.semantics.chance import Row

BINS = 10
THRESHOLDS = tuple(Decimal(percent) / 100 for percent in (50, 60, 70, 80, 85, 90, 95, 99))


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers with a confidence from `low` up to `high` (the last bin includes it)."""

    low: float
    high: float
    count: int
    right: int
    confidence: float

    @property
    def accuracy(self) -> float:
        return self.right / self.count

    @property
    def interval(self) -> tuple[float, float]:
        return jeffreys(self.right, self.count)


@dataclass(frozen=True, slots=True)
class Threshold:
    """A gate at a confidence: how many answers pass, how right those are, how many wrong ones it
    catches (None without any) and how many right ones it stops.
    """

    at: Decimal
    passes: float
    accuracy: float | None
    catches: float | None
    false_alarms: float | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """A file of labelled answers; without confidences only their accuracy is known."""

    count: int
    right: int
    bins: tuple[Bin, ...]
    ece: float | None
    thresholds: tuple[Threshold, ...]

    @property
    def accuracy(self) -> float:
        return self.right / self.count

    @property
    def interval(self) -> tuple[float, float]:
        return jeffreys(self.right, self.count)


def jeffreys(good: int, total: int) -> tuple[float, float]:
    """The central 95% of Beta(good + 1/2, total - good + 1/2), by bisection."""
    a, b = good + 0.5, total - good + 0.5
    return _beta_quantile(a, b, 0.025), _beta_quantile(a, b, 0.975)


def _beta_quantile(a: float, b: float, share: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if beta_below(a, b, middle) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def beta_below(a: float, b: float, x: float) -> float:
    """P(a Beta(a, b) share is below x), by the continued fraction of Press et al., "Numerical
    Recipes", section 6.4.
    """
    from math import exp, lgamma, log

    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Lentz's method for the incomplete beta function."""
    least = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > least else least)
    result = d
    for m in range(1, 1000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + term * d
            c = 1 + term / c
            d = 1 / (d if abs(d) > least else least)
            c = c if abs(c) > least else least
            result *= d * c
        if abs(d * c - 1) < 1e-14:
            break
    return result


def calibration(rows: Sequence[Row]) -> Calibration:
    """What the rows of an evidence file say."""
    right = sum(row.correct for row in rows)
    sure = [(row.confidence, row.correct) for row in rows if row.confidence is not None]
    if len(sure) < len(rows):
        return Calibration(len(rows), right, (), None, ())
    bins = []
    for index in range(BINS):
        inside = [(c, ok) for c, ok in sure if min(BINS - 1, int(c * BINS)) == index]
        if inside:
            mean = float(sum((c for c, _ in inside), Decimal(0)) / len(inside))
            good = sum(ok for _, ok in inside)
            bins.append(Bin(index / BINS, (index + 1) / BINS, len(inside), good, mean))
    ece = sum(one.count * abs(one.accuracy - one.confidence) for one in bins) / len(rows)
    thresholds = tuple(_threshold(sure, at) for at in THRESHOLDS)
    return Calibration(len(rows), right, tuple(bins), ece, thresholds)


def _threshold(sure: Sequence[tuple[Decimal, bool]], at: Decimal) -> Threshold:
    passed = [ok for confidence, ok in sure if confidence >= at]
    right = sum(ok for _, ok in sure)
    wrong = len(sure) - right
    good = sum(passed)
    return Threshold(
        at,
        len(passed) / len(sure),
        good / len(passed) if passed else None,
        1 - (len(passed) - good) / wrong if wrong else None,
        1 - good / right if right else None,
    )
