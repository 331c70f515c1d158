"""Whether budgets cut any run at all: what a check says of it, without working out how many.

How many runs a budget cuts is asked of draws of a posterior and of a grid over what nobody
declared; that it cuts any is a matter of which ways are possible. Those are the same at the means
of the posteriors, at which nothing is impossible because it never happened, and at one half for an
unknown: a share is a polynomial in the unknowns that is nowhere below 0, so one that is 0 inside is
0 everywhere. So one sweep over numbers tells, and where money, tokens and calls leave no run cut,
the times of runs do.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, NoReturn

from pipelang.analysis.budgets.cuts import Cut
from pipelang.analysis.budgets.limits import MONEY, TIME
from pipelang.analysis.frontier.meter import MetUndeclared
from pipelang.analysis.model.model import PipelineModel
from pipelang.analysis.model.parameters import Parameters, point_parameters
from pipelang.analysis.sweep.bounds_over_unknowns import enclosed, look_behind
from pipelang.analysis.sweep.compiled import Compiled
from pipelang.analysis.sweep.sweep import sweep
from pipelang.records import replace

if TYPE_CHECKING:
    from pipelang.analysis.budgets.enclosures import BudgetedRuns


class CutBy(Enum):
    """The reason why runs may be cut: what they spend, how long they take, or that a check leaves
    it open.
    """

    SPENDING = "spending"
    TIME = "time"
    OPEN = "open"


def is_cut(model: PipelineModel, cuts: Sequence[Cut], to_raise: bool = False) -> bool:
    """Whether the possible cuts of the runs of a model's pipeline cut any, as a check of it says,
    or leave it open; whatever the reason. The runs that spend the most are looked at first: where
    the point has some that are cut, they are cut at the means of the posteriors too, and what a
    check leaves open counts as cut anyway. A limit `to_raise` is raised for what is undeclared
    without a look at how many are late: that took a tenth of a small file's check.
    """
    spent = [cut for cut in cuts if cut.dimension != TIME]
    # A single limit of money may be found to cut none because nothing is spent on average.
    if spent and not (len(cuts) == 1 and spent[0].dimension == MONEY):
        from pipelang.analysis.budgets.enclosures import surely_cut

        if surely_cut(model.of(point_parameters(model.program)), spent):
            return True
    return cut_by(model, cuts, to_raise) is not None


def cut_by(model: PipelineModel, cuts: Sequence[Cut], to_raise: bool = False) -> CutBy | None:
    """The reason why the possible cuts of the runs of a model's pipeline cut any, as a check of it
    says; None if they cut none. What a check leaves open counts as cut, and a limit of time
    `to_raise` does where something undeclared is met.
    """
    compiled = Compiled(model.program, model.pipeline)
    times = [cut for cut in cuts if cut.dimension == TIME]
    point = point_parameters(model.program)
    asked = replace(point, unknown=_met) if times and to_raise else point
    compiled.model = model.of(asked)
    try:
        totals = sweep(compiled.model)
        compiled.work, compiled.widest = totals.work, totals.widest
        look_behind(compiled, asked)
    except MetUndeclared:
        return CutBy.OPEN
    point = replace(asked, unknown=point.unknown)
    if point.left_out:
        return CutBy.OPEN
    counted = bool(point.counted or point.counted_bins)
    spent = [cut for cut in cuts if cut.dimension != TIME]
    if spent:
        from pipelang.analysis.budgets.enclosures import budgeted_runs

        inside = Parameters(point.evidence, point.unknown, *(point.interior() if counted else ()))
        found = budgeted_runs(model.of(inside), spent, None, totals, at_point=True)
        known = not (counted or point.unknown_sites or point.bounded)
        free = known and len(cuts) == 1 and found.rarely == 0.0
        if not free and found.shares is None:
            return CutBy.OPEN
        if not free and _any_cut(found):
            return CutBy.SPENDING
    if times:
        from pipelang.analysis.budgets.lateness import late_share

        unsure = bool(point.unknown_sites)
        if any(late_share(model.of(point), cut, totals.work, at_point=unsure) for cut in times):
            return CutBy.TIME
    if point.unknown_sites:
        from pipelang.analysis.budgets.arithmetic import MOST_TIMES
        from pipelang.analysis.model.posterior import draws_beside

        bounded = enclosed(compiled, point, totals.work)
        grid = None if bounded is None else bounded.grid
        if grid is None or (counted and not draws_beside(grid.size, totals.work * MOST_TIMES)):
            return CutBy.OPEN
    return None


def _met(site: str) -> NoReturn:
    """Stand for a share that nobody declared, where the first that is met settles the matter."""
    raise MetUndeclared(site)


def _any_cut(runs: BudgetedRuns) -> bool:
    """Whether any runs are cut, for all that is known."""
    from pipelang.analysis.budgets.endings import KEPT

    shares = runs.shares or {}
    return any(fate != KEPT and chance > 0 for (_, fate), chance in shares.items())
