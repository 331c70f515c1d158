"""Amounts on a lattice, by their z-transforms.

A lattice has `size` points 0, h, 2h, ... A distribution is a mass at each; what lies between two
points is shared between them so that its mean stays (Gerber's "mass dispersal", in "On the
numerical evaluation of the distribution of aggregate claims and its stop-loss premiums", 1982). The
transform is taken at `size` points of the circle of radius r < 1 with r^size = DAMPING: a sum that
runs over the end comes back damped by that much, where the plain Fourier transform would bring it
back in full (Grübel and Hermesmeier, "Computation of compound distributions I: aliasing errors and
exponential tilting", 1999).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from math import erfc, exp, gcd, inf, log, sqrt
from typing import TYPE_CHECKING, Any

from pipelang.records import dataclass

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

DAMPING = 1e-8

FEWEST = 4
"""Points to a unit of which multiples are to lie on points: with fewer the lattice would be much
coarser than it was to be.
"""
MICROSECONDS = 1_000_000
TICKS = 1e15
"""Microseconds that a float still counts one by one."""

ROUNDING = 1e-9
"""Share of an amount that is rounding: what lies so near below a point lies on it."""

Z95 = 1.6448536269514722
"""The 95% quantile of the standard normal."""


@dataclass(frozen=True, slots=True)
class Lognormal:
    """min(X, limit) with X lognormal, by its median and sigma; `limit` may be infinite."""

    median: float
    sigma: float
    limit: float = inf

    @property
    def mean(self) -> float:
        """Seconds on average."""
        return self.partial(self.limit) + (self.limit * self.beyond if self.beyond else 0.0)

    @property
    def beyond(self) -> float:
        """P(X > limit)."""
        return 0.0 if self.limit == inf else 1 - self.below(self.limit)

    def below(self, amount: float) -> float:
        """P(X <= amount)."""
        if amount == inf:
            return 1.0
        if amount <= 0:
            return 0.0
        if self.sigma == 0:
            return float(amount >= self.median)
        return normal(log(amount / self.median) / self.sigma)

    def partial(self, amount: float) -> float:
        """E[X; X <= amount] = median exp(sigma^2 / 2) Phi(ln(amount / median) / sigma - sigma)."""
        if amount <= 0:
            return 0.0
        whole = self.median * exp(self.sigma**2 / 2)
        if amount == inf:
            return whole
        if self.sigma == 0:
            return self.median if amount >= self.median else 0.0
        return whole * normal(log(amount / self.median) / self.sigma - self.sigma)

    def quantile(self, distance: float) -> float:
        """The amount so many standard deviations out, at most the limit."""
        return min(self.limit, self.median * exp(self.sigma * distance))


@dataclass(frozen=True, slots=True)
class Amount:
    """A time in seconds between `least` and `most`, each a distribution or a certain number."""

    least: Lognormal | float
    most: Lognormal | float


NONE = Amount(0.0, 0.0)


def sigma_of(median: float, p95: float) -> float:
    """The lognormal's sigma: ln(p95 / median) / Z95."""
    return log(p95 / median) / Z95


