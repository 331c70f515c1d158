"""Distributions on a lattice as arrays of numpy: what `frontier.lists` works out for small
pipelines, for large ones and those that need numpy anyway.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelang.analysis.frontier import lattice as transforms
from pipelang.analysis.frontier import lists
from pipelang.analysis.frontier.lattice import Lattice, Lognormal


def multiplied(one: Any, other: Any) -> Any:
    """The products at all points."""
    return one * other


def mixed(parts: list[tuple[float, Any]], everywhere: bool) -> Any:
    """The sum of shares of parts. A number among them is `everywhere`, or at 0."""
    single = sum(share * part for share, part in parts if isinstance(part, float))
    several = [share * part for share, part in parts if not isinstance(part, float)]
    if not several:
        return float(single)
    total = sum(several[1:], several[0])
    if everywhere:
        return total + single
    total[0] += single
    return total


def cumulated(masses: Any) -> Any:
    """The distribution function behind masses."""
    return masses if isinstance(masses, float) else np.cumsum(masses)


def differences(function: Any) -> Any:
    """The masses behind a distribution function."""
    return function if isinstance(function, float) else np.diff(function, prepend=0.0)


def whole(masses: Any, size: int) -> list[float]:
    """Masses at all points, written out."""
    if isinstance(masses, float):
        return [masses, *[0.0] * (size - 1)]
    found: list[float] = masses.tolist()
    return found


def masses_of(lattice: Lattice, amount: Lognormal | float) -> Any:
    """The masses of min(X, limit), or of an amount that is certain."""
    if not isinstance(amount, Lognormal) or amount.sigma == 0:
        return _array(lists.masses_of(lattice, amount))
    masses = lattice.below_limit(amount)
    if amount.limit < 4 * lattice.end:
        masses += amount.beyond * _array(lists.masses_of(lattice, amount.limit))
    return masses


def uniform(lattice: Lattice, longest: float) -> Any:
    """The masses of an amount anywhere in [0, longest]."""
    return _array(lists.uniform(lattice, longest))


def _array(masses: Any) -> Any:
    return masses if isinstance(masses, float) else np.array(masses)


def transformed(masses: Any, size: int) -> Any:
    """The transform of masses, at half of the points (the others are their conjugates)."""
    return masses if isinstance(masses, float) else transforms.transformed(masses)


def inverted(transform: Any, size: int) -> Any:
    """The masses behind a transform."""
    return transform if isinstance(transform, float) else transforms.inverted(transform, size)
