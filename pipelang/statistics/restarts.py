"""E-processes that may begin anew every day: evidence against a null hypothesis, at any time.

An e-process is a wager against the null hypothesis that is not favourable if it holds: it begins
with 1, and the chance that it ever reaches 1/alpha is at most alpha (J. Ville, 1939; G. Shafer,
JRSS A 184, 2021; A. Ramdas, P. Grunwald, V. Vovk and G. Shafer, Statistical Science 38, 2023). So
one may look at it as often as one likes, and stop when one likes.

What is watched goes wrong one day, after months in which it was well; a wager that began with the
first run has lost its stake by then. So a part w(d) of the stake is kept for every day d, and put
on that day: the sum of these is an e-process again, as long as the parts sum to 1. This is the
Shiryaev-Roberts procedure with weights (J. Shin, A. Ramdas and A. Rinaldo, "E-detectors", 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, inf, log, log1p, pi
from typing import Any

Weights = Callable[[int], float]
"""The part of the stake for a day, counted from 1. All parts sum to at most 1."""

HALF = 180
"""Days in which half of the lasting stake is put on."""


def once(day: int) -> float:
    """All of the stake on the first day: for a comparison that begins with the change."""
    return 1.0 if day == 1 else 0.0


def early(day: int) -> float:
    """6 / (pi^2 d^2): most of the stake on the first days."""
    return 6 / (pi * day) ** 2


def lasting(day: int) -> float:
    """(H+1) / ((H+d)(H+d+1)): half of the stake within H days, two thirds within a year, all of it
    in all time.

    The parts telescope to 1. The last day of the first year has a 1,644th, where `early` leaves a
    220,000th: what that costs is 5 nats, more than a day of 500 runs brings.
    """
    return (HALF + 1) / ((HALF + day) * (HALF + day + 1))


def daily(day: int) -> float:
    """The weights of `watch`: half early, half lasting."""
    return (early(day) + lasting(day)) / 2


class RestartingProcess:
    """An e-process that mixes several wagers, and begins each of them anew every day.

    All numbers are logarithms: an alarm that nobody heard goes on growing.
    """

    __slots__ = ("_days", "_kept", "_logs", "_priors", "_weights")

    def __init__(self, wagers: int, weights: Weights = once) -> None:
        self._weights = weights
        self._priors = -log(wagers)
        self._logs = [-inf] * wagers
        self._days = 0
        self._kept = 1.0
        self.next_day()

    @property
    def day(self) -> int:
        return self._days

    def state(self) -> dict[str, Any]:
        """The state, as JSON."""
        logs = [None if known == -inf else known for known in self._logs]
        return {"days": self._days, "kept": self._kept, "logs": logs}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._days, self._kept = int(state["days"]), float(state["kept"])
        self._logs = [-inf if known is None else float(known) for known in state["logs"]]

    def next_day(self) -> None:
        """Put the stake of a new day on every wager."""
        self._days += 1
        stake = self._weights(self._days)
        if stake > 0:
            self._kept = max(0.0, self._kept - stake)
            self._logs = [add_logs(known, log(stake)) for known in self._logs]

    def multiply(self, factors: Sequence[float]) -> None:
        """Multiply each wager by the exponential of its factor."""
        self._logs = [known + factor for known, factor in zip(self._logs, factors, strict=True)]

    @property
    def log_value(self) -> float:
        """The logarithm of the evidence so far; what was not yet put on counts as it is."""
        found = log(self._kept) if self._kept > 0 else -inf
        for known in self._logs:
            found = add_logs(found, known + self._priors)
        return found

    @property
    def value(self) -> float:
        """The evidence so far: 20 is an alarm at 5%."""
        return exp(min(self.log_value, 700.0))

    def reaches(self, alpha: float) -> bool:
        return self.log_value >= -log(alpha)


def add_logs(one: float, other: float) -> float:
    """log(exp(one) + exp(other)), without an overflow."""
    if one < other:
        one, other = other, one
    return one if other == -inf else one + log1p(exp(other - one))