def normal(distance: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * erfc(-distance / sqrt(2))


@dataclass(frozen=True, slots=True)
class Lattice:
    """`size` points, `step` apart."""

    step: float
    size: int

    @property
    def end(self) -> float:
        return self.step * self.size

    def before(self, amount: float) -> int:
        """The number of the last point that is not beyond an amount."""
        return int(amount / self.step * (1 + ROUNDING))

    def on(self, unit: float, fewest: int = FEWEST) -> Lattice:
        """The lattice that reaches as far or somewhat farther, and has multiples of a unit at its
        points; this one where there is no unit, or it has fewer points to it.
        """
        points = self.before(unit)
        return Lattice(unit / points, self.size) if points >= fewest else self

    def point(self, amount: float) -> Array:
        """The transform of an amount that is certain."""
        import numpy as np

        if amount >= 4 * self.end:
            return np.zeros(self.size // 2 + 1, dtype=complex)
        at = amount / self.step
        whole = int(at)
        share = at - whole
        logs = log_circle(self.size)
        here: Array = np.exp(logs * whole)
        if share == 0:
            return here
        result: Array = here * ((1 - share) + share * np.exp(logs))
        return result

    def uniform(self, longest: float) -> Array:
        """The transform of an amount anywhere in [0, longest]."""
        import numpy as np

        edges = np.arange(self.size + 1) * self.step
        inside = np.minimum(edges, longest)
        return self.transform(_dispersed(edges, inside / longest, inside**2 / (2 * longest)))

    def lognormal(self, spread: Lognormal) -> Array:
        """The transform of min(X, limit)."""
        if spread.sigma == 0:
            return self.point(min(spread.median, spread.limit))
        result = self.transform(self.below_limit(spread))
        if spread.limit < 4 * self.end:
            result = result + spread.beyond * self.point(spread.limit)
        return result

    def below_limit(self, spread: Lognormal) -> Array:
        """The masses of X where it is below its limit; its sigma is not 0."""
        import numpy as np

        edges = np.arange(self.size + 1) * self.step
        inside = np.minimum(edges[1:], spread.limit)
        distance = np.log(inside / spread.median) / spread.sigma
        below = np.concatenate(([0.0], _normals(distance)))
        whole = spread.median * exp(spread.sigma**2 / 2)
        partial = np.concatenate(([0.0], whole * _normals(distance - spread.sigma)))
        return _dispersed(edges, below, partial)

    def transform(self, masses: Array) -> Array:
        """The transform of the masses at all points (along the last axis)."""
        return transformed(masses)

    def masses(self, transform: Array) -> Array:
        """The masses at all points behind a transform."""
        return inverted(transform, self.size)


def log_circle(size: int) -> Array:
    """The logarithms of the points at which transforms are taken (half of them: the others are
    their conjugates).
    """
    import numpy as np

    turn: Array = -2j * np.pi * np.arange(size // 2 + 1) / size
    return turn + log(DAMPING) / size


def common_unit(seconds: Iterable[float]) -> float:
    """The longest time of which all are multiples, to the microsecond; 0.0 where there is none."""
    unit = 0
    for one in seconds:
        ticks = one * MICROSECONDS
        if not ticks < TICKS or abs(ticks - round(ticks)) > 1e-3:
            return 0.0
        unit = gcd(unit, round(ticks))
    return unit / MICROSECONDS


@cache
def _damping(size: int) -> Any:
    import numpy as np

    return DAMPING ** (np.arange(size) / size)


def transformed(masses: Array) -> Array:
    """Transforms of masses, along the last axis."""
    import numpy as np

    result: Array = np.fft.rfft(masses * _damping(masses.shape[-1]))
    return result


def inverted(transforms: Array, size: int) -> Array:
    """Masses behind transforms, along the last axis."""
    import numpy as np

    result: Array = np.fft.irfft(transforms, size) / _damping(size)
    return result


def _dispersed(edges: Array, below: Array, partial: Array) -> Array:
    """Masses at all points but the last edge, from P(X <= edge) and E[X; X <= edge]."""
    import numpy as np

    mass, moment = np.diff(below), np.diff(partial)
    step = edges[1]
    upper = np.clip((moment - mass * edges[:-1]) / step, 0.0, mass)
    masses: Array = mass - upper
    masses[1:] += upper[:-1]
    return masses


@cache
def _table() -> Any:
    """The standard normal distribution function at 8,001 points between -8 and 8."""
    import numpy as np

    points = np.linspace(-8.0, 8.0, 8001)
    # `normal` of each, to the bit: a call of it for each point took longer than a small pipeline.
    return points, 0.5 * np.array(list(map(erfc, (-points / sqrt(2)).tolist())))


def _normals(distances: Array) -> Array:
    """The standard normal distribution function, to 2e-7."""
    import numpy as np

    points, values = _table()
    found: Array = np.interp(distances, points, values)
    return found
