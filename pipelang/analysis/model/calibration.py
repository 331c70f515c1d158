"""Calibration of an evidence file: its accuracy, whether confidences can be believed, and the
effect of thresholds.

Bins are ten equal parts of [0, 1], each with its lower bound and without its upper one, the last
with both: a model that says 0.9 is in the bin that a test `>= 0.9` lets pass. Confidences are
compared as exact decimals.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from itertools import chain, repeat
from math import exp, floor, fsum, lgamma, log, log1p
from typing import Any

from pipelang.analysis.model.beta import jeffreys
from pipelang.analysis.model.evidence import Cut, LabelledAnswers
from pipelang.analysis.model.intervals import Number
from pipelang.records import dataclass, replace

BINS = 10
_EDGES = tuple(Decimal(index) / BINS for index in range(1, BINS))


@dataclass(frozen=True, slots=True)
class Bin:
    """The rows whose confidence lies in [low, high); `confidence` is their mean."""

    low: Decimal
    high: Decimal
    count: int
    right: int
    confidence: float | None

    @property
    def accuracy(self) -> Number:
        return jeffreys(self.right, self.count)

    def as_json(self) -> dict[str, Any]:
        return {
            "low": float(self.low),
            "high": float(self.high),
            "count": self.count,
            "confidence": self.confidence,
            "accuracy": self.accuracy.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Calibration:
    """A file as a whole. `graded` rows have a confidence; the bins and the errors are theirs.

    `ece` is None without such a row, `by_chance` what a perfectly calibrated model would have.
    """

    rows: int
    right: int
    graded: int
    ece: float | None
    by_chance: float | None
    bins: tuple[Bin, ...]

    @property
    def accuracy(self) -> Number:
        return jeffreys(self.right, self.rows)

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "right": self.right,
            "accuracy": self.accuracy.as_json(),
            "ece": self.ece,
            "ece_by_chance": self.by_chance,
            "reliability": [part.as_json() for part in self.bins],
        }


def by_source(answers: LabelledAnswers) -> dict[str, Calibration]:
    """The calibration of the rows of each kind of confidence; none where no row says which it is.

    Rows that do not say it are in none of them.
    """
    found = {}
    for source in sorted(answers.file.sources):
        rows = tuple(row for row in answers.file.rows if row.source == source)
        found[source] = calibration(LabelledAnswers(replace(answers.file, rows=rows)))
    return found


def calibration(answers: LabelledAnswers) -> Calibration:
    """Accuracy, reliability table and expected calibration error of a file."""
    known: Calibration | None = answers.worked_out.get("calibration")
    if known is None:
        known = answers.worked_out["calibration"] = _calibration(answers)
    return known


def _calibration(answers: LabelledAnswers) -> Calibration:
    parts: list[_Levels] = [[] for _ in range(BINS)]
    for correct, found in answers.often.items():
        for level, count in found:
            parts[bisect_right(_EDGES, level)].append((level, count, correct))
    bins = tuple(_bin(index, levels) for index, levels in enumerate(parts))
    error = expected_calibration_error(bins)
    return Calibration(answers.total, answers.right, answers.graded, error, by_chance(bins), bins)


_Levels = list[tuple[Decimal, int, bool]]
"""Confidences, how many rows have each, and whether these are right."""


def _bin(index: int, levels: _Levels) -> Bin:
    number = sum(count for _, count, _ in levels)
    right = sum(count for _, count, correct in levels if correct)
    every = chain.from_iterable(repeat(float(level), count) for level, count, _ in levels)
    mean = fsum(every) / number if number else None
    low, high = Decimal(index) / BINS, Decimal(index + 1) / BINS
    return Bin(low, high, number, right, mean)


def expected_calibration_error(bins: Sequence[Bin]) -> float | None:
    """ECE = sum over bins of count/n * |accuracy - mean confidence|; None of no rows.

    M. P. Naeini, G. F. Cooper and M. Hauskrecht, "Obtaining well calibrated probabilities using
    Bayesian binning", AAAI 2015; equation 3 of C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On
    calibration of modern neural networks", ICML 2017, whose bins are ten as well, but closed above.
    """
    total = sum(part.count for part in bins)
    if not total:
        return None
    gaps = (abs(part.right - part.count * (part.confidence or 0.0)) for part in bins)
    return fsum(gaps) / total


def by_chance(bins: Sequence[Bin]) -> float | None:
    """The mean ECE of a model that is right exactly as often as it says, on bins of these sizes:
    the error is never 0 on few rows, whoever is asked. Each bin counts as having one confidence.

    The mean absolute deviation of a binomial count is 2 m C(n, m) p^m (1-p)^(n-m+1) with
    m = floor(np) + 1 (A. de Moivre; P. Diaconis and S. Zabell, Statistical Science 6, 1991).
    """
    total = sum(part.count for part in bins)
    if not total:
        return None
    return fsum(_deviation(part.count, part.confidence or 0.0) for part in bins) / total


def _deviation(n: int, p: float) -> float:
    m = floor(n * p) + 1
    if not n or not 0 < p < 1 or m > n:
        return 0.0
    choose = lgamma(n + 1) - lgamma(m + 1) - lgamma(n - m + 1)
    return 2 * m * exp(choose + m * log(p) + (n - m + 1) * log1p(-p))


@dataclass(frozen=True, slots=True)
class Threshold:
    """The effect of a threshold on the rows of a file.

    `catches` is P(does not pass | wrong), `false_alarms` P(does not pass | right); `accuracy` that
    of the rows that pass. The counts behind them: `caught` of `wrong`, `alarmed` of `right`.
    """

    cut: Cut
    right: int
    wrong: int
    caught: int
    alarmed: int

    @property
    def passed(self) -> int:
        return self.right + self.wrong - self.caught - self.alarmed

    @property
    def catches(self) -> Number:
        return jeffreys(self.caught, self.wrong)

    @property
    def false_alarms(self) -> Number:
        return jeffreys(self.alarmed, self.right)

    @property
    def accuracy(self) -> Number:
        return jeffreys(self.right - self.alarmed, self.passed)

    def as_json(self) -> dict[str, Any]:
        value, strict = self.cut
        return {
            "threshold": float(value),
            "op": ">" if strict else ">=",
            "passed": self.passed,
            "accuracy": self.accuracy.as_json(),
            "catches": self.catches.as_json(),
            "false_alarms": self.false_alarms.as_json(),
        }


def at_threshold(answers: LabelledAnswers, cut: Cut) -> Threshold:
    """Count the rows with a confidence on either side of a threshold."""
    right, wrong = (len(answers.confidences[kind]) for kind in (True, False))
    return Threshold(cut, right, wrong, answers.below(False, cut), answers.below(True, cut))
