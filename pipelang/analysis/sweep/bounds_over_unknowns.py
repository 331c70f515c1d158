"""Figures as polynomials in the unknowns, and bounds on them over all values of the unknowns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pipelang.analysis.model.bernstein_bounds import (
    GRID_LIMIT,
    Axis,
    Bounds,
    Choose,
    Grid,
    Unknown,
    axes_of,
    broken,
    degree_of,
    unknown_degrees,
)
from pipelang.analysis.model.model import make_model
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.model.work_limit import WorkPart, limited, note_limit
from pipelang.analysis.sweep.compiled import Compiled
from pipelang.analysis.sweep.pruning import TooLarge
from pipelang.analysis.sweep.sweep import Totals, all_figures
from pipelang.records import dataclass, field

if TYPE_CHECKING:
    import numpy as np

    from pipelang.analysis.sweep.robust_bounds import RobustBounds

    Array = np.ndarray[Any, Any]

Read = Callable[[Totals], Any]

MOST_SWEEPS = 16
"""Sweeps over grids of their own for figures that depend on few of many unknowns."""

Sweep = Callable[[Unknown, Choose, int], Totals]
"""Sweeps over arrays of unknowns of so many numbers."""


@dataclass(slots=True)
class Enclosed:
    """The figures as polynomials in the unknowns: their degrees, and their values on a grid.

    Where the grid of all unknowns is too large (`grid` None), a figure that depends on few of them
    gets one of its own, of at most `limit` points, and where that is too large too, the bounds of
    a sweep over ranges (`robust_bounds`).
    """

    axes: tuple[Axis, ...]
    degrees: Totals
    grid: Grid | None
    values: Totals | None
    sweep: Sweep
    limit: int
    robust: Callable[[], RobustBounds | None]
    certain: RobustBounds | None = None
    smaller: dict[Grid, Totals] = field(default_factory=dict)
    samples: Totals | None = None

    def bounds(self, read: Read) -> Bounds | None:
        """The range of a figure over all unknowns; None where it depends on too many of them."""
        if self.grid is not None:
            return self.grid.enclose(read(self.values or self.degrees))
        hangs = [
            (axis, degree)
            for axis, degree, really in zip(
                self.axes,
                degree_of(read(self.degrees), len(self.axes)),
                self._hangs_on(read),
                strict=True,
            )
            if degree and really
        ]
        grid = Grid(tuple(axis for axis, _ in hangs), tuple(d for _, d in hangs))
        if grid.size > self.limit:
            return self._robust(read)
        values = self.smaller.get(grid)
        if values is None:
            if len(self.smaller) == MOST_SWEEPS:
                return self._robust(read)
            values = self.smaller[grid] = self.sweep(*grid.values(), grid.size)
        return grid.enclose(read(values))

    def _robust(self, read: Read) -> Bounds | None:
        """Bounds that hold however many unknowns there are."""
        if self.certain is None:
            self.certain = self.robust()
        found = self.certain and self.certain.bounds(read)
        return None if not found else Bounds(*found, tight=False)

    def hangs_on_any(self, read: Read) -> bool:
        """Whether a figure depends on any unknown at all."""
        return any(self._hangs_on(read))

    def _hangs_on(self, read: Read) -> list[bool]:
        """On which unknowns a figure really hangs: degrees do not see that right and wrong cancel.

        A polynomial that is the same at random points, whatever one of its unknowns is, does not
        depend on that one (but for an accident of probability 0).
        """
        import numpy as np

        count = len(self.axes)
        if self.samples is None:
            unknown, choose = random_points(self.axes, SAMPLES)
            self.samples = self.sweep(unknown, choose, SAMPLES * (count + 1))
        values = np.broadcast_to(
            np.asarray(read(self.samples), dtype=float), (SAMPLES * (count + 1),)
        )
        table = values.reshape(SAMPLES, count + 1)
        moved = np.abs(table[:, 1:] - table[:, :1])
        return [bool(one) for one in (moved > 1e-13 * np.abs(table[:, :1])).any(axis=0)]


SAMPLES = 3
SEED = 20261121


def random_points(axes: Sequence[Axis], samples: int) -> tuple[Unknown, Choose]:
    """So many random points, each followed by what it is with one of its unknowns changed. An
    unknown that is no axis stands behind what never happens: what it is makes no difference.
    """
    import numpy as np

    generator = np.random.Generator(np.random.PCG64(SEED))
    found: dict[str, Array] = {}
    for index, axis in enumerate(axes):
        parts = axis.parts or 2
        plain = generator.dirichlet(np.ones(parts), samples)
        other = generator.dirichlet(np.ones(parts), samples)
        table = np.repeat(plain[:, None, :], len(axes) + 1, axis=1)
        table[:, index + 1, :] = other
        found[axis.site] = table.reshape(-1, parts)
    whole = {axis.site for axis in axes if axis.parts}

    def choose(site: str, count: int) -> list[Any] | None:
        return [found[site][:, part] for part in range(count)] if site in whole else None

    def unknown(site: str) -> Any:
        return found[site][:, 0] if site in found else 0.5

    return unknown, choose


MOST_WORK = 500_000_000
"""States times points of a grid; beyond it there are too many points."""


def look_behind(compiled: Compiled, point: Parameters) -> None:
    """Meet what the point does not: it never goes where its values leave nothing, as behind a wrong
    answer where 9 of 9 were right; the posterior and the bounds do.
    """
    while point.never_happened():
        beyond = Parameters(point.evidence, point.unknown, *point.interior())
        compiled.totals(beyond)
        if not point.learn(beyond):
            return


def enclosed(compiled: Compiled, point: Parameters, work: int) -> Enclosed | None:
    """Return the polynomials behind bounds over the unknowns; None without unknowns."""
    if not point.unknown_sites:
        return None
    axes = axes_of(point.unknown_sites, point.sticks)
    try:
        degrees, met = _degrees(compiled, point, axes)
        if met:
            axes = axes_of(point.unknown_sites, point.sticks)
            degrees, _ = _degrees(compiled, point, axes)
    except TooLarge:  # states that the point does not meet; of them none is likelier
        point.left_out[compiled.pipeline.name] = None
        return None
    most = highest(degrees, len(axes))
    linear = {axis.site for axis, degree in zip(axes, most, strict=True) if degree <= 1}
    if any(axis.parts and axis.site not in linear for axis in axes):
        axes = broken(axes, linear)
        degrees, _ = _degrees(compiled, point, axes)
        most = highest(degrees, len(axes))

    def swept(unknown: Unknown, choose: Choose, count: int) -> Totals:
        return compiled.totals(Parameters(point.evidence, unknown, choose=choose), count)

    def robust() -> RobustBounds | None:
        from pipelang.analysis.sweep.robust_bounds import Range, robust_bounds

        parameters = Parameters(point.evidence, lambda site: Range(0.0, 1.0))
        return robust_bounds(make_model(compiled.program, compiled.pipeline, parameters))

    grid = Grid(tuple(axes), tuple(most))
    limit = min(GRID_LIMIT, limited(MOST_WORK) // work)
    if grid.size > limit:
        note_limit(WorkPart.GRID, compiled.pipeline.name, grid.size, limit)
        return Enclosed(grid.axes, degrees, None, None, swept, limit, robust)
    return Enclosed(
        grid.axes, degrees, grid, swept(*grid.values(), grid.size), swept, limit, robust
    )


def _degrees(compiled: Compiled, point: Parameters, axes: list[Axis]) -> tuple[Totals, bool]:
    """A sweep over degrees, which also goes where the posterior does and the point does not, and
    where it comes so seldom that floats make it never; whether that met something unknown besides.
    """
    unknown, choose = unknown_degrees(axes)
    parameters = Parameters(point.evidence, unknown, *point.interior(), choose=choose)
    totals = compiled.totals(parameters)
    return totals, point.learn(parameters)


def highest(degrees: Totals, count: int) -> list[int]:
    """The highest degree of any figure in each unknown."""
    most = [0] * count
    for figure in all_figures(degrees):
        most = list(map(max, most, degree_of(figure, count)))
    return most
