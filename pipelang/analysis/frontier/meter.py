"""The meter: the cost and time of an attempt, a wait or a person in all measures, as one array.

Measures stand side by side in an array: for each scale of each measure the transform of the amount
so far, then one slot per measure for the mean. The slots hold `mass + i TINY moment`: products
multiply masses and add moments as a derivative does, because TINY^2 is 0 in floats.

An undeclared time is taken twice, as zero and as its upper bound.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

from pipelang.analysis.frontier.lattice import (
    NONE,
    Amount,
    Lattice,
    Lognormal,
    common_unit,
    inverted,
    sigma_of,
    transformed,
)
from pipelang.records import dataclass, field
from pipelang.semantics import program as p

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

TINY = 2.0**-500
ENDLESS = 1e60
"""Stands for a moment that nothing bounds; sums of it are beyond `MOST`, whatever their weights."""
MOST = 1e30

NOISE = 1e-6
"""Less than this of a maximum is the transform's noise, which long lattices would magnify."""

LACK = 1e-4
"""Shares of a distribution of which no more is missing lack it for ever: of a sum of amounts that
end at a limit each lacks up to 1e-7, as the normal distribution is read off a table.
"""


class Measure(IntEnum):
    """A measured quantity. `LEAST` and `MOST` differ in undeclared times."""

    COST = 0
    LATENCY_LEAST = 1
    LATENCY_MOST = 2
    TURNAROUND_LEAST = 3
    TURNAROUND_MOST = 4

    @property
    def people(self) -> bool:
        """Whether waits for people count."""
        return self in (Measure.TURNAROUND_LEAST, Measure.TURNAROUND_MOST)

    @property
    def most(self) -> bool:
        """Whether what nobody declared is taken as the most that it can be."""
        return self in (Measure.LATENCY_MOST, Measure.TURNAROUND_MOST)


@dataclass(frozen=True, slots=True)
class Scale:
    """A lattice for one measure."""

    measure: Measure
    lattice: Lattice


class MetUndeclared(Exception):
    """A walk met an amount that nobody declared, and was to go on only as long as it does not."""


