"""Figures of runs that budgets may cut: outcomes with bounds, amounts as the bounds that they are.

A run that is cut does no more than it would have done, so what runs cost and how long they take
without cuts bounds what they do with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelang.analysis.budgets.enclosures import BudgetedRuns, Counts
from pipelang.analysis.budgets.endings import RunEnd
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


def with_cuts(numbers: Mapping[str, Number], runs: BudgetedRuns) -> dict[str, Number]:
    """The numbers of a report where budgets may cut runs."""
    found = {}
    for name, number in numbers.items():
        if counts_of(name) is not None:
            found[name] = share_with_cuts(name, number, runs)
        elif name.partition(".")[0] in AMOUNTS and number.value:
            found[name] = number._replace(basis=max(number.basis, Basis.BOUND))
        else:
            found[name] = number
    found[m.SELECTIVE_RISK] = _risk(found)
    return found


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
) -> ObjectiveVerdict:
    """The verdict of a promise where budgets may cut runs; `without` is that of runs that none
    cuts.
    """
    counts = counts_of(line.metric)
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
    family, limit = line.metric.partition(".")[0], None
    if budget is not None:
        limit = budget.money if family == m.COST else budget.tokens if family == "tokens" else None
    if without.holds is True or (limit is None and without.holds is None):
        return without
    if limit is not None:
        most = Number(None, 0.0, float(limit), None, Basis.BOUND, tight=False)
        if decide(line, most, None).holds:
            return ObjectiveVerdict(line, most, True, 1.0)
    return ObjectiveVerdict(line, without.number, None, without.probability, why, cut=True)
