"""Shares of rows that were not drawn with equal chances, or whose judges count differently.

A row that had the chance c to be drawn stands for 1/c rows (D. G. Horvitz and D. J. Thompson,
JASA 47, 1952); the share is the weighted one (J. Hajek, 1971). The interval is the exact one of a
count of the effective size, (sum w)^2 / sum w^2 (L. Kish, "Survey sampling", 1965; E. L. Korn and
B. I. Graubard, Survey Methodology 24, 1998).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum, inf

from pipelang.records import dataclass
from pipelang.statistics.intervals import exact_share


@dataclass(frozen=True, slots=True)
class WeightedShare:
    """A share of weighted rows, with its interval and the number of equal rows it is worth."""

    share: float | None
    low: float
    high: float
    rows: int
    effective: float


def weighted_share(
    rows: Iterable[tuple[bool, float]], confidence: float = 0.95, most: float = inf
) -> WeightedShare:
    """The share of rows that are true, each with its weight (above 0). They are worth `most` equal
    ones at most: as many as there are groups, where rows of one group go together.
    """
    every = [(good, weight) for good, weight in rows if weight > 0]
    if not every:
        return WeightedShare(None, 0.0, 1.0, 0, 0.0)
    total = fsum(weight for _, weight in every)
    share = fsum(weight for good, weight in every if good) / total
    effective = min(float(len(every)), most, total * total / fsum(weight**2 for _, weight in every))
    low, high = exact_share(share * effective, effective, confidence)
    return WeightedShare(share, low, high, len(every), effective)


def sampling_weights(chances: Iterable[float]) -> list[float]:
    """Weights that undo unequal chances of being sampled, with a mean of 1."""
    inverse = [1 / chance for chance in chances]
    mean = fsum(inverse) / len(inverse) if inverse else 1.0
    return [weight / mean for weight in inverse]
