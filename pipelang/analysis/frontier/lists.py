"""Distributions on a lattice as lists: what `frontier.arrays` works out with numpy, without it.

To import numpy takes as long as some thousand operations on lists of a few hundred numbers, and a
small pipeline needs a few hundred. A number stands for a list: as a transform or a distribution
function for one that is the same everywhere, as masses for so much at 0.
"""

from __future__ import annotations

from bisect import bisect_left
from cmath import exp as turned
from functools import cache
from itertools import accumulate, repeat
from math import erfc, exp, floor, log, pi, sqrt
from operator import add, mul, sub
from typing import Any

from pipelang.analysis.frontier.lattice import DAMPING, Lattice, Lognormal

FEW = 6
"""Masses at so many points are transformed one by one."""


REACH, STEPS = 8, 500
"""The table of the standard normal distribution function: so many deviations to both sides, and
points in each.
"""
MIDDLE = REACH * STEPS


def multiplied(one: Any, other: Any) -> Any:
    """The products at all points: of transforms the transform of a sum, of distribution functions
    that of a maximum.
    """
    if isinstance(one, float):
        one, other = other, one
    if not isinstance(other, float):
        return list(map(mul, one, other))
    if isinstance(one, float):
        return one * other
    if other == 1.0:
        return one
    return [other * value for value in one] if other else 0.0


def mixed(parts: list[tuple[float, Any]], everywhere: bool) -> Any:
    """The sum of shares of parts. A number among them is `everywhere`, or at 0."""
    single = sum(share * part for share, part in parts if isinstance(part, float))
    several = [(share, part) for share, part in parts if not isinstance(part, float)]
    if not several:
        return float(single)
    total: list[Any] = []
    for start in range(0, len(several), 3):
        total = _sum(several[start : start + 3], total)
    if not everywhere:
        total[0] += single
    elif single:
        total = [single + value for value in total]
    return total


def _sum(several: list[tuple[float, Any]], total: list[Any]) -> list[Any]:
    """The sum of shares of up to three parts, and of a total."""
    match several:
        case [(a, one)]:
            found = [a * x for x in one]
        case [(a, one), (b, other)]:
            found = [a * x + b * y for x, y in zip(one, other, strict=True)]
        case [(a, one), (b, other), (c, third)]:
            found = [a * x + b * y + c * z for x, y, z in zip(one, other, third, strict=True)]
        case _:
            raise AssertionError("up to three")
    return list(map(add, total, found)) if total else found


def cumulated(masses: Any) -> Any:
    """The distribution function behind masses."""
    return masses if isinstance(masses, float) else list(accumulate(masses))


def differences(function: Any) -> Any:
    """The masses behind a distribution function."""
    if isinstance(function, float):
        return function
    return [function[0], *map(sub, function[1:], function)]


def whole(masses: Any, size: int) -> list[float]:
    """Masses at all points, written out."""
    return [masses, *[0.0] * (size - 1)] if isinstance(masses, float) else masses


# ------------------------------------------------------------------------------------ amounts


def masses_of(lattice: Lattice, amount: Lognormal | float) -> Any:
    """The masses of min(X, limit), or of an amount that is certain."""
    if not isinstance(amount, Lognormal):
        return _with_point(lattice, 0.0, amount, 1.0)
    if amount.sigma == 0:
        return _with_point(lattice, 0.0, min(amount.median, amount.limit), 1.0)
    masses = _below_limit(lattice, amount)
    return _with_point(lattice, masses, amount.limit, amount.beyond)


def uniform(lattice: Lattice, longest: float) -> Any:
    """The masses of an amount anywhere in [0, longest]."""
    size, step = lattice.size, lattice.step
    last = min(size, int(longest / step) + 1)
    inside = [min(number * step, longest) for number in range(last + 1)]
    below = [edge / longest for edge in inside]
    partial = [edge**2 / (2 * longest) for edge in inside]
    return _dispersed(size, 0, below, partial, 1 / step)


def _with_point(lattice: Lattice, masses: Any, amount: float, share: float) -> Any:
    """Masses with a share that is at one amount; over the end it comes back damped, as sums do."""
    if amount >= 4 * lattice.end or not share:
        return masses
    at = amount / lattice.step
    number = int(at)
    over = at - number
    found: list[float] = whole(masses, lattice.size)
    for place, part in ((number, 1 - over), (number + 1, over)):
        if part:
            times, left = divmod(place, lattice.size)
            found[left] += share * part * DAMPING**times
    return found


def _below_limit(lattice: Lattice, spread: Lognormal) -> Any:
    """The masses of X below its limit: only between the first edge and the last with any."""
    size, step = lattice.size, lattice.step
    median, sigma, limit = spread.median, spread.sigma, spread.limit
    first = int(median * exp(-REACH * sigma) / step)
    if first >= size or limit <= first * step:
        return 0.0
    most = log(median / step) + (REACH + sigma) * sigma
    last = min(size, int(exp(most)) + 1) if most < log(size) else size
    logs, end = _logs(size)[first:last], log(limit / step)
    if limit < last * step:
        del logs[int(limit / step) - first :]
        logs.append(end)
        last = first + len(logs)
    turn = STEPS / sigma
    start, shift = MIDDLE - log(median / step) * turn, sigma * STEPS
    places = [value * turn + start for value in logs]
    below = [0.0, *_normals(places)]
    partial = [0.0, *_normals([place - shift for place in places])]
    return _dispersed(size, first, below, partial, median * exp(sigma**2 / 2) / step)


