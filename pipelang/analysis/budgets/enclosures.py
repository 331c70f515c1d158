"""Enclosures of outcomes where budgets may cut runs.

One more sweep carries sheets (`sheets`) for chances. It goes over floats, over draws of the
posterior or over a grid of unknowns, as the sweeps of the figures do; `BudgetedRuns` reads bounds
off it. What it cannot work out is left open: a run may then come to any end of its cuts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pipelang.analysis.budgets.arithmetic import Read, SheetArithmetic, arithmetic, no_columns
from pipelang.analysis.budgets.cuts import Cut
from pipelang.analysis.budgets.endings import (
    CUT,
    KEPT,
    RunEnd,
    RunEnds,
    Shares,
    cut_ends,
    decided_at_child,
    ends_of_runs,
)
from pipelang.analysis.budgets.lateness import late_share
from pipelang.analysis.budgets.limits import (
    MONEY,
    PARTS,
    TIME,
    ending_of,
    is_serial,
    reached,
    spend_limits,
)
from pipelang.analysis.budgets.sheets import MOST_ENTRIES, SheetColumns
from pipelang.analysis.budgets.spending import SpendingMeter
from pipelang.analysis.frontier.table import Table
from pipelang.analysis.frontier.totals import Inner, Totals
from pipelang.analysis.model.intervals import Number, certain
from pipelang.analysis.model.model import PipelineModel
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.model.posterior import share_of
from pipelang.analysis.sweep.bounds_over_unknowns import Enclosed
from pipelang.analysis.sweep.columns import joined
from pipelang.analysis.sweep.pruning import TooLarge
from pipelang.analysis.sweep.state import Watch
from pipelang.analysis.sweep.sweep import sweep, sweep_from
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis

MOST_STATES = 20_000
"""States of a sweep above which bounds are left open: sheets are slower than numbers."""

SAME = 1e-12

Counts = Callable[[RunEnd], bool]
"""Whether a figure counts the runs of an end."""


@dataclass(frozen=True, slots=True)
class BudgetedRuns:
    """The fates of runs that budgets cut: how many may come to which ends (None: not worked out),
    and the ends of those that time may cut, with the most that these are. `cut_to` are
    all ends that a cut may have. `drawn` says that shares are draws of a posterior; `rarely` is a
    bound on how many runs are cut, from what they spend on average.
    """

    shares: Shares | None
    late: Sequence[tuple[RunEnds, float]]
    cut_to: RunEnds
    read: Read
    drawn: bool = False
    rarely: float | None = None

    def number(self, counts: Counts, without: Number) -> Number:
        """A share with its bounds; `without` is what it is where nothing is cut."""
        basis = max(without.basis, Basis.BOUND)
        sides = self._sides(counts)
        if sides is None:
            may = self.cut_to is None or any(map(counts, self.cut_to))
            high = 1.0 if may or without.high is None else without.high
            return Number(None, 0.0, high, None, basis, tight=False)
        low, high = self.read(sides[0])[0], self.read(sides[1])[1]
        if self.rarely is not None and without.value is not None:
            low = max(low, without.value - self.rarely)
            high = min(high, without.value + self.rarely)
        low, high = min(1.0, max(0.0, low)), min(1.0, max(0.0, high))
        if high - low <= SAME:
            return certain(high, without.basis)
        return Number(None, low, high, None, basis, tight=False)

    def probability(self, counts: Counts, op: str, target: float) -> float | None:
        """The posterior probability that a promise about a share is kept: whatever runs spend, or
        if that is unlikely, for all that they may. None where nothing was measured.
        """
        sides = self._sides(counts)
        if sides is None or not self.drawn:
            return None
        worse, better = sides if op in (">=", ">") else sides[::-1]
        surely, perhaps = share_of(worse, op, target), share_of(better, op, target)
        return perhaps if perhaps < 0.5 else surely if surely > 0.5 else 0.5

    def cut(self) -> Number:
        """The share of runs that are cut."""
        if self.shares is None:
            return Number(None, 0.0, 1.0, None, Basis.BOUND, tight=False)
        low: Any = 0.0
        high: Any = sum(chance for _, chance in self.late)
        for (_, fate), chance in self.shares.items():
            low = low + chance * (fate == CUT)
            high = high + chance * (fate != KEPT)
        least, most = max(0.0, self.read(low)[0]), min(1.0, self.read(high)[1])
        if self.rarely is not None:
            most = max(least, min(most, self.rarely))
        if most - least <= SAME:
            return certain(most, Basis.BOUND)
        return Number(None, least, most, None, Basis.BOUND, tight=False)

    def _sides(self, counts: Counts) -> tuple[Any, Any] | None:
        """The least and the most of a share of runs, in the sweep's arithmetic; None if open."""
        if self.shares is None:
            return None
        low: Any = 0.0
        high: Any = 0.0
        for (ends, _), chance in self.shares.items():
            if ends is not None and all(map(counts, ends)):
                low = low + chance
            if ends is None or any(map(counts, ends)):
                high = high + chance
        for ends, chance in self.late:
            if ends is None or not all(map(counts, ends)):
                low = low - chance
            if ends is None or any(map(counts, ends)):
                high = high + chance
        return low, high


