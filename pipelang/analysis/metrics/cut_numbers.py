"""Figures of runs that budgets may cut: outcomes with bounds, amounts as the bounds that they are.

A run that is cut does no more than it would have done, so what runs cost and how long they take
without cuts bounds what they do with them. Not so where a pipeline that a run runs is cut and then
fails or answers otherwise: whoever runs it may go on to what no run does without cuts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipelang.analysis.budgets.cuts import Cut
from pipelang.analysis.budgets.enclosures import BudgetedRuns, Counts
from pipelang.analysis.budgets.endings import RunEnd
from pipelang.analysis.budgets.limits import ending_of
from pipelang.analysis.metrics.metrics import ratio_between
from pipelang.analysis.metrics.objectives import ObjectiveVerdict, decide, undecided
from pipelang.analysis.model.intervals import UNCOMPUTED, Number
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.kernels.run import named, with_inner
from pipelang.semantics.walk import outcomes

BUDGET = "budget"
"""The name of the way that a budget takes."""


def counts_of(metric: str) -> Counts | None:
    """The ends that a share of runs counts; None for what is no such share."""
    kind, _, name = metric.partition(".")
    if kind == m.ESCALATION and name:
        return lambda end: end[:2] == (m.ESCALATION, name)
    if metric in m.OUTCOMES:
        return lambda end: end[0] == metric
    return _DERIVED.get(metric)


def _answered(end: RunEnd) -> bool:
    return end[0] in (m.SUCCESS, m.SILENT_ERROR)


_DERIVED: Mapping[str, Counts] = {
    m.COVERAGE: _answered,
    m.AVAILABILITY: lambda end: end[0] != m.FAILURE,
    m.WRONG_EFFECT: lambda end: end[2],
}


def goes_on(program: p.Program, pipeline: p.Pipeline, cuts: Sequence[Cut]) -> bool:
    """Whether a run may go on where a pipeline that it runs is cut: it fails there, or answers."""
    return any(
        isinstance(ending_of(program.pipelines[cut.pipeline], cut.dimension), (p.Fail, p.Return))
        for cut in cuts
        if cut.pipeline != pipeline.name
    )


def with_cuts(
    numbers: Mapping[str, Number], runs: BudgetedRuns, pipeline: p.Pipeline, going_on: bool
) -> dict[str, Number]:
    """The numbers of a report where budgets may cut runs; `going_on` as `goes_on` says."""
    found = {}
    for name, number in numbers.items():
        if counts_of(name) is not None:
            found[name] = share_with_cuts(name, number, runs)
        elif going_on and name.partition(".")[0] in AMOUNTS and not name.endswith(m.WORST):
            found[name] = _amount_going_on(name, numbers, runs.cut(), pipeline.budget)
        elif name.partition(".")[0] in AMOUNTS and number.value:
            found[name] = number._replace(basis=max(number.basis, Basis.BOUND))
        else:
            found[name] = number
    found[m.SELECTIVE_RISK] = _risk(found)
    return found


def _amount_going_on(
    name: str, numbers: Mapping[str, Number], cut: Number, budget: p.Budget | None
) -> Number:
    """The amount of runs that may go on behind a cut. A run that none cuts takes what it took, one
    that is cut no more than the dearest, which takes every way; and none more than its budget.

    So a mean lies no further off than the share of cut runs times the dearest, and a quantile is no
    more than the one that lies by that share higher.
    """
    number, family = numbers[name], name.partition(".")[0]
    read, share = name.partition(".")[2], 1.0 if cut.high is None else cut.high
    dearest = numbers[f"{family}.{m.WORST}"].high
    if name == m.COST_MONTH:
        mean = numbers[m.COST_MEAN]
        moved = _amount_going_on(m.COST_MEAN, numbers, cut, budget)
        if not number.high or not mean.high or moved.high is None:
            return _between(0.0, None)
        a_month = number.high / mean.high
        return _between((moved.low or 0.0) * a_month, moved.high * a_month)
    low = 0.0
    if read in _LEVELS:
        level = _LEVELS[read] + share
        above = [f"{family}.{one}" for one, at in _LEVELS.items() if at >= level]
        high = numbers[above[0]].high if above and above[0] in numbers else dearest
    elif number.high is None or dearest is None:
        high = None
    else:
        low = max(0.0, (number.low or 0.0) - share * dearest)
        high = min(dearest, number.high + share * dearest)
    limit = most_of(budget, family)
    if limit is not None:
        high = limit if high is None else min(high, limit)
    return _between(low, high)


def most_of(budget: p.Budget | None, family: str) -> float | None:
    """The most that a run may take, as its own budget has it."""
    if budget is None:
        return None
    limit = budget.money if family == m.COST else budget.tokens if family == "tokens" else None
    return None if limit is None else float(limit)


def _between(low: float, high: float | None) -> Number:
    return Number(None, low, high, None, Basis.BOUND, tight=False)


_LEVELS = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
"""Quantiles of amounts, and the share of runs that take no more."""


def share_with_cuts(metric: str, without: Number, runs: BudgetedRuns) -> Number:
    """A share of runs where budgets may cut them. One that is cut has done no more than without."""
    counts = counts_of(metric)
    assert counts is not None
    found = runs.number(counts, without)
    capped = metric == m.WRONG_EFFECT and runs.cut_to is not None and without.high is not None
    if not capped or found.high is None or found.high <= (without.high or 0.0):
        return found
    if not without.high:
        return without
    return Number(None, found.low, without.high, None, found.basis, tight=False)


AMOUNTS = (m.COST, m.TOKENS_MEAN.partition(".")[0], m.LATENCY, m.TURNAROUND)
"""The families of metrics that grow with what a run does."""


def _risk(numbers: Mapping[str, Number]) -> Number:
    wrong, right = numbers[m.SILENT_ERROR], numbers[m.SUCCESS]
    if not wrong.high and not right.high:
        return UNCOMPUTED
    return ratio_between(wrong, right)._replace(basis=max(wrong.basis, right.basis))


def escalations_with_cuts(
    program: p.Program,
    pipeline: p.Pipeline,
    escalations: Mapping[str, Number],
    runs: BudgetedRuns,
) -> dict[str, Number]:
    """Every way to a person, those that a budget takes among them: of runs that may come to
    anything, all that there are. A way that nothing takes without cuts is one where a pipeline that
    is cut has failed.
    """
    names = dict.fromkeys(escalations)
    ends_of_some = [runs.cut_to, *(ends for ends, _ in runs.shares or ((None, 0),))]
    for ends in ends_of_some:
        names |= dict.fromkeys(name for kind, name, _ in ends or () if kind == m.ESCALATION)
    if None in ends_of_some:
        names |= dict.fromkeys(_all_ways(program, pipeline))
    none = Number(0.0, 0.0, 0.0, 0.0, Basis.EXACT)
    found = {}
    for name in names:
        metric = f"{m.ESCALATION}.{name}"
        found[name] = share_with_cuts(metric, escalations.get(name, none), runs)
    return {name: number for name, number in found.items() if number.high or name in escalations}


def _all_ways(program: p.Program, pipeline: p.Pipeline) -> Iterator[str]:
    """The ways to a person of a pipeline and of those that it runs, budgets' among them."""
    for one in with_inner(program, pipeline):
        reasons = [end.reason for end in outcomes(one.block) if isinstance(end, p.Escalate)]
        if one.budget is not None and isinstance(one.budget.otherwise, p.Escalate):
            reasons.append(BUDGET)
        yield from reasons if one is pipeline else (named(one.name, way) for way in reasons)


