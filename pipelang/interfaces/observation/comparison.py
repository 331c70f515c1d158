"""Observed figures beside predicted ones, each with its interval, and whether they agree."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from functools import cache
from math import ceil, inf, isfinite
from typing import Any

from pipelang.analysis.model.intervals import Number
from pipelang.records import dataclass
from pipelang.statistics.intervals import (
    exact_share,
    mean_interval,
    quantile_at,
    quantile_ranks,
    runs_for_quantile,
)

SHOWN = 0.95
"""Confidence of the intervals that are shown."""

SURE = 0.999
"""Confidence at which a figure is told to differ: there are many figures, and 95% would cry wolf
about one in twenty of them. `simulate` takes the same."""

NEAR = (0.99, 1.01)
"""Figures within 1% agree: quantiles are worked out to that, and tokens are our own count."""

CHANGE = 0.4
"""A relative change that the data should be able to show (the reports' rise by 40%)."""


class FigureVerdict(Enum):
    """The verdict on a figure."""

    AGREES = "agrees"
    DIFFERS = "differs"
    TOO_FEW = "too few"  # not enough data to show a change that would matter
    ALONE = "not predicted"
    UNMEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class ObservedMetric:
    """A metric as observed: `value` with its 95% interval, over so many `runs`; `predicted` is what
    the analysis says. `more` are the runs that are missing until a change by 40% would show; `what`
    is counted, and `note` says what keeps a figure from being measured.
    """

    metric: str
    value: float | None
    low: float | None
    high: float | None
    runs: int
    predicted: Number | None
    verdict: FigureVerdict
    more: int = 0
    what: str = "runs"
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        record: dict[str, Any] = {
            "observed": self.value,
            "low": _finite(self.low),
            "high": _finite(self.high),
            self.what: self.runs,
            "predicted": None if self.predicted is None else self.predicted.as_json(),
            "verdict": self.verdict.value,
        }
        if self.more:
            record["more"] = self.more
        if self.note:
            record["note"] = self.note
        return record


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def predicted_range(number: Number | None) -> tuple[float, float] | None:
    """The range of a prediction: certain bounds, a 95% interval, or a point. None where nothing
    is predicted, or nothing is excluded.
    """
    if number is None:
        return None
    low = number.low if number.low is not None else number.value
    high = number.high if number.high is not None else number.value
    if low is None and high is None:
        return None
    return (0.0 if low is None else low, inf if high is None else high)


def judged(
    interval: tuple[float, float], number: Number | None, enough: bool, unit: bool = True
) -> FigureVerdict:
    """The verdict of an interval at `SURE` on a prediction. Ranges that touch agree."""
    told = predicted_range(number)
    if told is None or told == (0.0, 1.0 if unit else inf):
        return FigureVerdict.ALONE
    if unit and told in ((0.0, 0.0), (1.0, 1.0)):
        enough = True  # one case refutes it
    slack = 1e-9 * max(1.0, abs(told[0]))
    if interval[1] < told[0] - slack or interval[0] > told[1] + slack:
        return FigureVerdict.DIFFERS
    return FigureVerdict.AGREES if enough else FigureVerdict.TOO_FEW


def observed_share(
    metric: str, hits: int, runs: int, stories: int, predicted: Number | None, what: str = "runs"
) -> ObservedMetric:
    """A share of runs. Runs of one thread count as one: the interval is that of `stories` runs."""
    if not runs:
        return ObservedMetric(
            metric,
            None,
            0.0,
            1.0,
            0,
            predicted,
            FigureVerdict.UNMEASURED,
            runs_for_share(0.1),
            what,
        )
    share = hits / runs
    good = share * stories
    low, high = exact_share(good, stories, SHOWN)
    told = predicted_range(predicted)
    guess = share if told is None or told == (0.0, 1.0) else (told[0] + min(told[1], 1.0)) / 2
    more = max(0, runs_for_share(guess) - stories)
    verdict = judged(exact_share(good, stories, SURE), predicted, not more)
    if verdict is FigureVerdict.AGREES:
        more = 0
    return ObservedMetric(metric, share, low, high, runs, predicted, verdict, more, what)


def runs_for_share(share: float) -> int:
    """Runs after which the 95% interval of a share is as wide, to either side, as a change by 40%
    of the share (or of its complement, where that is smaller).
    """
    part = min(max(min(share, 1 - share), 0.001), 0.5)
    return ceil(1.96**2 * (1 - part) / part / CHANGE**2)


RUNS_FOR_MEAN = 30
"""Fewer runs are not said to differ in a mean."""


def observed_mean(
    metric: str, values: Sequence[float], stories: int, predicted: Number | None
) -> ObservedMetric:
    """A mean, with Student's interval, which is widened for runs of one thread. Of few runs it says
    too little: three that cost the same have an interval of no width, whatever others cost.
    """
    if not values:
        return ObservedMetric(metric, None, None, None, 0, predicted, FigureVerdict.UNMEASURED, 2)
    wider = (len(values) / max(stories, 1)) ** 0.5

    def spread(confidence: float) -> tuple[float, float]:
        mean, low, high = mean_interval(values, confidence)
        return max(0.0, mean - (mean - low) * wider), mean + (high - mean) * wider

    mean = mean_interval(values)[0]
    low, high = spread(SHOWN)
    more = max(0, RUNS_FOR_MEAN - stories)
    sure = spread(SURE)
    verdict = judged((sure[0] * NEAR[0], sure[1] * NEAR[1]), predicted, not more, unit=False)
    if more and verdict is FigureVerdict.DIFFERS:
        verdict = FigureVerdict.TOO_FEW
    return ObservedMetric(metric, mean, low, high, len(values), predicted, verdict, more)


def observed_quantile(
    metric: str, ordered: Sequence[float], share: float, stories: int, predicted: Number | None
) -> ObservedMetric:
    """A quantile, with its exact interval."""
    if not ordered:
        more = _runs_for_quantile(share)
        return ObservedMetric(
            metric, None, None, None, 0, predicted, FigureVerdict.UNMEASURED, more
        )
    low, high = _between(ordered, share, stories, SHOWN)
    sure = _between(ordered, share, stories, SURE)
    more = max(0, _runs_for_quantile(share) - stories)
    verdict = judged((sure[0] * NEAR[0], sure[1] * NEAR[1]), predicted, not more, unit=False)
    value = quantile_at(ordered, share)
    return ObservedMetric(metric, value, low, high, len(ordered), predicted, verdict, more)


@cache
def _runs_for_quantile(share: float) -> int:
    """Runs after which the interval that decides has two ends: before, a figure agrees whatever
    is observed.
    """
    return runs_for_quantile(share, SURE)


def _between(
    ordered: Sequence[float], share: float, stories: int, confidence: float
) -> tuple[float, float]:
    """The interval of a quantile, with the ranks of `stories` values spread over all of them."""
    low, high = quantile_ranks(share, stories, confidence)
    scale = len(ordered) / stories
    return (
        ordered[max(0, int(low * scale) - 1)] if low else 0.0,
        ordered[min(len(ordered) - 1, ceil(high * scale) - 1)] if high <= stories else inf,
    )


def observed_most(metric: str, values: Sequence[float], predicted: Number | None) -> ObservedMetric:
    """The largest value, which no worst case may be below."""
    if not values:
        return ObservedMetric(metric, None, None, None, 0, predicted, FigureVerdict.UNMEASURED, 1)
    most = max(values)
    told = predicted_range(predicted)
    verdict = FigureVerdict.ALONE
    if told is not None and isfinite(told[1]):
        passed = most > told[1] * (1 + 1e-6) + 1e-6
        verdict = FigureVerdict.DIFFERS if passed else FigureVerdict.AGREES
    return ObservedMetric(metric, most, most, None, len(values), predicted, verdict)
