"""Numbers of the report with their bounds, posterior mean and basis."""

from __future__ import annotations

from typing import Any

from pipelang.records import NamedTuple
from pipelang.semantics.chance import Basis


class Number(NamedTuple):
    """A figure of the report.

    `value` is the point estimate, None where something nobody declared decides; `low` and `high`
    bound it (a central 95% interval where it was measured, certain bounds where it is unknown);
    `mean` is the posterior mean.
    """

    value: float | None
    low: float | None
    high: float | None
    mean: float | None
    basis: Basis
    tight: bool = True

    def times(self, factor: float) -> Number:
        """The number scaled by something certain."""

        def scaled(part: float | None) -> float | None:
            return None if part is None else part * factor

        value, low, high, mean = map(scaled, (self.value, self.low, self.high, self.mean))
        return Number(value, low, high, mean, self.basis, self.tight)

    def as_json(self) -> dict[str, Any]:
        record: dict[str, Any] = {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "mean": self.mean,
            "basis": self.basis.name.lower(),
        }
        if not self.tight:
            record["tight"] = False
        return record


ROUNDING = 1e-12
"""Figures are no nearer than this to what they stand for: in floats, .7 times .7 is below .49."""


def compare(value: Any, op: str, target: float) -> Any:
    """`value op target`, for numbers and element by element for arrays. What lies nearer to the
    target than sums of floats are exact is equal to it.
    """
    near = ROUNDING * max(1.0, abs(target))
    match op:
        case ">=":
            return value >= target - near
        case "<=":
            return value <= target + near
        case ">":
            return value > target + near
        case "<":
            return value < target - near
        case "==":
            return abs(value - target) <= near
        case _:
            return abs(value - target) > near


def certain(value: float, basis: Basis) -> Number:
    """A number without uncertainty in it."""
    made = (value, value, value, value, basis, True)
    return tuple.__new__(Number, made)  # half the time of a call: a report has four a step


def spread_around(value: float, low: float, high: float, mean: float, basis: Basis) -> Number:
    """A number between the ends of its posterior. Draws of what counts do not move differ by
    rounding, as sums of them do from the value: it is then no less certain, and never beside its
    ends by that alone.
    """
    near = ROUNDING * abs(value)
    if high - low <= near and low - near <= value <= high + near:
        return certain(value, basis)
    if low > value >= low - near:
        low = value
    elif high < value <= high + near:
        high = value
    return Number(value, low, high, mean, basis)


UNCOMPUTED = Number(None, None, None, None, Basis.UNKNOWN)
"""A number that was not computed."""
