"""Metrics as an `slo`, a `watch` or a `breaker` writes them, checked against the vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pipelang.diagnostics import codes
from pipelang.records import dataclass, field
from pipelang.semantics import expressions as expr
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.expressions.constants import folded
from pipelang.semantics.elaborate.expressions.expressions import elaborate
from pipelang.semantics.elaborate.options.quantity import wrong_unit
from pipelang.semantics.metrics import (
    COUNTED,
    METRICS,
    OBSERVED,
    Metric,
    MetricArgument,
    Unit,
    metric_of,
)
from pipelang.semantics.quantities import show_value
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import DURATION, INT, MONEY, PROBABILITY, TOKENS, ErrorType, Type
from pipelang.syntax import ast

_UNITS: Mapping[Unit, tuple[str, tuple[Type, ...]]] = {
    Unit.SHARE: ("a share like 70%", (PROBABILITY,)),
    Unit.MONEY: ("an amount of money like $0.08", (MONEY,)),
    Unit.TOKENS: ("an amount like 60k tokens", (TOKENS, INT)),
    Unit.DURATION: ("a duration like 30s", (DURATION,)),
}


@dataclass(frozen=True, slots=True)
class Named:
    """Names that metrics of a pipeline can take: its steps, and what can escalate. `flawed` says
    that an item could not be read, so that there may be more.
    """

    steps: frozenset[str] = field(default_factory=frozenset)
    exits: frozenset[str] = field(default_factory=frozenset)
    flawed: bool = False


def metric_name(
    context: Context, file: str, metric: ast.Metric, metrics: tuple[str, ...], named: Named
) -> str | None:
    """The metric in dotted form, of those in `metrics`; None, and a finding, if it is none of them
    or its argument names nothing.
    """
    name = ".".join(part.text for part in metric.path)
    row, rest = _row_of(metric)
    if row is None or row.name not in metrics or (rest and (metric.of or metric.key) is not None):
        _no_metric(context, metric, name, metrics)
        return None
    if row.argument is MetricArgument.EXIT and rest:
        return _escalation(context, metric, row, rest, named)
    if row.argument is MetricArgument.ROLE and rest:
        return None if context.find(file, metric.path[-1], "role") is None else name
    if metric.key is not None:
        return _keyed(context, file, metric, row)
    if row.argument is MetricArgument.TIER:
        help = f'name the tier that everything would run at: `{name}["opus"]`'
        _needs(context, metric, name, "[TIER]", help)
        return None
    if metric.of is not None:
        return _of_step(context, file, metric, row, named)
    if row.argument is MetricArgument.STEP:
        _needs(context, metric, name, "(STEP)", f"say of which step: `{name}(STEP)`")
        return None
    return name


def _row_of(metric: ast.Metric) -> tuple[Metric | None, str]:
    """The row that a path names, and what is behind its name: a gate or step, or a role."""
    parts = [part.text for part in metric.path]
    for end in range(len(parts), 0, -1):
        row, rest = METRICS.get(".".join(parts[:end])), ".".join(parts[end:])
        if row is None:
            continue
        takes = row.argument is MetricArgument.EXIT or (
            row.argument is MetricArgument.ROLE and "." not in rest
        )
        return (row if takes or not rest else None), rest
    return None, ""


def _needs(context: Context, metric: ast.Metric, name: str, option: str, help: str) -> None:
    """Tell that a metric lacks its argument."""
    context.tell(
        codes.MISSING_OPTION, metric.span, what="metric", name=name, option=option, help=help
    )


def _no_metric(context: Context, metric: ast.Metric, name: str, metrics: tuple[str, ...]) -> None:
    inside = [known for known in metrics if known.startswith(f"{name}.")]
    help = suggestion(name, metrics)
    if inside:
        help = "there are: " + ", ".join(inside)
    elif metrics is COUNTED and name in OBSERVED:
        plain = [known for known in COUNTED if "." not in known]
        help = "no run knows it when it ends; a breaker counts " + ", ".join(plain)
    elif name in OBSERVED:
        help = "it is not known before anything runs: put it into `watch`"
    context.tell(codes.UNKNOWN_NAME, metric.span, what="metric", name=name, help=help)


def _escalation(
    context: Context, metric: ast.Metric, row: Metric, rest: str, named: Named
) -> str | None:
    """A metric by the gate or step of the pipeline that escalates; `rest` is its name."""
    if len(metric.path) == 2 and rest not in named.exits and not named.flawed:
        help = suggestion(rest, named.exits)
        context.tell(
            codes.UNKNOWN_NAME, metric.path[1].span, help=help, what="gate or step", name=rest
        )
        return None
    return f"{row.name}.{rest}"


def _keyed(context: Context, file: str, metric: ast.Metric, row: Metric) -> str | None:
    """A metric of a tier or a role, whose name stands in brackets."""
    if row.argument not in (MetricArgument.TIER, MetricArgument.ROLE):
        what = f"`{row.name}`"
        context.tell(codes.WRONG_OPTION, metric.span, option=f'["{metric.key}"]', what=what)
        return None
    if context.find(file, ast.Name(str(metric.key), metric.span), row.argument.value) is None:
        return None
    return f'{row.name}["{metric.key}"]'


def _of_step(
    context: Context, file: str, metric: ast.Metric, row: Metric, named: Named
) -> str | None:
    """A metric of a step, whose name stands in parentheses; of one in another pipeline with that
    one's name. Which steps that has is looked at once it is made (`sampling.steps_elsewhere`).
    """
    assert metric.of is not None
    step = ".".join(part.text for part in metric.of)
    if row.argument is not MetricArgument.STEP:
        context.tell(codes.WRONG_OPTION, metric.span, option=f"({step})", what=f"`{row.name}`")
        return None
    if len(metric.of) == 2:
        elsewhere = context.find(file, metric.of[0], "pipeline")
        return None if elsewhere is None else f"{row.name}({elsewhere.key}.{metric.of[1].text})"
    if step not in named.steps and not named.flawed:
        help = suggestion(step, named.steps)
        context.tell(codes.UNKNOWN_NAME, metric.of[0].span, what="step", name=step, help=help)
        return None
    return f"{row.name}({step})"


def unit_of(name: str) -> tuple[str, tuple[Type, ...]]:
    """The unit of a metric, in words and as types."""
    return _UNITS[metric_of(name).unit]


def metric_target(
    context: Context, scope: Scope, name: str, written: ast.Expr
) -> tuple[Decimal, str] | None:
    """The value that a metric is compared with, and as it is shown; None if it was told."""
    typed = elaborate(context, scope, written)
    if isinstance(typed.type, ErrorType):
        return None
    words, types = unit_of(name)
    if typed.type not in types:
        wrong_unit(context, name, words, typed, written.span)
        return None
    value: Any = folded(context, typed, typed.type, written.span)
    if value is None:
        return None
    if value < 0 or (typed.type == PROBABILITY and value > 1):
        wanted = "between 0% and 100%" if typed.type == PROBABILITY else "at least 0"
        found = show_value(value, typed.type)
        context.tell(codes.OUT_OF_RANGE, written.span, what=f"`{name}`", range=wanted, found=found)
        return None
    return Decimal(value), expr.show(typed)
