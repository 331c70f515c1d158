"""Perturbed parameters for the delta method: counted shares as counted, at their posterior means,
and each in turn moved by a standard deviation.

To first order, the posterior variance of a figure is the sum of the squares of its changes, because
counted shares are independent. Dirichlet bins are decomposed into independent Betas by stick
breaking. What may have drifted is moved by its shift too, both ways, and these changes add up: in
which direction it drifted is unknown and no draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import erf, sqrt
from typing import TYPE_CHECKING, Any

from pipelang.analysis.model.drift import DriftKey, bins_off, drifting, share_off
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.model.quadrature import posterior_betas, with_posterior
from pipelang.records import dataclass

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Z = 1.959963984540054
"""Two-sided 95% of the standard normal."""


@dataclass(frozen=True, slots=True)
class MovedRows:
    """Parameters as columns of `rows`, of which the last, two for each of the `drifts`, have one
    share drifted up and down.
    """

    parameters: Parameters
    rows: int
    drifts: int


@dataclass(frozen=True, slots=True)
class FigureSpread:
    """The posterior mean and standard deviation of a figure, and how far drift may take it."""

    mean: float
    deviation: float
    drift: float

    def bounds(self, z: float = Z) -> tuple[float, float]:
        """So many standard deviations to both sides, and the drift; at least 0."""
        reach = z * self.deviation + self.drift
        return max(0.0, self.mean - reach), self.mean + reach

    def chance(self, op: str, target: float) -> float:
        """P(a normal figure is on the right side of a target). Where drift leaves it open, the
        chance that says least.
        """
        below = 0.5 * (1 + erf((target - self.nearest(target)) / self.deviation / sqrt(2)))
        return below if op in ("<", "<=") else 1 - below

    def nearest(self, target: float) -> float:
        """The mean, drifted towards a target as far as it may: what is least sure of it."""
        return min(max(target, self.mean - self.drift), self.mean + self.drift)


def moved(point: Parameters) -> MovedRows:
    """Return the rows: one for the shares as counted, one for the posterior means, one for each
    share moved by a standard deviation, then those for drift.
    """
    import numpy as np

    betas = list(posterior_betas(point))
    counted = list(_counted(point))
    means = [a / (a + b) for a, b in betas]
    off = [_off(point, means, key, by * sign)
           for key, by in drifting(point).items() for sign in (1, -1)]  # fmt: skip
    rows = len(betas) + 2 + len(off)
    columns: list[Array] = []
    for number, (a, b) in enumerate(betas):
        mean = a / (a + b)
        deviation = sqrt(mean * (1 - mean) / (a + b + 1))
        column = np.full((rows, 1), mean)
        column[0] = counted[number]
        column[number + 2] = mean + deviation if mean + deviation <= 1 else mean - deviation
        for place, shares in enumerate(off, len(betas) + 2):
            column[place] = shares[number]
        columns.append(column)
    return MovedRows(with_posterior(point, iter(columns)), rows, len(off) // 2)


def _off(point: Parameters, means: Sequence[float], key: DriftKey, by: float) -> list[float]:
    """All shares and sticks at their means, but what drifts."""
    found = list(means)
    start = len(point.counted)
    if isinstance(key, str):
        place = list(point.counted).index(key)
        found[place] = float(share_off(means[place], by))
        return found
    for bins, counts in point.counted_bins.items():
        end = start + len(counts) - 1
        if bins == key:
            found[start:end] = _sticks(bins_off(_broken(means[start:end]), by))
        start = end
    return found


def _broken(sticks: Sequence[float]) -> list[float]:
    """Shares that sum to 1: each stick takes its part of what is left."""
    shares, left = [], 1.0
    for stick in sticks:
        shares.append(left * stick)
        left *= 1 - stick
    return [*shares, left]


def _sticks(shares: Sequence[float]) -> list[float]:
    """The part that each share but the last takes of what those before it left."""
    found, left = [], 1.0
    for share in shares[:-1]:
        found.append(min(1.0, float(share) / left) if left > 0 else 0.0)
        left -= float(share)
    return found


def spread_of(value: float, rows: Sequence[float], drifts: int) -> FigureSpread:
    """Return the mean and the spread of a figure from its values in all rows. `value` is the figure
    as counted, which may be more exact than the first row. A single row depends on no count.
    """
    if len(rows) == 1:
        return FigureSpread(value, 0.0, 0.0)
    mean = value + rows[1] - rows[0]
    plain = len(rows) - 2 * drifts
    off = [abs(row - rows[1]) for row in rows[plain:]]
    drift = sum(map(max, off[::2], off[1::2]))
    deviation = sqrt(sum((row - rows[1]) ** 2 for row in rows[2:plain]))
    least = 1e-9 * abs(value)
    return FigureSpread(
        mean, deviation if deviation > least else 0.0, drift if drift > least else 0.0
    )


def _counted(point: Parameters) -> Iterator[float]:
    """The shares as counted, in the order of `posterior_betas`."""
    for good, total in point.counted.values():
        yield good / total
    for counts in point.counted_bins.values():
        left = sum(counts)
        for number in counts[:-1]:
            yield number / left if left else 0.0
            left -= number
