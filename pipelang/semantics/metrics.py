"""THE vocabulary of metrics: every figure that a file, a report or its JSON can name.

A row is a name, a unit, which direction is better, the argument that it takes, and who can use it:
`slo` what the analysis knows before anything runs (`promised`), a `breaker` what is known of a run
when it ends (`counted`), `watch` all of them. Three tables are keyed by these names and complete
(a test holds that): how the analysis reads a metric (`analysis/metrics/readings.py`), how a breaker
measures one (`runtime/shared/circuit_breakers.py`), and the words that a report has for it
(`interfaces/report/metric_words.py`). Everything else uses the constants of this module.
"""

from __future__ import annotations

from enum import Enum

from pipelang.records import dataclass


class Unit(Enum):
    """The unit of a metric: a share of runs (0 to 1), dollars, tokens or seconds."""

    SHARE = "share"
    MONEY = "money"
    TOKENS = "tokens"
    DURATION = "duration"


class Better(Enum):
    """The direction in which a metric is better; NEITHER where that is for the owner to say."""

    MORE = "more"
    LESS = "less"
    NEITHER = "neither"


class MetricArgument(Enum):
    """The argument of a metric, by the kind of what it names.

    `escalation.GATE`, `accuracy(STEP)`, `cost.baseline["TIER"]`, `review.load.ROLE`. The first and
    the last may be left out: the metric is then that of all gates, or of all roles.
    """

    EXIT = "gate or step"
    STEP = "step"
    TIER = "tier"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Metric:
    """A row of the vocabulary."""

    name: str
    unit: Unit
    better: Better
    argument: MetricArgument | None = None
    promised: bool = True
    counted: bool = False

    @property
    def family(self) -> str:
        """The name up to its dot: `cost` of `cost.p95`."""
        return self.name.partition(".")[0]


METRICS: dict[str, Metric] = {}


def _row(
    name: str,
    unit: Unit,
    better: Better,
    argument: MetricArgument | None = None,
    *,
    promised: bool = True,
    counted: bool = False,
) -> str:
    """Put a metric into the table; returns its name, by which everybody refers to it."""
    if name in METRICS:
        raise ValueError(f"{name} stands twice in the table")
    METRICS[name] = Metric(name, unit, better, argument, promised, counted)
    return name


_MORE, _LESS, _NEITHER = Better.MORE, Better.LESS, Better.NEITHER
_SHARE, _MONEY, _TOKENS, _TIME = Unit.SHARE, Unit.MONEY, Unit.TOKENS, Unit.DURATION

# ------------------------------------------------------------------------------- shares of runs
SUCCESS = _row("success", _SHARE, _MORE)
SILENT_ERROR = _row("silent_error", _SHARE, _LESS)
ESCALATION = _row("escalation", _SHARE, _NEITHER, MetricArgument.EXIT, counted=True)
REJECTION = _row("rejection", _SHARE, _NEITHER, counted=True)
FAILURE = _row("failure", _SHARE, _LESS, counted=True)
COVERAGE = _row("coverage", _SHARE, _NEITHER, counted=True)
SELECTIVE_RISK = _row("selective_risk", _SHARE, _LESS)
AVAILABILITY = _row("availability", _SHARE, _MORE)
WRONG_EFFECT = _row("wrong_effect", _SHARE, _LESS)

OUTCOMES = (SUCCESS, SILENT_ERROR, ESCALATION, REJECTION, FAILURE)
"""The metrics that are an outcome each: every run counts for exactly one of them."""
SHARES = tuple(METRICS)

# ------------------------------------------------------------------------- what a run takes
MEAN, P50, P95, P99, WORST = QUANTILES = ("mean", "p50", "p95", "p99", "worst")
"""The figures of a distribution: the last part of the name of a metric."""


def _distribution(family: str, unit: Unit) -> tuple[str, ...]:
    return tuple(_row(f"{family}.{read}", unit, _LESS, counted=True) for read in QUANTILES)


COST_MEAN, COST_P50, COST_P95, COST_P99, COST_WORST = _distribution("cost", _MONEY)
COST_MONTH = _row("cost.month", _MONEY, _LESS)
COST_BASELINE = _row("cost.baseline", _MONEY, _LESS, MetricArgument.TIER)
# What tokens are paid is in the cost, so that neither more nor fewer is better.
TOKENS_MEAN = _row("tokens.mean", _TOKENS, _NEITHER, counted=True)
TOKENS_WORST = _row("tokens.worst", _TOKENS, _NEITHER, counted=True)
LATENCY_MEAN, LATENCY_P50, LATENCY_P95, LATENCY_P99, LATENCY_WORST = _distribution("latency", _TIME)
_distribution("turnaround", _TIME)

# ------------------------------------------------------------------------------- people
REVIEW_LOAD = _row("review.load", _SHARE, _LESS, MetricArgument.ROLE)

# --------------------------------------------------------------------- seen in production alone
ACCURACY = _row("accuracy", _SHARE, _MORE, MetricArgument.STEP, promised=False)
# The mean gap between how sure a step says it is and how often it is right.
CALIBRATION = _row("calibration", _SHARE, _LESS, MetricArgument.STEP, promised=False)
ERROR_RATE = _row("error_rate", _SHARE, _LESS, promised=False, counted=True)
# Without more, the mean of the runs that were looked at.
COST = _row("cost", _MONEY, _LESS, promised=False, counted=True)
LATENCY = _row("latency", _TIME, _LESS, promised=False, counted=True)
TURNAROUND = _row("turnaround", _TIME, _LESS, promised=False, counted=True)

PROMISED = tuple(name for name, row in METRICS.items() if row.promised)
"""Metrics that an `slo` can promise: the analysis says them before anything runs."""
OBSERVED = tuple(METRICS)
"""Metrics that a `watch` can observe: all there are."""
COUNTED = tuple(name for name, row in METRICS.items() if row.counted)
"""Metrics that a `breaker` can count: those known of a run when it ends."""


def metric_of(name: str) -> Metric:
    """The row of a metric as a file or a report names it, with its argument.

    So `escalation.sure` is a case of `escalation`, `review.load.desk` of `review.load`, and
    `cost.reply`, what a step costs, of `cost`. Raises KeyError if there is no such metric.
    """
    plain = name.partition("(")[0].partition("[")[0]
    while plain not in METRICS:
        plain, dot, _ = plain.rpartition(".")
        if not dot:
            raise KeyError(name)
    return METRICS[plain]
