"""Posteriors of quantiles, by those of the share of runs below each amount.

A quantile of dollars is one of a few amounts, and jumps from one to another when a counted share
moves a little; so how fast it moves says nothing. The share of runs that take at most x is smooth
in all counts. To first order it has a mean and a deviation, and a Beta with these (which is exact
where one count decides) says how likely it is to reach the quantile's share: that is the chance
that the quantile is at most x (so R. S. Woodruff's intervals, Journal of the American Statistical
Association 47, 1952).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import erf, inf, sqrt
from typing import TYPE_CHECKING, Any

from pipelang.analysis.latency.quantiles import LONE, WIDE, amount, quantile_of
from pipelang.records import dataclass
from pipelang.statistics.beta import incomplete_beta

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

EDGE = 0.025
"""A central 95% interval leaves so much out on each side."""

FAR = 9.0
"""So many deviations away from a share, a chance counts as certain."""

MANY = 1e7
"""A Beta of so many cases is normal."""

SURE = 1e-4
"""A lattice is large enough if less than this is left beyond it."""

LEAST = 1e-9
"""A smaller part of a quantile is no difference."""

CLOSE = 5e-4
"""An amount that is read off a lattice is within this part of what it is."""

NOISE = 10 * LONE
"""Shares of runs that are as near as this are not told apart: each cell of a lattice may lack what
its noise is."""

HALVINGS = 18
"""Halvings of a cell of a lattice: to the seventh digit of a quantile."""


def chance_above(mean: float, deviation: float, share: float) -> float:
    """P(X >= share), X in [0, 1] of this mean and deviation."""
    gap = mean - share
    if deviation <= LONE or abs(gap) > FAR * deviation:
        return float(gap >= -LONE)
    if not 0 < mean < 1:
        return float(mean >= share)
    cases = mean * (1 - mean) / deviation**2 - 1
    if cases <= 0:
        return mean  # as far apart as can be: 0 or 1
    if cases > MANY:
        return 0.5 * (1 + erf(gap / deviation / sqrt(2)))
    return incomplete_beta(1 - share, cases * (1 - mean), cases * mean)


@dataclass(frozen=True, slots=True)
class QuantilePlace:
    """A place where a quantile may lie: an amount by itself, or all from `start` to `end`. The
    shares of runs below its start and up to its end, how sure these are, and how far they drift.
    """

    start: float
    end: float
    before: tuple[float, float, float]
    after: tuple[float, float, float]

    def at(self, part: float) -> tuple[float, float, float]:
        """The share of runs up to a part of the cell, its deviation and its drift."""
        mean, deviation, drift = (
            first + (last - first) * part
            for first, last in zip(self.before, self.after, strict=True)
        )
        return mean, deviation, drift


@dataclass(frozen=True, slots=True)
class QuantileSpread:
    """The posterior of a quantile: its mean, and by ascending cells the chances that it is no
    higher than their ends, if drift works against that, not at all, and for it. `off`: so far the
    cells' own reading of what was counted lay beside the value.
    """

    mean: float
    share: float
    cells: tuple[QuantilePlace, ...]
    chances: tuple[tuple[float, ...], ...]
    low: float
    high: float
    off: float = 0.0

    @property
    def deviation(self) -> float:
        """More than nothing where it is not certain what the quantile is: between the ends of the
        cells, or within one.
        """
        if self.high - self.low > LEAST * self.high:
            return self.high - self.low
        return max((min(one, 1 - one) for side in self.chances for one in side), default=0.0)

    @property
    def whole(self) -> bool:
        """Whether the cells reach as far as the quantile may lie."""
        return bool(self.cells) and self.chances[0][-1] >= 1 - SURE

    def bounds(self) -> tuple[float, float]:
        """The central 95%, and what drift adds to it."""
        return self.low, self.high

    def told_apart(self, amount: float) -> float:
        """The distance from an amount within which the lattice tells no other from it: its
        cell, and as far as two lattices read one amount apart.
        """
        at = bisect_left(self.cells, amount, key=lambda cell: cell.end)
        if at == len(self.cells) or self.cells[at].end == self.cells[at].start:
            return 0.0
        return self.cells[at].end - self.cells[at].start + abs(self.off)

    def nearly_reached(self, amount: float) -> bool:
        """Whether all but noise of the quantile's share of runs takes no more than an amount. Such
        a share is read as reached; of the posterior it may still be a few deviations away.
        """
        at = bisect_right(self.cells, amount, key=lambda cell: cell.start) - 1
        return at >= 0 and abs(self.cells[at].after[0] - self.share) <= NOISE

    def below(self, target: float, side: int, closed: bool) -> float:
        """P(the quantile is at most a target, or less if it is not `closed`); `side` is that of the
        chances.
        """
        near = 1 - CLOSE if closed else 1 + CLOSE
        starts = [cell.start * (near if cell.start == cell.end else 1) for cell in self.cells]
        at = bisect_right(starts, target) - 1
        if at < 0:
            return 0.0
        cell = self.cells[at]
        part = 1.0
        if cell.end > cell.start:
            part = min(1.0, (target - cell.start) / (cell.end - cell.start))
        before = self.chances[side][at - 1] if at else 0.0
        return max(before, _chance(cell.at(part), self.share, side))

    def chance(self, op: str, target: float) -> float:
        """P(the quantile is on the right side of a target), where drift is least kind."""
        if op in ("<", "<="):
            return self.below(target, 0, op == "<=")
        return 1 - self.below(target, 2, op == ">")


def _chance(there: tuple[float, float, float], share: float, side: int) -> float:
    mean, deviation, drift = there
    return chance_above(min(1.0, max(0.0, mean + (side - 1) * drift)), deviation, share)


def quantile_spread(
    value: float,
    rows: Sequence[float],
    lattices: Sequence[tuple[float, Array]],
    share: float,
    drifts: int,
) -> QuantileSpread:
    """Return the posterior of a quantile. `value` is the one as counted, which may be more exact
    than the first of its `rows`; lattices have the masses of all rows (see `moved`).

    Where the cells are those of a stretch, both rows that are compared with it are read as these
    cells are. One of them may look like a mass that stands alone and the other not: its centre
    and a point of a stretch are no two readings of one thing.
    """
    if len(rows) == 1:  # it hangs on no count
        here = (1.0, 0.0, 0.0)
        places = (QuantilePlace(value, value, here, here),)
        return QuantileSpread(value, share, places, ((1.0,),) * 3, value, value)
    counted, expected = (_spread_out(lattices, row, share) for row in (0, 1))
    off = value - counted if counted < inf else 0.0
    cells: list[QuantilePlace] = []
    for number, (step, masses) in enumerate(lattices, 1):
        start = cells[-1].end if cells else -inf
        made = cells_of(masses, step, drifts, value, off, number == len(lattices))
        cells += [cell for cell in made if cell.start >= start]
    sides = [_chances(cells, share, side) for side in ((0, 1, 2) if drifts else (1,))]
    least, plain, most = sides if drifts else sides * 3
    low = _reaching(cells, most, share, 2, EDGE)
    high = _reaching(cells, least, share, 0, 1 - EDGE)
    mean = _mean(value, expected - counted if max(counted, expected) < inf else None, cells, plain)
    chances = (least, plain, most)
    return QuantileSpread(mean, share, tuple(cells), chances, low, high, off)


def _spread_out(lattices: Sequence[tuple[float, Array]], row: int, share: float) -> float:
    """A row's quantile by the finest lattice that reaches it, with no mass at its centre."""
    for step, masses in lattices:
        found = quantile_of(masses[row], step, share, centred=False)
        if found is not None:
            return found
    return inf