@dataclass(slots=True)
class Meter:
    """The scales of a walk, dollars first; all lattices have the same `size`.

    Without `means` those of maxima are not kept, which is faster; nor without `times` those of
    single steps and people. `known` remembers the arrays of
    amounts; `vague` says whether something was met that nobody declared, which ends the walk if it
    is to be `declared`; `bounded` whether something was taken as longer than it is, `took`
    the measures of which anything took some.
    """

    scales: tuple[Scale, ...]
    measures: tuple[Measure, ...]
    size: int
    means: bool = True
    declared: bool = False
    times: bool = False
    known: dict[Any, Any] = field(default_factory=dict)
    vague: bool = False
    bounded: bool = False
    took: set[Measure] = field(default_factory=set)

    tells_again = False
    whole_loops = False
    counts_beside = False

    # ------------------------------------------------------------------------------- layout

    @property
    def half(self) -> int:
        """The length of a transform."""
        return self.size // 2 + 1

    @property
    def costs(self) -> int:
        """The number of scales that are in dollars."""
        return sum(scale.measure is Measure.COST for scale in self.scales)

    @property
    def length(self) -> int:
        return len(self.scales) * self.half + len(self.measures)

    # ------------------------------------------------------------------------------ amounts

    @property
    def unit(self) -> float:
        """The unit of all times that never vary; 0.0 if there is none."""
        return unit_of(key for key in self.known if isinstance(key, tuple) and len(key) == 3)

    def taken(self, dollars: float, time: Amount, people: Amount = NONE) -> Any:
        """The array of something that costs dollars and takes machine time or people's."""
        for one in (time, people):
            if one.least is not one.most and one.least != one.most:
                if self.declared:
                    raise MetUndeclared
                self.vague = True
        key = (dollars, time, people)
        known = self.known.get(key)
        if known is None:
            known = self.known[key] = self._made(dollars, time, people)
        return known

    def asked(self, attempt: Any, dollars: float, time: Amount) -> Any:
        """The array of one attempt at a model."""
        return self.taken(dollars, time)

    def called(self, model: Any, tool: p.Tool, time: Amount) -> Any:
        """The array of one attempt at a tool."""
        return self.taken(float(tool.cost), time)

    def wait(self, longest: float) -> Any:
        """The array of a wait anywhere in [0, longest]."""
        import numpy as np

        if not longest:
            return 1.0
        known = self.known.get(longest)
        if known is None:
            self.took.update(one for one in self.measures if one is not Measure.COST)
            parts = [
                np.ones(self.half)
                if scale.measure is Measure.COST
                else scale.lattice.uniform(longest)
                for scale in self.scales
            ]
            means = [0.0 if m is Measure.COST else longest / 2 for m in self.measures]
            known = self.known[longest] = self._joined(parts, means)
        return known

    def asks(self, role: p.Role, limit: Any) -> tuple[Any, Any]:
        """The arrays of an answer in time and of none."""
        return answering(self, role, inf if limit is None else float(limit))

    def _made(self, dollars: float, time: Amount, people: Amount) -> Any:
        parts, means = [], []
        for scale in self.scales:
            part: Any = 1.0
            for one in amounts_of(scale.measure, dollars, time, people):
                if one != 0.0:
                    part = part * self._transform(scale.lattice, one)
            parts.append(part)
        for measure in self.measures:
            amounts = amounts_of(measure, dollars, time, people)
            if any(one != 0.0 for one in amounts):
                self.took.add(measure)
            means.append(sum(one.mean if isinstance(one, Lognormal) else one for one in amounts))
        return self._joined(parts, means)

    def _transform(self, lattice: Lattice, amount: Lognormal | float) -> Any:
        """The transform of an amount, which is the same in several measures."""
        known = self.known.get((lattice, amount))
        if known is None:
            if isinstance(amount, Lognormal):
                known = lattice.lognormal(amount)
            else:
                known = lattice.point(amount)
            self.known[lattice, amount] = known
        return known

    def _joined(self, parts: list[Any], means: list[float]) -> Any:
        import numpy as np

        half = self.half
        array = np.empty(self.length, dtype=complex)
        for index, part in enumerate(parts):
            array[index * half : (index + 1) * half] = part
        slots = [1 + 1j * TINY * (mean if isfinite(mean) else ENDLESS) for mean in means]
        array[len(parts) * half :] = slots
        return array

    def spent(self, weight: Any, taken: Any) -> Any:
        """The mean of all that is taken where it is come to with a weight, for each measure.
        None if it takes nothing.
        """
        if getattr(taken, "shape", ())[-1:] != (self.length,):
            return None
        count = len(self.measures)
        mass = weight
        if getattr(weight, "shape", ())[-1:] == (self.length,):
            mass = weight[..., -count:].real
        return mass * (taken[..., -count:].imag / TINY)

    def reached(self, first: Any, then: Any) -> Any:
        """The probability in the product of two weights, if times of single steps count; 1 in rows
        that have none, to be divided by.
        """
        import numpy as np

        chance = self.mass(first) * self.mass(then) if self.times else 1.0
        return chance if isinstance(chance, float) else np.where(chance > 0, chance, 1.0)

    def rare(self, weight: Any, least: float) -> bool:
        """Whether a weight is of less than so many runs; of several rows, none is."""
        if getattr(weight, "ndim", 0) != 1:
            return False
        return not weight[-len(self.measures)].real > least

    def mass(self, weight: Any) -> Any:
        """The probability in a weight, whatever it costs and takes: the same for every measure. It
        may be set `aside`.
        """
        if getattr(weight, "shape", ())[-1:] in ((), (1,)):
            return weight
        return float(weight[-1].real) if weight.ndim == 1 else weight[..., -1:].real

    # --------------------------------------------------------------------------- side by side

    def aside(self, weight: Any) -> Any:
        """A weight for what runs side by side: times as distribution functions, whose product is
        that of the maximum. What is the same at once stays as it is.
        """
        import numpy as np

        if getattr(weight, "shape", ())[-1:] != (self.length,):
            return weight
        costs, times = self.costs * self.half, len(self.scales) * self.half
        rows = weight.shape[:-1]
        blocks = weight[..., costs:times].reshape(*rows, -1, self.half)
        functions = np.cumsum(inverted(blocks, self.size), axis=-1).reshape(*rows, -1)
        return np.concatenate((weight[..., :costs], functions, weight[..., times:]), axis=-1)

    def back(self, weight: Any) -> Any:
        """Return the transform of a maximum whose distribution function `aside` made."""
        import numpy as np

        costs = self.costs * self.half
        if getattr(weight, "shape", (0,))[-1] in (0, 1) or not getattr(weight, "shape", ()):
            return weight
        rows = weight.shape[:-1]
        slots = weight[..., -len(self.measures) :].copy()
        functions = weight[..., costs : -len(self.measures)].real
        functions = functions.reshape(*rows, -1, self.size)
        masses = np.diff(functions, axis=-1, prepend=0.0)
        blocks = transformed(masses).reshape(*rows, -1)
        if self.means:
            slots = self._means(functions, slots)
        return np.concatenate((weight[..., :costs], blocks, slots), axis=-1)

    def _means(self, functions: Array, slots: Array) -> Array:
        """The slots of a maximum: the integral of what is still under way, piece by piece on the
        finest lattice that reaches so far.
        """
        import numpy as np

        widths = self.known.get("widths")
        if widths is None:
            widths = self.known["widths"] = self._widths()
        mass = slots[..., :1].real
        found: Array = slots.copy()
        for index, (measure, width) in enumerate(zip(self.measures, widths, strict=True)):
            if measure is Measure.COST:
                continue
            scales, pieces = width
            total: Any = 0.0  # where nothing that is known takes time, there is no lattice
            if len(scales):
                mine = functions[..., scales, :]
                last = mine[..., -1, -1:]
                most = np.where(mass - last < LACK * mass, last, mass)
                under_way = most[..., None] - mine
                under_way[under_way < NOISE] = 0.0
                total = np.einsum("...sn,sn->...", under_way, pieces)
            endless = slots[..., index].imag / TINY > MOST
            moment = np.where(endless, ENDLESS, total)
            found[..., index] = slots[..., index].real + 1j * TINY * moment
        return found

    def _widths(self) -> list[Any]:
        """For each measure its scales, and how much of the integral each of their points is for.

        A distribution function steps at the lattice's points, so its integral is one of rectangles.
        """
        import numpy as np

        times = [scale for scale in self.scales if scale.measure is not Measure.COST]
        found = []
        for measure in self.measures:
            mine, pieces, start = [], [], 0.0
            for index, scale in sorted(enumerate(times), key=lambda one: one[1].lattice.step):
                if scale.measure is measure and scale.lattice.end > start:
                    step = scale.lattice.step
                    left = np.arange(self.size) * step
                    pieces.append(np.clip(left + step - np.maximum(left, start), 0.0, step))
                    mine.append(index)
                    start = scale.lattice.end
            found.append((mine, np.array(pieces)))
        return found


