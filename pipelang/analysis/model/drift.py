"""Drift: what was measured may be off by a declared `shift`, in a direction that nobody knows.

Each share from a file with a shift of s is an unknown between s points less and s points more than
its posterior says, within [0, 1]; so is, for right and for wrong answers, the share that reaches a
threshold. So the interval of a share moves outwards by s points, and its value stays. A figure of
degree one in each share, the usual case, is least and most where every share has drifted all the
way: the posterior is drawn in all of these combinations, or in those that the point finds worst.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pipelang.analysis.model.parameters import Parameters, bins_of

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

DriftKey = str | tuple[str, bool]
"""A share that may have drifted: its site, or the file and kind of the answers of some bins."""

Direction = Mapping[DriftKey, float]
"""Shares that drift, up (1) or down (-1); a threshold is reached by more or by fewer answers."""

MOST_DIRECTIONS = 16
"""Directions at most, of those that different figures find worst or best."""

Figures = Callable[[Parameters, int], Sequence[Any]]


def drifting(point: Parameters) -> dict[DriftKey, float]:
    """The shares that may have drifted, and by how much."""
    shifts = point.shifts
    found: dict[DriftKey, float] = {site: shifts[site] for site in point.counted if site in shifts}
    for file, right in point.counted_bins:
        shift = shifts.get(bins_of(file))
        if shift is not None and len(point.counted_bins[file, right]) > 1:
            found[file, right] = shift
    return found


def share_off(share: Any, by: Any) -> Any:
    """A share that is off by so much, within [0, 1]."""
    import numpy as np

    return np.clip(share + by, 0.0, 1.0)


def bins_off(parts: Sequence[Any], by: Any) -> tuple[Any, ...]:
    """Shares of bins, of which so much more reaches every threshold between them."""
    reached: list[Any] = []
    total: Any = 0.0
    for part in reversed(parts[1:]):
        total = total + part
        reached.append(share_off(total, by))
    edges = [1.0, *reversed(reached), 0.0]
    return tuple(high - low for high, low in pairwise(edges))


def directions(point: Parameters, figures: Figures) -> tuple[Direction, ...]:
    """The ways of drifting at which some figure is least or most; () without any shift. `figures`
    gives the figures of a sweep over so many columns.
    """
    import numpy as np

    shifts = drifting(point)
    if not shifts:
        return ()
    keys = list(shifts)
    corners = _corners(point, shifts, figures)
    if len(keys) <= FEW_SHARES:
        return tuple(_way(keys, corner) for corner in corners)
    found = figures(_drifted(point, shifts, corners), len(corners))
    chosen: dict[int, None] = {}
    for figure in found:
        values = np.broadcast_to(np.asarray(figure, dtype=float), (len(corners),))
        if not np.isfinite(values).all() or np.ptp(values) <= _NOTHING * abs(values).max():
            continue
        for end in (values.min(), values.max()):
            there = np.flatnonzero(np.abs(values - end) <= _NOTHING * abs(end))
            if not any(int(at) in chosen for at in there):
                chosen[int(there[0])] = None
    best = list(chosen)[:MOST_DIRECTIONS]
    return tuple(_way(keys, corners[at]) for at in best)


def _way(keys: Sequence[DriftKey], corner: Array) -> Direction:
    return {key: float(sign) for key, sign in zip(keys, corner, strict=True)}


_NOTHING = 1e-12

FEW_SHARES = 3
"""Shares whose draws go in all combinations; of more the point says which are worst and best."""

MOST_SHARES = 10
"""Shares of which the point looks at all combinations; more are followed to first order."""


def _corners(point: Parameters, shifts: Mapping[DriftKey, float], figures: Figures) -> Array:
    """Combinations of drifts, one a row: all of them, or those that each figure finds worst and
    best to first order.
    """
    import numpy as np

    count = len(shifts)
    if count <= MOST_SHARES:
        places = np.arange(2**count)
        return 1.0 - 2.0 * (places[:, None] >> np.arange(count) & 1)
    alone = np.repeat(np.eye(count), 2, axis=0) * np.tile([1.0, -1.0], count)[:, None]
    ways: dict[bytes, Array] = {}
    for figure in figures(_drifted(point, shifts, alone), 2 * count):
        values = np.broadcast_to(np.asarray(figure, dtype=float), (2 * count,))
        if np.isfinite(values).all():
            way = np.where(values[::2] >= values[1::2], 1.0, -1.0)
            ways |= {way.tobytes(): way, (-way).tobytes(): -way}
    return np.array(list(ways.values()))


def _drifted(point: Parameters, shifts: Mapping[DriftKey, float], ways: Array) -> Parameters:
    """The shares as counted, drifted in each of these ways: a column a row."""
    measured: dict[str, Any] = {}
    bins: dict[tuple[str, bool], tuple[Any, ...]] = {}
    for number, (key, shift) in enumerate(shifts.items()):
        by = ways[:, number] * shift
        if isinstance(key, str):
            good, total = point.counted[key]
            measured[key] = share_off(good / total, by)
        else:
            counts = point.counted_bins[key]
            bins[key] = bins_off([count / sum(counts) for count in counts], by)
    return Parameters(point.evidence, point.unknown, measured, bins)
