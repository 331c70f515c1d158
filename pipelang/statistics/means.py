"""Tests of a mean of amounts (dollars, seconds, tokens) that may be looked at any time."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, log, log1p

from pipelang.statistics.restarts import RestartingProcess, Weights, once

STAKES = (0.01, 0.03, 0.08, 0.2, 0.5)
"""Parts of the capital that are put on each value."""


class MeanProcess:
    """An e-process against "the mean is at most `limit`", of values that are never negative.

    Of each value x a part of the capital becomes x / limit times as much, so that the capital
    grows by 1 + stake (x / limit - 1), on average not at all (I. Waudby-Smith and A. Ramdas,
    "Estimating means of bounded random variables by betting", JRSS B 86, 2024). No upper bound of
    the values is needed. Against "at least" (`above` false) one is: `most`, and values beyond it
    count as it.
    """

    __slots__ = ("_above", "_limit", "_most", "process")

    def __init__(
        self, limit: float, above: bool = True, most: float = inf, weights: Weights = once
    ) -> None:
        if limit <= 0 or not (above or limit < most < inf):
            raise ValueError("a mean is tested against a limit above 0 and below `most`")
        self._above, self._most = above, most
        self._limit = limit if above else most - limit
        self.process = RestartingProcess(len(STAKES), weights)

    def add(self, values: Iterable[float]) -> None:
        """Count the values of today's runs."""
        gains = [0.0] * len(STAKES)
        for value in values:
            gain = (value if self._above else max(0.0, self._most - value)) / self._limit - 1
            for place, stake in enumerate(STAKES):
                gains[place] += log1p(stake * gain)
        self.process.multiply(gains)

    def next_day(self) -> None:
        self.process.next_day()

    @property
    def value(self) -> float:
        return self.process.value


def days_to_find_mean(
    limit: float, mean: float, spread: float, a_day: float, need: float
) -> float | None:
    """Days until a mean beyond its limit has gathered `need` (a logarithm) on average; None if it
    lies within. By the second-order growth of the best stake (J. L. Kelly, 1956).
    """
    gain = mean / limit - 1
    if gain <= 0 or a_day <= 0:
        return None
    second = (spread / limit) ** 2 + gain * gain
    stake = min(STAKES[-1], gain / second)
    growth = stake * gain - stake * stake * second / 2
    return need / (growth * a_day) if growth > 0 else None


def log_need(alpha: float, weight: float, wagers: int) -> float:
    """The evidence that one wager of a mixture must gather, for a stake put on its first day."""
    return -log(alpha) - log(weight) + log(wagers)
