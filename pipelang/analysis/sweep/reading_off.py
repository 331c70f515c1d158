"""Totals read off the moves of a formula: how often steps are reached, what they cost, and how runs
end there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
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
    used_up: dict[OpenEnding, Any] = {}
    row: WorkedOut | None = None
    some: list[Moved] = []
    for one in moves:
        register = registers[one[0]]
        here = None if register.__class__ is tuple else register
        if here is not row:
            _read_off(some, row, registers, totals, used_up)
            row, some = here, []
        some.append(one)
    _read_off(some, row, registers, totals, used_up)
    for (_, right, wrong), weight in used_up.items():
        if not is_zero(weight):
            record(totals, USED_UP, right, wrong, weight)


def _read_off(
    moves: Sequence[Moved],
    row: WorkedOut | None,
    registers: Sequence[Any],
    totals: Totals,
    used_up: dict[OpenEnding, Any],
) -> None:
    """The same of moves that follow on one another, of a row that was worked out side by side or of
    none.
    """
    if not moves:
        return
    if row is None:
        _read_off_singly(moves, registers, totals, used_up)
    else:
        _read_off_together(moves, row, totals, used_up)


def _read_off_singly(
    moves: Sequence[Moved],
    registers: Sequence[Any],
    totals: Totals,
    used_up: dict[OpenEnding, Any],
) -> None:
    """The same of moves of which each has a register of its own."""
    found = [registers[at][1] for at, _, _, _ in moves]
    steps = [one for one, (_, owner, _, _) in zip(found, moves, strict=True) if owner is not None]
    names = [owner[1] for _, owner, _, _ in moves if owner is not None]
    spent = [one[1] for one in steps]
    _add_all(totals, names, [one[0] for one in steps], spent)
    totals.cost = reduce(add, spent, totals.cost)
    totals.tokens = reduce(add, [one[2] for one in steps], totals.tokens)
    # Steps of a kind end in the same ways, which is one object.
    alike: dict[int, tuple[int, tuple[OpenEnding, ...], list[Any]]] = {}
    for one, (_, owner, ways, own) in zip(found, moves, strict=True):
        begin = 0 if owner is None else FIGURES
        if own is None:
            key = id(ways)
            if key in alike:
                alike[key][2].append(one)
            else:
                alike[key] = (begin, ways, [one])
            continue
        for number, (outcome, right, wrong) in enumerate(ways, begin):
            if not is_zero(one[number]):
                record(totals, outcome or own, right, wrong, one[number])
    for begin, ways, some in alike.values():
        for number, way in enumerate(ways, begin):
            weight = reduce(add, [one[number] for one in some])
            outcome, right, wrong = way
            if outcome is None:
                used_up[way] = used_up[way] + weight if way in used_up else weight
            elif not is_zero(weight):
                record(totals, outcome, right, wrong, weight)


def _read_off_together(
    moves: Sequence[Moved], row: WorkedOut, totals: Totals, used_up: dict[OpenEnding, Any]
) -> None:
    """The same of moves of a row that was worked out side by side."""
    import numpy as np

    places, owners, ways, outcomes = zip(*moves, strict=True)
    begins = row.sums_of(places)
    is_step = np.array([owner is not None for owner in owners])
    own = begins[is_step]
    often, spent = row.sums[own], row.sums[own + 1]
    names = [owner[1] for owner in owners if owner is not None]
    _add_all(totals, names, often.tolist(), spent.tolist())
    totals.cost = totals.cost + float(spent.sum())
    totals.tokens = totals.tokens + float(row.sums[own + 2].sum())
    begins = begins + FIGURES * is_step
    same = np.array([outcome is None for outcome in outcomes])
    alike = np.flatnonzero(same)
    ids = np.fromiter(map(id, ways), np.int64, len(ways))[alike]
    _, first, kinds = np.unique(ids, return_index=True, return_inverse=True)
    ways_of = [ways[at] for at in alike[first].tolist()]
    counts = np.array([len(one) for one in ways_of], dtype=np.int64)[kinds]
    for number in range(int(counts.max(initial=0))):
        some = counts > number
        weights = row.sums[begins[alike[some]] + number]
        sums = np.bincount(kinds[some], weights, len(ways_of)).tolist()
        for of_kind, weight in zip(ways_of, sums, strict=True):
            if not weight:
                continue
            way = of_kind[number]
            other, right, wrong = way
            if other is None:
                used_up[way] = used_up.get(way, 0.0) + weight
            else:
                record(totals, other, right, wrong, weight)
    lone = np.flatnonzero(~same)
    most = max([len(ways[at]) for at in lone.tolist()], default=0)
    found = np.minimum(begins[lone][:, None] + np.arange(most), len(row.sums) - 1)
    for at, sums in zip(lone.tolist(), row.sums[found].tolist(), strict=True):
        outcome = outcomes[at]
        for (other, right, wrong), weight in zip(ways[at], sums, strict=False):
            if weight:
                record(totals, other or outcome, right, wrong, weight)


def _add_all(
    totals: Totals, names: Sequence[str], often: Sequence[Any], spent: Sequence[Any]
) -> None:
    """Add how often steps are reached, and what they cost, to the sums under their names; a step in
    two rows has two.
    """
    reached, costs = totals.reached, totals.step_costs
    if reached.keys().isdisjoint(names) and costs.keys().isdisjoint(names):
        before = len(reached)
        reached.update(zip(names, often, strict=True))
        if len(reached) == before + len(names):
            costs.update(zip(names, spent, strict=True))
            return
        for name in dict.fromkeys(names):
            del reached[name]
    for sums, amounts in ((reached, often), (costs, spent)):
        for name, amount in zip(names, amounts, strict=True):
            sums[name] = sums[name] + amount if name in sums else amount