def ends_around(value: float, spread: QuantileSpread) -> tuple[float, float]:
    """The ends of a posterior, with the value for one that is on its wrong side and that a lattice
    does not tell from it: where counts hardly matter, noise moves both by more than they are apart.
    """
    low, high = spread.bounds()
    if value < low and (
        low <= value + max(CLOSE * value, spread.told_apart(low)) or spread.nearly_reached(value)
    ):
        return value, high if high > low else value
    if value - max(CLOSE * value, spread.told_apart(high)) <= high < value:
        return low if low < high else value, value
    return low, high


def _chances(cells: Sequence[QuantilePlace], share: float, side: int) -> tuple[float, ...]:
    """The chances that the quantile is no higher than the end of each cell."""
    found, reached = [], 0.0
    for cell in cells:
        reached = max(reached, _chance(cell.after, share, side))
        found.append(reached)
    return tuple(found)


def _reaching(
    cells: Sequence[QuantilePlace], chances: Sequence[float], share: float, side: int, chance: float
) -> float:
    """The least amount that the quantile is at most with a chance."""
    at = bisect_left(chances, chance)
    if at == len(chances):
        return inf
    cell, low, high = cells[at], 0.0, 1.0
    for _ in range(HALVINGS if cell.end > cell.start else 0):
        middle = (low + high) / 2
        enough = _chance(cell.at(middle), share, side) >= chance
        low, high = (low, middle) if enough else (middle, high)
    return cell.start + (cell.end - cell.start) * high


