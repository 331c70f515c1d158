"""Readers of every metric of the vocabulary in `semantics/metrics.py`.

A share, a mean cost or mean tokens are read off the totals of a sweep. Such a reading is a
polynomial in the pipeline's parameters, or a ratio of two of them, so the same function gives the
point, the posterior (over arrays of draws) and the bounds over what nobody declared. Quantiles are
read off the walk of times, and some metrics have a computation of their own. A share can also be
summed over the rows of a waterfall, which is how `--explain-number` derives it.

The rows stand in the order in which a report and its comparison list them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from pipelang.analysis.frontier.totals import Totals, arrivals
from pipelang.analysis.metrics.loss_waterfall import (
    Judge,
    anything_wrong,
    wrongly_done,
)
from pipelang.analysis.metrics.waterfall_rows import WaterfallRow
from pipelang.analysis.sweep.bounds_over_unknowns import Read
from pipelang.records import dataclass
from pipelang.semantics import metrics as m


class MetricSource(Enum):
    """The source of a metric's number."""

    SWEEP = auto()  # the totals of a sweep
    WALK = auto()  # the walk of times and costs, as a distribution
    WORST = auto()  # the dearest or the longest run
    TRAFFIC = auto()  # another metric times the declared traffic
    TIERS = auto()  # a sweep with every model call at one tier
    LATER = auto()  # nothing that a check works out for a promise


@dataclass(frozen=True, slots=True)
class WaterfallSum:
    """A share as a sum over waterfall rows: what it starts from, and what a row adds to it.

    `change` gets the row and the metric's full name (`escalation.sure`). For the words beside a
    row: `turns` says that runs which go wrong or are put right change the metric, `right_ends` and
    `wrong_ends` which endings do, of runs that were right and of those that were wrong.
    """

    start: float
    change: Callable[[WaterfallRow, str], float]
    judge: Judge = anything_wrong
    turns: bool = False
    right_ends: tuple[str, ...] = ()
    wrong_ends: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricReading:
    """The reading of one metric.

    `read` takes the totals of a sweep. A `ratio` of two figures, the first over both, is undefined
    where both are 0; a metric that is 1 less another names it in `all_but`. `compared`: promises
    are decided by the posterior of `read`, and changes of a pipeline judged by it. `by_call`: it is
    a sum over model calls and tools. `waterfall` is its sum over items, if it is one.
    """

    source: MetricSource
    read: Read | None = None
    ratio: tuple[str, str] | None = None
    all_but: str | None = None
    compared: bool = True
    by_call: bool = False
    waterfall: WaterfallSum | None = None


@dataclass(frozen=True, slots=True)
class _Plain:
    """The reading of a plain figure. Those of one figure are equal, here and below, so what was
    read off once is found again.
    """

    name: str

    def __call__(self, totals: Totals) -> Any:
        return getattr(totals, self.name)


@dataclass(frozen=True, slots=True)
class _Named:
    """The reading of one name in a group of totals."""

    group: str
    name: Any

    def __call__(self, totals: Totals) -> Any:
        return getattr(totals, self.group).get(self.name, 0.0)


@dataclass(frozen=True, slots=True)
class _Arrivals:
    """The reading of how many cases a role gets."""

    role: str

    def __call__(self, totals: Totals) -> Any:
        return arrivals(totals).get(self.role, 0.0)


def field_of(name: str) -> Read:
    """The reading of a plain figure, which totals have under its name."""
    return _Plain(name)


def by_name(group: str, name: Any) -> Read:
    """The reading of one name in a group of totals; 0 if nothing came to it."""
    return _Named(group, name)


def arrivals_at(role: str) -> Read:
    """The reading of how many cases a run sends to a role."""
    return _Arrivals(role)


def _ratio(part: str, rest: str) -> Read:
    def read(totals: Any) -> Any:
        counted = getattr(totals, part)
        whole = counted + getattr(totals, rest)
        if not hasattr(whole, "dtype"):
            return counted / whole
        from numpy import errstate

        # At a corner of what is undeclared nothing may be answered: a ratio of nothing is none,
        # and no warning of numpy's on the user's screen.
        with errstate(divide="ignore", invalid="ignore"):
            return counted / whole

    return read


# ----------------------------------------------------------------------------- waterfall rows


def _stays_right(row: WaterfallRow, name: str) -> float:
    """The runs that stay right because of an item, as a share of all runs."""
    return (
        row.wrong.on_right
        + row.wrong.ended.get(m.SUCCESS, 0.0)
        - row.right.on_wrong
        - row.right.lost
        - row.right.ended.get(m.SILENT_ERROR, 0.0)
    )


def _gone_wrong(row: WaterfallRow, name: str) -> float:
    """The runs that an item makes wrong, as a share of all runs."""
    return (
        row.right.on_wrong
        + row.right.ended.get(m.SILENT_ERROR, 0.0)
        - row.wrong.on_right
        - row.wrong.lost
        - row.wrong.ended.get(m.SUCCESS, 0.0)
    )


