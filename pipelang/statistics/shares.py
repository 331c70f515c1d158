"""Tests of one share against a limit that may be looked at any time."""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from math import log, log1p, sqrt
from typing import Any

from pipelang.statistics.beta import at_least
from pipelang.statistics.fit import more_often_p_value
from pipelang.statistics.restarts import RestartingProcess, Weights, daily, lasting, once

ODDS = (1.05, 1.15, 1.3, 1.5, 1.8, 2.5, 5.0, 15.0)
"""Odds of the alternatives, as multiples of the odds of the limit. A rise by 40% is 1.4 to 1.8
times the odds for shares up to 30%: the wagers are densest where an alarm is wanted soonest. What
lies closer to the limit than half of the first is never found."""

TINY = 1e-9
"""A limit of 0 (or 1) is taken as this far from it, so that one case is not infinite evidence."""

BLOCK = 2
"""Days that a block has."""

PARTS = 4
"""Parts of a day that a watch closes."""

OF_BLOCKS = 0.8
"""The part of the false alarms that the blocks have; the rest is the process's."""


def alternatives(limit: float) -> tuple[float, ...]:
    """The shares above a limit that are wagered on."""
    limit = min(max(limit, TINY), 1 - TINY)
    odds = limit / (1 - limit)
    return tuple(odds * times / (1 + odds * times) for times in ODDS)


class ShareProcess:
    """An e-process against "the share is at most `limit`"; with `above` false, "at least".

    The likelihood ratio of an alternative q > p against the limit p is a test supermartingale for
    every share up to p, because it grows with each hit and falls with each miss. Counts may come
    in any portions: the process is asked between them.
    """

    __slots__ = ("_above", "_factors", "process")

    def __init__(self, limit: float, above: bool = True, weights: Weights = once) -> None:
        self._above = above
        p = min(max(limit if above else 1 - limit, TINY), 1 - TINY)
        self._factors = tuple((log(q / p), log1p(-q) - log1p(-p)) for q in alternatives(p))
        self.process = RestartingProcess(len(self._factors), weights)

    def add(self, hits: int, total: int) -> None:
        """Count runs of today."""
        if not self._above:
            hits = total - hits
        self.process.multiply([hits * hit + (total - hits) * miss for hit, miss in self._factors])

    def next_day(self) -> None:
        self.process.next_day()

    @property
    def value(self) -> float:
        return self.process.value


