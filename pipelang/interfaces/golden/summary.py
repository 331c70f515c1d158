"""The summary of a golden set: shares that pass, flips, and the test between versions.

pass^n is the share of the cases of which all n runs pass (S. Yao et al., "tau-bench", 2024): what
counts for somebody who meets the pipeline n times. A judge that is right in a share a of its
verdicts passes a case of good answers in a^n or more, and one with a bad answer in 1-a or less: so
the share p behind an observed r lies between (r - (1-a)) / a and r / a^n.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelang.interfaces.golden.running import CaseRuns, SetRuns
from pipelang.records import dataclass
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.statistics.intervals import exact_share
from pipelang.statistics.mcnemar import PairedComparison, exact_mcnemar


@dataclass(frozen=True, slots=True)
class JudgeAccuracy:
    """The share of its verdicts in which a judging pipeline is right, as `check` has it; None where
    that hangs on what nobody declared.
    """

    name: str
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """Cases of which all runs pass, with an exact interval; single runs that pass; `times` is the
    most that a case was run. `low` and `high` have a judge's mistakes in them.
    """

    cases: int
    passed: int
    low: float
    high: float
    runs: int
    run_passes: int
    times: int
    unsteady: tuple[CaseRuns, ...]
    failed: tuple[CaseRuns, ...]


def summary(made: SetRuns, judges: Sequence[JudgeAccuracy]) -> Summary:
    """The summary of the runs of one version."""
    runs = [one for one in made.runs if one.case.expected is not None]
    passed = sum(one.passed for one in runs)
    times = max((len(one.differences) for one in runs), default=1)
    low, high = exact_share(passed, len(runs)) if runs else (0.0, 1.0)
    for judge in judges:
        low, high = _judged(low, high, judge, times)
    return Summary(
        len(runs),
        passed,
        low,
        high,
        sum(len(one.differences) for one in runs),
        sum(one.passes for one in runs),
        times,
        tuple(one for one in runs if 0 < one.passes < len(one.differences)),
        tuple(one for one in runs if not one.passed),
    )


def _judged(low: float, high: float, judge: JudgeAccuracy, times: int) -> tuple[float, float]:
    right = judge.low
    if right is None or right <= 0:
        return 0.0, 1.0
    return max(0.0, (low - (1 - right)) / right), min(1.0, high / right**times)


def judge_accuracy(program: p.Program, judge: p.Pipeline) -> JudgeAccuracy:
    """The accuracy of a judge's verdicts: of those that it gives."""
    from pipelang.analysis.metrics.analyse import analyse

    numbers = analyse(program, judge).numbers
    right, wrong = numbers[m.SUCCESS], numbers[m.SILENT_ERROR]
    if right.value is None or wrong.value is None or right.value + wrong.value <= 0:
        return JudgeAccuracy(judge.name, None, None)
    least = (right.low or 0.0) / max((right.low or 0.0) + (wrong.high or 0.0), 1e-12)
    most_right = 1.0 if right.high is None else right.high
    most = most_right / max(most_right + (wrong.low or 0.0), 1e-12)
    return JudgeAccuracy(judge.name, least, most)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions on the same cases: those that got worse and better, and the test."""

    worse: tuple[CaseRuns, ...]
    better: tuple[CaseRuns, ...]
    same: int
    test: PairedComparison


def comparison(before: SetRuns, after: SetRuns) -> Comparison:
    """The comparison of what both versions ran."""
    was = {one.case.name: one for one in before.runs if one.case.expected is not None}
    both = [one for one in after.runs if one.case.name in was]
    worse = tuple(one for one in both if was[one.case.name].passed and not one.passed)
    better = tuple(one for one in both if not was[one.case.name].passed and one.passed)
    same = len(both) - len(worse) - len(better)
    return Comparison(worse, better, same, exact_mcnemar(len(worse), len(better)))
