"""Terms: numbers that write down how they came about.

A sweep adds and multiplies, and branches on nothing but which probabilities are exactly 0 or 1. So
one sweep over terms in place of numbers writes down the arithmetic of a pipeline for all values of
its parameters: a directed acyclic graph, with equal terms kept once (hash-consing: Ershov, "On
programming of arithmetic operations", 1958).
"""

from __future__ import annotations

from enum import IntEnum
from math import isfinite
from typing import Any

MOST_TERMS = 400_000
"""Beyond it a pipeline's arithmetic is not written down."""


class Untraceable(Exception):
    """The arithmetic of a sweep cannot be written down: it is too large, or an amount has no
    bound.
    """


class Kind(IntEnum):
    """The kind of an operation; of the last two, the second operand is not read."""

    PLUS = 0
    MINUS = 1
    TIMES = 2
    OVER = 3
    AT_LEAST = 4
    ABOVE = 5
    NOT = 6
    IS_ZERO = 7


Operation = tuple[Kind, int, int]
"""An operation on two registers."""


class Term:
    """A number whose value is in a register of a trace."""

    __slots__ = ("at", "trace")

    imag = 0.0

    def __init__(self, trace: Trace, at: int) -> None:
        self.trace, self.at = trace, at

    @property
    def real(self) -> Term:
        return self

    def __bool__(self) -> bool:
        raise Untraceable("a decision hangs on a term")

    def __add__(self, other: Any) -> Any:
        return self if _is(other, 0) else self.trace.made(Kind.PLUS, self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self if _is(other, 0) else self.trace.made(Kind.MINUS, self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.trace.made(Kind.MINUS, other, self)

    def __mul__(self, other: Any) -> Any:
        if _is(other, 0):
            return 0.0
        return self if _is(other, 1) else self.trace.made(Kind.TIMES, self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return self if _is(other, 1) else self.trace.made(Kind.OVER, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self.trace.made(Kind.OVER, other, self)

    def __ge__(self, other: Any) -> Any:
        return self.trace.made(Kind.AT_LEAST, self, other)

    def __gt__(self, other: Any) -> Any:
        return self.trace.made(Kind.ABOVE, self, other)

    def __invert__(self) -> Any:
        return self.trace.made(Kind.NOT, self, 0.0)

    def is_zero(self) -> Any:
        """Return 1 where the number is 0, else 0."""
        return self.trace.made(Kind.IS_ZERO, self, 0.0)


def _is(number: Any, value: int) -> bool:
    return not isinstance(number, Term) and bool(number == value)


class Trace:
    """Terms as they are made. A register holds an input, a constant, or the result of the
    operation of its number.
    """

    __slots__ = ("constants", "known", "operations", "size", "targets")

    def __init__(self) -> None:
        self.size = 0
        self.constants: dict[float, int] = {}
        self.known: dict[Operation, Term] = {}
        self.operations: list[Operation] = []
        self.targets: list[int] = []

    def new(self) -> Term:
        """A term for a number that is given."""
        self.size += 1
        return Term(self, self.size - 1)

    def made(self, kind: Kind, left: Any, right: Any) -> Term:
        """The term of an operation."""
        first = left.at if isinstance(left, Term) else self._constant(left)
        second = right.at if isinstance(right, Term) else self._constant(right)
        if first > second and (kind is Kind.PLUS or kind is Kind.TIMES):
            first, second = second, first
        operation = (kind, first, second)
        known = self.known.get(operation)
        if known is None:
            if self.size > MOST_TERMS:
                raise Untraceable("too many terms")
            known = self.known[operation] = self.new()
            self.operations.append(operation)
            self.targets.append(known.at)
        return known

    def _constant(self, number: float) -> int:
        number = float(number)
        at = self.constants.get(number)
        if at is None:
            if not isfinite(number):
                raise Untraceable("an amount has no bound")
            at = self.constants[number] = self.new().at
        return at
