"""Baselines: figures of a named release, frozen once there are enough of its runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelang.interfaces.observation.labels import AnswerLabel, speaking
from pipelang.interfaces.observation.records import DAY, ENDINGS, ObservedRun, day_of
from pipelang.interfaces.watching.lines import WatchedLine
from pipelang.interfaces.watching.measurements import amount_of, measurements
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.watched.line_measures import LineMeasure
from pipelang.statistics.intervals import (
    lower_share,
    mean_interval,
    quantile_at,
    quantile_ranks,
    upper_share,
)

LEAST_RUNS = 2_000
"""Runs of a release that a baseline needs."""

LEAST_LABELS = 200

CONFIDENCE = 0.99
"""Of the bound that a baseline is taken for; the watch has what is left of its 5%."""


@dataclass(frozen=True, slots=True)
class FrozenBaseline:
    """A frozen figure: `value` as it was, and `bound`, which it is surely not worse than. `hits` of
    `runs` where it is a share; `first` and `last` are its days.
    """

    value: float
    bound: float
    hits: int
    runs: int
    first: int
    last: int

    def as_json(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "bound": self.bound,
            "hits": self.hits,
            "runs": self.runs,
            "first": self.first,
            "last": self.last,
        }


def baseline_from(record: dict[str, Any]) -> FrozenBaseline:
    """A baseline as it was kept."""
    return FrozenBaseline(**{name: value for name, value in record.items() if name != "of"})


def frozen(
    watched: WatchedLine,
    pipeline: p.Pipeline,
    runs: Sequence[ObservedRun],
    labels: Sequence[AnswerLabel],
    today: int,
    all_days: bool,
) -> FrozenBaseline | int:
    """The baseline of a line over the complete days of a release; of its first days that have
    enough, or of all of them. How many runs or labels are missing, where there are too few.
    """
    by_labels = watched.measure in (LineMeasure.LABELS, LineMeasure.CALIBRATION, LineMeasure.WRONG)
    least = LEAST_LABELS if by_labels else LEAST_RUNS
    ended = [run for run in runs if run.ended is not None and run.outcome in ENDINGS]
    counted = [label.at for label in labels] if by_labels else [run.ended or 0.0 for run in ended]
    days = sorted(day for day in map(day_of, counted) if day < today)
    if len(days) < least:
        return least - len(days)
    last = days[-1] if all_days else days[least - 1]
    edge = (last + 1) * DAY
    before = [run for run in ended if (run.ended or 0.0) < edge]
    said = [label for label in labels if label.at < edge]
    found = _figure(watched, pipeline, before, said)
    if found is None:
        return least
    value, bound, hits, total = found
    return FrozenBaseline(value, bound, hits, total, days[0], last)


def _figure(
    watched: WatchedLine,
    pipeline: p.Pipeline,
    runs: Sequence[ObservedRun],
    labels: Sequence[AnswerLabel],
) -> tuple[float, float, int, int] | None:
    above = watched.above
    match watched.measure:
        case LineMeasure.QUANTILE | LineMeasure.WORST | LineMeasure.MEAN:
            amounts = [amount_of(watched.line.metric, run) for run in runs]
            values = sorted(amount for amount in amounts if amount is not None)
            if len(values) < 2:
                return None
            if watched.measure is LineMeasure.MEAN:
                mean, low, high = mean_interval(values, 2 * CONFIDENCE - 1)
                return mean, high if above else low, 0, len(values)
            if watched.measure is LineMeasure.WORST:
                return values[-1], values[-1], 0, len(values)
            share = 1 - watched.quantile
            low_rank, high_rank = quantile_ranks(share, len(values), 2 * CONFIDENCE - 1)
            rank = high_rank if above else low_rank
            bound = values[min(max(rank, 1), len(values)) - 1]
            return quantile_at(values, share), bound, 0, len(values)
        case LineMeasure.CALIBRATION:
            from pipelang.statistics.calibration import calibration_error

            rows = [
                (label.confidence, label.right)
                for label in speaking(labels, watched.step)
                if label.confidence is not None
            ]
            error = calibration_error(rows)
            return None if error.error is None else (error.error, error.high, 0, error.rows)
        case _:
            found = measurements(watched, pipeline, runs, labels, 0.0, 0.0)
            hits, total = sum(bool(one.value) for one in found), len(found)
            if not total:
                return None
            bounded = upper_share if above else lower_share
            return hits / total, bounded(hits, total, CONFIDENCE), hits, total


def with_tolerance(value: float, tolerance: p.Tolerance) -> float:
    """A baseline, with what its line adds to it."""
    amount = float(tolerance.amount)
    return value * (1 + amount) if tolerance.relative else value + amount
