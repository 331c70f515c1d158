"""Differences of figures between two versions of a pipeline, with their uncertainty."""

from __future__ import annotations

from math import isfinite, nan
from typing import Any

from pipelang.analysis.metrics.analyse import Analysis
from pipelang.analysis.metrics.drawn_figures import DrawnFigures, DrawsQuestion, drawn_figures
from pipelang.analysis.metrics.metrics import DAYS_A_MONTH
from pipelang.analysis.metrics.readings import READINGS, by_name
from pipelang.analysis.model.bernstein_bounds import (
    GRID_LIMIT,
    Axis,
    Grid,
    axes_of,
    degree_of,
    unknown_degrees,
)
from pipelang.analysis.model.coupled_posterior import Side, coupled
from pipelang.analysis.model.drawn_rows import drawn_rows
from pipelang.analysis.model.evidence import EvidenceTable
from pipelang.analysis.model.intervals import Number, certain, spread_around
from pipelang.analysis.model.model import make_model
from pipelang.analysis.model.parameters import Parameters, point_parameters
from pipelang.analysis.model.posterior import DRAWS, MOST_WORK, around
from pipelang.analysis.sweep.bounds_over_unknowns import Read, look_behind
from pipelang.analysis.sweep.compiled import Compiled
from pipelang.analysis.sweep.posterior_rows import drift_directions
from pipelang.analysis.sweep.sweep import Totals, all_figures, sweep
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.metrics import COST_MEAN, COST_MONTH