def budgeted_runs(
    given: PipelineModel,
    cuts: Sequence[Cut],
    bounded: Enclosed | None,
    totals: Totals,
    at_point: bool = False,
) -> BudgetedRuns:
    """Work out the fates of a pipeline's runs that budgets may cut, `given` its model at the point;
    `totals` are those of a sweep there, without cuts. `at_point`: what is counted or unknown is as
    at the point, and whether any run is cut is all that is asked. The most that runs spend tells
    that, and it is the same when their sheets are one interval each.
    """
    program, pipeline, point = given.program, given.pipeline, given.parameters
    late = [
        (_ends_of(program, pipeline, cut), late_share(given, cut, totals.work, at_point, bounded))
        for cut in cuts
        if cut.dimension == TIME
    ]
    late = [(ends, share) for ends, share in late if share]
    cut_to = _ends_of_all([_ends_of(program, pipeline, cut) for cut in cuts])
    nothing = BudgetedRuns(None, late, cut_to, no_columns)
    if totals.work > MOST_STATES or point.left_out:
        return nothing
    counted = not at_point and bool(point.counted or point.counted_bins)
    chosen: SheetArithmetic | None = SheetArithmetic(
        [(Parameters(point.evidence, point.unknown, point.measured, point.bins), 1)], no_columns
    )
    if not at_point:
        chosen = arithmetic(program, pipeline, point, bounded, counted, totals)
    if chosen is None:
        return nothing
    meter = _meter(program, pipeline, cuts, 1 if at_point else MOST_ENTRIES)
    try:
        shares = _side_by_side(
            [(_swept(given.of(parameters), meter), columns) for parameters, columns in chosen.parts]
        )
    except TooLarge:
        return nothing
    rarely = None
    if not counted and (at_point or not point.unknown_sites) and not point.bounded:
        rarely = _rarely(pipeline, cuts, meter, totals)
    return BudgetedRuns(shares, late, cut_to, chosen.read, counted, rarely)


def surely_cut(given: PipelineModel, cuts: Sequence[Cut]) -> bool:
    """Whether some runs are cut by what they spend, as far as those tell that spend the most: they
    are if it says so, and may be if it does not.
    """
    from pipelang.analysis.budgets.dearest_first import DearestFirst, PassedLimit

    meter = _meter(given.program, given.pipeline, cuts, 1)
    limits = enumerate(meter.columns.limits)
    mine = tuple(at for at, limit in limits if limit.pipeline == given.pipeline.name)
    try:
        shares = _swept(given, meter, lambda passage, _: DearestFirst(passage, mine))
    except PassedLimit:
        return True
    except TooLarge:
        return False
    return any(fate != KEPT and chance > 0 for (_, fate), chance in shares.items())


def _meter(
    program: p.Program, pipeline: p.Pipeline, cuts: Sequence[Cut], entries: int
) -> SpendingMeter:
    serial = is_serial((pipeline, *reached(program, pipeline)))
    return SpendingMeter(SheetColumns(spend_limits(program, cuts), serial, entries))


def _swept(model: PipelineModel, meter: SpendingMeter, watch: Watch | None = None) -> Shares:
    """A sweep with sheets for chances."""

    def watched(
        child: PipelineModel, start: Table, taint: frozenset[str], again: bool
    ) -> tuple[Totals, dict[Inner, Any]]:
        return decided_at_child(meter, child, sweep_from(child, start, taint, again)), {}

    model.meter, model.watched = meter, watched
    return ends_of_runs(meter, model, sweep(model, watch=watch))


def _side_by_side(found: Sequence[tuple[Shares, int]]) -> Shares:
    """The shares of all columns, from those of some each and how many these are."""
    if len(found) == 1:
        return found[0][0]
    keys = dict.fromkeys(key for shares, _ in found for key in shares)
    return {key: joined([(shares.get(key, 0.0), size) for shares, size in found]) for key in keys}


# -------------------------------------------------------------------------------- bounds


def _rarely(
    pipeline: p.Pipeline, cuts: Sequence[Cut], meter: SpendingMeter, totals: Totals
) -> float | None:
    """A bound on P(a run is cut) where only its own money cuts it: a cut leaves less than the
    largest call may take, and how many runs spend so much is bounded by the mean (Markov).
    """
    if len(cuts) != 1 or cuts[0].dimension != MONEY or cuts[0].pipeline != pipeline.name:
        return None
    left = meter.columns.limits[0].most - meter.largest.get(0, 0)
    return min(1.0, float(totals.cost) * PARTS / left) if left > 0 else None


# ------------------------------------------------------------------------------------ ends


def _ends_of(program: p.Program, pipeline: p.Pipeline, cut: Cut) -> RunEnds:
    """The ends of runs that a limit cuts; None for all, where a sub-pipeline's failure or answer
    goes on to anything.
    """
    budgeted = program.pipelines[cut.pipeline]
    outcome = ending_of(budgeted, cut.dimension)
    if budgeted.name == pipeline.name:
        return frozenset(cut_ends(outcome, wrong=True))
    return None


def _ends_of_all(several: Sequence[RunEnds]) -> RunEnds:
    found: frozenset[RunEnd] = frozenset()
    for ends in several:
        if ends is None:
            return None
        found |= ends
    return found