class ShareMonitor:
    """Watches a share against a known limit, with false alarms below alpha for ever.

    A fifth of alpha is the e-process's, which is asked at any time and gathers small differences
    over weeks. The rest is for the exact binomial test of the last two days, at the end of each of
    the `parts` of a day: an all-or-nothing wager on them. It finds a large rise a day sooner than
    the likelihood ratio, whose bound is loose by a factor of about ten at a single look. A union
    bound over all these tests, weighted by `lasting`, keeps it. `alarmed` stays, `fires` says that
    it is so now.

    One part is for daily counts. With more of them a change in the middle of a day is found sooner,
    and one at midnight a little later.

    Where the limit is the bound of a share that was counted (`sample`: hits and runs), and what is
    asked is whether that share was passed, the test of two days is Fisher's exact one against the
    sample itself.
    """

    __slots__ = (
        "_above",
        "_block",
        "_days",
        "_part",
        "_parts_closed",
        "_sample",
        "alarmed",
        "alpha",
        "fires",
        "limit",
        "parts",
        "process",
    )

    def __init__(
        self,
        limit: float,
        above: bool = True,
        alpha: float = 0.05,
        sample: tuple[int, int] | None = None,
        parts: int = 1,
    ) -> None:
        self.limit = limit
        self.alpha = alpha
        self.alarmed = False
        self.fires = False
        self.process = ShareProcess(limit, above, daily)
        self._above = above
        self._sample = sample
        self.parts = parts
        self._block: deque[tuple[int, int]] = deque(maxlen=BLOCK * parts)
        self._part = (0, 0)
        self._parts_closed = 0
        self._days = 0

    def add(self, hits: int, total: int) -> bool:
        """Count runs of now; says whether the limit is passed, now or before."""
        self.process.add(hits, total)
        self._part = (self._part[0] + hits, self._part[1] + total)
        self.fires = self.process.process.reaches(self.alpha * (1 - OF_BLOCKS))
        self.alarmed = self.alarmed or self.fires
        return self.alarmed

    def close_part(self) -> bool:
        """End a part of a day (`close_day` ends the last one): judge the two days before."""
        if self._parts_closed < self.parts - 1:
            self._parts_closed += 1
            self._judge()
        return self.alarmed

    def close_day(self) -> bool:
        """End the day, whose parts may have been closed or not, and begin anew."""
        while self._parts_closed < self.parts - 1:
            self._block.append((0, 0))
            self._parts_closed += 1
        self._judge()
        self._parts_closed = 0
        self._days += 1
        self.process.next_day()
        return self.alarmed

    def _judge(self) -> None:
        self._block.append(self._part)
        self._part = (0, 0)
        level = self.alpha * OF_BLOCKS * lasting(self._days + 1) / self.parts
        self.fires = self.fires or self.block_p_value <= level
        self.alarmed = self.alarmed or self.fires

    @property
    def block_p_value(self) -> float:
        """The exact one-sided p-value of the last two days."""
        hits = sum(part[0] for part in self._block)
        total = sum(part[1] for part in self._block)
        if self._sample is not None:
            before, runs = self._sample
            if not self._above:
                hits, before = total - hits, runs - before
            return more_often_p_value(hits, total, before, runs)
        if self._above:
            return at_least(hits, total, self.limit)
        return at_least(total - hits, total, 1 - self.limit)

    def state(self) -> dict[str, Any]:
        """The state, as JSON."""
        return {
            "process": self.process.process.state(),
            "block": [list(part) for part in self._block],
            "part": list(self._part),
            "parts": self._parts_closed,
            "days": self._days,
            "alarmed": self.alarmed,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state of a monitor with the same limit."""
        self.process.process.restore(state["process"])
        self._block = deque(((one[0], one[1]) for one in state["block"]), self._block.maxlen)
        self._part = (state["part"][0], state["part"][1])
        self._parts_closed, self._days = int(state["parts"]), int(state["days"])
        self.alarmed = bool(state["alarmed"])

    @property
    def value(self) -> float:
        """The evidence of the process: an alarm at 5/alpha."""
        return self.process.value


@lru_cache(maxsize=1024)
def days_to_find(
    limit: float,
    share: float,
    a_day: float,
    day: int = 1,
    alpha: float = 0.05,
    power: float = 0.95,
    parts: int = 1,
) -> float | None:
    """Days until a share beyond its limit is found in `power` of all histories, if from `day` on
    it stays there; None if it lies within the limit. By a normal approximation of the evidence.

    After n runs the best wager has n times the mean of its logarithm, less 1.645 of its standard
    deviations; it needs log(5/alpha), the day's part of the stake, and its part of the mixture.
    The exact test of two days is asked as well.
    """
    if share == limit or a_day <= 0 or not 0 < share < 1:
        return None
    p, q = (limit, share) if share > limit else (1 - limit, 1 - share)
    p = min(max(p, TINY), 1 - TINY)
    z = normal_quantile(power)
    need = -log(alpha * (1 - OF_BLOCKS)) - log(daily(day)) + log(len(ODDS))
    best = None
    for wager in alternatives(p):
        hit, miss = log(wager / p), log1p(-wager) - log1p(-p)
        mean = q * hit + (1 - q) * miss
        spread = abs(hit - miss) * sqrt(q * (1 - q))
        if mean > 0:
            root = (z * spread + sqrt((z * spread) ** 2 + 4 * mean * need)) / (2 * mean)
            best = min(root * root, best) if best is not None else root * root
    days = None if best is None else best / a_day
    if (days is None or days > BLOCK) and block_power(
        p, q, round(BLOCK * a_day), day, alpha
    ) >= power:
        return float(BLOCK)
    return days


def block_power(
    limit: float, share: float, total: int, day: int, alpha: float = 0.05, parts: int = 1
) -> float:
    """The chance that the exact test of two days finds a share above its limit."""
    level = alpha * OF_BLOCKS * lasting(day) / parts
    low, high = 0, total + 1
    while low < high:
        middle = (low + high) // 2
        if at_least(middle, total, limit) <= level:
            high = middle
        else:
            low = middle + 1
    return at_least(low, total, share)


def ideal_days(limit: float, share: float, a_day: float, alpha: float = 0.05) -> float:
    """Days after which the best of all tests, which knows the share and the day of the change, has
    gathered log(1/alpha) on average: nothing is faster than this (A. Wald, 1945).
    """
    gain = share * log(share / limit) + (1 - share) * (log1p(-share) - log1p(-limit))
    return -log(alpha) / (a_day * gain)


def normal_quantile(share: float) -> float:
    """The quantile of the normal distribution."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(share)
