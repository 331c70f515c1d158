"""Lines to watch: those of a pipeline, or the defaults, and how each is measured."""

from __future__ import annotations

from decimal import Decimal

from pipelang.records import dataclass
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.semantics.quantities import show_value
from pipelang.semantics.types import DURATION
from pipelang.semantics.watched.line_measures import LineMeasure, line_measure, step_of
from pipelang.semantics.watched.sampled_steps import sampled_steps

DAY, HOUR = Decimal(86_400), Decimal(3_600)


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
        """The step in parentheses."""
        return step_of(self.line)

    @property
    def quantile(self) -> float:
        """The share of runs that may lie beyond the value."""
        return {m.P50: 0.5, m.P95: 0.05, m.P99: 0.01}.get(self.line.metric.rpartition(".")[2], 0.05)


def lines_of(program: p.Program, pipeline: p.Pipeline) -> list[WatchedLine]:
    """The lines that are watched: the pipeline's, else the alerts of the reports."""
    if pipeline.watch:
        return [_measured(program, pipeline, line) for line in pipeline.watch]
    usual = default_lines(program, pipeline)
    return [_measured(program, pipeline, line, is_default=True) for line in usual]


def default_lines(program: p.Program, pipeline: p.Pipeline) -> list[p.WatchLine]:
    """Accuracy below 85% of what is sampled, 20% more escalations, a p95 above 30 s."""
    steps = sampled_steps(program, pipeline)
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


def _measured(
    program: p.Program, pipeline: p.Pipeline, line: p.WatchLine, is_default: bool = False
) -> WatchedLine:
    measure, why = line_measure(program, pipeline, line)
    return WatchedLine(line, measure, why, is_default)
