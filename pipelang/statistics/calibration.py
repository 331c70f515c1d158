"""The calibration error of confidences, with an interval, and a test at any time.

The error is the mean gap, over ten bins of equal width, between how sure answers are and how often
they are right (ECE; M. P. Naeini, G. F. Cooper and M. Hauskrecht, AAAI 2015). A bin is closed
below: 0.9 lies in the bin that a test `>= 0.9` lets pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum, log1p
from typing import Any

from pipelang.records import dataclass
from pipelang.statistics.intervals import exact_share
from pipelang.statistics.restarts import RestartingProcess, Weights, once

BINS = 10
STAKES = (0.05, 0.12, 0.25, 0.45, 0.7)


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """The rows of a bin: how many, how many right, their mean confidence."""

    low: float
    high: float
    rows: int
    right: int
    confidence: float


@dataclass(frozen=True, slots=True)
class CalibrationError:
    """The error of some rows; `low` and `high` hold at once for all bins, so they are wide.

    `error` is too high on few rows, whoever is asked: 0 is reached by luck alone. None of no rows.
    """

    error: float | None
    low: float
    high: float
    rows: int
    bins: tuple[CalibrationBin, ...]


def bin_of(confidence: float) -> int:
    """The bin of a confidence. Confidences have few digits, so that floats decide them rightly."""
    return min(BINS - 1, int(confidence * BINS + 1e-9))


def calibration_error(
    rows: Iterable[tuple[float, bool]], confidence: float = 0.95
) -> CalibrationError:
    """The error of rows (how sure, whether right), with an interval that is never too narrow.

    Each bin's accuracy has its exact interval at a level that all bins hold together (Bonferroni,
    over the bins with rows); in it the gap of the bin has a least and a most.
    """
    sums = [(0, 0, 0.0)] * BINS
    for sure, right in rows:
        place = bin_of(sure)
        count, good, total = sums[place]
        sums[place] = (count + 1, good + right, total + sure)
    used = sum(1 for count, _, _ in sums if count)
    n = sum(count for count, _, _ in sums)
    if not n:
        return CalibrationError(None, 0.0, 1.0, 0, ())
    gaps, least, most, bins = [], [], [], []
    for place, (count, good, total) in enumerate(sums):
        if not count:
            continue
        mean = total / count
        low, high = exact_share(good, count, 1 - (1 - confidence) / used)
        gaps.append(abs(good - total) / n)
        least.append(max(0.0, mean - high, low - mean) * count / n)
        most.append(max(mean - low, high - mean) * count / n)
        bins.append(CalibrationBin(place / BINS, (place + 1) / BINS, count, good, mean))
    return CalibrationError(fsum(gaps), fsum(least), min(1.0, fsum(most)), n, tuple(bins))


class CalibrationProcess:
    """An e-process against "the calibration error is at most `limit`".

    The error is the largest mean of sign(bin) (right - confidence) over all choices of signs, so
    that with signs chosen from earlier rows the mean is at most `limit` if the hypothesis holds:
    a wager on its exceeding that is fair. Each bin begins as one that is too sure of itself.
    """

    __slots__ = ("_limit", "_sums", "process")

    def __init__(self, limit: float, weights: Weights = once) -> None:
        self._limit = limit
        self._sums = [-1.0] * BINS
        self.process = RestartingProcess(len(STAKES), weights)

    def add(self, rows: Iterable[tuple[float, bool]]) -> None:
        """Count today's labelled rows: how sure, whether right."""
        gains = [0.0] * len(STAKES)
        for sure, right in rows:
            place = bin_of(sure)
            sign = 1 if self._sums[place] > 0 else -1
            gap = right - sure
            for number, stake in enumerate(STAKES):
                gains[number] += log1p(stake * (sign * gap - self._limit))
            self._sums[place] += gap
        self.process.multiply(gains)

    def state(self) -> dict[str, Any]:
        """The state, as JSON."""
        return {"process": self.process.state(), "sums": self._sums}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.process.restore(state["process"])
        self._sums = [float(known) for known in state["sums"]]

    def next_day(self) -> None:
        """Begin anew; what bins were like is forgotten by half, so that signs can turn."""
        self._sums = [known / 2 for known in self._sums]
        self.process.next_day()

    @property
    def value(self) -> float:
        return self.process.value
