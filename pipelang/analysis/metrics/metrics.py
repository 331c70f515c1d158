"""Figures: the numbers of a report read off the sweeps, each with what is known about it.

One sweep gives the point; where something was counted, one over arrays gives the posterior; where
something is undeclared, one over degrees and one over a grid give certain bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from pipelang.analysis.kernels.costs import all_priced
from pipelang.analysis.latency.worst_cost import Worst
from pipelang.analysis.metrics.readings import (
    READINGS,
    SWEPT,
    MetricReading,
    field_of,
    reader_of,
)
from pipelang.analysis.model.bernstein_bounds import degree_of
from pipelang.analysis.model.intervals import UNCOMPUTED, Number, certain, spread_around
from pipelang.analysis.model.model import PipelineModel
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.sweep.bounds_over_unknowns import Enclosed, Read
from pipelang.analysis.sweep.compiled import Compiled
from pipelang.analysis.sweep.pruning import TooLarge
from pipelang.analysis.sweep.sweep import Totals, all_figures
from pipelang.records import dataclass, field
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.metrics import (
    COST_MEAN,
    COST_MONTH,
    COST_WORST,
    ESCALATION,
    OUTCOMES,
    TOKENS_MEAN,
    TOKENS_WORST,
    Unit,
    metric_of,
)

if TYPE_CHECKING:
    from pipelang.analysis.metrics.drawn_figures import DrawnFigures, DrawsQuestion
    from pipelang.analysis.model.quadrature import QuadratureRule

DAYS_A_MONTH = 30


@dataclass(slots=True)
class Figures:
    """Numbers from the point sweep and, where there is a posterior, from its draws. Where lengths
    that nobody declared count as the most they may be, `parts` is the share of a bound that runs
    take at any lengths.
    """

    point: Totals
    draws: DrawnFigures | None
    parameters: Parameters
    enclosed: Enclosed | None
    means: Averaged | None = None
    parts: Mapping[Unit, float] = field(default_factory=dict)
    _basis: Basis | None = None

    @property
    def basis(self) -> Basis:
        """The weakest basis of everything that was used; asked for every figure, so remembered."""
        if self._basis is None:
            self._basis = self.parameters.basis
        return self._basis

    def number(self, read: Read, unit: bool = True, polynomial: bool = True) -> Number:
        """A figure; `unit` says that it is a probability, so [0, 1] bounds it when unknown. One
        that is no polynomial has the mean of the draws.
        """
        value = float(read(self.point))
        if unit and value > 1.0:  # by rounding
            value = 1.0
        if self.parameters.left_out:
            return self._incomplete(read, value, unit)
        basis = self.basis
        if self.parameters.unknown_sites:
            return self._unknown(read, value, unit)
        if self.draws is None:
            return certain(value, basis)
        spread = self.draws.spread(read)
        if spread.low == spread.high:  # what was counted does not enter it
            return certain(value, basis)
        mean = spread.mean
        if polynomial and self.means is not None:
            mean = self.means.rule.mean(read(self.means.values))
        return spread_around(value, spread.low, spread.high, mean, basis)

    @property
    def is_certain(self) -> bool:
        """Whether every figure is the number of the point sweep."""
        known = self.parameters
        return not known.left_out and not known.unknown_sites and self.draws is None

    def _incomplete(self, read: Read, value: float, unit: bool) -> Number:
        """Bounds where unlikely states were left out: a figure that grows with the probability of
        runs is too low by no more than their probability (times the dearest run's, for amounts).
        """
        low, high = value, value + left_out(self.point)
        if self.parameters.unknown_sites:
            low, high = 0.0, 1.0
        elif self.draws is not None:
            low = self.draws.spread(read).low
            high = self.draws.spread(_WithLeftOut(read)).high
        if not unit:
            return Number(None, low, None, None, Basis.BOUND, tight=False)
        if high - low <= _NEGLIGIBLE:
            return certain(value, self.basis)
        return Number(None, low, min(1.0, high), None, max(self.basis, Basis.BOUND), tight=False)

    def _unknown(self, read: Read, value: float, unit: bool) -> Number:
        """Bounds over what nobody declared; a figure that does not hang on it is known."""
        enclosed = self.enclosed
        assert enclosed is not None
        if self.parameters.counted or self.parameters.counted_bins:
            return self._measured_and_unknown(read, value, unit)
        if not any(degree_of(read(enclosed.degrees), len(enclosed.axes))):
            return certain(value, self.parameters.known_basis)
        bounds = enclosed.bounds(read)
        if bounds is None:
            high = 1.0 if unit else None
            return Number(None, 0.0, high, None, Basis.UNKNOWN, tight=False)
        low = max(0.0, bounds.low)
        high = min(1.0, bounds.high) if unit else bounds.high
        if high - low <= 1e-12:
            return certain(value, self.parameters.known_basis)
        return Number(None, low, high, None, Basis.UNKNOWN, bounds.tight)

    def _measured_and_unknown(self, read: Read, value: float, unit: bool) -> Number:
        """Over the unknowns, the widest of the intervals that the evidence leaves open."""
        assert self.draws is not None
        if not self._hangs_on_unknowns(read):
            # The same at every point, so the draws of one of them say all.
            spread = self.draws.spread(read)
            basis = self.parameters.known_basis
            return spread_around(value, spread.low, spread.high, spread.mean, basis)
        if not self.draws.at_points:
            return Number(None, 0.0, 1.0 if unit else None, None, Basis.UNKNOWN, tight=False)
        spread = self.draws.widest(read)
        return Number(None, spread.low, spread.high, None, Basis.UNKNOWN, tight=False)

    def _hangs_on_unknowns(self, read: Read) -> bool:
        """Whether a figure may be another at other points of a grid over the unknowns; where there
        is none, whether it really is.
        """
        enclosed = self.enclosed
        assert enclosed is not None and self.draws is not None
        if not any(degree_of(read(enclosed.degrees), len(enclosed.axes))):
            return False
        return self.draws.at_points or enclosed.hangs_on_any(read)

    def expect(self, reads: Iterable[Read], promises: Iterable[p.SloLine] = ()) -> None:
        """Say which figures will be asked for, and of which promises how probable they are: one
        sweep of the draws answers all that.
        """
        if self.draws is not None:
            self.draws.expect(self._questions(reads, promises))

    def read_by_all(self) -> Iterator[Read]:
        """The readings of the figures that every pipeline has."""
        for reading in READINGS.values():
            if reading.read is not None and (reading.ratio is None or self._is_read(reading.ratio)):
                yield reading.read

    def _is_read(self, parts: tuple[str, str]) -> bool:
        """Whether a ratio is read off as a whole, and not made of its parts' bounds."""
        known = self.parameters
        if known.unknown_sites or known.left_out:
            return False
        return bool(sum(getattr(self.point, part) for part in parts))

    def _questions(
        self, reads: Iterable[Read], promises: Iterable[p.SloLine]
    ) -> Iterator[DrawsQuestion]:
        """Return what will be asked of the draws."""
        from pipelang.analysis.metrics.drawn_figures import DrawsQuestion

        known = self.parameters
        if known.unknown_sites:
            for read in reads:
                hangs = self._hangs_on_unknowns(read)
                if not hangs or (self.draws is not None and self.draws.at_points):
                    yield DrawsQuestion(read, everywhere=hangs)
            return
        for read in reads:
            yield DrawsQuestion(read)
            if known.left_out:
                yield DrawsQuestion(_WithLeftOut(read))
        for line in promises:
            promised = reader_of(line.metric)
            if promised is not None and not known.left_out and line.when is None:
                yield DrawsQuestion(promised, op=line.op, target=float(line.target))

    def probability(self, line: p.SloLine) -> float | None:
        """The posterior probability that an objective holds; None where nothing was measured. Where
        drift moves it, the one that says least.
        """
        read = reader_of(line.metric)
        if self.draws is None or read is None or self.parameters.unknown_sites:
            return None
        if self.parameters.left_out:
            return None
        found = self.draws.shares(read, line.op, float(line.target))
        return min(max(0.5, min(found)), max(found))

    def all(
        self, pipeline: p.Pipeline, worst: Worst, unpriced: tuple[str, ...]
    ) -> dict[str, Number]:
        numbers = _within_one({name: self.number(field_of(name)) for name in OUTCOMES})
        for name, reading in READINGS.items():
            if name not in numbers and metric_of(name).unit is Unit.SHARE and reading.read:
                numbers[name] = self._share(reading, reading.read, numbers)
        numbers |= self._cost(pipeline, worst, unpriced)
        mean = READINGS[TOKENS_MEAN].read
        assert mean is not None
        numbers[TOKENS_MEAN] = self.amount(self.number(mean, unit=False), Unit.TOKENS)
        tokens = None if worst.tokens is None else float(worst.tokens)
        known = Basis.UNKNOWN if tokens is None else Basis.BOUND
        numbers[TOKENS_WORST] = Number(tokens, tokens, tokens, tokens, known)
        return numbers

    def _share(self, reading: MetricReading, read: Read, numbers: Mapping[str, Number]) -> Number:
        """A share that is worked out of the outcomes, which `numbers` has."""
        if reading.ratio is not None:
            return self._ratio(reading.ratio, read)
        if reading.all_but is not None and self.parameters.left_out:
            return _all_but(numbers[reading.all_but])
        return self.number(read)

    def _ratio(self, parts: tuple[str, str], read: Read) -> Number:
        """A ratio of the first of two figures to both."""
        if not sum(getattr(self.point, part) for part in parts):
            return UNCOMPUTED
        if self.parameters.unknown_sites or self.parameters.left_out:
            first, rest = (self.number(field_of(part)) for part in parts)
            return ratio_between(first, rest)
        return self.number(read, polynomial=False)

    def _cost(
        self, pipeline: p.Pipeline, worst: Worst, unpriced: tuple[str, ...]
    ) -> dict[str, Number]:
        mean = self.amount(self.number(field_of("cost"), unit=False), Unit.MONEY)
        whole = not self.parameters.unknown_sites and self.parameters.left_out
        if whole and mean.low is not None and mean.high is None and worst.cost is not None:
            mean = _at_most(mean, mean.low + left_out(self.point) * worst.cost)
        if unpriced:
            mean = Number(None, 0.0, None, None, Basis.UNKNOWN)
        numbers = {COST_MEAN: mean}
        most = None if unpriced else worst.cost
        numbers[COST_WORST] = Number(
            most, most, most, most, Basis.UNKNOWN if most is None else Basis.BOUND
        )
        per_day = pipeline.traffic.per_day
        month = UNCOMPUTED
        if per_day is not None:
            month = mean.times(float(per_day) * DAYS_A_MONTH)
        numbers[COST_MONTH] = month
        return numbers

    def amount(self, number: Number, unit: Unit) -> Number:
        """Lengths that nobody declared count as their maximum, so the figure is a bound."""
        number = self.at_any_lengths(if_finite(number), unit)
        if number.value is None or not number.value:
            return number
        basis = self.of_amounts(number.basis, unit)
        return Number(number.value, number.low, number.high, number.mean, basis)

    def at_any_lengths(self, number: Number, unit: Unit) -> Number:
        """An amount that hangs on something undeclared as well: its lower bound is that of runs in
        which all is short.
        """
        if number.value is not None or not number.low:
            return number
        return number._replace(low=number.low * self.parts.get(unit, 1.0))

    def of_amounts(self, basis: Basis, unit: Unit) -> Basis:
        """The basis of an amount whose shares have this one."""
        return max(basis, Basis.BOUND) if unit in self.parameters.bounded else basis


def _within_one(numbers: dict[str, Number]) -> dict[str, Number]:
    """Outcomes sum to 1, so where one was not enclosed it is at most what the others leave; which
    rounding must not put below what it is at least.
    """
    least = {name: number.low or 0.0 for name, number in numbers.items()}
    found = {}
    for name, number in numbers.items():
        left = 1 - sum(low for other, low in least.items() if other != name)
        high = max(least[name], left)
        if not number.tight and number.high is not None and high < number.high:
            number = Number(None, number.low, high, None, number.basis, tight=False)
        found[name] = number
    return found


_NEGLIGIBLE = 1e-12


def left_out(totals: Totals) -> Any:
    """The probability of the runs that a sweep left out."""
    rest = 1 - sum(getattr(totals, name) for name in OUTCOMES)
    return rest * (rest > 0)


@dataclass(frozen=True, slots=True)
class _WithLeftOut:
    """The reading of a figure, and of all runs that were left out with it."""

    read: Read

    def __call__(self, totals: Totals) -> Any:
        return self.read(totals) + left_out(totals)


def _all_but(number: Number) -> Number:
    """1 minus a share."""
    if number.low is None or number.high is None:
        return number
    value = None if number.value is None else 1 - number.value
    return Number(value, 1 - number.high, 1 - number.low, value, number.basis, number.tight)


def _at_most(number: Number, high: float) -> Number:
    return Number(number.value, number.low, high, number.mean, number.basis, number.tight)


def if_finite(number: Number) -> Number:
    """An amount; an unknown one where nothing bounds what it is made of."""
    for side in number[:4]:
        if side is not None and not isfinite(side):
            return Number(None, 0.0, None, None, Basis.UNKNOWN)
    return number


def ratio_between(wrong: Number, right: Number) -> Number:
    """Bounds of wrong / (wrong + right) from the bounds of both."""
    if None in (wrong.low, wrong.high, right.low, right.high):
        return UNCOMPUTED
    assert wrong.low is not None and wrong.high is not None
    assert right.low is not None and right.high is not None
    low = wrong.low / (wrong.low + right.high) if wrong.low + right.high else 0.0
    high = wrong.high / (wrong.high + right.low) if wrong.high + right.low else 1.0
    return Number(None, low, high, None, Basis.UNKNOWN, tight=False)


@dataclass(frozen=True, slots=True)
class Averaged:
    """The figures at the points of a rule that averages them over the posterior."""

    rule: QuadratureRule
    values: Totals


def averaged(compiled: Compiled, point: Parameters) -> Averaged | None:
    """The rule from which posterior means are made; None where it would have too many points."""
    from pipelang.analysis.model.quadrature import degree_parameters, rule

    parameters, count = degree_parameters(point)
    try:
        degrees = compiled.totals(parameters)
    except TooLarge:  # states that the point does not meet; of them none is likelier
        return None
    found = rule(point, all_figures(degrees), count, degrees.work)
    if found is None:
        return None
    return Averaged(found, compiled.totals(found.parameters, found.size))


def swept_figures(model: PipelineModel, totals: Totals) -> dict[str, float] | None:
    """All figures of a sweep over numbers by which changes are judged; None where something
    undeclared decides. Costs are left out where a price is unknown, or where nothing bounds them.
    """
    parameters = model.parameters
    if parameters.unknown_sites or parameters.left_out or left_out(totals) > 1e-12:
        return None
    priced = all_priced(model)
    found: dict[str, float] = {}
    for metric in (*SWEPT, *(f"{ESCALATION}.{name}" for name in totals.escalations)):
        read = reader_of(metric)
        ratio = READINGS[metric].ratio if metric in READINGS else None
        if ratio is not None and not sum(getattr(totals, part) for part in ratio):
            continue
        if metric_of(metric).unit is Unit.MONEY and not priced:
            continue
        assert read is not None
        value = float(read(totals))
        if isfinite(value):
            found[metric] = value
    return found