def cells_of(
    masses: Array, step: float, drifts: int, value: float, off: float, last_one: bool
) -> list[QuantilePlace]:
    """Return the cells of a lattice; those of a stretch are moved by `off`, and amounts that are as
    near to the value as the lattice tells apart are the value. An amount that the end cuts belongs
    to the next lattice, unless this is the last one.
    """
    import numpy as np

    below = np.minimum(1.0, np.cumsum(masses, axis=-1))
    plain = len(below) - 2 * drifts
    mean = np.maximum.accumulate(below[1])
    deviation = np.sqrt(((below[2:plain] - below[1]) ** 2).sum(axis=0))
    away = np.abs(below[plain:] - below[1])
    drift = np.maximum(away[::2], away[1::2]).sum(axis=0) if drifts else np.zeros_like(mean)
    shares = list(zip(mean.tolist(), deviation.tolist(), drift.tolist(), strict=True))
    there = np.flatnonzero(np.abs(masses).max(axis=0) > LONE)
    found = []
    for stretch in np.split(there, np.flatnonzero(np.diff(there) > 1) + 1):
        if not len(stretch):
            continue
        first, last = int(stretch[0]), int(stretch[-1])
        short, cut = last - first < WIDE, last + 1 == len(shares)
        if short and cut and not last_one:
            continue
        part = masses[1, first : last + 1]
        if first == 0 and (last == 0 or not short):
            found.append(QuantilePlace(0.0, 0.0, shares[0], shares[0]))
            first, part = 1, part[1:]
        if len(part) == 0:
            continue
        if short and not cut and part.sum() > LONE:
            centre = amount(float((part * np.arange(first, last + 1)).sum() / part.sum()) * step)
            if (first - 1) * step < value < (last + 1) * step:
                centre = value
            found.append(QuantilePlace(centre, centre, shares[last], shares[last]))
            continue
        before = shares[first - 1]
        for at in range(first, last + 1):
            start, end = (max(0.0, (at + half) * step + off) for half in (-0.5, 0.5))
            found.append(QuantilePlace(start, end, before, shares[at]))
            before = shares[at]
    return found


def _mean(
    value: float, away: float | None, cells: Sequence[QuantilePlace], chances: Sequence[float]
) -> float:
    """The posterior mean: to first order in a stretch (so far `away` from the value), else of what
    lies in each cell.
    """
    first = next((at for at, one in enumerate(chances) if one > SURE), len(cells))
    last = next((at for at, one in enumerate(chances) if one >= 1 - SURE), len(cells) - 1)
    inside = cells[first : last + 1]
    smooth = all(cell.end > cell.start for cell in inside) and all(
        one.end >= other.start * (1 - 1e-9) for one, other in pairwise(inside)
    )
    if (smooth or not inside) and away is not None:
        return value + away
    if len(inside) == 1 and not any(SURE < chance < 1 - SURE for chance in chances):
        return value
    found, before = 0.0, 0.0
    for cell, chance in zip(cells, chances, strict=True):
        found += (cell.start + cell.end) / 2 * (chance - before)
        before = chance
    return found + (cells[-1].end if cells else value) * (1 - before)
