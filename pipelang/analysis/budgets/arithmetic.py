"""Arithmetic of a sweep with sheets: over floats, over draws of the posterior or over a grid of
unknowns, some columns at a time.

Columns do not touch each other, and a sweep over all of them at once holds each number of each
sheet for every one: hundreds of megabytes where there are many draws at many points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pipelang.analysis.frontier.totals import Totals
from pipelang.analysis.model.bernstein_bounds import Grid
from pipelang.analysis.model.drawn_rows import DrawnRows, drawn_rows
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.model.posterior import (
    draws_beside,
    draws_for,
    interval,
    looked_at,
    posterior,
)
from pipelang.analysis.model.posterior import widest as widest_of
from pipelang.analysis.sweep.bounds_over_unknowns import Enclosed
from pipelang.analysis.sweep.columns import LEAST_COLUMNS, MOST_NUMBERS, some_columns
from pipelang.analysis.sweep.compiled import Compiled
from pipelang.analysis.sweep.posterior_rows import drift_directions
from pipelang.records import dataclass
from pipelang.semantics import program as p

DRAWS = 2_000
"""Draws of the posterior that carry sheets."""

FEWEST_DRAWS = 250
"""The fewest of them where what was measured may have drifted in many ways."""

Sides = tuple[float, float]
"""The least and the most of a share."""

Read = Callable[[Any], Sides]
"""The bounds of a share that stands in a sweep's arithmetic."""


@dataclass(frozen=True, slots=True)
class SheetArithmetic:
    """The parameters of a sweep, some columns at a time and how many these are, and how a share is
    read.
    """

    parts: Iterable[tuple[Parameters, int]]
    read: Read


def _rows_in_parts(rows: DrawnRows, widest: int) -> Iterator[tuple[Parameters, int]]:
    import numpy as np

    each = max(1, _most_columns(widest) // rows.each)
    for start in range(0, rows.count, each):
        part = np.arange(start, min(rows.count, start + each))
        yield rows.parameters(part), len(part) * rows.each


def _columns_in_parts(
    parameters: Parameters, count: int, widest: int
) -> Iterator[tuple[Parameters, int]]:
    most = _most_columns(widest)
    if count <= most:
        yield parameters, count
        return
    for start in range(0, count, most):
        part = slice(start, min(count, start + most))
        yield some_columns(parameters, part, count), part.stop - part.start


def _most_columns(widest: int) -> int:
    return max(LEAST_COLUMNS, MOST_NUMBERS // (max(1, widest) * MOST_TIMES))


def arithmetic(
    program: p.Program,
    pipeline: p.Pipeline,
    point: Parameters,
    bounded: Enclosed | None,
    counted: bool,
    totals: Totals,
) -> SheetArithmetic | None:
    """The parameters of the sweep, and how a share is read; None where there are too many."""
    work, widest = totals.work, totals.widest
    ways = drift_directions(Compiled(program, pipeline), point) if counted else ()
    if not point.unknown_sites:
        if counted:
            # Sheets are slow: fewer draws where each is there in several ways.
            most = min(max(FEWEST_DRAWS, DRAWS // (len(ways) + 1)), draws_for(1))
            rows = drawn_rows(posterior(point), point, ways, most)
            read = _interval if rows.count == 1 else _widest(rows.count)
            return SheetArithmetic(_rows_in_parts(rows, widest), read)
        return SheetArithmetic([(Parameters(point.evidence, point.unknown), 1)], no_columns)
    grid = None if bounded is None else bounded.grid
    if grid is None:
        return None
    if not counted:
        unknown, choose = grid.values()
        parameters = Parameters(point.evidence, unknown, choose=choose)
        return SheetArithmetic(_columns_in_parts(parameters, grid.size, widest), _over(grid))
    grid = looked_at(grid, work * MOST_TIMES)
    each = draws_beside(grid.size, work * MOST_TIMES)
    if not each:
        return None
    rows = drawn_rows(posterior(point), point, ways, each, grid)
    return SheetArithmetic(_rows_in_parts(rows, widest), _widest(rows.count))


MOST_TIMES = 16
"""Entries of a sheet on average, for what a sweep with them takes."""


def no_columns(share: Any) -> Sides:
    """A share in a sweep over floats."""
    return float(share), float(share)


def _interval(share: Any) -> Sides:
    found = interval(share)
    return found.low, found.high


def _over(grid: Grid) -> Read:
    def read(share: Any) -> Sides:
        import numpy as np

        found = grid.enclose(np.broadcast_to(np.asarray(share, dtype=float), (grid.size,)))
        return found.low, found.high

    return read


def _widest(points: int) -> Read:
    def read(share: Any) -> Sides:
        found = widest_of(share, points)
        return found.low, found.high

    return read
