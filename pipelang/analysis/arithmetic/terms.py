"""Terms: numbers that write down how they came about.

A sweep adds and multiplies, and branches on nothing but which probabilities are exactly 0 or 1. So
one sweep over terms in place of numbers writes down the arithmetic of a pipeline for all values of
its parameters: a directed acyclic graph, with equal terms kept once (hash-consing: Ershov, "On
programming of arithmetic operations", 1958).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import IntEnum
from math import isfinite
from operator import add
from typing import Any, Protocol

from pipelang.records import NamedTuple, dataclass, field

MOST_TERMS = 400_000
"""Beyond it a pipeline's arithmetic is not written down."""


class Untraceable(Exception):
    """The arithmetic of a sweep cannot be written down: it is too large, or an amount has no
    bound.
    """


class OperationKind(IntEnum):
    """The kind of an operation. The first six are on two numbers; of `NOT` and `IS_ZERO` the second
    is not read. A `BUNDLE` puts registers side by side, a `PACK` makes weights of a bundle, an
    `ITEM` is one of some weights, `MOVE` goes from weights to weights by `Moves`, a `SUM` adds
    weights.
    """

    PLUS = 0
    MINUS = 1
    TIMES = 2
    OVER = 3
    AT_LEAST = 4
    ABOVE = 5
    NOT = 6
    IS_ZERO = 7
    BUNDLE = 8
    PACK = 9
    ITEM = 10
    MOVE = 11
    SUM = 12


# As globals, since a member of an enumeration is found ten times slower, and each step asks often.
(
    PLUS,
    MINUS,
    TIMES,
    OVER,
    AT_LEAST,
    ABOVE,
    NOT,
    IS_ZERO,
    BUNDLE,
    PACK,
    ITEM,
    MOVE,
    SUM,
) = OperationKind


class Mover(Protocol):
    """A way from the weights of some states to those of others. Weights are a pair: those of
    the states, and what else comes of the step (`Transition.ends`).
    """

    def forward(self, weights: Any, arguments: Any) -> Any:
        """The weights after, from those before and the arguments."""

    def backward(self, weights: Any, after: Any, arguments: Any) -> tuple[Any, Any, Any]:
        """The derivatives by the weights before and by the arguments (None: none is wanted) from
        those by the weights after; and the derivative by the step's accuracy.
        """


Move = tuple[Mover, int, Any, int]
"""A mover, the register of its arguments, whose accuracy it hangs on, the register after it."""


MOST_IN_A_ROW = 8_000
"""Moves of one operation: what is worked out beside one another should fit into a cache."""


@dataclass(slots=True, eq=False)
class Moves:
    """Moves in a `row`, each from the weights that the one before leaves; the `first` from a
    register, the `last` to one. The arguments of more than one are inputs, so that they are there
    when the first is made. In a formula `read` are the registers after moves that something
    else reads, and `cut` has the stretches of a very long row (None: it was not looked for any;
    False: there are none).

    Nearly all of a large pipeline is moves in a row. An operation of its own for each was looked
    up, unpacked and put away four times in an analysis.
    """

    first: int
    last: int
    row: list[Move]
    read: tuple[int, ...] = ()
    beside: Callable[[Moves], Any] | None = None
    cut: Any = None

    @property
    def places(self) -> list[int]:
        """The register after each move."""
        return [at for _, _, _, at in self.row]

    def singly(self) -> Iterator[tuple[Mover, int, int, int]]:
        """Each move, with the registers of the weights before, its arguments and those after."""
        before = self.first
        for mover, by, _, at in self.row:
            yield mover, before, by, at
            before = at

    def forward(self, weights: Any, values: list[Any]) -> Any:
        """The weights after all moves; those after each go to their registers, or all together
        (`stretches.WorkedOut`) to all of them, where a row is very long.
        """
        found = self._side_by_side(weights[0], values) if self.beside else None
        if found is not None:
            for _, _, _, at in self.row:
                values[at] = found
            for at in self.read:
                values[at] = found.pair(at)
            return found.pair(self.last)
        for mover, by, _, at in self.row:
            weights = values[at] = mover.forward(weights, values[by])
        return weights

    def _side_by_side(self, weights: Any, values: list[Any]) -> Any:
        """The row worked out with numpy; None where that does not go."""
        if self.cut is None and self.beside is not None:
            self.cut = self.beside(self) or False
        return self.cut.worked_out(weights, values) if self.cut else None

    def backward(self, values: list[Any], slopes: list[Any], owned: dict[Any, complex]) -> None:
        """The derivatives by the weights before, from those after; and by owners' accuracies."""
        if self.cut:
            for _, _, _, at in self.row:
                if not isinstance(values[at], tuple):
                    values[at].backward(slopes, self.read, owned)
                    return
        slope: Any = 0j
        before = reversed([self.first, *self.places[:-1]])
        for (mover, by, owner, at), start in zip(reversed(self.row), before, strict=True):
            mine = slopes[at]
            if mine:
                slope = added(mine, slope) if slope else mine
            if not slope:
                continue
            slope, of_arguments, rise = mover.backward(values[start][0], slope, values[by])
            if of_arguments is not None:
                slopes[by] = added(slopes[by], of_arguments)
            if owner is not None:
                owned[owner] = owned[owner] + rise if owner in owned else rise
        if slope:
            slopes[self.first] = added(slopes[self.first], slope)