DUST = 1e-12
"""A difference smaller than this is the rounding of the arithmetic."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure before and after, None where it is on one side alone.

    `how` says what the range of the change stands on: `certain`; `paired`, both sides over the same
    draws (or the same unknowns); `independent`, draws with nothing in common; `ranges`, the far
    ends of the two ranges, which holds always and is wide.
    """

    before: Number | None
    after: Number | None
    change: Number
    how: str

    @property
    def direction(self) -> str:
        """`up`, `down`, `same`, or `unsure` where the range leaves it open, or does not hold what
        was seen: where no row lies between two thresholds, they did the same as far as is known.
        """
        low, high = self.change.low, self.change.high
        if low is None or high is None:
            return "unsure"
        if abs(low) <= DUST and abs(high) <= DUST:
            return "same"
        value = self.change.value
        if low > DUST and (value is None or value > DUST):
            return "up"
        if high < -DUST and (value is None or value < -DUST):
            return "down"
        return "unsure"

    def as_json(self) -> dict[str, Any]:
        return {
            "before": None if self.before is None else self.before.as_json(),
            "after": None if self.after is None else self.after.as_json(),
            "change": self.change.as_json(),
            "direction": self.direction,
            "how": self.how,
        }


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of a pipeline: its figures and its escalations, by name."""

    metrics: dict[str, Difference]
    escalations: dict[str, Difference]


@dataclass(frozen=True, slots=True)
class _Pair:
    """Both sides over the same draws (`drawn`), in the same ways of drifting, or swept over a grid
    of the same unknowns.
    """

    how: str
    drawn: DrawnFigures | None = None
    grid: Grid | None = None
    swept: _Sides | None = None
    degrees: tuple[Totals, ...] = ()


_Sides = tuple[Totals, Totals]
"""The totals of both sides."""


@dataclass(frozen=True, slots=True)
class _Change:
    """The reading of how a figure changes, off the totals of both sides, each times its rate."""

    read: Read
    rates: tuple[float, float]

    def of(self, sides: _Sides) -> Any:
        """The change; not a number where it is a ratio of figures that are both 0."""
        import numpy as np

        before, after = sides
        try:
            with np.errstate(divide="ignore", invalid="ignore"):
                return self.rates[1] * self.read(after) - self.rates[0] * self.read(before)
        except ZeroDivisionError:
            return nan

    def __call__(self, sides: _Sides) -> Any:
        import numpy as np

        found = self.of(sides)
        return np.where(np.abs(found) <= DUST, 0.0, found)


def differences(old: p.Program, before: Analysis, new: p.Program, after: Analysis) -> Changes:
    """Return the changes from one analysis to another."""
    same = _same(old, before, new, after)
    pair = None if same else _pair(old, before, new, after)

    def of(was: Number | None, now: Number | None, change: _Change | None) -> Difference:
        if same and now is not None and was == now:
            return Difference(was, now, certain(0.0, now.basis), "certain")
        return _difference(was, now, pair, change)

    metrics: dict[str, _Asked] = {}
    for name in dict.fromkeys((*after.numbers, *before.numbers)):
        was, now = before.numbers.get(name), after.numbers.get(name)
        if _unknown(was) and _unknown(now):
            continue
        rates = (1.0, 1.0)
        read = READINGS[name].read
        if name == COST_MONTH:
            read = READINGS[COST_MEAN].read
            rates = (_a_month(before.pipeline), _a_month(after.pipeline))
        if name in before.open_figures | after.open_figures:
            read = None  # a sweep counts but a part of it
        metrics[name] = was, now, None if read is None else _Change(read, rates)
    escalations: dict[str, _Asked] = {}
    nobody = certain(0.0, Basis.EXACT)
    for name in dict.fromkeys((*after.escalations, *before.escalations)):
        was = before.escalations.get(name, nobody)
        now = after.escalations.get(name, nobody)
        escalations[name] = was, now, _Change(by_name("escalations", name), (1.0, 1.0))
    asked = [*metrics.values(), *escalations.values()]
    if pair is not None and pair.drawn is not None:
        pair.drawn.expect([DrawsQuestion(change) for _, _, change in asked if change is not None])
    return Changes(
        {name: of(*one) for name, one in metrics.items()},
        {name: of(*one) for name, one in escalations.items()},
    )


_Asked = tuple[Number | None, Number | None, _Change | None]
"""A figure before and after, and how its change is read off both sides."""


def _unknown(number: Number | None) -> bool:
    return number is None or (number.value is None and number.low is None and number.high is None)


def _a_month(pipeline: p.Pipeline) -> float:
    return float(pipeline.traffic.per_day or 0) * DAYS_A_MONTH


def _same(old: p.Program, before: Analysis, new: p.Program, after: Analysis) -> bool:
    """Whether nothing changed that a figure could depend on."""
    return (
        old.hash == new.hash
        and _same_evidence(EvidenceTable(old.evidence), EvidenceTable(new.evidence))
        and before.pipeline.name == after.pipeline.name
    )


def _same_evidence(old: EvidenceTable, new: EvidenceTable) -> bool:
    """Whether the files have the same rows, in the order in which the programs name the files."""
    return len(old) == len(new) and all(
        before.same_rows(after) for before, after in zip(old.values(), new.values(), strict=True)
    )


# ------------------------------------------------------------------------------- one difference


def _difference(
    was: Number | None,
    now: Number | None,
    pair: _Pair | None,
    change: _Change | None,
) -> Difference:
    if was is None or now is None:
        return Difference(was, now, Number(None, None, None, None, Basis.UNKNOWN), "ranges")
    basis = max(was.basis, now.basis)
    value = None
    if was.value is not None and now.value is not None:
        value = _minus(now.value, was.value)
        if value is not None and was.low == was.high and now.low == now.high:
            return Difference(was, now, certain(value, basis), "certain")
    if value is not None and (was.low == was.high or now.low == now.high):
        # One side is certain: what is left open is what the other one's own range says.
        low, high = _minus(now.low, was.high), _minus(now.high, was.low)
        if low is not None and high is not None:
            shifted = Number(value, low, high, _minus(now.mean, was.mean), basis)
            return Difference(was, now, shifted, "ranges" if pair is None else pair.how)
    if pair is not None and change is not None:
        found = _paired(pair, change, value, basis)
        if found is not None:
            how = "certain" if found.low == found.high else pair.how
            return Difference(was, now, found, how)
    low, high = _minus(now.low, was.high), _minus(now.high, was.low)
    if low is None or high is None:
        return Difference(was, now, Number(value, None, None, None, basis), "ranges")
    return Difference(was, now, Number(value, low, high, None, basis, tight=False), "ranges")


def _paired(pair: _Pair, change: _Change, value: float | None, basis: Basis) -> Number | None:
    import numpy as np

    if pair.grid is not None and pair.swept is not None:
        if not all(_fits(change.read(degrees), pair.grid) for degrees in pair.degrees):
            return None
        found = change.of(pair.swept)
        if not np.all(np.isfinite(found)):
            return None
        bounds = pair.grid.enclose(found)
        low, high = _clean(bounds.low), _clean(bounds.high)
        if low == high:
            return certain(low, basis)
        return Number(None, low, high, None, Basis.UNKNOWN, bounds.tight)
    if value is None or pair.drawn is None:
        return None
    ways = pair.drawn.by_way(change)
    if not all(isfinite(one.mean) for one in ways):  # nothing bounds an amount
        return None
    spread = around(ways)
    return spread_around(value, spread.low, spread.high, spread.mean, basis)


def _fits(degrees: Any, grid: Grid) -> bool:
    """Whether a figure is a polynomial that the grid has enough points for."""
    own = degree_of(degrees, len(grid.axes))
    return all(degree <= most for degree, most in zip(own, grid.degrees, strict=True))


def _minus(one: float | None, other: float | None) -> float | None:
    """A difference; None where one of them is open, or where nothing bounds it."""
    if one is None or other is None or not isfinite(one - other):
        return None
    return _clean(one - other)


def _clean(value: float) -> float:
    return 0.0 if abs(value) <= DUST else value


# ------------------------------------------------------------------------------- both sides


def _pair(old: p.Program, before: Analysis, new: p.Program, after: Analysis) -> _Pair | None:
    """Both pipelines swept together; None where nothing is uncertain, or where that won't do."""
    sides = [_point(old, before.pipeline), _point(new, after.pipeline)]
    points = [side.point for side, _, _ in sides]
    if any(point.left_out for point in points):
        return None
    counted = any(point.counted or point.counted_bins for point in points)
    unknown = any(point.unknown_sites for point in points)
    work = max(totals.work for _, _, totals in sides)
    if counted and not unknown:
        count = max(1_000, min(DRAWS, MOST_WORK // work))
        first, second, common = coupled(sides[0][0], sides[1][0], count)
        ways = (
            *drift_directions(sides[1][1], points[1]),
            *drift_directions(sides[0][1], points[0]),
        )
        was = drawn_figures(sides[0][1], drawn_rows(first, points[0], ways, count), sides[0][2])
        now = drawn_figures(sides[1][1], drawn_rows(second, points[1], ways, count), sides[1][2])
        return _Pair("paired" if common else "independent", drawn=was.beside(now))
    if unknown and not counted:
        return _over_unknowns(sides[0][:2], sides[1][:2])
    return None


def _point(program: p.Program, pipeline: p.Pipeline) -> tuple[Side, Compiled, Totals]:
    """Return the parameters of a pipeline at the point, the pipeline compiled, and its totals
    there.
    """
    point = point_parameters(program)
    model = make_model(program, pipeline, point)
    totals = sweep(model)
    compiled = Compiled(program, pipeline, work=totals.work, widest=totals.widest)
    look_behind(compiled, point)
    return Side(pipeline.name, point, model.thresholds), compiled, totals


_One = tuple[Side, Compiled]


def _over_unknowns(first: _One, second: _One) -> _Pair | None:
    """Both over one grid of all that nobody declared in either; None if it would be too large."""
    names: list[dict[str, str]] = []
    axes: dict[str, Axis] = {}
    for side, _ in (first, second):
        own = axes_of(side.point.unknown_sites, side.point.sticks)
        called = {site: name for name, site in side.named(axis.site for axis in own).items()}
        for axis in own:
            axes.setdefault(called[axis.site], Axis(called[axis.site], axis.parts))
        if any(axes[called[axis.site]].parts != axis.parts for axis in own):
            return None
        names.append(called)
    everything = tuple(axes.values())

    def swept(one: _One, called: dict[str, str], values: Any) -> Totals:
        unknown, choose = values
        _, compiled = one
        named = Parameters(
            EvidenceTable(compiled.program.evidence),
            lambda site: unknown(called.get(site, site)),
            choose=lambda site, count: choose(called.get(site, site), count),
        )
        return compiled.totals(named)

    units = unknown_degrees(everything)
    try:
        degrees = (swept(first, names[0], units), swept(second, names[1], units))
    except KeyError:  # what one of the two meets only where the other's unknowns lead
        return None
    most = [0] * len(everything)
    for totals in degrees:
        for figure in all_figures(totals):
            most = list(map(max, most, degree_of(figure, len(everything))))
    if any(axis.parts and degree > 1 for axis, degree in zip(everything, most, strict=True)):
        return None
    grid = Grid(everything, tuple(most))
    if grid.size > GRID_LIMIT:
        return None
    values = grid.values()
    was, now = swept(first, names[0], values), swept(second, names[1], values)
    return _Pair("paired", None, grid, (was, now), degrees)
