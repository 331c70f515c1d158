"""Metrics of `check` as observed: by how runs ended, what they took, and what people said."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from math import ceil

from pipelang.analysis.model.intervals import Number
from pipelang.interfaces.observation.comparison import (
    FigureVerdict,
    ObservedMetric,
    judged,
    observed_mean,
    observed_most,
    observed_quantile,
    observed_share,
    runs_for_share,
)
from pipelang.interfaces.observation.labels import AnswerLabel, of_returned
from pipelang.interfaces.observation.records import (
    ANSWERED,
    ENDINGS,
    ESCALATED,
    FAILED,
    REJECTED,
    ObservedRun,
    costs_of,
)
from pipelang.records import replace
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.semantics.watched.sampled_steps import returned_step, sampled_steps
from pipelang.statistics.calibration import calibration_error
from pipelang.statistics.products import product_of_shares
from pipelang.statistics.weights import WeightedShare, weighted_share

DAYS_A_MONTH = 30
_QUANTILES = {m.P50: 0.5, m.P95: 0.95, m.P99: 0.99}

_ENDING: Mapping[str, Callable[[ObservedRun], bool]] = {
    m.ESCALATION: lambda run: run.outcome == ESCALATED,
    m.REJECTION: lambda run: run.outcome == REJECTED,
    m.FAILURE: lambda run: run.outcome == FAILED,
    m.COVERAGE: lambda run: run.outcome == ANSWERED,
    m.AVAILABILITY: lambda run: run.outcome != FAILED,
}


def ended_runs(runs: Sequence[ObservedRun]) -> list[ObservedRun]:
    """The runs that ended in one of the four ways."""
    return [run for run in runs if run.outcome in ENDINGS]


def stories_of(runs: Sequence[ObservedRun]) -> int:
    """The number of threads among some runs, each run without one counted as one."""
    return len({run.id if run.thread is None else f"thread:{run.thread}" for run in runs})


def metrics_of_runs(
    runs: Sequence[ObservedRun], numbers: Mapping[str, Number], exits: Mapping[str, Number]
) -> list[ObservedMetric]:
    """The metrics that every run shows. `exits` are the predicted escalations by their reason."""
    ended = ended_runs(runs)
    stories = stories_of(ended)
    found = [
        observed_share(name, sum(map(_ENDING[name], ended)), len(ended), stories, numbers.get(name))
        for name in _ENDING
    ]
    reasons = sorted({run.reason or "" for run in ended if run.outcome == ESCALATED})
    for reason in [*exits, *(name for name in reasons if name not in exits and name)]:
        hits = sum(run.outcome == ESCALATED and run.reason == reason for run in ended)
        name = f"{m.ESCALATION}.{reason}"
        found.append(observed_share(name, hits, len(ended), stories, exits.get(reason)))
    found += _costs(ended, stories, numbers)
    tokens = [float(run.tokens) for run in ended]
    found.append(observed_mean(m.TOKENS_MEAN, tokens, stories, numbers.get(m.TOKENS_MEAN)))
    found.append(observed_most(m.TOKENS_WORST, tokens, numbers.get(m.TOKENS_WORST)))
    machine = [run.seconds for run in ended if run.seconds is not None]
    found += _distribution(m.LATENCY, machine, stories, numbers)
    whole = [run.turnaround for run in ended if run.turnaround is not None]
    found += _distribution(m.TURNAROUND, whole, stories, numbers)
    return found


UNPRICED = "what some of the runs cost is unknown: they asked a tier without a price"


def _costs(
    ended: Sequence[ObservedRun], stories: int, numbers: Mapping[str, Number]
) -> list[ObservedMetric]:
    """The cost of runs. Where that of one is unknown, no number of further runs mends it."""
    costs = costs_of(ended)
    found = _distribution(m.COST, costs or [], stories, numbers)
    return found if costs is not None else [replace(one, more=0, note=UNPRICED) for one in found]


def _distribution(
    family: str, values: Sequence[float], stories: int, numbers: Mapping[str, Number]
) -> list[ObservedMetric]:
    ordered = sorted(values)
    stories = min(stories, len(ordered))

    def predicted(read: str) -> Number | None:
        return numbers.get(f"{family}.{read}")

    found = [observed_mean(f"{family}.{m.MEAN}", values, stories, predicted(m.MEAN))]
    for read, share in _QUANTILES.items():
        name = f"{family}.{read}"
        found.append(observed_quantile(name, ordered, share, stories, predicted(read)))
    found.append(observed_most(f"{family}.{m.WORST}", values, predicted(m.WORST)))
    return found


def cost_a_month(
    mean: ObservedMetric, rate: float | None, predicted: Number | None
) -> ObservedMetric:
    """The cost of a month at the rate (runs a day) at which runs came."""
    name = m.COST_MONTH
    if mean.value is None or mean.low is None or mean.high is None or rate is None:
        note = "a rate a day needs runs over an hour at least" if rate is None else mean.note
        return ObservedMetric(
            name, None, None, None, 0, predicted, FigureVerdict.UNMEASURED, note=note
        )
    often = rate * DAYS_A_MONTH
    low, high = mean.low * often, mean.high * often
    verdict = judged((low, high), predicted, enough=True, unit=False)
    return ObservedMetric(name, mean.value * often, low, high, mean.runs, predicted, verdict)


# ------------------------------------------------------------------------- what people said


def metrics_of_labels(
    program: p.Program,
    pipeline: p.Pipeline,
    runs: Sequence[ObservedRun],
    labels: Sequence[AnswerLabel],
    numbers: Mapping[str, Number],
    declared: Mapping[str, Number],
) -> list[ObservedMetric]:
    """The metrics that need labels: what answers are worth. `declared` are accuracies of steps.

    A pipeline that returns a step is right where that step is.
    """
    found = []
    sampled = sampled_steps(program, pipeline)
    for step in sorted({*declared, *(label.step for label in labels)}):
        mine = [label for label in labels if label.step == step]
        found.append(_accuracy(sampled, runs, step, mine, declared.get(step)))
        sure = [(label.confidence, label.right) for label in mine if label.confidence is not None]
        if sure:
            error = calibration_error(sure)
            found.append(
                ObservedMetric(
                    f"{m.CALIBRATION}({step})",
                    error.error,
                    error.low,
                    error.high,
                    error.rows,
                    None,
                    FigureVerdict.ALONE,
                    what="labels",
                )
            )
    return [*_answers(pipeline, sampled, runs, labels, numbers), *found]


def _accuracy(
    sampled: Collection[str],
    runs: Sequence[ObservedRun],
    step: str,
    labels: Sequence[AnswerLabel],
    declared: Number | None,
) -> ObservedMetric:
    # Labels of one run, or thread, are right or wrong together more often than others are.
    share = weighted_share(
        ((label.right, 1 / label.chance) for label in labels), most=_groups(runs, labels)
    )
    why = "" if share.share is not None else _unlabelled(sampled, step)
    return _weighted(f"{m.ACCURACY}({step})", share, declared, why)


def _groups(runs: Sequence[ObservedRun], labels: Sequence[AnswerLabel]) -> int:
    """The number of threads whose answers are labelled, each run without one counted as one."""
    threads = {run.id: f"thread:{run.thread}" for run in runs if run.thread is not None}
    return len({threads.get(label.run, label.run) for label in labels})


def _unlabelled(sampled: Collection[str], step: str) -> str:
    """The reason for no labels of a step where some are sampled; nothing where none are."""
    if step in sampled:
        return f"nobody labelled `{step}` in this time: `pipelang inbox` has what is sampled"
    return ""


def _weighted(
    name: str, share: WeightedShare, predicted: Number | None, note: str = ""
) -> ObservedMetric:
    if share.share is None:
        more = runs_for_share(0.1)
        why = note or "nobody labelled it: `sample 5% of STEP by ROLE` puts answers before people"
        return ObservedMetric(
            name, None, 0.0, 1.0, 0, predicted, FigureVerdict.UNMEASURED, more, "labels", why
        )
    more = max(0, ceil(runs_for_share(share.share) - share.effective))
    sure = (share.low, share.high)
    verdict = judged(sure, predicted, not more)
    return ObservedMetric(
        name, share.share, *sure, share.rows, predicted, verdict, more, "labels", note
    )


def _answers(
    pipeline: p.Pipeline,
    sampled: Collection[str],
    runs: Sequence[ObservedRun],
    labels: Sequence[AnswerLabel],
    numbers: Mapping[str, Number],
) -> list[ObservedMetric]:
    """Success, silent errors and selective risk, where the answer of the pipeline is labelled."""
    returned = returned_step(pipeline)
    ended = ended_runs(runs)
    answered = {run.id for run in ended if run.outcome == ANSWERED}
    mine = [label for label in of_returned(labels, returned) if label.run in answered]
    risk = weighted_share(
        ((not label.right, 1 / label.chance) for label in mine), most=_groups(runs, mine)
    )
    note = ""
    if returned is None:
        note = "the pipeline returns no single step, so that no label says whether it is right"
    elif risk.share is None:
        note = _unlabelled(sampled, returned)
    found = [_weighted(m.SELECTIVE_RISK, risk, numbers.get(m.SELECTIVE_RISK), note)]
    stories = stories_of(ended)
    for name in (m.SILENT_ERROR, m.SUCCESS):
        predicted = numbers.get(name)
        if risk.share is None or not ended:
            unknown = WeightedShare(None, 0, 1, 0, 0)
            found.insert(0, _weighted(name, unknown, predicted, note))
            continue
        share = risk.share if name == m.SILENT_ERROR else 1 - risk.share
        covered = len(answered) / len(ended)
        # Which runs are labelled does not hang on how many answer: two counts apart.
        counts = (covered * stories, stories), (share * risk.effective, risk.effective)
        bounds = product_of_shares(*counts)
        more = max(0, ceil(runs_for_share(share) - risk.effective))
        verdict = judged(bounds, predicted, not more)
        value = share * covered
        found.insert(
            0,
            ObservedMetric(name, value, *bounds, risk.rows, predicted, verdict, more, "labels"),
        )
    return found
