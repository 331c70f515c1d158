"""The observation of a pipeline: its runs beside the prediction, with what differs first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pipelang.analysis.metrics.analyse import Analysis
from pipelang.analysis.metrics.review_queues import loads
from pipelang.analysis.model.intervals import Number
from pipelang.interfaces.observation.comparison import FigureVerdict, ObservedMetric
from pipelang.interfaces.observation.fit import GoodnessOfFit, goodness_of_fit
from pipelang.interfaces.observation.labels import Labels, labels_from
from pipelang.interfaces.observation.observed_metrics import (
    cost_a_month,
    ended_runs,
    metrics_of_labels,
    metrics_of_runs,
    stories_of,
)
from pipelang.interfaces.observation.observed_steps import (
    ObservedStep,
    StepDifference,
    failing_together,
    number_of,
    observed_steps,
)
from pipelang.interfaces.observation.people_and_savings import (
    FirstHuman,
    RoleQueue,
    Savings,
    first_human,
    role_queues,
    savings,
)
from pipelang.interfaces.observation.predicted_steps import declared_steps, only
from pipelang.interfaces.observation.quotas_left import QuotaLeft, quotas_left
from pipelang.interfaces.observation.records import (
    DAY,
    MOST_EVENTS,
    ObservedRun,
    RunSource,
    clocks_disagree,
    day_of,
    is_of,
    total_cost,
)
from pipelang.interfaces.observation.step_tallies import Tallies, tallied
from pipelang.records import dataclass
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.walk import judged_links
from pipelang.semantics.watched.sampled_steps import sampled_steps


@dataclass(frozen=True, slots=True)
class DayCount:
    """The runs that began on a day: how many, how many of them were escalated or failed, dollars,
    and the quantile of machine time.
    """

    day: str
    runs: int
    escalated: int
    failed: int
    cost: float | None
    p95: float | None

    def as_json(self) -> dict[str, Any]:
        return {
            "day": self.day,
            "runs": self.runs,
            "escalated": self.escalated,
            "failed": self.failed,
            "cost": self.cost,
            "latency_p95": self.p95,
        }


@dataclass(frozen=True, slots=True)
class Observation:
    """All that is known of a pipeline's runs since a moment, beside its prediction.

    `others` are runs of other programs, by the beginning of their hash; `stories` are runs with
    each thread counted as one; `overdue` unfinished ones that began longer ago than any run takes;
    `stopped` those that people cancelled or killed, which count for no figure.
    `first` is the first thing that differs, in the order of the file.
    """

    pipeline: str
    program: str
    source: str
    since: float
    until: float
    runs: int
    stories: int
    unfinished: int
    overdue: int
    stopped: int
    clocks: int
    others: dict[str, int]
    simulated: int
    metrics: tuple[ObservedMetric, ...]
    steps: tuple[ObservedStep, ...]
    differences: tuple[StepDifference, ...]
    fit: GoodnessOfFit
    labels: Labels
    people: tuple[RoleQueue, ...]
    first_human: FirstHuman
    savings: Savings
    tallies: Tallies
    days: tuple[DayCount, ...]
    rate: float | None
    declared_rate: float | None
    quotas: tuple[QuotaLeft, ...] = ()

    @property
    def differing(self) -> list[ObservedMetric]:
        return [one for one in self.metrics if one.verdict is FigureVerdict.DIFFERS]

    @property
    def first(self) -> str | None:
        """The first thing that is not as predicted, in words: of a step, else of a metric."""
        if self.differences:
            return self.differences[0].words
        if self.differing:
            return metric_words(self.differing[0])
        return None

    def metric(self, name: str) -> ObservedMetric | None:
        return next((one for one in self.metrics if one.metric == name), None)

    def as_json(self) -> dict[str, Any]:
        return {
            "pipeline": self.pipeline,
            "program": self.program,
            "source": self.source,
            "since": moment(self.since),
            "until": moment(self.until),
            "runs": self.runs,
            "stories": self.stories,
            "unfinished": self.unfinished,
            "overdue": self.overdue,
            "stopped": self.stopped,
            "clocks_disagree": self.clocks,
            "other_programs": self.others,
            "simulated": self.simulated,
            "rate": {"observed": self.rate, "declared": self.declared_rate},
            "first_difference": self.first,
            "metrics": {one.metric: one.as_json() for one in self.metrics},
            "steps": {one.name: one.as_json() for one in self.steps},
            "differences": [one.as_json() for one in self.differences],
            "fit": self.fit.as_json(),
            "labels": {
                "counted": len(self.labels.labels),
                "left_out": dict(self.labels.left_out),
                "open": self.labels.open,
            },
            "people": {one.role: one.as_json() for one in self.people},
            "first_human": self.first_human.as_json(),
            "savings": self.savings.as_json(),
            "tools": {
                name: {"used": one.made, "failed": one.failed, "unfit": one.unfit}
                for name, one in sorted(self.tallies.tools.items())
            },
            "quotas": [one.as_json() for one in self.quotas],
            "days": [one.as_json() for one in self.days],
        }


def observe(
    program: p.Program, analysis: Analysis, source: RunSource, since: float, release: str
) -> Observation:
    """Observe the runs of a pipeline since a moment, those of the program of a hash (`release`)."""
    pipeline = analysis.pipeline
    until = source.now()
    every = [run for run in source.runs(pipeline.name, since) if run.started >= since]
    others: dict[str, int] = {}
    for run in every:
        if not is_of(run, release):
            others[run.program[:12]] = others.get(run.program[:12], 0) + 1
    own = [run for run in every if is_of(run, release)]
    runs = [run for run in own if not clocks_disagree(run, until)]
    ended = ended_runs(runs)
    unfinished = sum(run.outcome is None for run in runs)
    tallies = tallied(source.events(ended[-MOST_EVENTS:]))
    cases = [case for case in source.cases(pipeline.name) if case.opened_at.timestamp() >= since]
    labels = labels_from(program, pipeline.name, cases, release)
    begun = [run for run in runs if run.started >= since]
    first = min((run.started for run in begun), default=until)
    seconds = max(until - max(since, first), 1.0)
    stories = stories_of(ended)
    metrics = metrics_of_runs(runs, analysis.numbers, analysis.escalations)
    mean = next(one for one in metrics if one.metric == m.COST_MEAN)
    rate = _rate(len(begun), seconds)
    month = cost_a_month(mean, rate, analysis.numbers.get(m.COST_MONTH))
    declared = _declared(program, pipeline, labels)
    said = metrics_of_labels(program, pipeline, runs, labels.labels, analysis.numbers, declared)
    steps, differences = observed_steps(program, analysis, tallies, stories)
    hard = pipeline.traffic.hard is not None
    together = failing_together(tallies, tallies.runs)
    timed = None if rate is None else seconds
    queues = role_queues(cases, ended, loads([(program, analysis)]), since, timed)
    return Observation(
        pipeline=pipeline.name,
        program=release,
        source=source.shown,
        since=max(since, first) if since <= 0 else since,
        until=until,
        runs=len(ended),
        stories=stories,
        unfinished=unfinished,
        overdue=sum(_overdue(run, until, analysis) for run in runs),
        stopped=len(runs) - len(ended) - unfinished,
        clocks=len(own) - len(runs),
        others=others,
        simulated=tallies.simulated,
        metrics=(*said, *metrics, month),
        steps=tuple(steps),
        differences=tuple(differences),
        fit=goodness_of_fit(runs, analysis.numbers, together, hard),
        labels=labels,
        people=tuple(queues),
        first_human=first_human(runs, cases),
        savings=savings(program, pipeline, ended, cases, tallies.asked),
        tallies=tallies,
        days=_days(begun),
        rate=rate,
        declared_rate=None if pipeline.traffic.per_day is None else float(pipeline.traffic.per_day),
        quotas=tuple(quotas_left(pipeline, source)),
    )


LEAST_TIME = 3_600.0
"""Seconds that runs must span before a rate a day is made of them."""


def _rate(runs: int, seconds: float) -> float | None:
    """Runs a day; None where they span too little time to say."""
    return runs / seconds * DAY if seconds >= LEAST_TIME else None


def _overdue(run: ObservedRun, now: float, analysis: Analysis) -> bool:
    number = analysis.numbers.get(f"{m.TURNAROUND}.{m.WORST}")
    worst = None if number is None else number.high
    return run.outcome is None and worst is not None and now - run.started > worst


def _declared(program: p.Program, pipeline: p.Pipeline, labels: Labels) -> dict[str, Number]:
    """The declared accuracy of the steps that are labelled or sampled."""
    wanted = {label.step for label in labels.labels}
    wanted |= {*sampled_steps(program, pipeline)}
    found: dict[str, Number] = {}
    for name, steps in declared_steps(program, pipeline).items():
        if name in wanted:
            known = only({_accuracy(program, step) for step in steps})
            found[name] = known or Number(None, 0.0, 1.0, None, Basis.UNKNOWN)
    return found


def _accuracy(program: p.Program, step: p.Step) -> Number | None:
    accuracies = (number_of(link.accuracy, program) for link in judged_links(step))
    return next((one for one in accuracies if one is not None), None)


def _days(runs: Sequence[ObservedRun]) -> tuple[DayCount, ...]:
    from pipelang.statistics.intervals import quantile_at

    by_day: dict[int, list[ObservedRun]] = {}
    for run in runs:
        by_day.setdefault(day_of(run.started), []).append(run)
    found = []
    for day, mine in sorted(by_day.items()):
        seconds = sorted(run.seconds for run in mine if run.seconds is not None)
        found.append(
            DayCount(
                date_of(day),
                len(mine),
                sum(run.outcome == "escalated" for run in mine),
                sum(run.outcome == "failed" for run in mine),
                total_cost(mine),
                quantile_at(seconds, 0.95) if seconds else None,
            )
        )
    return tuple(found)


def date_of(day: int) -> str:
    """A UTC day as a date."""
    return datetime.fromtimestamp(day * DAY, UTC).date().isoformat()


def moment(seconds: float) -> str:
    """A time as RFC 3339 in UTC."""
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def metric_words(one: ObservedMetric) -> str:
    """`escalation` is 28.1%, predicted 20%."""
    from pipelang.interfaces.text.number_format import of_metric, value

    show = of_metric(one.metric)
    seen = "?" if one.value is None else show(one.value)
    told = "?" if one.predicted is None else value(one.predicted, show)
    return f"`{one.metric}` is {seen}, predicted {told}"