def done_wrongly(row: WaterfallRow, name: str = m.WRONG_EFFECT) -> float:
    """The runs in which an item is the first to do something with a wrong value."""
    return row.right.on_wrong + row.right.ended.get(name, 0.0)


def _ended(row: WaterfallRow, name: str) -> float:
    """The runs that an item ends in the way of this name."""
    return row.right.ended.get(name, 0.0) + row.wrong.ended.get(name, 0.0)


UNANSWERED = (m.ESCALATION, m.REJECTION, m.FAILURE)
"""The outcomes of runs that end without an answer."""


def _ending(name: str) -> MetricReading:
    only = (name,)
    return MetricReading(
        MetricSource.SWEEP,
        field_of(name),
        waterfall=WaterfallSum(0.0, _ended, right_ends=only, wrong_ends=only),
    )


# ----------------------------------------------------------------------------------- the table
READINGS: dict[str, MetricReading] = {
    m.SUCCESS: MetricReading(
        MetricSource.SWEEP,
        field_of(m.SUCCESS),
        waterfall=WaterfallSum(1.0, _stays_right, turns=True, right_ends=UNANSWERED),
    ),
    m.SILENT_ERROR: MetricReading(
        MetricSource.SWEEP,
        field_of(m.SILENT_ERROR),
        waterfall=WaterfallSum(0.0, _gone_wrong, turns=True, wrong_ends=UNANSWERED),
    ),
    m.ESCALATION: _ending(m.ESCALATION),
    m.REJECTION: _ending(m.REJECTION),
    m.FAILURE: _ending(m.FAILURE),
    m.COVERAGE: MetricReading(
        MetricSource.SWEEP,
        lambda totals: totals.success + totals.silent_error,
        waterfall=WaterfallSum(
            1.0,
            lambda row, name: -row.right.lost - row.wrong.lost,
            right_ends=UNANSWERED,
            wrong_ends=UNANSWERED,
        ),
    ),
    m.AVAILABILITY: MetricReading(
        MetricSource.SWEEP,
        lambda totals: 1 - totals.failure,
        all_but=m.FAILURE,
        waterfall=WaterfallSum(
            1.0,
            lambda row, name: -_ended(row, m.FAILURE),
            right_ends=(m.FAILURE,),
            wrong_ends=(m.FAILURE,),
        ),
    ),
    m.WRONG_EFFECT: MetricReading(
        MetricSource.SWEEP,
        field_of(m.WRONG_EFFECT),
        waterfall=WaterfallSum(0.0, done_wrongly, judge=wrongly_done),
    ),
    m.SELECTIVE_RISK: MetricReading(
        MetricSource.SWEEP,
        _ratio(m.SILENT_ERROR, m.SUCCESS),
        ratio=(m.SILENT_ERROR, m.SUCCESS),
        waterfall=WaterfallSum(0.0, _gone_wrong, turns=True, wrong_ends=UNANSWERED),
    ),
    m.COST_MEAN: MetricReading(MetricSource.SWEEP, field_of("cost"), by_call=True),
    m.COST_WORST: MetricReading(MetricSource.WORST, by_call=True),
    m.COST_MONTH: MetricReading(MetricSource.TRAFFIC, by_call=True),
    m.TOKENS_MEAN: MetricReading(
        MetricSource.SWEEP, field_of("tokens"), compared=False, by_call=True
    ),
    m.TOKENS_WORST: MetricReading(MetricSource.WORST),
    **{
        f"{family}.{read}": MetricReading(
            MetricSource.WORST if read == m.WORST else MetricSource.WALK
        )
        for family in (m.COST, m.LATENCY, m.TURNAROUND)
        for read in m.QUANTILES
        if f"{family}.{read}" not in (m.COST_MEAN, m.COST_WORST)
    },
    m.COST_BASELINE: MetricReading(MetricSource.TIERS),
    m.REVIEW_LOAD: MetricReading(MetricSource.LATER),
    **{
        name: MetricReading(MetricSource.LATER)
        for name, row in m.METRICS.items()
        if not row.promised
    },
}
"""The reading of every metric, by its name."""

SWEPT = tuple(
    name
    for name, reading in READINGS.items()
    if reading.source is MetricSource.SWEEP and reading.compared
)
"""The metrics that one sweep gives, and that changes of a pipeline are compared by."""


def reader_of(metric: str) -> Read | None:
    """The reading of a metric off the totals of a sweep; None where a sweep does not decide it."""
    row = m.metric_of(metric)
    if row.argument is m.MetricArgument.EXIT and metric != row.name:
        return by_name("escalations", metric.removeprefix(f"{row.name}."))
    reading = READINGS.get(metric)
    return reading.read if reading is not None and reading.compared else None


def sum_of(metric: str) -> WaterfallSum | None:
    """The sum over a waterfall that gives a metric, named with its argument; None if none does."""
    return READINGS[m.metric_of(metric).name].waterfall
