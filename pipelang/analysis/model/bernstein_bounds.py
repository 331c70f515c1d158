"""Certain bounds of polynomials over the unit box, by Bernstein coefficients.

Every unknown is a parameter u in [0, 1], and every figure of the sweep is a polynomial in them. Its
degree in each unknown is found by running the sweep over degrees instead of numbers: a product adds
them, a sum takes the larger. The polynomial is then evaluated on a grid (one sweep over arrays) and
written in Bernstein's basis, where it lies between its smallest and its largest coefficient
(Farouki, "The Bernstein polynomial basis: a centennial retrospective", 2012); halving the box makes
that as tight as desired. A polynomial of degree one in each unknown, the usual case, is exact at
once: its coefficients are its values at the corners.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from math import comb, cos, pi, prod
from typing import TYPE_CHECKING, Any

from pipelang.records import dataclass

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

GRID_LIMIT = 50_000
"""Points of the grid at most; beyond it, bounds are the trivial ones."""
MOST_DEGREE = 256
"""Degree in one unknown at most: the coefficients take the degree's cube of work, and of thousands
no float holds them.
"""
TIGHT = 1e-10
SPLITS = 4_000
MOST_KEPT = 8_000_000
"""Coefficients of boxes that wait to be halved, 64 MB: a grid may have 50,000 points, and thousands
of boxes as many coefficients each. What the last thousands of halvings win is below a thousandth.
"""
BEYOND = 1_000_000
"""The degree of what is no polynomial."""


class Degrees:
    """The degree of a polynomial in each unknown, with the arithmetic of a sweep."""

    __slots__ = ("by",)

    def __init__(self, by: tuple[int, ...]) -> None:
        self.by = by

    def _max(self, other: Any) -> Degrees:
        if not isinstance(other, Degrees):
            return self
        return Degrees(tuple(map(max, self.by, other.by)))

    __add__ = __radd__ = __sub__ = __rsub__ = _max

    def __mul__(self, other: Any) -> Degrees | float:
        if not isinstance(other, Degrees):
            return self if other else 0.0  # what never happens leads nowhere
        return Degrees(tuple(a + b for a, b in zip(self.by, other.by, strict=True)))

    __rmul__ = __mul__

    def _no_polynomial(self, other: Any) -> Degrees:
        """A quotient is no polynomial: its degree is beyond every grid."""
        both = other.by if isinstance(other, Degrees) else self.by
        return Degrees(tuple(BEYOND if a or b else 0 for a, b in zip(self.by, both, strict=True)))

    __truediv__ = __rtruediv__ = _no_polynomial

    def __gt__(self, other: Any) -> bool:
        """True: sweeps ask it of chances alone, to cut off what rounding left below 0."""
        return True


def degree_of(value: Any, unknowns: int) -> tuple[int, ...]:
    """The degrees of a figure of a sweep over degrees; a plain number has none."""
    return value.by if isinstance(value, Degrees) else (0,) * unknowns


@dataclass(frozen=True, slots=True)
class Axis:
    """An unknown: one share, or (with `parts`) so many that sum to 1."""

    site: str
    parts: int = 0


def axes_of(unknown: Iterable[str], sticks: Mapping[str, int]) -> list[Axis]:
    """The unknowns, with the parts of what sums to 1 put together."""
    axes: dict[str, Axis] = {}
    for site in unknown:
        whole = site.rpartition("[")[0]
        axis = Axis(whole, sticks[whole]) if whole in sticks else Axis(site)
        axes[axis.site] = axis
    return list(axes.values())


def broken(axes: Iterable[Axis], whole: Container[str]) -> list[Axis]:
    """The same unknowns, with all that sum to 1 taken apart but those that stay `whole`."""
    return [
        part
        for axis in axes
        for part in (
            [axis]
            if not axis.parts or axis.site in whole
            else [Axis(f"{axis.site}[{index}]") for index in range(axis.parts - 1)]
        )
    ]


Unknown = Callable[[str], Any]
Choose = Callable[[str, int], list[Any] | None]


def unknown_degrees(axes: Sequence[Axis]) -> tuple[Unknown, Choose]:
    """Return the values of unknowns in a sweep over degrees."""
    units = {
        axis.site: Degrees(tuple(int(at == index) for at in range(len(axes))))
        for index, axis in enumerate(axes)
    }
    whole = {axis.site for axis in axes if axis.parts}
    none = Degrees((0,) * len(axes))
    return (
        lambda site: units.get(site, none),
        lambda site, count: [units[site]] * count if site in whole else None,
    )


@dataclass(frozen=True, slots=True)
class Grid:
    """Points at which a polynomial of these degrees is evaluated: a tensor of Chebyshev points.

    Shares that sum to 1 enter with degree one, so their axis has a point for every one of them
    being all: what lies between is a mixture. An unknown that is not on the grid is put at one
    half, because nothing that is read there depends on it.
    """

    axes: tuple[Axis, ...]
    degrees: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(
            axis.parts or degree + 1 for axis, degree in zip(self.axes, self.degrees, strict=True)
        )

    @property
    def size(self) -> int:
        """The number of points; beyond every limit where a degree is."""
        points = prod(self.shape)
        return points if max(self.degrees, default=0) <= MOST_DEGREE else max(points, BEYOND)

    @property
    def wide(self) -> list[int]:
        """The axes of more than one point. Arrays have 32 or 64 dimensions, and of unknowns that
        a figure does not hang on there may be any number.
        """
        return [axis for axis, points in enumerate(self.shape) if points > 1]

    def points(self, axis: int) -> list[float]:
        """The points of one unknown, both ends included."""
        if self.axes[axis].parts:
            return [float(index) for index in range(self.axes[axis].parts)]
        degree = self.degrees[axis]
        if degree == 0:
            return [0.5]
        return [(1 - cos(pi * step / degree)) / 2 for step in range(degree + 1)]

    def _flat(self, axis: int) -> Array:
        """An axis' point at every point of the grid."""
        import numpy as np

        inner = prod(self.shape[axis + 1 :])
        points: Array = np.repeat(np.asarray(self.points(axis), dtype=float), inner)
        return np.tile(points, self.size // points.size)

    def values(self) -> tuple[Unknown, Choose]:
        """Return the values of unknowns in a sweep over the grid."""
        places = {axis.site: index for index, axis in enumerate(self.axes)}

        def unknown(site: str) -> Any:
            return self._flat(places[site]) if site in places else 0.5

        def choose(site: str, count: int) -> list[Any] | None:
            if site not in places:
                return None
            chosen = self._flat(places[site])
            return [(chosen == index).astype(float) for index in range(count)]

        return unknown, choose

    def coefficients(self, values: Any) -> Array:
        """Bernstein coefficients of the polynomial with these values on the grid, along its wide
        axes; of many polynomials at once if `values` has further axes.
        """
        import numpy as np

        table = np.asarray(values, dtype=float)
        rest = table.shape[1:]
        shape = [self.shape[axis] for axis in self.wide]
        tensor: Array = np.broadcast_to(table, (self.size, *rest)).reshape((*shape, *rest))
        for place, axis in enumerate(self.wide):
            degree = self.degrees[axis]
            if degree <= 1 or self.axes[axis].parts:
                continue  # of degree one, the values at both ends are the coefficients
            basis = np.array(
                [
                    [comb(degree, m) * x**m * (1 - x) ** (degree - m) for m in range(degree + 1)]
                    for x in self.points(axis)
                ]
            )
            moved = np.moveaxis(tensor, place, 0)
            solved = np.linalg.solve(basis, moved.reshape(degree + 1, -1)).reshape(moved.shape)
            tensor = np.moveaxis(solved, 0, place)
        return tensor

    def enclose(self, values: Any) -> Bounds:
        """The range of a figure with these values on the grid."""
        import numpy as np

        tensor = self.coefficients(values)
        mixed = [place for place, axis in enumerate(self.wide) if self.axes[axis].parts]
        rows = np.moveaxis(tensor, mixed, range(len(mixed)))
        rows = rows.reshape((-1, *rows.shape[len(mixed) :]))
        found = [enclose(row) for row in rows]
        return Bounds(
            min(bounds.low for bounds in found),
            max(bounds.high for bounds in found),
            all(bounds.tight for bounds in found),
        )


@dataclass(frozen=True, slots=True)
class Bounds:
    """Certain bounds; `tight` if they are reached up to 1e-9."""

    low: float
    high: float
    tight: bool


def enclose(coefficients: Array) -> Bounds:
    """The range of a polynomial over the unit box, from its Bernstein coefficients."""
    low, low_tight = _minimum(coefficients)
    high, high_tight = _minimum(-coefficients)
    return Bounds(low, -high, low_tight and high_tight)


def _minimum(coefficients: Array) -> tuple[float, bool]:
    """A lower bound of the minimum, and whether it is within `TIGHT` of it: branch and bound. Of a
    box that is never halved, because nothing in it is lower than what was found, the coefficients
    are not kept; once those that are kept are too many, the bound is that of the boxes so far.
    """
    if coefficients.ndim == 0:
        return float(coefficients), True
    best = _corner(coefficients)
    heap: list[tuple[float, int, Array | None]] = [(float(coefficients.min()), 0, coefficients)]
    kept_numbers = coefficients.size
    for split in range(1, SPLITS):
        lowest, _, box = heap[0]
        if best - lowest <= TIGHT or box is None:
            return lowest, True
        if kept_numbers > MOST_KEPT:
            break
        heapq.heappop(heap)
        kept_numbers -= box.size
        for number, half in enumerate(_halves(box)):
            best, least = min(best, _corner(half)), float(half.min())
            kept = None if best - least <= TIGHT else half
            kept_numbers += 0 if kept is None else kept.size
            heapq.heappush(heap, (least, 2 * split + number, kept))
    return heap[0][0], False


def _corner(coefficients: Array) -> float:
    """The smallest coefficient at a corner: a value that the polynomial really takes."""
    corners = coefficients
    for axis in range(coefficients.ndim):
        corners = corners.take([0, -1], axis=axis)
    return float(corners.min())


def _halves(box: Array) -> tuple[Array, Array]:
    """Both halves of a box, by de Casteljau, along the axis in which it varies most."""
    import numpy as np

    spans = [
        float(np.abs(np.diff(box, axis=axis)).max()) if box.shape[axis] > 2 else -1.0
        for axis in range(box.ndim)
    ]
    axis = int(np.argmax(spans))
    if spans[axis] < 0:  # of degree one everywhere: any axis that is there at all
        axis = int(np.argmax(box.shape))
    level = np.moveaxis(box, axis, 0)
    count = level.shape[0]
    left, right = [level[0]], [level[-1]]
    while level.shape[0] > 1:
        level = (level[1:] + level[:-1]) / 2
        left.append(level[0])
        right.append(level[-1])
    first = np.moveaxis(np.stack(left[:count]), 0, axis)
    second = np.moveaxis(np.stack(right[:count][::-1]), 0, axis)
    return first, second
