"""Measures of watched lines: what of a run or a label shows a metric in production, if anything."""

from __future__ import annotations

from enum import Enum

from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.semantics.watched.sampled_steps import (
    not_to_judge,
    returned_step,
    sampled_steps,
    step_named,
)


class LineMeasure(Enum):
    """The way a metric is measured: what is counted, and which test it takes."""

    RUNS = "a share of runs"
    QUANTILE = "a share of runs beyond a value"
    WORST = "any run beyond a value"
    MEAN = "a mean over runs"
    LABELS = "a share of labels"
    WRONG = "a share of runs by their labels"
    CALIBRATION = "the calibration error of labels"
    NONE = "nothing"


_OF_RUNS = (m.ESCALATION, m.REJECTION, m.FAILURE, m.COVERAGE, m.AVAILABILITY, m.ERROR_RATE)
_MEANS = (m.COST, m.LATENCY, m.TURNAROUND, m.COST_MEAN, m.LATENCY_MEAN, m.TOKENS_MEAN)
_MEANS_TOO = (f"{m.TURNAROUND}.{m.MEAN}",)


def step_of(line: p.WatchLine) -> str:
    """The step in the parentheses of a line's metric."""
    return line.metric.partition("(")[2].rstrip(")")


def line_measure(
    program: p.Program, pipeline: p.Pipeline, line: p.WatchLine
) -> tuple[LineMeasure, str]:
    """The measure of a line; of one that nothing measures also why not, and what to do."""
    name = m.metric_of(line.metric).name
    above = line.op in ("<=", "<")
    last = line.metric.rpartition(".")[2]
    if name in (m.ACCURACY, m.CALIBRATION):
        step = step_of(line)
        if step not in sampled_steps(program, pipeline):
            return LineMeasure.NONE, _unlabelled(program, pipeline, step)
        if name == m.ACCURACY:
            return LineMeasure.LABELS, ""
        if not above:
            return LineMeasure.NONE, "a calibration error is watched from above"
        return LineMeasure.CALIBRATION, ""
    if name in (m.SUCCESS, m.SILENT_ERROR, m.SELECTIVE_RISK):
        returned = returned_step(pipeline)
        if returned is None:
            why = "no single step is what it returns, so that no label says it"
            return LineMeasure.NONE, f"{why}: watch `accuracy(STEP)`"
        if returned not in sampled_steps(program, pipeline):
            return LineMeasure.NONE, _unlabelled(program, pipeline, returned)
        return LineMeasure.WRONG, ""
    if name in _OF_RUNS:
        return LineMeasure.RUNS, ""
    if line.metric in (*_MEANS, *_MEANS_TOO):
        if not above:
            return LineMeasure.NONE, "a mean without an upper bound cannot be tested from below"
        return LineMeasure.MEAN, ""
    if last == m.WORST and above:
        return LineMeasure.WORST, ""
    if last in (m.P50, m.P95, m.P99):
        return LineMeasure.QUANTILE, ""
    return LineMeasure.NONE, "no run shows it: `pipelang observe` says what it comes to"


def _unlabelled(program: p.Program, pipeline: p.Pipeline, name: str) -> str:
    """The reason that a step has no labels, with the `sample` that would bring some, if one can."""
    step = step_named(program, pipeline, name)
    why = None if step is None else not_to_judge(step)
    return f"nobody labels it: {f'`sample 5% of {name} by ROLE`' if why is None else why[0]}"
