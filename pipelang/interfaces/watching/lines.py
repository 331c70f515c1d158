"""Lines to watch: those of a pipeline, or the defaults, and how each is measured."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

from pipelang.records import dataclass
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.semantics.quantities import show_value
from pipelang.semantics.types import DURATION
from pipelang.semantics.walk import all_steps

DAY, HOUR = Decimal(86_400), Decimal(3_600)


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


@dataclass(frozen=True, slots=True)
class WatchedLine:
    """A line with its measure; `why` says why it cannot be measured. `is_default` ones stand in no
    file.
    """

    line: p.WatchLine
    measure: LineMeasure
    why: str = ""
    is_default: bool = False

    @property
    def above(self) -> bool:
        """Whether an alert is about values above the limit."""
        return self.line.op in ("<=", "<")

    @property
    def step(self) -> str:
        """The step in parentheses, or the name behind a dot."""
        return self.line.metric.partition("(")[2].rstrip(")")

    @property
    def quantile(self) -> float:
        """The share of runs that may lie beyond the value."""
        return {m.P50: 0.5, m.P95: 0.05, m.P99: 0.01}.get(self.line.metric.rpartition(".")[2], 0.05)


_OF_RUNS = (m.ESCALATION, m.REJECTION, m.FAILURE, m.COVERAGE, m.AVAILABILITY, m.ERROR_RATE)
_MEANS = (m.COST, m.LATENCY, m.TURNAROUND, m.COST_MEAN, m.LATENCY_MEAN, m.TOKENS_MEAN)
_MEANS_TOO = (f"{m.TURNAROUND}.{m.MEAN}",)


def lines_of(pipeline: p.Pipeline) -> list[WatchedLine]:
    """The lines that are watched: the pipeline's, else the alerts of the reports."""
    if pipeline.watch:
        return [_measured(pipeline, line) for line in pipeline.watch]
    return [_measured(pipeline, line, is_default=True) for line in default_lines(pipeline)]


def default_lines(pipeline: p.Pipeline) -> list[p.WatchLine]:
    """Accuracy below 85% of what is sampled, 20% more escalations, a p95 above 30 s."""
    steps = dict.fromkeys(step for sample in pipeline.samples for step in sample.steps)
    lines = [_line(pipeline, f"{m.ACCURACY}({s})", ">=", Decimal("0.85"), 7 * DAY) for s in steps]
    return [
        *lines,
        _line(pipeline, m.ESCALATION, "<=", None, DAY),
        _line(pipeline, m.LATENCY_P95, "<=", Decimal(30), HOUR),
    ]


def _line(
    pipeline: p.Pipeline, metric: str, op: str, target: Decimal | None, over: Decimal
) -> p.WatchLine:
    tolerance = p.Tolerance(Decimal("0.2"), relative=True) if target is None else None
    words = {m.ESCALATION: "baseline + 20%", m.LATENCY_P95: "30s"}.get(metric, "85%")
    text = f"{metric} {op} {words} over {show_value(over, DURATION)}"
    return p.WatchLine(metric, op, target, tolerance, over, None, None, text, pipeline.span)


def _measured(pipeline: p.Pipeline, line: p.WatchLine, is_default: bool = False) -> WatchedLine:
    measure, why = _measure(pipeline, line)
    return WatchedLine(line, measure, why, is_default)


def _measure(pipeline: p.Pipeline, line: p.WatchLine) -> tuple[LineMeasure, str]:
    name = m.metric_of(line.metric).name
    above = line.op in ("<=", "<")
    last = line.metric.rpartition(".")[2]
    if name in (m.ACCURACY, m.CALIBRATION):
        step = line.metric.partition("(")[2].rstrip(")")
        if not any(step in sample.steps for sample in pipeline.samples):
            return LineMeasure.NONE, _unlabelled(pipeline, step)
        if name == m.ACCURACY:
            return LineMeasure.LABELS, ""
        if not above:
            return LineMeasure.NONE, "a calibration error is watched from above"
        return LineMeasure.CALIBRATION, ""
    if name in (m.SUCCESS, m.SILENT_ERROR, m.SELECTIVE_RISK):
        from pipelang.interfaces.observation.observed_metrics import returned_step

        step_name = returned_step(pipeline)
        if step_name is None:
            return LineMeasure.NONE, "no single step is what it returns, so that no label says it"
        if not any(step_name in sample.steps for sample in pipeline.samples):
            return LineMeasure.NONE, _unlabelled(pipeline, step_name)
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


def _unlabelled(pipeline: p.Pipeline, name: str) -> str:
    """The reason that a step has no labels, with the `sample` that would bring some, if one can."""
    from pipelang.semantics.elaborate.promises.sampling import not_to_judge

    step = next((one for one in all_steps(pipeline) if one.name == name), None)
    why = None if step is None else not_to_judge(step)
    return f"nobody labels it: {f'`sample 5% of {name} by ROLE`' if why is None else why[0]}"