def added(known: Any, more: Any) -> Any:
    """Slopes by weights, added to what is known of them."""
    return [*map(add, known, more)] if known else more


class Operation(NamedTuple):
    """An operation on two registers, and the register of its result; the registers of a bundle, and
    the moves of one (whose first move has these two registers, and this result).
    """

    kind: OperationKind
    first: int
    second: int
    at: int
    members: tuple[int, ...] = ()
    moves: Any = None

    @property
    def reads(self) -> tuple[int, ...]:
        """The registers that are read."""
        if self.kind is BUNDLE:
            return self.members
        if self.kind in (PACK, NOT, IS_ZERO):
            return (self.first,)
        return (self.first, self.second)


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
        return self if _is(other, 0) else self.trace.made(PLUS, self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self if _is(other, 0) else self.trace.made(MINUS, self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.trace.made(MINUS, other, self)

    def __mul__(self, other: Any) -> Any:
        if _is(other, 0):
            return 0.0
        return self if _is(other, 1) else self.trace.made(TIMES, self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return self if _is(other, 1) else self.trace.made(OVER, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self.trace.made(OVER, other, self)

    def __ge__(self, other: Any) -> Any:
        return self.trace.made(AT_LEAST, self, other)

    def __gt__(self, other: Any) -> Any:
        return self.trace.made(ABOVE, self, other)

    def __invert__(self) -> Any:
        return self.trace.made(NOT, self, 0.0)

    def is_zero(self) -> Any:
        """Return 1 where the number is 0, else 0."""
        return self.trace.made(IS_ZERO, self, 0.0)


def _is(number: Any, value: int) -> bool:
    return not isinstance(number, Term) and bool(number == value)


@dataclass(slots=True)
class Trace:
    """Terms as they are made. A register holds an input, a constant, or the result of an
    operation. `known` has the registers of equal ones, not their terms, which know the trace:
    collecting that circle as garbage took a seventh of an analysis.
    """

    size: int = 0
    constants: dict[float, int] = field(default_factory=dict)
    known: dict[Any, int] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    moves: Moves | None = None

    def new(self) -> Term:
        """A term for a number that is given."""
        at = self.size
        self.size = at + 1
        return Term(self, at)

    def made(self, kind: OperationKind, left: Any, right: Any) -> Term:
        """The term of an operation on numbers."""
        first, second = self.register(left), self.register(right)
        if first > second and (kind is PLUS or kind is TIMES):
            first, second = second, first
        key = (kind, first, second)
        at = self.known.get(key)
        if at is None:
            if self.size > MOST_TERMS:
                raise Untraceable("too many terms")
            at = self.known[key] = self._next()
            self.operations.append(Operation(kind, first, second, at))
        return Term(self, at)

    def register(self, number: Any) -> int:
        """The register of a term or of a constant."""
        if isinstance(number, Term):
            return number.at
        number = float(number)
        at = self.constants.get(number)
        if at is None:
            if not isfinite(number):
                raise Untraceable("an amount has no bound")
            at = self.constants[number] = self._next()
        return at

    # ----------------------------------------------------------------------------- weights

    def bundle(self, members: tuple[int, ...]) -> int:
        """The register of some registers side by side."""
        at = self.known.get(members)  # no other key begins with a register
        if at is None:
            at = self.known[members] = self._next()
            made = (BUNDLE, 0, 0, at, members, None)
            self.operations.append(tuple.__new__(Operation, made))  # half the time of a call
        return at

    def pack(self, weights: list[Any]) -> int:
        """The register of some numbers as weights."""
        bundle = self.bundle(tuple([self.register(weight) for weight in weights]))
        at = self._next()
        self.operations.append(Operation(PACK, bundle, 0, at))
        return at

    def item(self, weights: int, number: int) -> Term:
        """One of some weights."""
        key = (ITEM, weights, number)
        at = self.known.get(key)
        if at is None:
            at = self.known[key] = self._next()
            self.operations.append(Operation(ITEM, weights, weights, at, (number,)))
        return Term(self, at)

    def move(self, weights: int, mover: Mover, arguments: int, owner: Any) -> int:
        """The weights after a move, whose arguments are an input."""
        moves = self.moves
        if moves is None or moves.last != weights or len(moves.row) == MOST_IN_A_ROW:
            self.moves = moves = self._moves(weights, mover, arguments, owner)
            return moves.last
        at = moves.last = self.size
        if at > 5 * MOST_TERMS:
            raise Untraceable("too many terms")
        self.size = at + 1
        moves.row.append((mover, arguments, owner, at))
        return at

    def lone_move(self, weights: int, mover: Mover, arguments: int) -> int:
        """The same, whatever the arguments are; moves that follow on it are a row of their own."""
        return self._moves(weights, mover, arguments, None).last

    def _moves(self, weights: int, mover: Mover, arguments: int, owner: Any) -> Moves:
        at = self._next()
        moves = Moves(weights, at, [(mover, arguments, owner, at)])
        self.operations.append(Operation(MOVE, weights, arguments, at, (), moves))
        return moves

    def sum(self, first: int, second: int) -> int:
        """Weights of the same states added."""
        at = self._next()
        self.operations.append(Operation(SUM, first, second, at))
        return at

    def _next(self) -> int:
        if self.size > 5 * MOST_TERMS:
            raise Untraceable("too many terms")
        self.size += 1
        return self.size - 1
