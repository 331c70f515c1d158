"""Measurements: what each run or label says about a watched line, and when it is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipelang.interfaces.observation.labels import AnswerLabel, of_returned, speaking
from pipelang.interfaces.observation.records import (
    ANSWERED,
    ENDINGS,
    ESCALATED,
    FAILED,
    REJECTED,
    ObservedRun,
)
from pipelang.interfaces.watching.lines import WatchedLine
from pipelang.records import dataclass
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.semantics.watched.line_measures import LineMeasure
from pipelang.semantics.watched.sampled_steps import returned_step


@dataclass(frozen=True, slots=True)
class Measurement:
    """A measurement: a hit or a miss, an amount, or how sure an answer was and whether it was
    right; known at a moment (seconds since 1970).
    """

    at: float
    value: Any


def amount_of(metric: str, run: ObservedRun) -> float | None:
    """The amount that a run took of a metric: dollars, tokens or seconds."""
    match metric.partition(".")[0]:
        case m.COST:
            return run.cost
        case m.LATENCY:
            return run.seconds
        case m.TURNAROUND:
            return run.turnaround
        case _:
            return float(run.tokens)


def is_hit(metric: str, run: ObservedRun) -> bool:
    """Whether an ended run counts for a share of runs."""
    name = m.metric_of(metric).name
    match name:
        case m.ESCALATION:
            reason = metric.removeprefix(f"{m.ESCALATION}").lstrip(".")
            return run.outcome == ESCALATED and (not reason or run.reason == reason)
        case m.REJECTION:
            return run.outcome == REJECTED
        case m.COVERAGE:
            return run.outcome == ANSWERED
        case m.AVAILABILITY:
            return run.outcome != FAILED
        case _:
            return run.outcome == FAILED


def measurements(
    watched: WatchedLine,
    pipeline: p.Pipeline,
    runs: Sequence[ObservedRun],
    labels: Sequence[AnswerLabel],
    limit: float,
    now: float,
    after: float = 0.0,
) -> list[Measurement]:
    """The measurements of a line since a moment, in the order in which they became known."""
    if watched.measure is not LineMeasure.WRONG:
        runs = [run for run in runs if run.ended is None or run.ended > after]
    match watched.measure:
        case LineMeasure.RUNS:
            found = [
                Measurement(run.ended, is_hit(watched.line.metric, run))
                for run in runs
                if run.ended is not None and run.outcome in ENDINGS
            ]
        case LineMeasure.QUANTILE | LineMeasure.WORST:
            found = list(_beyond(watched, runs, limit, now))
        case LineMeasure.MEAN:
            found = [
                Measurement(run.ended, amount)
                for run in runs
                if run.ended is not None
                and run.outcome in ENDINGS
                and (amount := amount_of(watched.line.metric, run)) is not None
            ]
        case LineMeasure.LABELS:
            mine = speaking(labels, watched.step)
            found = [Measurement(label.at, label.right) for label in mine]
        case LineMeasure.CALIBRATION:
            found = [
                Measurement(label.at, (label.confidence, label.right))
                for label in speaking(labels, watched.step)
                if label.confidence is not None
            ]
        case LineMeasure.WRONG:
            found = list(_by_labels(watched, pipeline, runs, labels))
        case _:
            found = []
    return sorted((one for one in found if one.at > after), key=lambda one: one.at)


def _beyond(
    watched: WatchedLine, runs: Sequence[ObservedRun], limit: float, now: float
) -> Iterator[Measurement]:
    """Whether each run passed a value. One that goes on longer than a limit of time passed it, and
    this is known before it ends; by the time of runs that wait for people, for `turnaround` alone.
    """
    family = watched.line.metric.partition(".")[0]
    clock = family in (m.LATENCY, m.TURNAROUND)
    for run in runs:
        amount = amount_of(watched.line.metric, run)
        ended = run.ended is not None and run.outcome in ENDINGS and amount is not None
        if ended and amount is not None and run.ended is not None:
            passed = amount > limit
            known = run.ended
            if passed and clock and not (family == m.LATENCY and _waited(run)):
                known = min(known, run.started + limit)
            yield Measurement(known, passed)
        elif (since := overdue_since(watched.line.metric, run, limit, now)) is not None:
            yield Measurement(since, True)


def overdue_since(metric: str, run: ObservedRun, limit: float, now: float) -> float | None:
    """The moment since which a run that goes on is over a limit of time; None if it is not. The
    machine time of one that waits for people stands still.
    """
    family = metric.partition(".")[0]
    if family not in (m.LATENCY, m.TURNAROUND) or run.outcome is not None or run.ended is not None:
        return None
    if (run.waits and family == m.LATENCY) or run.started + limit > now:
        return None
    return run.started + limit


def _waited(run: ObservedRun) -> bool:
    """Whether a run took much longer than its machine time: it waited for people."""
    return (
        run.turnaround is not None
        and run.seconds is not None
        and run.turnaround > 2 * run.seconds + 60
    )


def _by_labels(
    watched: WatchedLine,
    pipeline: p.Pipeline,
    runs: Sequence[ObservedRun],
    labels: Sequence[AnswerLabel],
) -> Iterator[Measurement]:
    """Labels of what the pipeline returned. Of success and silent errors, runs without an answer
    stand beside the labelled ones in the proportion in which they ended: neither right nor wrong.
    """
    step = returned_step(pipeline)
    name = m.metric_of(watched.line.metric).name
    answered = {run.id for run in runs if run.outcome == ANSWERED}
    ended = sum(run.outcome in ENDINGS for run in runs)
    mine = [label for label in of_returned(labels, step) if label.run in answered]
    owed = 0.0
    beside = 0.0 if name == m.SELECTIVE_RISK or not answered else ended / len(answered) - 1
    for label in mine:
        yield Measurement(label.at, label.right if name == m.SUCCESS else not label.right)
        owed += beside
        while owed >= 1:
            owed -= 1
            yield Measurement(label.at, False)
