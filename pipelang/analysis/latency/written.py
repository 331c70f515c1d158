"""Cost and time of runs off one walk that wrote distributions down (`frontier.mixtures`).

The walk is the same for all lattices, so those that nobody asks for are never worked out: of the
scales over all magnitudes only those that a quantile may lie on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil, inf
from types import ModuleType
from typing import Any

from pipelang.analysis.frontier import lists
from pipelang.analysis.frontier.lattice import Lattice
from pipelang.analysis.frontier.meter import MOST, Measure, Scale
from pipelang.analysis.frontier.mixtures import Distribution, Mixture, MixtureMeter
from pipelang.analysis.latency.quantiles import (
    FINE,
    LONE,
    SHARES,
    Measured,
    Taken,
    coarse_scales,
    quantile,
    quantile_of,
)
from pipelang.analysis.latency.spectra import Spectra
from pipelang.analysis.latency.walk import walk
from pipelang.analysis.model.model import PipelineModel
from pipelang.analysis.model.parameters import Parameters
from pipelang.records import dataclass

MOST_IN_LISTS = 400
"""Distributions above which arrays are faster, though numpy has to be imported for them."""


class Lattices(Sequence[tuple[float, Any]]):
    """The steps of some lattices, the finest first, with the masses of a single row: each worked
    out when it is looked at.
    """

    __slots__ = ("all", "known", "measure", "of", "share", "spectra")

    def __init__(
        self,
        spectra: Spectra,
        of: Distribution,
        share: float,
        measure: Measure,
        lattices: Iterable[Lattice],
    ) -> None:
        self.spectra, self.of, self.share, self.measure = spectra, of, share, measure
        self.all = sorted(lattices, key=lambda one: one.step)
        self.known: dict[int, list[float]] = {}

    def __len__(self) -> int:
        return len(self.all)

    def __getitem__(self, index: Any) -> Any:
        return self.all[index].step, [self.masses(index)]

    def masses(self, index: int) -> list[float]:
        """The masses on one of the lattices."""
        found = self.known.get(index)
        if found is None:
            found = self.spectra.masses(self.of, self.measure, self.all[index])
            if self.share != 1.0:
                found = [self.share * mass for mass in found]
            self.known[index] = found
        return found

    def rows(self) -> Iterator[tuple[float, list[float]]]:
        """The steps with the masses, one after the other."""
        for index, lattice in enumerate(self.all):
            yield lattice.step, self.masses(index)

    def quantiles(self, mean: float) -> list[float]:
        """The quantiles, each by the finest lattice that reaches it, looked for from around the
        mean on.
        """
        at = sum(lattice.end <= mean for lattice in self.all[:-1])
        found = []
        for share in SHARES.values():
            at, quantile = self._quantile(at, share)
            found.append(quantile)
        return found

    def _quantile(self, at: int, share: float) -> tuple[int, float]:
        found = self._on(at, share)
        if found is None:  # what is finer ends before, too
            while found is None and at + 1 < len(self.all):
                at += 1
                found = self._on(at, share)
            return at, inf if found is None else found
        while at and self._may_reach(at, share):
            finer = self._on(at - 1, share)
            if finer is None:
                break
            at, found = at - 1, finer
        return at, found

    def _on(self, index: int, share: float) -> float | None:
        return quantile_of(self.masses(index), self.all[index].step, share)

    def _may_reach(self, at: int, share: float) -> bool:
        """Whether the next finer lattice may reach a share that this one reaches. Each amount that
        adds up is put at most a step away from where it is.
        """
        fine, here = self.all[at - 1], self.all[at]
        reach = fine.end + self.of.terms * (fine.step + here.step)
        points = ceil(reach / here.step) + 1
        return sum(self.masses(at)[:points]) >= share - 2 * LONE


@dataclass(slots=True)
class WrittenWalk:
    """A walk that wrote distributions down: `total` is the weight of all runs, `times` are those
    of single steps and people, `unit` is that of all times that never vary.
    """

    meter: MixtureMeter
    total: Any
    times: dict[str, Any]
    spectra: Spectra
    unit: float

    def coarse(self, measures: Sequence[Measure]) -> Measured:
        """Means and quantiles off scales over all magnitudes, and the means of single steps."""
        taken, times = {}, {}
        for measure in measures:
            mean = self._mean(self.total, measure)
            read = self._lattices(coarse_scales((measure,)), measure)
            taken[measure] = _taken(mean, read, read.quantiles(mean) if read else None)
            times[measure] = {name: self._mean(time, measure) for name, time in self.times.items()}
        scales = coarse_scales([one for one in measures if one in self.meter.took])
        return self._measured(taken, scales, times)

    def at(self, scales: tuple[Scale, ...], measures: Iterable[Measure]) -> Measured:
        """Quantiles off lattices of some scales, without means; beyond all lattices where a measure
        has none.
        """
        taken = {}
        for measure in measures:
            read = self._lattices(scales, measure)
            quantiles = None
            if read is not None:
                quantiles = [quantile(read.rows(), share) for share in SHARES.values()]
            taken[measure] = _taken(inf, read, quantiles)
        return self._measured(taken, scales, {})

    def _measured(
        self,
        taken: dict[Measure, Taken],
        scales: tuple[Scale, ...],
        times: dict[Measure, dict[str, float]],
    ) -> Measured:
        meter = self.meter
        return Measured(taken, scales, times, meter.vague, meter.bounded, self.unit)

    def _lattices(self, scales: Sequence[Scale], measure: Measure) -> Lattices | None:
        """The lattices that a measure is read off; None if nothing takes any of it."""
        if measure not in self.meter.took or not isinstance(self.total, Mixture):
            return None
        mine = [scale.lattice for scale in scales if scale.measure is measure]
        share, one = self.meter.single(self.total)
        return Lattices(self.spectra, one, share, measure, mine)

    def _mean(self, weight: Any, measure: Measure) -> float:
        if not isinstance(weight, Mixture):
            return 0.0
        mean = self.spectra.mean(weight.shares, measure)
        return inf if mean > MOST else max(0.0, mean)


def _taken(mean: float, read: Lattices | None, quantiles: Sequence[float] | None) -> Taken:
    """The figures of a measure; nothing where they are read off nothing."""
    found = [0.0] * len(SHARES) if quantiles is None else quantiles
    by_name: dict[str, tuple[float, ...]] = {
        name: (one,) for name, one in zip(SHARES, found, strict=True)
    }
    return Taken((mean,), by_name, () if read is None else read)


def written(model: PipelineModel, parameters: Parameters, with_numpy: bool) -> WrittenWalk:
    """Walk the pipeline of a model with these parameters, of which each is a number. `with_numpy`
    says that something else needs numpy anyway.
    """
    own = model.of(parameters)
    own.meter = meter = MixtureMeter()
    walked = walk(own)
    total: Any = sum(walked.endings.values())
    unit = meter.unit
    kernel: ModuleType = lists
    if with_numpy or len(meter.known) > MOST_IN_LISTS:
        from pipelang.analysis.frontier import arrays

        kernel = arrays
    return WrittenWalk(meter, total, walked.times, Spectra(kernel, _lattices_of_means(unit)), unit)


def _lattices_of_means(unit: float) -> tuple[Lattice, ...]:
    """The lattices that means of maxima are read off. Times that never vary lie on points of finer
    ones: a maximum of what was shared between two points is longer than it should be.
    """
    lattices = [scale.lattice for scale in coarse_scales((Measure.LATENCY_MOST,))]
    if unit:
        return tuple(Lattice(one.end / FINE, FINE).on(unit, 1) for one in lattices)
    return tuple(lattices)
