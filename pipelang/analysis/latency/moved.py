"""Perturbed parameters for the delta method: counted shares as counted, at their posterior means,
and each in turn moved by a standard deviation.

To first order, the posterior variance of a figure is the sum of the squares of its changes, because
counted shares are independent. Dirichlet bins are decomposed into independent Betas by stick
breaking.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.model.quadrature import posterior_betas, with_posterior

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


def moved(point: Parameters) -> tuple[Parameters, int]:
    """Return the parameters as columns, and the number of rows: one for the shares as counted, one
    for the posterior means, one for each share moved by a standard deviation.
    """
    import numpy as np

    betas = list(posterior_betas(point))
    counted = list(_counted(point))
    rows = len(betas) + 2
    columns: list[Array] = []
    for number, (a, b) in enumerate(betas):
        mean = a / (a + b)
        deviation = sqrt(mean * (1 - mean) / (a + b + 1))
        column = np.full((rows, 1), mean)
        column[0] = counted[number]
        column[number + 2] = mean + deviation if mean + deviation <= 1 else mean - deviation
        columns.append(column)
    return with_posterior(point, iter(columns)), rows


def spread_of(value: float, rows: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the standard deviation of a figure from its values in all rows. `value`
    is the figure as counted, which may be more exact than the first row. A single row depends on no
    count.
    """
    if len(rows) == 1:
        return value, 0.0
    mean = value + rows[1] - rows[0]
    deviation = sqrt(sum((row - rows[1]) ** 2 for row in rows[2:]))
    return mean, deviation if deviation > 1e-9 * abs(value) else 0.0


def _counted(point: Parameters) -> Iterator[float]:
    """The shares as counted, in the order of `posterior_betas`."""
    for good, total in point.counted.values():
        yield good / total
    for counts in point.counted_bins.values():
        left = sum(counts)
        for number in counts[:-1]:
            yield number / left if left else 0.0
            left -= number
