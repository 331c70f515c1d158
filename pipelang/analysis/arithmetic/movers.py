"""Moves from the weights of some states to those of others: as straight-line code that is made for
one, or as a list of edges.

A move that repeats is compiled: its rows are written out as sums of products, with equal factors
worked out once, forwards and backwards. What is compiled is known by its text, so that equal moves
are compiled once in a process.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from pipelang.analysis.arithmetic.terms import Operation, OperationKind, Term, Trace
from pipelang.records import dataclass

Edge = tuple[int, int, Any]


@dataclass(frozen=True, slots=True, eq=False)
class MoveParts:
    """The parts that a move is made of, in terms of its arguments: `before` and `after` are how
    many states there are, `rises` the edges with derivatives for chances (see `compiled_move`).
    """

    before: int
    after: int
    edges: Sequence[Edge]
    more: Sequence[Mapping[int, Any]]
    arguments: Sequence[Term]
    rises: Sequence[Edge]
    trace: Trace


@dataclass(frozen=True, slots=True, eq=False)
class CompiledMove:
    """A move in straight-line code (see `Mover`), and what it was made of."""

    forward: Callable[[Any, Any], Any]
    backward: Callable[[Any, Any, Any], tuple[Any, Any, Any]]
    parts: MoveParts


@dataclass(frozen=True, slots=True)
class EdgeList:
    """A move by edges: from a state, to a state, times which of the arguments (-1: none)."""

    size: int
    edges: tuple[tuple[int, int, int], ...]

    def forward(self, weights: Any, arguments: Any) -> Any:
        before, after = weights[0], [0.0] * self.size
        for start, end, by in self.edges:
            gain = before[start] if by < 0 else before[start] * arguments[by]
            after[end] = after[end] + gain
        return after, ()

    def backward(self, weights: Any, after: Any, arguments: Any) -> tuple[Any, Any, Any]:
        before, by_arguments = [0j] * len(weights), [0j] * len(arguments)
        for start, end, by in self.edges:
            slope = after[end]
            if by < 0:
                before[start] += slope
            else:
                before[start] += slope * arguments[by]
                by_arguments[by] += slope * weights[start]
        return before, by_arguments or None, 0j


def compiled_move(
    before: int,
    after: int,
    edges: Sequence[Edge],
    more: Sequence[Mapping[int, Any]],
    arguments: Sequence[Term],
    moving: Iterable[Term],
    over: Collection[int] = (),
) -> CompiledMove:
    """The move of `before` states to `after` states by edges whose chances are made of arguments.
    `more` are further sums over the states before; derivatives are by the sum of the arguments that
    are `moving`. Of the states after, those that are `over` lead nowhere: nothing has a derivative
    by their weights.
    """
    trace = arguments[0].trace if arguments else Trace()
    rises = _Rises(trace, {one.at for one in moving})
    slopes = [(start, end, rises.of(chance)) for start, end, chance in edges]
    slopes = [one for one in slopes if one[1] not in over and not _is_nothing(one[2])]
    writer = _Writer(trace, {one.at: f"a{number}" for number, one in enumerate(arguments)})
    rows: list[list[tuple[str, Any]]] = [[] for _ in range(after)]
    back: list[list[tuple[str, Any]]] = [[] for _ in range(before)]
    for start, end, chance in edges:
        rows[end].append((f"w{start}", chance))
        if end not in over:
            back[start].append((f"v{end}", chance))
    sums = [[(f"w{start}", amount) for start, amount in one.items()] for one in more]
    rise = [(f"w{start}*v{end}", slope) for start, end, slope in slopes]
    head = f"    {_unpacked('a', len(arguments))}a\n"
    there = [writer.sum(row) for row in rows], [writer.sum(row) for row in sums]
    forward = writer.lines()
    writer.reset()
    here, slope = [writer.sum(row) for row in back], writer.sum(rise)
    text = (
        f"def forward(p, a):\n    {_unpacked('w', before)}p[0]\n{head}{forward}"
        f"    return {_tuple(there[0])}, {_tuple(there[1])}\n"
        f"def back(w, v, a):\n    {_unpacked('w', before)}w\n    {_unpacked('v', after)}v\n{head}"
        f"{writer.lines()}    return {_tuple(here)}, None, {slope}\n"
    )
    parts = MoveParts(before, after, edges, more, arguments, slopes, trace)
    return CompiledMove(*_executed(text), parts)


@cache
def _executed(text: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    made: dict[str, Any] = {}
    exec(text, made)
    return made["forward"], made["back"]


def _unpacked(letter: str, count: int) -> str:
    return "".join(f"{letter}{number}, " for number in range(count)) + "= " if count else "_ = "


def _tuple(parts: list[str]) -> str:
    return f"({''.join(f'{part}, ' for part in parts)})"


MOST_ADDED = 100
"""Terms of a sum in a row: Python reads one a level deeper than the one before."""


def _added(parts: list[str]) -> str:
    while len(parts) > MOST_ADDED:
        starts = range(0, len(parts), MOST_ADDED)
        parts = [f"({' + '.join(parts[start : start + MOST_ADDED])})" for start in starts]
    return " + ".join(parts)


def _is_nothing(number: Any) -> bool:
    return not isinstance(number, Term) and number == 0


OPERATORS = {
    OperationKind.PLUS: "+",
    OperationKind.MINUS: "-",
    OperationKind.TIMES: "*",
    OperationKind.OVER: "/",
}


class _Writer:
    """Terms as text. Each operation that is needed is a line of its own."""

    def __init__(self, trace: Trace, names: dict[int, str]) -> None:
        self.made = {one.at: one for one in trace.operations}
        self.constants = {at: repr(number) for number, at in trace.constants.items()}
        self.given, self.names = names, dict(names)
        self.text: list[str] = []

    def reset(self) -> None:
        """Begin another function."""
        self.names, self.text = dict(self.given), []

    def lines(self) -> str:
        return "".join(self.text)

    def name(self, at: int) -> str:
        left = [at]  # a sum of a thousand terms is a thousand deep
        while left:
            here = left[-1]
            if self._known(here):
                left.pop()
                continue
            one = self.made[here]
            open_ = [part for part in (one.second, one.first) if not self._known(part)]
            if open_:
                left += open_
                continue
            first, second = self._written(one.first), self._written(one.second)
            self.names[here] = f"t{here}"
            self.text.append(f"    t{here} = {first} {OPERATORS[one.kind]} {second}\n")
        return self._written(at)

    def _known(self, at: int) -> bool:
        return at in self.constants or at in self.names

    def _written(self, at: int) -> str:
        return self.constants[at] if at in self.constants else self.names[at]

    def sum(self, row: list[tuple[str, Any]]) -> str:
        """The sum of products, with those of one factor added up first."""
        by_factor: dict[str, list[str]] = defaultdict(list)
        for name, chance in row:
            if not _is_nothing(chance):
                factor = self.name(chance.at) if isinstance(chance, Term) else repr(float(chance))
                by_factor[factor].append(name)
        parts = []
        for factor, names in by_factor.items():
            added = _added(names)
            if factor == "1.0":
                parts.append(added)
            else:
                parts.append(f"({added}) * {factor}" if len(names) > 1 else f"{added} * {factor}")
        return _added(parts) or "0.0"


class _Rises:
    """Derivatives of terms by the sum of those that are moving, as terms."""

    def __init__(self, trace: Trace, moving: set[int]) -> None:
        self.trace = trace
        self.made = {one.at: one for one in trace.operations}
        self.known: dict[int, Any] = dict.fromkeys(moving, 1.0)

    def of(self, number: Any) -> Any:
        return self._of(number.at) if isinstance(number, Term) else 0.0

    def _of(self, at: int) -> Any:
        left, known = [at], self.known
        while left:
            here = left[-1]
            one = None if here in known else self.made.get(here)
            if one is None:
                known.setdefault(here, 0.0)
                left.pop()
                continue
            open_ = [part for part in (one.second, one.first) if part not in known]
            if open_:
                left += open_
            else:
                known[here] = self._rise(one, known[one.first], known[one.second])
        return known[at]

    def _rise(self, one: Operation, first: Any, second: Any) -> Any:
        """The derivative of an operation, by those of its operands."""
        if one.kind is OperationKind.PLUS:
            return first + second
        if one.kind is OperationKind.MINUS:
            return first - second
        if one.kind is OperationKind.TIMES:
            return first * self._term(one.second) + second * self._term(one.first)
        if not (_is_nothing(first) and _is_nothing(second)):
            raise AssertionError("a plain item has no quotient of its accuracy")
        return 0.0

    def _term(self, at: int) -> Term:
        return Term(self.trace, at)
