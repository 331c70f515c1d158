"""Comparison of two shares that may be looked at any time: a canary beside what is released."""

from __future__ import annotations

from math import log, log1p

from pipelang.statistics.restarts import RestartingProcess, Weights, once

ODDS = (1.25, 1.6, 2.2, 4.0, 10.0)
"""Odds of the second share in the alternatives, as multiples of the odds of its bound."""

BEFORE = (0.5, 10.0)
"""Hits and runs that the first share is thought to have had before anything was seen: 5%."""


class TwoShares:
    """An e-process against "the second share is at most `ratio` times the first, plus `margin`".

    With `above` false, against "at least the first, less `margin`". Nothing is known of the first
    share but what it shows.

    A portion of n_a and n_b runs is a wager of alternatives (a, b) against the pair (s, ratio s +
    margin) of the null hypothesis to which they are nearest. Its expectation at another pair of
    the boundary is a product of linear functions of s, hence log-concave, with its maximum 1 at
    that s; below the boundary it is smaller (R. Turner, A. Ly and P. Grunwald, "Generic E-variables
    for exact sequential k-sample tests", 2024, of which ratio 1 and margin 0 is the case of 2 x 2
    tables). The alternatives follow what was seen before the portion. How many runs of either side
    a portion has must not depend on their results.
    """

    __slots__ = ("_above", "_hits", "_margin", "_ratio", "_runs", "process")

    def __init__(
        self,
        ratio: float = 1.0,
        margin: float = 0.0,
        above: bool = True,
        weights: Weights = once,
    ) -> None:
        if not above and ratio != 1:
            raise ValueError("a ratio of shares bounds from above alone")
        self._ratio, self._margin, self._above = ratio, margin, above
        self._hits, self._runs = BEFORE
        self.process = RestartingProcess(len(ODDS), weights)

    def add(self, first: tuple[int, int], second: tuple[int, int]) -> None:
        """Count a portion: hits and runs of either side."""
        (hits_a, runs_a), (hits_b, runs_b) = first, second
        if not self._above:
            # "At least" of hits is "at most" of misses.
            hits_a, hits_b = runs_a - hits_a, runs_b - hits_b
        if runs_a and runs_b:
            seen = self._hits / self._runs
            self.process.multiply(
                [self._gain(seen, odds, hits_a, runs_a, hits_b, runs_b) for odds in ODDS]
            )
        self._hits += hits_a
        self._runs += runs_a

    def _gain(
        self, seen: float, odds: float, hits_a: int, runs_a: int, hits_b: int, runs_b: int
    ) -> float:
        a = min(max(seen, 1e-6), 1 - 1e-6)
        bound = min(max(self._ratio * a + self._margin, 1e-6), 1 - 1e-6)
        b = odds * bound / (1 - bound + odds * bound)
        s = _nearest(a, b, runs_a, runs_b, self._ratio, self._margin)
        t = self._ratio * s + self._margin
        return _log_ratio(a, s, hits_a, runs_a) + _log_ratio(b, t, hits_b, runs_b)

    def next_day(self) -> None:
        self.process.next_day()

    @property
    def value(self) -> float:
        return self.process.value

    def reaches(self, alpha: float) -> bool:
        return self.process.reaches(alpha)


def _nearest(a: float, b: float, runs_a: int, runs_b: int, ratio: float, margin: float) -> float:
    """The s at which the expectation of the wager has its maximum, by halving."""

    def slope(s: float) -> float:
        t = ratio * s + margin
        return runs_a * (a - s) / (s * (1 - s)) + runs_b * ratio * (b - t) / (t * (1 - t))

    low = max(1e-9, (1e-9 - margin) / ratio)
    high = min(1 - 1e-9, (1 - 1e-9 - margin) / ratio)
    for _ in range(60):
        middle = (low + high) / 2
        if slope(middle) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _log_ratio(share: float, null: float, hits: int, runs: int) -> float:
    return hits * log(share / null) + (runs - hits) * (log1p(-share) - log1p(-null))
