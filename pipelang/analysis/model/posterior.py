"""Posterior of counts: Jeffreys' Beta for shares, Dirichlet(1/2) for bins.

A count of k in n has the posterior Beta(k + 1/2, n - k + 1/2); the bins of a file's confidences,
given right and given wrong, have Dirichlet posteriors with 1/2 added to every bin. 20,000 seeded
draws of all of them go through one sweep, as arrays. Parameters are drawn in the order in which the
program first uses them, so a result does not depend on the names of files.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, inf
from typing import TYPE_CHECKING, Any

from pipelang.analysis.model.bernstein_bounds import Grid
from pipelang.analysis.model.intervals import compare
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.model.work_limit import WorkPart, limited, note_limit
from pipelang.records import dataclass

if TYPE_CHECKING:
    import numpy as np

DRAWS = 20_000
SEED = 20261121


@dataclass(frozen=True, slots=True)
class Interval:
    """Posterior mean and central 95% interval."""

    mean: float
    low: float
    high: float


MOST_WORK = 100_000_000
"""States times draws; a pipeline that would take more gets fewer draws, but never under 1,000."""


def posterior(point: Parameters, work: int = 1) -> Parameters:
    """Parameters whose counted chances are arrays of posterior draws. `work` counts the states of a
    sweep.
    """
    import numpy as np

    count = draws_for(work)
    generator = np.random.Generator(np.random.PCG64(SEED))
    measured = {
        site: generator.beta(good + 0.5, total - good + 0.5, count)
        for site, (good, total) in point.counted.items()
    }
    bins: dict[tuple[str, bool], tuple[Any, ...]] = {}
    for key, counts in point.counted_bins.items():
        draws = generator.dirichlet([number + 0.5 for number in counts], count)
        bins[key] = tuple(draws[:, index] for index in range(len(counts)))
    return Parameters(point.evidence, point.unknown, measured, bins)


def draws_for(work: int) -> int:
    """Number of draws of a sweep that goes through so many states."""
    most = max(1_000, min(DRAWS, limited(MOST_WORK) // work))
    if most < DRAWS:
        note_limit(WorkPart.DRAWS, "", DRAWS, most)
    return most


FINEST = 16
ENOUGH_DRAWS = 2_000
MOST_POINTS = 150
"""Points at which quantiles of draws are looked at, at most, and draws that each has at least, if
so many fit.
"""


def looked_at(grid: Grid, work: int) -> Grid:
    """The points at which quantiles of draws are looked at: of an unknown that is no straight line
    more than its ends. What lies between points of a polynomial its coefficients say; a quantile of
    draws has none, so how many points it takes does not hang on the degree.
    """
    found = grid
    for degree in range(FINEST, 1, -1):
        found = Grid(grid.axes, tuple(degree if one > 1 else one for one in grid.degrees))
        enough = draws_beside(found.size, work) >= min(ENOUGH_DRAWS, draws_beside(1, work))
        if found.size <= MOST_POINTS and enough:
            break
    return found


MOST_ELEMENTS = 2_000_000
"""Points times draws, which is how long an array is."""


def draws_beside(points: int, work: int) -> int:
    """The number of draws at each of so many points; 0 where there are too many points."""
    each = min(DRAWS, MOST_ELEMENTS // points, limited(MOST_WORK) // (points * work))
    return each if each >= 100 else 0


def _central(draws: Any) -> tuple[Any, Any]:
    """The 2.5% and 97.5% quantiles of each row of draws. Of draws that nothing bounds they are two
    of the draws: between a number and infinity there is nothing to interpolate.
    """
    import numpy as np

    last = draws.shape[-1] - 1
    ends = [(floor(share * last), ceil(share * last), share * last) for share in (0.025, 0.975)]
    ordered = np.partition(draws, sorted({at for below, above, _ in ends for at in (below, above)}))
    if not np.isfinite(draws).all():
        return ordered[..., ends[0][0]], ordered[..., ends[1][1]]
    low, high = (_between(ordered[..., one], ordered[..., two], at - one) for one, two, at in ends)
    return low, high


def _between(below: Any, above: Any, share: float) -> Any:
    """The point so far on the way between two draws, as `numpy.quantile` has it to the bit: that
    imports numpy's masked arrays when it is first called, and looks at its arguments each time.
    """
    way = above - below
    return above - way * (1 - share) if share >= 0.5 else below + way * share


def widest(values: Any, points: int) -> Interval:
    """The smallest 2.5% and the largest 97.5% quantile over the points; the mean of all."""
    import numpy as np

    array: np.ndarray[Any, Any] = np.asarray(values, dtype=float)
    each = max(1, array.size // points)
    array = np.broadcast_to(array, (points * each,))
    low, high = _central(array.reshape(points, each))
    return Interval(float(array.mean()), float(low.min()), float(high.max()))


def around(parts: Sequence[Interval]) -> Interval:
    """The least low and the highest high end of some intervals, about the mean of the first."""
    return Interval(
        parts[0].mean, min(part.low for part in parts), max(part.high for part in parts)
    )


def interval(values: Any) -> Interval:
    """Mean and central 95% interval of an array of draws (or of one number)."""
    import numpy as np

    array: np.ndarray[Any, Any] = np.atleast_1d(np.asarray(values, dtype=float))
    least, most = float(array.min()), float(array.max())
    if most < inf and most - least <= 1e-15 * abs(most):  # one number, up to rounding
        return Interval(least, least, least)
    low, high = _central(array)
    return Interval(float(array.mean()), float(low), float(high))


def share_of(values: Any, op: str, target: float) -> float:
    """Return the share of the draws that satisfy `value op target`."""
    import numpy as np

    array: np.ndarray[Any, Any] = np.atleast_1d(np.asarray(values, dtype=float))
    return float(np.mean(compare(array, op, target)))