def _dispersed(
    size: int, first: int, below: list[float], partial: list[float], unit: float
) -> list[float]:
    """Masses at all points, from P(X <= edge) and E[X; X <= edge] of those from the first on, the
    latter in units of so many steps.
    """
    mass = list(map(sub, below[1:], below))
    moments, end = map(sub, partial[1:], partial), first + len(mass)
    upper = [
        0.0 if (part := moment * unit - share * edge) < 0.0 else part if part < share else share
        for edge, moment, share in zip(_edges(size)[first:end], moments, mass, strict=True)
    ]
    found = [0.0] * (size + 1)
    found[first:end] = map(sub, mass, upper)
    found[first + 1 : end + 1] = map(add, found[first + 1 : end + 1], upper)
    del found[size:]
    return found


@cache
def _edges(size: int) -> list[float]:
    """All edges but the last, in steps."""
    return list(map(float, range(size)))


@cache
def _logs(size: int) -> list[float]:
    """The logarithms of all edges but the first, in steps."""
    return list(map(log, range(1, size + 1)))


@cache
def _table() -> tuple[list[float], list[float]]:
    """The standard normal distribution function between -8 and 8: at each place of the table, of
    the line that goes on from there, where it starts at the first place, and its slope.
    """
    turn = sqrt(2) * STEPS
    values = [0.5 * erfc(number / turn) for number in range(MIDDLE, -MIDDLE - 1, -1)]
    slopes = [*map(sub, values[1:], values), 0.0]
    return list(map(sub, values, map(mul, slopes, range(len(slopes))))), slopes


def _normals(places: list[float]) -> list[float]:
    """The standard normal distribution function at rising places of its table, to 2e-7."""
    values, slopes = _table()
    low, high = bisect_left(places, 0.0), bisect_left(places, len(values) - 1)
    near = places[low:high]
    inside = [
        values[at] + place * slopes[at] for place, at in zip(near, map(floor, near), strict=True)
    ]
    return [values[0]] * low + inside + [values[-1]] * (len(places) - high)


# --------------------------------------------------------------------------------- transforms


def transformed(masses: Any, size: int) -> Any:
    """The transform of masses, at half of the points (the others are their conjugates)."""
    if isinstance(masses, float):
        return masses
    if masses.count(0.0) >= size - FEW:
        return _by_points([(at, mass) for at, mass in enumerate(masses) if mass], size)
    damped = list(map(mul, masses, _half_damping(size)))
    paired = _fourier(list(map(complex, damped[::2], damped[1::2])))
    paired.append(paired[0])
    behind = [value.conjugate() for value in paired[::-1]]
    found = _pairs(paired, behind, size)
    found.append(complex(2 * (paired[0].real - paired[0].imag)))
    return found


def inverted(transform: Any, size: int) -> Any:
    """The masses behind a transform."""
    if isinstance(transform, float):
        return transform
    ahead = [value.conjugate() for value in transform]
    paired = _fourier(_pairs(ahead, transform[::-1], size))
    damped = [0.0] * size
    damped[::2] = [value.real for value in paired]
    damped[1::2] = [-value.imag for value in paired]
    return list(map(mul, damped, _undamping(size)))


def _pairs(ahead: list[complex], behind: list[complex], size: int) -> list[complex]:
    """The transform of even and odd values put together, or taken apart, in half of the points."""
    turned_apart = map(mul, _quarter_turns(size), map(sub, ahead, behind))
    return list(map(add, map(add, ahead, behind), turned_apart))


def _by_points(some: list[tuple[int, float]], size: int) -> Any:
    """The transform of masses at a few points."""
    circle, damping, half = _circle(size), _damping(size), size // 2 + 1
    found: Any = 0.0
    for at, mass in some:
        weight = mass * damping[at]
        if at == 0:
            part: Any = [complex(weight)] * half
        else:
            turns = range(0, at * half, at)
            part = [weight * circle[turn % size] for turn in turns]
        found = part if isinstance(found, float) else list(map(add, found, part))
    return found


def _fourier(values: list[complex]) -> list[complex]:
    """The discrete Fourier transform of as many values as a power of two (Cooley and Tukey, "An
    algorithm for the machine calculation of complex Fourier series", 1965): of all fours that stand
    as far apart as can be, then of twice as many again and again.
    """
    apart = len(values) // 4
    first, second, third, last = (values[at * apart : (at + 1) * apart] for at in range(4))
    one, two = list(map(add, first, third)), list(map(sub, first, third))
    three = list(map(add, second, last))
    four = list(map(mul, map(sub, second, last), repeat(-1j)))
    parts: list[Any] = list(
        zip(map(add, one, three), map(add, two, four), map(sub, one, three), map(sub, two, four),
            strict=True)
    )  # fmt: skip
    while len(parts) > 1:
        apart = len(parts) // 2
        turns = _turns(2 * len(parts[0]))
        for at in range(apart):
            even, odd = parts[at], list(map(mul, turns, parts[at + apart]))
            parts[at] = [*map(add, even, odd), *map(sub, even, odd)]
        del parts[apart:]
    return list(parts[0])


@cache
def _circle(size: int) -> list[complex]:
    return [turned(-2j * pi * number / size) for number in range(size)]


@cache
def _turns(size: int) -> list[complex]:
    return _circle(size)[: size // 2]


@cache
def _quarter_turns(size: int) -> list[complex]:
    """By which even and odd values are put together, once they were transformed as one."""
    return [complex(turn.imag, -turn.real) for turn in _turns(size)]


@cache
def _damping(size: int) -> list[float]:
    return [DAMPING ** (number / size) for number in range(size)]


@cache
def _half_damping(size: int) -> list[float]:
    return [0.5 * damped for damped in _damping(size)]


@cache
def _undamping(size: int) -> list[float]:
    """The inverse of the damping, and of the size that a transform there and back multiplies by."""
    return [1 / (size * damped) for damped in _damping(size)]
