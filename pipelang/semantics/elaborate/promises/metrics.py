"""The metrics that an slo, a watch and a breaker can name, with their units."""

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
from pipelang.semantics.quantities import show_value
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import DURATION, INT, MONEY, PROBABILITY, TOKENS, ErrorType, Type
from pipelang.syntax import ast

SHARES = (
    "success silent_error escalation rejection failure coverage selective_risk availability "
    "wrong_effect"
).split()
QUANTILES = "mean p50 p95 p99 worst".split()
PROMISED = (
    *SHARES,
    *(f"cost.{q}" for q in (*QUANTILES, "month")),
    "cost.baseline",
    *(f"tokens.{q}" for q in ("mean", "worst")),
    *(f"latency.{q}" for q in QUANTILES),
    *(f"turnaround.{q}" for q in QUANTILES),
    "review.load",
)
"""What the analysis can say before anything runs, and so what an slo can promise."""
OBSERVED = (*PROMISED, "accuracy", "calibration", "error_rate", "latency", "cost", "turnaround")
"""What can be watched in production besides."""

COUNTED = (
    *"error_rate failure escalation rejection coverage cost latency turnaround".split(),
    *(f"{name}.{q}" for name in ("cost", "latency", "turnaround") for q in QUANTILES),
    *(f"tokens.{q}" for q in ("mean", "worst")),
)
"""What is known of a run when it ends, and so what a breaker can count. Without more, `cost`,
`latency` and `turnaround` are means.
"""

_UNITS: Mapping[str, tuple[str, tuple[Type, ...]]] = {
    "cost": ("an amount of money like $0.08", (MONEY,)),
    "tokens": ("an amount like 60k tokens", (TOKENS, INT)),
    "latency": ("a duration like 30s", (DURATION,)),
    "turnaround": ("a duration like 30s", (DURATION,)),
}
_SHARE: tuple[str, tuple[Type, ...]] = ("a share like 70%", (PROBABILITY,))


@dataclass(frozen=True, slots=True)
class Named:
    """What the metrics of a pipeline can name: its steps, and what can escalate. `flawed` says that
    an item could not be read, so that there may be more.
    """

    steps: frozenset[str] = field(default_factory=frozenset)
    exits: frozenset[str] = field(default_factory=frozenset)
    flawed: bool = False


def metric_name(
    context: Context, file: str, metric: ast.Metric, metrics: tuple[str, ...], named: Named
) -> str | None:
    """The metric in dotted form, None (told) if there is no such metric here."""
    name = ".".join(part.text for part in metric.path)
    head, _, rest = name.partition(".")
    if head == "escalation" and rest and metric.of is None and metric.key is None:
        return _escalation(context, metric, rest, named)
    if name.startswith("review.load.") and len(metric.path) == 3:
        role = context.find(file, metric.path[2], "role")
        return None if role is None else name
    if name not in metrics:
        _no_metric(context, metric, name, metrics)
        return None
    if metric.key is not None:
        return _keyed(context, file, metric, name)
    if name == "cost.baseline":
        help = 'name the tier that everything would run at: `cost.baseline["opus"]`'
        context.tell(
            codes.MISSING_OPTION, metric.span, what="metric", name=name, option="[TIER]", help=help
        )
        return None
    if metric.of is not None:
        return _of_step(context, metric, name, named)
    if name in ("accuracy", "calibration"):
        help = f"say of which step: `{name}(STEP)`"
        context.tell(
            codes.MISSING_OPTION, metric.span, what="metric", name=name, option="(STEP)", help=help
        )
        return None
    return name


def _no_metric(context: Context, metric: ast.Metric, name: str, metrics: tuple[str, ...]) -> None:
    inside = [known for known in metrics if known.startswith(f"{name}.")]
    help = suggestion(name, metrics)
    if inside:
        help = "there are: " + ", ".join(inside)
    elif metrics is COUNTED and name in OBSERVED:
        help = "no run knows it when it ends; a breaker counts " + ", ".join(COUNTED[:8])
    elif name in OBSERVED:
        help = "it is not known before anything runs: put it into `watch`"
    context.tell(codes.UNKNOWN_NAME, metric.span, what="metric", name=name, help=help)


def _escalation(context: Context, metric: ast.Metric, rest: str, named: Named) -> str | None:
    """`escalation.NAME`, by the gate or step that escalates."""
    if len(metric.path) == 2 and rest not in named.exits and not named.flawed:
        help = suggestion(rest, named.exits)
        context.tell(
            codes.UNKNOWN_NAME, metric.path[1].span, help=help, what="gate or step", name=rest
        )
        return None
    return f"escalation.{rest}"


def _keyed(context: Context, file: str, metric: ast.Metric, name: str) -> str | None:
    if name not in ("cost.baseline", "review.load"):
        what = f"`{name}`"
        context.tell(codes.WRONG_OPTION, metric.span, option=f'["{metric.key}"]', what=what)
        return None
    kind = "tier" if name == "cost.baseline" else "role"
    if context.find(file, ast.Name(str(metric.key), metric.span), kind) is None:
        return None
    return f'{name}["{metric.key}"]'


def _of_step(context: Context, metric: ast.Metric, name: str, named: Named) -> str | None:
    assert metric.of is not None
    step = metric.of.text
    if name not in ("accuracy", "calibration"):
        context.tell(codes.WRONG_OPTION, metric.span, option=f"({step})", what=f"`{name}`")
        return None
    if step not in named.steps and not named.flawed:
        help = suggestion(step, named.steps)
        context.tell(codes.UNKNOWN_NAME, metric.of.span, what="step", name=step, help=help)
        return None
    return f"{name}({step})"


def unit_of(name: str) -> tuple[str, tuple[Type, ...]]:
    """What a metric is measured in, in words and as types."""
    return _UNITS.get(name.split(".")[0].split("(")[0].split("[")[0], _SHARE)


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
