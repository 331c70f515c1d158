"""Rows of posterior draws: at each point of a grid over what nobody declared, and all these again
in each way in which what was measured may have drifted.

There may be thousands of rows of thousands of draws, so no more are made than are asked for at a
time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pipelang.analysis.model.bernstein_bounds import Grid
from pipelang.analysis.model.drift import Direction, DriftKey, bins_off, drifting, share_off
from pipelang.analysis.model.parameters import Parameters
from pipelang.records import dataclass

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class DrawnRows:
    """Rows of `each` draws, way by way, and in each point by point. The first of the `ways`, which
    say how far each share is off, is that of no drift; there are none where nothing drifts.
    """

    drawn: Parameters
    each: int
    grid: Grid | None
    ways: Sequence[Direction]

    @property
    def points(self) -> int:
        """The number of rows in each way."""
        return 1 if self.grid is None else self.grid.size

    @property
    def count(self) -> int:
        return self.points * max(1, len(self.ways))

    @property
    def firsts(self) -> Array:
        """The row of each way at the first point."""
        import numpy as np

        return np.arange(0, self.count, self.points)

    def parameters(self, rows: Array) -> Parameters:
        """The draws of some rows, one row after the other. Their numbers ascend."""
        import numpy as np

        drawn, each = self.drawn, self.each
        ways, repeated = np.unique(rows // self.points, return_counts=True)
        there = rows % self.points

        def off(key: DriftKey, change: Callable[[Any, float], Any], values: Any) -> list[Any]:
            if not self.ways:
                return [values]
            return [change(values, self.ways[way].get(key, 0.0)) for way in ways]

        def side_by_side(several: Sequence[Any]) -> Any:
            return np.concatenate(
                [
                    np.tile(np.broadcast_to(part, (each,)), times)
                    for part, times in zip(several, repeated, strict=True)
                ]
            )

        def at_points(share: Any) -> Any:
            return np.repeat(np.broadcast_to(share, (self.points,))[there], each)

        unknown, choose = drawn.unknown, drawn.choose
        if self.grid is not None:
            unknown, choose = self.grid.values()

        def chosen(site: str, count: int) -> list[Any] | None:
            shares = choose(site, count)
            return None if shares is None else [at_points(share) for share in shares]

        bins = {}
        for key, parts in drawn.bins.items():
            sides = off(key, bins_off, tuple([part[:each] for part in parts]))
            bins[key] = tuple([side_by_side(part) for part in zip(*sides, strict=True)])
        return Parameters(
            drawn.evidence,
            lambda site: at_points(unknown(site)),
            {
                site: side_by_side(off(site, share_off, values[:each]))
                for site, values in drawn.measured.items()
            },
            bins,
            choose=chosen,
        )


def drawn_rows(
    drawn: Parameters,
    point: Parameters,
    ways: Sequence[Direction],
    each: int,
    grid: Grid | None = None,
) -> DrawnRows:
    """The rows of the first `each` draws as they are, then drifted in each direction."""
    shifts = drifting(point)
    signed = [
        {key: sign * shifts[key] for key, sign in way.items() if key in shifts}
        for way in ({}, *ways)
    ]
    return DrawnRows(drawn, each, grid, tuple(signed) if ways else ())
