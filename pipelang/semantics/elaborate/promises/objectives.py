"""Promises and watches of a pipeline: `slo`, `watch`, and when a `breaker` opens."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pipelang.diagnostics import Label, Span, codes
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.broken_parts import whole
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.expressions.constants import folded
from pipelang.semantics.elaborate.expressions.expressions import condition, elaborate
from pipelang.semantics.elaborate.options.quantity import quantity, wrong_unit
from pipelang.semantics.elaborate.promises.metrics import (
    Named,
    metric_name,
    metric_target,
    unit_of,
)
from pipelang.semantics.metrics import COUNTED, OBSERVED, OUTCOMES, PROMISED
from pipelang.semantics.quantities import show_value
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import DURATION, PROBABILITY, ErrorType
from pipelang.syntax import ast


def slo(context: Context, scope: Scope, item: ast.Slo, named: Named) -> tuple[p.SloLine, ...]:
    """The lines of an slo that could be read; what contradicts itself is told."""
    lines = []
    for written in whole(item.lines):
        line = _slo_line(context, scope, written, named)
        if line is not None:
            lines.append(line)
    _contradictions(context, lines)
    return tuple(lines)


def _slo_line(context: Context, scope: Scope, line: ast.SloLine, named: Named) -> p.SloLine | None:
    name = metric_name(context, scope.file, line.metric, PROMISED, named)
    when, cached, asked = None, None, None
    if isinstance(line.when, ast.Cached):
        step = line.when.step
        cached, when = step.text, f"{step.text} cached"
        if step.text not in named.steps and not named.flawed:
            help = suggestion(step.text, named.steps)
            context.tell(codes.UNKNOWN_NAME, step.span, what="step", name=step.text, help=help)
            return None
    elif line.when is not None:
        asked = condition(context, scope, line.when)
        when = expr.show(asked)
    _no_equality(context, line.op, line.span)
    if name is None:
        return None
    target = metric_target(context, Scope(scope.file), name, line.target)
    if target is None:
        return None
    return p.SloLine(name, line.op, target[0], target[1], when, line.span, cached, asked)


def _no_equality(context: Context, op: str, span: Span) -> None:
    if op in ("==", "!="):
        expected = "`>=`, `<=`, `>` or `<` after a metric"
        context.tell(codes.TYPE_MISMATCH, span, expected=expected, found=f"`{op}`")


def _contradictions(context: Context, lines: list[p.SloLine]) -> None:
    """Tell lines that no pipeline can meet together."""
    lowest: dict[str, p.SloLine] = {}
    highest: dict[str, p.SloLine] = {}
    for line in lines:
        if line.when is not None:
            continue
        if line.op in (">=", ">"):
            known = lowest.get(line.metric)
            if known is None or line.target > known.target:
                lowest[line.metric] = line
        else:
            known = highest.get(line.metric)
            if known is None or line.target < known.target:
                highest[line.metric] = line
    for metric, low in lowest.items():
        high = highest.get(metric)
        if high is not None and _apart(low, high):
            label = Label(high.span, "this asks for the opposite")
            what = (
                f"`{metric}` cannot be {low.op} {low.target_text} and {high.op} {high.target_text}"
            )
            context.tell(codes.SLO_CONTRADICTION, low.span, what=what, labels=(label,))
    _too_much(context, [lowest[name] for name in OUTCOMES if name in lowest])


def _apart(low: p.SloLine, high: p.SloLine) -> bool:
    strict = low.op == ">" or high.op == "<"
    return low.target > high.target or (strict and low.target == high.target)


def _too_much(context: Context, lines: list[p.SloLine]) -> None:
    total = sum((line.target for line in lines), Decimal(0))
    if total > 1:
        names = " and ".join(f"`{line.metric}`" for line in lines)
        what = f"{names} are shares of one whole, and these sum to more than 100%"
        labels = tuple(Label(line.span, "this is one of them") for line in lines[:-1])
        context.tell(codes.SLO_CONTRADICTION, lines[-1].span, what=what, labels=labels)


def watch(context: Context, scope: Scope, item: ast.Watch, named: Named) -> tuple[p.WatchLine, ...]:
    """The lines of a `watch` that could be read: metrics, units, periods and whom to alert."""
    lines = []
    for written in whole(item.lines):
        line = _watch_line(context, scope, written, named)
        if line is not None:
            lines.append(line)
    return tuple(lines)


def _watch_line(
    context: Context, scope: Scope, line: ast.WatchLine, named: Named
) -> p.WatchLine | None:
    plain = Scope(scope.file)
    name = metric_name(context, scope.file, line.metric, OBSERVED, named)
    _no_equality(context, line.op, line.span)
    over = quantity(context, plain, line.over, DURATION, "over", positive=True)
    role = None
    if line.alert is not None:
        role = context.find(scope.file, line.alert.role, "role")
    if name is None:
        return None
    target, tolerance = None, None
    if isinstance(line.target, ast.Baseline):
        tolerance, words = _tolerance(context, plain, name, line.target)
    else:
        found = metric_target(context, plain, name, line.target)
        target, words = (None, None) if found is None else found
    if over is None or words is None or line.op in ("==", "!="):
        return None
    return p.WatchLine(
        metric=name,
        op=line.op,
        target=target,
        baseline=tolerance,
        over=over,
        role=None if role is None else role.key,
        alert=None if line.alert is None else line.alert.text,
        text=f"{name} {line.op} {words} over {show_value(over, DURATION)}",
        span=line.span,
    )


def _tolerance(
    context: Context, scope: Scope, name: str, written: ast.Baseline
) -> tuple[p.Tolerance | None, str | None]:
    """The addition to a baseline, a share of it or an amount of its own unit, and both as written;
    no words if something was told.
    """
    if written.offset is None:
        return p.Tolerance(Decimal(0), relative=True), "baseline"
    typed = elaborate(context, scope, written.offset)
    if isinstance(typed.type, ErrorType):
        return None, None
    words, types = unit_of(name)
    if typed.type not in (*types, PROBABILITY):
        if types != (PROBABILITY,):
            words += ", or a share like 20%"
        wrong_unit(context, "baseline", words, typed, written.offset.span)
        return None, None
    value: Any = folded(context, typed, typed.type, written.offset.span)
    if value is None:
        return None, None
    sign = "+" if written.sign > 0 else "-"
    tolerance = p.Tolerance(Decimal(value) * written.sign, relative=typed.type == PROBABILITY)
    return tolerance, f"baseline {sign} {expr.show(typed)}"


def opens(
    context: Context,
    file: str,
    written: ast.OpensRejects | ast.OpensMetric,
    named: Named,
    gates: frozenset[str],
) -> p.OpensRejects | p.OpensMetric | None:
    """One reason for which a breaker opens; None if it was told."""
    made: p.OpensRejects | p.OpensMetric | None = None
    if isinstance(written, ast.OpensMetric):
        name = metric_name(context, file, written.metric, COUNTED, named)
        if name is not None:
            target = metric_target(context, Scope(file), name, written.target)
            if target is not None:
                made = p.OpensMetric(name, written.op, target[0], written.runs, written.span)
        count, word = written.runs, "over"
    else:
        gate = written.gate[-1]
        if len(written.gate) == 1 and gate.text not in gates and not named.flawed:
            help = suggestion(gate.text, gates)
            context.tell(codes.UNKNOWN_NAME, gate.span, what="gate", name=gate.text, help=help)
        count, word = written.count, "rejects"
        made = p.OpensRejects(".".join(part.text for part in written.gate), count, written.span)
    if count < 1:
        found = str(count)
        context.tell(
            codes.OUT_OF_RANGE, written.span, what=f"`{word}`", range="at least 1", found=found
        )
    return made