def amounts_of(
    measure: Measure, dollars: float, time: Amount, people: Amount
) -> tuple[Lognormal | float, ...]:
    """Return the amounts that count for a measure."""
    if measure is Measure.COST:
        return (dollars,)
    wall = time.most if measure.most else time.least
    if not measure.people:
        return (wall,)
    return (wall, people.most if measure.most else people.least)


def unit_of(taken: Iterable[tuple[float, Amount, Amount]]) -> float:
    """The unit of the times that are declared and never vary, among amounts that are taken; 0.0 if
    there are none.
    """
    spreads = {time.most for _, *times in taken for time in times}
    return common_unit(
        min(one.median, one.limit)
        for one in spreads
        if isinstance(one, Lognormal) and not one.sigma
    )


def answering(meter: Any, role: p.Role, end: float) -> tuple[Any, Any]:
    """The weights of an answer in time and of none. What an answer in time took is X given
    X <= limit.
    """
    spread = role.responds
    late = meter.taken(0.0, NONE, Amount(end, end)) if end < inf else 1.0
    if spread is None or spread.p95 is None:
        return meter.taken(0.0, NONE, Amount(0.0, end)), late
    median = float(spread.median)
    whole = Lognormal(median, sigma_of(median, float(spread.p95)))
    if end == inf:
        return meter.taken(0.0, NONE, Amount(whole, whole)), late
    share = whole.below(end)
    if share <= 0:
        return late, late
    capped = Lognormal(whole.median, whole.sigma, end)
    both = meter.taken(0.0, NONE, Amount(capped, capped))
    timely = both - (1 - share) * late if share < 1 else both
    return timely / share, late
