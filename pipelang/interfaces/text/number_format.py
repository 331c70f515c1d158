"""Numbers as people say them: 0.04%, 1 in 2,200, $0.0041, 277 a day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pipelang.semantics.metrics import Unit, metric_of
from pipelang.semantics.quantities import show_seconds

if TYPE_CHECKING:
    from pipelang.analysis.model.intervals import Number

DUST = 1e-12
"""Distance from 0 or 1 below which a figure is the rounding of the arithmetic."""

LEAST = 1e-9
"""Dollars; less is not written out."""

Show = Callable[[float], str]


def percent(share: float, digits: int = 1) -> str:
    """A share; with more digits where it would round to 0% or 100% and is neither."""
    if share <= DUST:
        return "0%"
    if share >= 1 - DUST:
        return "100%"
    for more in range(digits, 11):
        text = f"{share:.{more}%}"
        if float(text[:-1]) not in (0.0, 100.0):
            return text
    return f"{share:.1e}"


def exact_percent(share: float) -> str:
    return percent(share, 2)


def money(dollars: float, digits: int = 2) -> str:
    """Dollars: cents from a dollar on, else `digits` figures that mean something."""
    if dollars == 0:
        return "$0"
    if dollars < LEAST:
        return f"under ${LEAST:.9f}"
    if dollars >= 100:
        return f"${dollars:,.0f}"
    if dollars >= 1:
        return f"${dollars:.2f}"
    text = f"{dollars:.{decimals(dollars, digits)}f}".rstrip("0")
    whole, _, cents = text.partition(".")
    return f"${whole}.{cents:0<2}"


def exact_money(dollars: float) -> str:
    return money(dollars, 3)


def decimals(value: float, digits: int) -> int:
    """The number of decimals that show `digits` figures of a value below 1 (at most 9)."""
    leading = f"{value:e}".partition("e")[2]
    return min(9, max(2, digits - 1 - int(leading)))


def count(number: float) -> str:
    return f"{number:,.0f}"


def one_in(share: float) -> str:
    """A small share as one of so many, to two figures: 1 in 2,200."""
    cases = 1 / share
    if cases < 10:
        return f"1 in {cases:.0f}"
    return f"1 in {rounded(cases)}"


def rounded(number: float) -> str:
    """A number from 10 on, to two figures."""
    size = 10 ** (len(str(int(number))) - 2)
    return f"{round(number / size) * size:,}"


def plural(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(parts: Sequence[str], last: str = "and") -> str:
    """a, b and c"""
    if len(parts) <= 1:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


def of_metric(metric: str) -> Show:
    """The format of a metric's values."""
    return _BY_UNIT[metric_of(metric).unit]


_BY_UNIT: dict[Unit, Show] = {
    Unit.SHARE: percent,
    Unit.MONEY: money,
    Unit.TOKENS: count,
    Unit.DURATION: show_seconds,
}


def against(share: float, target: float) -> str:
    """A share with enough digits to be told from a target that it is not."""
    for digits in range(1, 9):
        text = percent(share, digits)
        if abs(float(text[:-1]) / 100 - target) > DUST:
            return text
    return percent(share)


def value(number: Number, show: Show) -> str:
    """The value, or its range where it has no value."""
    if number.value is not None:
        return show(number.value)
    if number.low is None or number.high is None:
        return "?"
    return spread(number.low, number.high, show)


def interval(number: Number, show: Show) -> str:
    """The range around a value; empty where nothing is uncertain, or nothing that would show."""
    if number.value is None or number.low is None or number.high is None:
        return ""
    text = spread(number.low, number.high, show)
    return "" if text == show(number.value) else text


def spread(low: float, high: float, show: Show) -> str:
    first, second = show(low), show(high)
    if first == second:
        return first
    if first.endswith("%") and second.endswith("%"):
        first = first[:-1]
    return f"{first}–{second}"


def a_day(rate: float, one: str, many: str) -> str:
    """So many a day, or one every so many days."""
    if rate >= 10:
        return f"{rate:,.0f} {many} a day"
    if rate >= 1.5:
        return f"{rate:.2g} {many} a day"
    if rate > 2 / 3:
        return f"1 {one} a day"
    days = 1 / rate
    return f"1 {one} every {rounded(days) if days >= 10 else round(days)} days"


def rate(per_day: float) -> str:
    """Runs a day, without a tail of decimals."""
    return f"{per_day:,.0f}" if per_day >= 10 else f"{per_day:.2g}"
