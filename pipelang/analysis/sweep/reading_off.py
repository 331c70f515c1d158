"""Totals read off the moves of a formula: how often steps are reached, what they cost, and how runs
end there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipelang.analysis.frontier.recorder import Moved, OpenEnding
from pipelang.analysis.frontier.states import is_zero
from pipelang.analysis.frontier.totals import Totals, record
from pipelang.diagnostics import Span
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import CHAIN_EXHAUSTED

if TYPE_CHECKING:
    from pipelang.analysis.arithmetic.stretches import WorkedOut

FIGURES = 3
"""Figures of a step before its ends: how often it is reached, dollars, tokens."""

USED_UP = p.Fail(CHAIN_EXHAUSTED, "", Span("", 0, 0))
"""The outcome of all plain steps whose chains do not say how they end, where it is read off."""


def read_off(moves: Sequence[Moved], registers: Sequence[Any], totals: Totals) -> None:
    """Add what came of moves to totals."""
    reached, costs = totals.reached, totals.step_costs
    cost, tokens = totals.cost, totals.tokens
    used_up: dict[OpenEnding, Any] = {}
    row: Any = None
    together: list[Moved] = []
    for one in moves:
        at, owner, ends, own = one
        register = registers[at]
        if register is not row and together:
            dollars, used = _read_off_together(together, row, totals, used_up)
            cost, tokens, together = cost + dollars, tokens + used, []
        if register.__class__ is not tuple:
            row = register
            together.append(one)
            continue
        found = register[1]
        if owner is not None:
            often, spent, used, *found = found
            name = owner[1]
            reached[name] = reached[name] + often if name in reached else often
            costs[name] = costs[name] + spent if name in costs else spent
            cost, tokens = cost + spent, tokens + used
        for way, weight in zip(ends, found, strict=True):
            outcome = way[0] or own
            if outcome is None:
                used_up[way] = used_up[way] + weight if way in used_up else weight
            elif not is_zero(weight):
                record(totals, outcome, way[1], way[2], weight)
    if together:
        dollars, used = _read_off_together(together, row, totals, used_up)
        cost, tokens = cost + dollars, tokens + used
    for (_, right, wrong), weight in used_up.items():
        if not is_zero(weight):
            record(totals, USED_UP, right, wrong, weight)
    totals.cost, totals.tokens = cost, tokens


def _read_off_together(
    moves: Sequence[Moved], row: WorkedOut, totals: Totals, used_up: dict[OpenEnding, Any]
) -> tuple[float, float]:
    """The same of moves of a row that was worked out side by side, but for dollars and tokens,
    which are returned.
    """
    import numpy as np

    places, owners, ways, outcomes = zip(*moves, strict=True)
    begins = row.sums_of(places)
    is_step = np.array([owner is not None for owner in owners])
    own = begins[is_step]
    often, spent = row.sums[own], row.sums[own + 1]
    names = [owner[1] for owner in owners if owner is not None]
    _add_all(totals.reached, names, often.tolist())
    _add_all(totals.step_costs, names, spent.tolist())
    spending = float(spent.sum()), float(row.sums[own + 2].sum())
    begins = begins + FIGURES * is_step
    alike = np.fromiter(map(id, ways), np.int64, len(ways))
    same = np.array([outcome is None for outcome in outcomes])
    for ends in np.unique(alike[same]).tolist():
        some = np.flatnonzero(same & (alike == ends))
        for number, way in enumerate(ways[int(some[0])]):
            weight = float(row.sums[begins[some] + number].sum())
            if not weight:
                continue
            other, right, wrong = way
            if other is None:
                used_up[way] = used_up.get(way, 0.0) + weight
            else:
                record(totals, other, right, wrong, weight)
    for at in np.flatnonzero(~same).tolist():
        outcome, begin = outcomes[at], int(begins[at])
        assert outcome is not None
        for number, (other, right, wrong) in enumerate(ways[at]):
            weight = float(row.sums[begin + number])
            if weight:
                record(totals, other or outcome, right, wrong, weight)
    return spending


def _add_all(sums: dict[str, Any], names: Sequence[str], amounts: Sequence[float]) -> None:
    """Add amounts to the sums under their names; a step in two rows has two."""
    found = dict(zip(names, amounts, strict=True))
    if len(found) == len(names) and sums.keys().isdisjoint(found):
        sums |= found
        return
    for name, amount in zip(names, amounts, strict=True):
        sums[name] = sums[name] + amount if name in sums else amount
