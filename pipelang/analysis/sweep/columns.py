"""Sweeps over arrays of parameters, some columns at a time.

A sweep over 20,000 posterior draws, or over the points of a grid, holds an array for every state.
Columns do not touch each other, so a few are swept at once: the results are the same, the arrays
stay in the processor's cache, and no pipeline takes more than some megabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pipelang.analysis.frontier.totals import PLAIN
from pipelang.analysis.model.model import PipelineModel
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.sweep.sweep import Totals, sweep

MOST_NUMBERS = 4_000_000
"""Numbers in all arrays of a frontier together: 32 MB."""
LEAST_COLUMNS = 250

GROUPS = ("escalations", "failures", "asked", "reached", "step_costs", "inside")


def sweep_columns(
    make: Callable[[Parameters], PipelineModel], parameters: Parameters, count: int, widest: int
) -> Totals:
    """Sweep over parameters that are arrays of `count` numbers. `make` makes the model, and
    `widest` is how many states its frontier may have.
    """
    most = max(LEAST_COLUMNS, MOST_NUMBERS // max(1, widest))
    if count <= most:
        return sweep(make(parameters))
    found = []
    for start in range(0, count, most):
        part = slice(start, min(count, start + most))
        found.append(
            (sweep(make(some_columns(parameters, part, count))), part.stop - part.start),
        )
    return side_by_side(found)


def some_columns(parameters: Parameters, part: slice, count: int) -> Parameters:
    """The same parameters in some columns alone."""

    def cut(values: Any) -> Any:
        return values[part] if getattr(values, "shape", ()) == (count,) else values

    def chosen(site: str, number: int) -> list[Any] | None:
        shares = parameters.choose(site, number)
        return None if shares is None else [cut(share) for share in shares]

    return Parameters(
        parameters.evidence,
        lambda site: cut(parameters.unknown(site)),
        {site: cut(values) for site, values in parameters.measured.items()},
        {key: tuple(map(cut, values)) for key, values in parameters.bins.items()},
        choose=chosen,
    )


def side_by_side(found: Sequence[tuple[Totals, int]]) -> Totals:
    """The totals of all columns, from those of some each and how many these are."""
    whole = Totals()
    for name in PLAIN:
        setattr(whole, name, joined([(getattr(one, name), size) for one, size in found]))
    for name in GROUPS:
        keys = dict.fromkeys(key for one, _ in found for key in getattr(one, name))
        sums = {
            key: joined([(getattr(one, name).get(key, 0.0), size) for one, size in found])
            for key in keys
        }
        setattr(whole, name, sums)
    endings = {key: end for one, _ in found for key, (end, _) in one.endings.items()}
    for key, outcome in endings.items():
        shares = [(one.endings.get(key, (outcome, 0.0))[1], size) for one, size in found]
        whole.endings[key] = (outcome, joined(shares))
    whole.work = max(one.work for one, _ in found)
    whole.widest = max(one.widest for one, _ in found)
    return whole


def joined(parts: list[tuple[Any, int]]) -> Any:
    """One array of those of some columns each; a number that is the same in all stays one."""
    import numpy as np

    values = [value for value, _ in parts]
    if not any(getattr(value, "shape", ()) for value in values):
        first = values[0]
        if all(value == first for value in values):
            return first
    return np.concatenate([np.broadcast_to(value, (size,)) for value, size in parts])
