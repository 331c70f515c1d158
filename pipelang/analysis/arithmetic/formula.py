"""Formulas: what a trace wrote down, to be worked out over floats, arrays or degrees, and read
backwards for derivatives.

The way back is reverse-mode differentiation (Linnainmaa 1970; Griewank and Walther, "Evaluating
Derivatives", 2008): one pass over the operations in reverse gives the derivatives of a result by
every input. Two results, success and silent error, are the real and the imaginary part of one
complex number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import add, itemgetter, mul, sub, truediv
from typing import Any

from pipelang.analysis.arithmetic.terms import (
    BUNDLE,
    ITEM,
    MINUS,
    MOVE,
    NOT,
    OVER,
    PLUS,
    TIMES,
    Moves,
    Operation,
    OperationKind,
    Trace,
    added,
)
from pipelang.records import NamedTuple, dataclass, field


def _at_least(number: Any, other: Any) -> Any:
    return 1.0 * (number >= other)


def _above(number: Any, other: Any) -> Any:
    return 1.0 * (number > other)


def _not(number: Any, _: Any) -> Any:
    return 1 - number


def _is_zero(number: Any, _: Any) -> Any:
    plain = isinstance(number, (int, float)) or hasattr(number, "shape")
    return 1.0 * (number == 0) if plain else 0.0


def _packed(bundle: Any, _: Any) -> Any:
    return bundle, ()


def _sum(first: Any, second: Any) -> Any:
    return [*map(add, first[0], second[0])], ()


Function = Callable[[Any, Any], Any]

FUNCTIONS: dict[OperationKind, Function] = {
    OperationKind.PLUS: add,
    OperationKind.MINUS: sub,
    OperationKind.TIMES: mul,
    OperationKind.OVER: truediv,
    OperationKind.AT_LEAST: _at_least,
    OperationKind.ABOVE: _above,
    OperationKind.NOT: _not,
    OperationKind.IS_ZERO: _is_zero,
    OperationKind.PACK: _packed,
    OperationKind.SUM: _sum,
}


def _function(one: Operation, itself: int) -> Step:
    """The function of an operation, the registers that it is given, and that of its result. The
    register `itself` holds all registers.
    """
    if one.kind is MOVE:
        return one.moves.forward, one.first, itself, one.moves.last
    if one.kind is BUNDLE:
        return _bundler(one.members), itself, itself, one.at
    if one.kind is ITEM:
        (number,) = one.members
        return (lambda weights, _: weights[0][number]), one.first, one.first, one.at
    return FUNCTIONS[one.kind], one.first, one.second, one.at


def _bundler(members: tuple[int, ...]) -> Function:
    if len(members) > 1:
        several = itemgetter(*members)
        return lambda values, _: several(values)
    return lambda values, _: tuple([values[at] for at in members])


Step = tuple[Function, int, int, int]


class LastUses(NamedTuple):
    """The operations, each move by itself, with the registers that each is the last to read; and
    how many are needed at a time.
    """

    steps: Sequence[tuple[Step, tuple[int, ...]]]
    widest: int


@dataclass(frozen=True, slots=True)
class CompiledFormula:
    """Operations on registers, in an order in which they can be worked out.

    `blank` holds the constants, `stays` are the registers that are kept; of those that were
    `moved`, what came of the move besides weights is. `uses` is worked out when it is asked for.
    """

    blank: tuple[Any, ...]
    operations: tuple[Operation, ...]
    steps: tuple[Step, ...]
    stays: frozenset[int]
    moved: frozenset[int] = frozenset()
    uses: list[LastUses] = field(default_factory=list)

    @property
    def last_uses(self) -> LastUses:
        """The last uses of registers; one look at arrays needs them, one at numbers does not."""
        if not self.uses:
            self.uses.append(_last_uses(self.operations, self.steps, self.stays))
        return self.uses[0]

    def registers(self, given: Iterable[tuple[int, Any]]) -> list[Any]:
        """All registers, from the values of some of them."""
        values = self._given(given)
        for function, first, second, at in self.steps:
            values[at] = function(values[first], values[second])
        values[-1] = None  # the circle
        return values

    def results(self, given: Iterable[tuple[int, Any]]) -> list[Any]:
        """The same, but for registers that only led to others: of arrays, few are kept at once. Of
        numbers all are, for to find where each is read last takes as long as to work them out.
        """
        given = list(given)
        if not self.moved and all(value.__class__ is float for _, value in given):
            return self.registers(given)
        values = self._given(given)
        for (function, first, second, at), over in self.last_uses.steps:
            values[at] = function(values[first], values[second])
            for one in over:
                values[one] = ((), values[one][1]) if one in self.moved else None
        values[-1] = None
        return values

    def _given(self, given: Iterable[tuple[int, Any]]) -> list[Any]:
        values = list(self.blank)
        values[-1] = values
        for at, value in given:
            values[at] = value
        return values

    def slopes(
        self, values: Sequence[Any], seeds: Iterable[tuple[int, complex]]
    ) -> tuple[list[Any], dict[Any, complex]]:
        """The derivatives of the sum of some registers times their seeds: by each register, and by
        the accuracies of the owners of moves.
        """
        slopes: list[Any] = [0j] * len(values)
        owned: dict[Any, complex] = {}
        for at, seed in seeds:
            slopes[at] += seed
        for one in reversed(self.operations):
            kind, first, second, at, _, moves = one
            if kind is MOVE:
                moves.backward(values, slopes, owned)
                continue
            slope = slopes[at]
            if not slope:
                continue
            if kind is TIMES:
                slopes[first] += slope * values[second]
                slopes[second] += slope * values[first]
            elif kind is PLUS:
                slopes[first] += slope
                slopes[second] += slope
            elif kind is MINUS:
                slopes[first] += slope
                slopes[second] -= slope
            elif kind is OVER:
                below = values[second]
                slopes[first] += slope / below
                slopes[second] -= slope * values[at] / below
            elif kind is NOT:
                slopes[first] -= slope
            else:
                _back(one, slope, slopes, values)
        return slopes, owned


def _back(one: Operation, slope: Any, slopes: list[Any], values: Sequence[Any]) -> None:
    """Go back over an operation that only moves numbers."""
    match one.kind:
        case OperationKind.ITEM:
            (number,) = one.members
            vector = slopes[one.first] or [0j] * len(values[one.first][0])
            vector = list(vector)
            vector[number] += slope
            slopes[one.first] = vector
        case OperationKind.SUM:
            slopes[one.first] = added(slopes[one.first], slope)
            slopes[one.second] = added(slopes[one.second], slope)
        case OperationKind.PACK:
            slopes[one.first] = added(slopes[one.first], slope)
        case OperationKind.BUNDLE:
            for at, part in zip(one.members, slope, strict=True):
                slopes[at] += part
        case _:
            pass


def formula(trace: Trace, results: Iterable[int], moved: Iterable[int] = ()) -> CompiledFormula:
    """The formula of a trace, without what none of its results is made of."""
    stays, beside = set(results), frozenset(moved)
    kept = stays | beside
    operations: list[Operation] = []
    for one in reversed(trace.operations):
        if one.kind is MOVE:
            if one.moves.last in kept or not kept.isdisjoint(one.moves.places):
                kept.update((one.first, one.second))  # arguments of further moves are inputs
                operations.append(one)
        elif one.at in kept:
            kept.update(one.reads)
            operations.append(one)
    operations.reverse()
    _note_reads(operations, stays)
    blank: list[Any] = [None] * (trace.size + 1)
    for number, at in trace.constants.items():
        blank[at] = number
    steps = tuple([_function(one, trace.size) for one in operations])
    stays.update(trace.constants.values())
    return CompiledFormula(tuple(blank), tuple(operations), steps, frozenset(stays), beside)


VERY_LONG = 40_000
"""Moves from which on it pays to load numpy."""

LONG = 1_000
"""Moves in a row that are then worked out beside one another."""


def _note_reads(operations: Sequence[Operation], stays: set[int]) -> None:
    """Tell long rows of a very long formula which registers in them something else reads."""
    rows = [one.moves for one in operations if one.kind is MOVE]
    if sum([len(row.row) for row in rows]) < VERY_LONG:
        return
    reads = stays.union(*[one.reads for one in operations])
    for row in rows:
        if len(row.row) >= LONG:
            row.beside, row.read = _cut, tuple(sorted(reads.intersection(row.places)))


def _cut(row: Moves) -> Any:
    from pipelang.analysis.arithmetic.stretches import stretches

    return stretches(row)


def _last_uses(
    operations: Sequence[Operation], steps: Sequence[Step], stays: frozenset[int]
) -> LastUses:
    singly: list[tuple[Step, tuple[int, ...]]] = []
    for one, step in zip(operations, steps, strict=True):
        if one.kind is MOVE:
            for mover, before, by, at in one.moves.singly():
                singly.append(((mover.forward, before, by, at), (before, by)))
        else:
            singly.append((step, one.reads))
    read = set(stays)
    found: list[tuple[Step, tuple[int, ...]]] = []
    for step, reads in reversed(singly):
        over = tuple([at for at in {*reads} if at not in read])
        read.update(over)
        found.append((step, over))
    found.reverse()
    held = widest = len(read) - len({at for (*_, at), _ in found} & read)
    for _, over in found:
        held += 1
        widest = max(widest, held)
        held -= len(over)
    return LastUses(found, max(1, widest))
