"""Lines to watch that nothing measures, or that are at odds with themselves."""

from __future__ import annotations

from pipelang.diagnostics import codes, has_errors
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.watched.line_measures import LineMeasure, line_measure


def unmeasured_lines(context: Context, program: p.Program) -> None:
    """Warn about lines of the root file's pipelines of which `watch` could never say anything, or
    would say it of a pipeline that does what it always did.
    """
    if has_errors(context.diagnostics):
        return  # a `sample` that was told of may have been what measures them
    for pipeline in program.pipelines.values():
        if pipeline.span.file != program.file:
            continue
        for line in pipeline.watch:
            measure, why = line_measure(program, pipeline, line)
            if measure is LineMeasure.NONE:
                context.tell(codes.LINE_UNMEASURED, line.span, line=line.text, why=why)
            elif at_odds := _at_odds(line):
                what, help = at_odds
                context.tell(codes.LINE_AT_ODDS, line.span, line=line.text, what=what, help=help)


def _at_odds(line: p.WatchLine) -> tuple[str, str] | None:
    """The reason for which a line is always broken, or never; with the mend."""
    most = line.op in ("<=", "<")
    if line.baseline is not None:
        amount = line.baseline.amount
        sign, better = ("+", "lower") if most else ("-", "higher")
        if (amount < 0) if most else (amount > 0):
            return (
                f"alerts unless it gets {better} than it was",
                f"write `baseline {sign} ...`: how far from its baseline it may go",
            )
        if not most and line.baseline.relative and amount <= -1:
            return "can never be broken: nothing is below 0", "leave less than 100% off"
        return None
    if line.target is None or m.metric_of(line.metric).unit is not m.Unit.SHARE:
        return None
    if (line.target == 1 and line.op == "<=") or (line.target == 0 and line.op == ">="):
        return "can never be broken: it is a share", "name the share that must not be passed"
    if (line.target == 0 and line.op == "<") or (line.target == 1 and line.op == ">"):
        return "can never hold: it is a share", "name the share that must not be passed"
    return None
