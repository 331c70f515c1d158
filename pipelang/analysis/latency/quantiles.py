"""Quantiles and means of cost and time, by walks at several scales.

A first walk covers all magnitudes coarsely. A second one has, for every quantile, a lattice that
ends just above the first walk's result. Both are read off the masses on a lattice; an isolated mass
is placed at its centre, because sums on a lattice keep their means.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import inf
from typing import TYPE_CHECKING, Any

from pipelang.analysis.frontier.lattice import Lattice, inverted
from pipelang.analysis.frontier.meter import MOST, TINY, Measure, Meter, Scale
from pipelang.analysis.latency.walk import TimeWalk, walk
from pipelang.analysis.model.model import PipelineModel
from pipelang.analysis.model.parameters import Parameters
from pipelang.records import dataclass, replace
from pipelang.semantics.metrics import P50, P95, P99

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

SHARES = {P50: 0.5, P95: 0.95, P99: 0.99}

COARSE, FINE = 128, 512
"""Points of the lattices of the first and the second walk."""

RANGES = {Measure.COST: (1e-7, 1e4)}
SECONDS = (1e-3, 3e7)
APART = 8.0
"""The scales of the first walk: dollars and seconds, each so many times the one before."""

TOP = 1 - 1e-6
"""The share of runs that take no more than the most there is, but for noise."""

WIDER = 4.0
FINER = 12.0
MAGNITUDES = 3
"""Scales beyond the quantiles, and below them: each so many times the one before, and how many."""

FEW = 24
"""Points of a lattice up to an amount that is read off it well enough."""

ROOM = 1.25
"""Reach of the lattice beyond its quantile."""

LONE = 1e-7
"""Less than this is the noise of the transform."""

DIGITS = 9
"""Digits of an amount that is not of that noise."""

WIDE = 6
"""A mass that is spread over more points than this is no single amount."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The cost or time of runs in one measure, by the row of parameters: means and quantiles,
    infinite where nothing bounds them. `lattices` are the step and the masses that they are read
    off.
    """

    mean: tuple[float, ...]
    quantiles: dict[str, tuple[float, ...]]
    lattices: Sequence[tuple[float, Any]] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """All measures of a pipeline's runs. `vague`: something undeclared was met; `bounded`:
    something was replaced by a slower upper bound; `times` is the mean of every step and person, by
    measure, where it was asked for; `unit` that of all times that never vary.
    """

    taken: dict[Measure, Taken]
    scales: tuple[Scale, ...]
    times: dict[Measure, dict[str, float]]
    vague: bool
    bounded: bool
    unit: float


def coarse_scales(measures: Sequence[Measure]) -> tuple[Scale, ...]:
    """Return scales over all magnitudes."""
    scales = []
    for measure in measures:
        end, last = RANGES.get(measure, SECONDS)
        while end < last:
            scales.append(Scale(measure, Lattice(end / COARSE, COARSE)))
            end *= APART
    return tuple(scales)


def fine_scales(found: Measured, size: int = FINE) -> tuple[Scale, ...]:
    """Return scales that end slightly above the quantiles; one for two that are close. Times that
    never vary lie on their points, where the longest of several is exact.
    """
    scales = []
    for measure, taken in found.taken.items():
        ends: list[float] = []
        for name in sorted(SHARES, reverse=True):
            most = max(taken.quantiles[name])
            if 0 < most < inf and not any(end / 2 <= most * ROOM <= end for end in ends):
                ends.append(most * ROOM)
        unit = 0.0 if measure is Measure.COST else found.unit
        scales += [Scale(measure, Lattice(end / size, size).on(unit)) for end in ends]
    return tuple(scales)


def beyond(coarse: Measured, found: Measured) -> tuple[Scale, ...]:
    """Return scales for what lies beyond those of `found`, up to the most that a first walk saw of
    each measure; where it has none, over the last magnitudes.
    """
    scales = []
    for measure, taken in coarse.taken.items():
        end = quantile(((step, masses[0]) for step, masses in taken.lattices), TOP) * ROOM
        if not 0 < end < inf:
            continue
        mine = [scale.lattice.end for scale in found.scales if scale.measure is measure]
        none = found is coarse or not mine
        reached = end / WIDER**MAGNITUDES if none else max(mine)
        while end > reached:
            scales.append(Scale(measure, Lattice(end / COARSE, COARSE)))
            end /= WIDER
    return tuple(scales)


def between(measure: Measure, taken: Taken, amounts: Sequence[float]) -> list[Scale]:
    """Return scales for amounts of which the lattices that reach them have few points, and below
    one that these do not tell from nothing.
    """
    ends: list[float] = []
    for found in amounts:
        reaching = (step for step, masses in taken.lattices if step * masses.shape[-1] > found)
        step = next(reaching, 0.0)
        if not 0 < step * FEW > found:
            continue
        most = (found + step) * ROOM
        wanted = [most / FINER**number for number in range(MAGNITUDES if found < step else 1)]
        ends += [end for end in wanted if not any(end / 2 <= one <= end * 2 for one in ends)]
    return [Scale(measure, Lattice(end / COARSE, COARSE)) for end in ends]


def with_lattices(found: Measured, more: Measured) -> Measured:
    """Return what was found with the lattices of another walk beside its own."""
    taken = {
        measure: replace(one, lattices=tuple(sorted((*one.lattices, *more.taken[measure].lattices),
                                                    key=lambda pair: pair[0])))
        for measure, one in found.taken.items()
    }  # fmt: skip
    return replace(found, taken=taken)


def measured(
    model: PipelineModel,
    parameters: Parameters,
    scales: tuple[Scale, ...],
    measures: tuple[Measure, ...],
    means: bool = True,
    declared: bool = False,
    times: bool = False,
) -> Measured:
    """Walk the pipeline of a model, with these parameters and lattices of these scales, for the
    `means` too or quantiles alone, and for the `times` of its steps; if all is to be `declared`, up
    to what is not (`MetUndeclared`).
    """
    size = scales[0].lattice.size if scales else COARSE
    meter = Meter(scales, measures, size, means, declared, times)
    walked = _walked(model, parameters, meter)
    total: Any = sum(walked.endings.values())
    return Measured(
        read_off(meter, total),
        scales,
        _times(meter, walked),
        meter.vague,
        meter.bounded,
        meter.unit,
    )


def _walked(model: PipelineModel, parameters: Parameters, meter: Meter) -> TimeWalk:
    own = model.of(parameters)
    own.meter = meter
    return walk(own)


def taking(model: PipelineModel, point: Parameters, measures: tuple[Measure, ...]) -> list[Measure]:
    """The measures of which something in a run takes any. Where times are undeclared the least of
    them is mostly nothing, and so are costs where nothing has a price: a walk without lattices says
    so in a fraction of the time.
    """
    meter = Meter((), measures, COARSE, means=False)
    _walked(model, Parameters(point.evidence, point.unknown), meter)
    return [measure for measure in measures if measure in meter.took]


def read_off(meter: Meter, total: Any) -> dict[Measure, Taken]:
    """Return the mean and the quantiles of a total weight, a row for every set of parameters."""
    import numpy as np

    if getattr(total, "shape", ())[-1:] != (meter.length,):  # nothing takes anything
        none = Taken((0.0,), dict.fromkeys(SHARES, (0.0,)))
        return dict.fromkeys(meter.measures, none)
    table = np.atleast_2d(total)
    half, count = meter.half, len(meter.scales)
    masses = inverted(table[:, : count * half].reshape(len(table), count, half), meter.size)
    found = {}
    for index, measure in enumerate(meter.measures):
        moments = table[:, count * half + index].imag / TINY
        means = tuple(inf if moment > MOST else max(0.0, float(moment)) for moment in moments)
        mine = sorted(
            (scale.lattice.step, at)
            for at, scale in enumerate(meter.scales)
            if scale.measure is measure
        )
        lattices = tuple((step, masses[:, at]) for step, at in mine)
        if not mine and not any(means):  # nothing takes any of it
            found[measure] = Taken(means, dict.fromkeys(SHARES, (0.0,) * len(means)))
            continue
        quantiles = {
            name: tuple(
                quantile([(step, rows[row]) for step, rows in lattices], share)
                for row in range(len(table))
            )
            for name, share in SHARES.items()
        }
        found[measure] = Taken(means, quantiles, lattices)
    return found


def quantile(lattices: Iterable[tuple[float, Any]], share: float) -> float:
    """A quantile, by the finest lattice that reaches it."""
    for step, masses in lattices:
        found = quantile_of(masses, step, share)
        if found is not None:
            return found
    return inf


def quantile_of(masses: Any, step: float, share: float, centred: bool = True) -> float | None:
    """Return the point where the cumulated mass reaches a share; None if the lattice ends
    before. A mass that stands alone is at its centre, unless all are spread over their cells
    (not `centred`).
    """
    if isinstance(masses, list):
        below: Any = list(accumulate(masses))
        at = bisect_left(below, share - LONE)
    else:
        below = masses.cumsum()
        at = int(below.searchsorted(share - LONE))
    if at == len(masses):
        return None
    if at == 0:
        return 0.0
    alone = _centre(masses, at) if centred else None
    if alone is not None:
        return amount(alone * step)
    inside = min(1.0, max(0.0, (share - below[at - 1]) / max(masses[at], LONE)))
    return float((at - 0.5 + inside) * step)


def amount(read: float) -> float:
    """The amount that was read off a lattice by itself, without the noise of the transform."""
    return float(f"{read:.{DIGITS}g}")


def _centre(masses: Any, at: int) -> float | None:
    """The centre of the mass around a point where that stands alone, in points."""
    low = high = at
    while low > 0 and masses[low - 1] > LONE:
        low -= 1
    while high + 1 < len(masses) and masses[high + 1] > LONE:
        high += 1
    if high - low >= WIDE or high + 1 == len(masses):
        return None
    part = masses[low : high + 1]
    return float(sum(mass * point for point, mass in enumerate(part, low)) / sum(part))


def _times(meter: Meter, walked: TimeWalk) -> dict[Measure, dict[str, float]]:
    import numpy as np

    found: dict[Measure, dict[str, float]] = {measure: {} for measure in meter.measures}
    for name, moments in walked.times.items():
        row = np.atleast_2d(moments)[0]
        for measure, moment in zip(meter.measures, row, strict=True):
            found[measure][name] = inf if moment > MOST else float(moment)
    return found
