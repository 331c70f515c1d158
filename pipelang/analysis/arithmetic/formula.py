"""Formulas: what a trace wrote down, to be worked out over floats, arrays or degrees, and read
backwards for derivatives.

The way back is reverse-mode differentiation (Linnainmaa 1970; Griewank and Walther, "Evaluating
Derivatives", 2008): one pass over the operations in reverse gives the derivatives of a result by
every input. Two results, success and silent error, are the real and the imaginary part of one
complex number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import add, mul, sub, truediv
from typing import Any

from pipelang.analysis.arithmetic.terms import Kind, Operation, Trace
from pipelang.records import dataclass


def _at_least(number: Any, other: Any) -> Any:
    return 1.0 * (number >= other)


def _above(number: Any, other: Any) -> Any:
    return 1.0 * (number > other)


def _not(number: Any, _: Any) -> Any:
    return 1 - number


def _is_zero(number: Any, _: Any) -> Any:
    plain = isinstance(number, (int, float)) or hasattr(number, "shape")
    return 1.0 * (number == 0) if plain else 0.0


FUNCTIONS: dict[Kind, Callable[[Any, Any], Any]] = {
    Kind.PLUS: add,
    Kind.MINUS: sub,
    Kind.TIMES: mul,
    Kind.OVER: truediv,
    Kind.AT_LEAST: _at_least,
    Kind.ABOVE: _above,
    Kind.NOT: _not,
    Kind.IS_ZERO: _is_zero,
}


@dataclass(frozen=True, slots=True)
class Formula:
    """Operations on registers, in an order in which they can be worked out.

    `blank` holds the constants; `widest` is how many registers are needed at a time, and `last` the
    registers that are not read any more after each operation.
    """

    blank: tuple[Any, ...]
    operations: tuple[Operation, ...]
    steps: tuple[tuple[Callable[[Any, Any], Any], int, int, int], ...]
    last: tuple[tuple[int, ...], ...]
    widest: int

    def registers(self, given: Iterable[tuple[int, Any]]) -> list[Any]:
        """All registers, from the values of some of them."""
        values = list(self.blank)
        for at, value in given:
            values[at] = value
        for function, first, second, at in self.steps:
            values[at] = function(values[first], values[second])
        return values

    def results(self, given: Iterable[tuple[int, Any]]) -> list[Any]:
        """The same, but for registers that only led to others: of arrays, few are kept at once."""
        values = list(self.blank)
        for at, value in given:
            values[at] = value
        for (function, first, second, at), over in zip(self.steps, self.last, strict=True):
            values[at] = function(values[first], values[second])
            for one in over:
                values[one] = None
        return values

    def slopes(self, values: Sequence[Any], seeds: Iterable[tuple[int, complex]]) -> list[complex]:
        """The derivatives, by each register, of the sum of some registers times their seeds."""
        slopes = [0j] * len(values)
        for at, seed in seeds:
            slopes[at] += seed
        for (kind, first, second), (_, _, _, at) in zip(
            reversed(self.operations), reversed(self.steps), strict=True
        ):
            slope = slopes[at]
            if not slope:
                continue
            if kind is Kind.TIMES:
                slopes[first] += slope * values[second]
                slopes[second] += slope * values[first]
            elif kind is Kind.PLUS:
                slopes[first] += slope
                slopes[second] += slope
            elif kind is Kind.MINUS:
                slopes[first] += slope
                slopes[second] -= slope
            elif kind is Kind.OVER:
                below = values[second]
                slopes[first] += slope / below
                slopes[second] -= slope * values[at] / below
            elif kind is Kind.NOT:
                slopes[first] -= slope
        return slopes


def formula(trace: Trace, results: Iterable[int]) -> Formula:
    """The formula of a trace, without what none of its results is made of."""
    kept = set(results)
    operations: list[Operation] = []
    targets: list[int] = []
    for operation, at in zip(reversed(trace.operations), reversed(trace.targets), strict=True):
        if at in kept:
            kept.update(operation[1:])
            operations.append(operation)
            targets.append(at)
    operations.reverse()
    targets.reverse()
    last, widest = _last_uses(operations, targets, set(results) | set(trace.constants.values()))
    blank: list[Any] = [None] * trace.size
    for number, at in trace.constants.items():
        blank[at] = number
    steps = [
        (FUNCTIONS[kind], first, second, at)
        for (kind, first, second), at in zip(operations, targets, strict=True)
    ]
    return Formula(tuple(blank), tuple(operations), tuple(steps), last, widest)


def _last_uses(
    operations: list[Operation], targets: list[int], stays: set[int]
) -> tuple[tuple[tuple[int, ...], ...], int]:
    """The registers that each operation is the last to read, and how many are needed at a time."""
    read = set(stays)
    over: list[tuple[int, ...]] = []
    for _, first, second in reversed(operations):
        now = tuple({at for at in (first, second) if at not in read})
        read.update(now)
        over.append(now)
    over.reverse()
    made = set(targets)
    held = widest = len(read - made)
    for ended in over:
        held += 1
        widest = max(widest, held)
        held -= len(ended)
    return tuple(over), max(1, widest)
