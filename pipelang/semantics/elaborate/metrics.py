"""The metrics that an slo and a watch can name, with their units."""

from __future__ import annotations

from pipelang.diagnostics import codes
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import (
    DURATION,
    INT,
    MONEY,
    PROBABILITY,
    TOKENS,
    Type,
)
from pipelang.syntax import ast

SHARES = (
    "success silent_error escalation rejection failure coverage selective_risk availability "
    "wrong_effect calibration error_rate"
).split()
QUANTILES = "mean p50 p95 p99 worst".split()
METRICS = (
    *SHARES,
    *(f"cost.{q}" for q in (*QUANTILES, "month")),
    *(f"tokens.{q}" for q in ("mean", "worst")),
    *(f"latency.{q}" for q in QUANTILES),
    *(f"turnaround.{q}" for q in QUANTILES),
    "latency",
    "accuracy",
)
BY_NAME = ("escalation", "cost.baseline", "review.load")


def metric_name(context: Context, metric: ast.Metric) -> str | None:
    """The metric in dotted form, None (told) if there is no such metric."""
    name = ".".join(part.text for part in metric.path)
    if name in METRICS or name in BY_NAME:
        if metric.of is not None:
            return f"{name}({metric.of.text})"
        return f'{name}["{metric.key}"]' if metric.key is not None else name
    if any(name.startswith(f"{prefix}.") for prefix in ("escalation", "review.load")):
        return name
    help = suggestion(name, [*METRICS, *BY_NAME])
    context.tell(codes.UNKNOWN_NAME, metric.span, what="metric", name=name, help=help)
    return None


def metric_unit(name: str) -> str:
    """What a metric is measured in."""
    head = name.split(".")[0].split("(")[0].split("[")[0]
    return {
        "cost": "an amount of money",
        "tokens": "an amount of tokens",
        "latency": "a duration",
        "turnaround": "a duration",
    }.get(head, "a share")


def units_agree(unit: str, type: Type) -> bool:
    """Whether a target's type is what a metric is measured in."""
    return (
        type
        in {
            "an amount of money": (MONEY,),
            "an amount of tokens": (TOKENS, INT),
            "a duration": (DURATION,),
            "a share": (PROBABILITY,),
        }[unit]
    )