def decided_with_cuts(
    line: p.SloLine,
    without: ObjectiveVerdict,
    runs: BudgetedRuns,
    number: Number | None,
    why: str,
    budget: p.Budget | None = None,
    going_on: bool = False,
) -> ObjectiveVerdict:
    """The verdict of a promise where budgets may cut runs; `without` is that of runs that none
    cuts. `going_on`: these may then do what no run does without cuts.
    """
    counts = counts_of(line.metric)
    if going_on and counts is None and _is_amount(line):
        return _amount_with_cuts(line, without, number, budget, why)
    if counts is None and line.op in ("<=", "<") and _is_spent(line):
        return _at_most_with_cuts(line, without, budget, why)
    if line.when is None and number is not None:
        if counts is not None:
            probability = runs.probability(counts, line.op, float(line.target))
            verdict = decide(line, number, probability)
        elif line.metric == m.SELECTIVE_RISK:
            verdict = decide(line, number, None)
        elif line.op in ("<=", "<"):
            return without
        else:
            return undecided(without, why)
        if verdict.holds is None and without.holds is not None:
            return ObjectiveVerdict(line, number, None, verdict.probability, why, cut=True)
        return verdict
    return undecided(without, why)


def _is_amount(line: p.SloLine) -> bool:
    """Whether a promise is about an amount that a run may pass without cuts: not of the dearest."""
    family, _, read = line.metric.partition(".")
    return family in AMOUNTS and read != m.WORST


def _amount_with_cuts(
    line: p.SloLine,
    without: ObjectiveVerdict,
    number: Number | None,
    budget: p.Budget | None,
    why: str,
) -> ObjectiveVerdict:
    """A promise about an amount where runs may go on behind a cut: `number` has that in it, and is
    of all runs. Of some of them only what their budget allows is known.
    """
    shown = number if line.when is None and line.cached is None else None
    if shown is None:
        shown = _between(0.0, most_of(budget, line.metric.partition(".")[0]))
    verdict = decide(line, shown, None)
    if verdict.holds is None:
        return ObjectiveVerdict(line, shown, None, None, why, cut=True)
    return verdict


def _is_spent(line: p.SloLine) -> bool:
    """Whether a promise is about what some or all runs take, however it is told of them."""
    family, _, read = line.metric.partition(".")
    return family in AMOUNTS and read in m.QUANTILES and read != m.WORST and line.cached is None


def _at_most_with_cuts(
    line: p.SloLine, without: ObjectiveVerdict, budget: p.Budget | None, why: str
) -> ObjectiveVerdict:
    """A promise that runs take no more than so much. A cut only makes it less: what holds without
    cuts holds, and what does not may hold with them. No run takes more than its budget.
    """
    limit = most_of(budget, line.metric.partition(".")[0])
    if without.holds is True or (limit is None and without.holds is None):
        return without
    if limit is not None:
        most = _between(0.0, limit)
        if decide(line, most, None).holds:
            return ObjectiveVerdict(line, most, True, 1.0)
    return ObjectiveVerdict(line, without.number, None, without.probability, why, cut=True)
