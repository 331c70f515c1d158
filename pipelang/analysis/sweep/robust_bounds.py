"""Certain bounds of a figure however many unknowns there are, by one sweep forwards and backwards.

Where there are too many unknowns for a grid, each one is left free everywhere it is used: another
value in every state, the worst for the figure. That is what an adversary could do to an interval
Markov chain (Škulj, "Discrete time Markov chains with interval probabilities", 2009; Nilim and El
Ghaoui, "Robust control of Markov decision processes with uncertain transition matrices", 2005), and
no choice of the unknowns is outside what an adversary can do, so the bounds are certain, though
they may be wider than the true range.

A sweep over ranges finds between which bounds each transition's probability lies. Backwards, the
value of a state is the least (or largest) mean of the values after it: probabilities start at their
lower bounds, and what is left of 1 goes where the value is best. So no run is counted twice, which
plain interval arithmetic would do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelang.analysis.frontier.states import Edge, Layout, State
from pipelang.analysis.frontier.totals import Ending, Totals, record
from pipelang.analysis.model.model import END, PipelineModel
from pipelang.analysis.sweep.pruning import TooLarge
from pipelang.analysis.sweep.sweep import sweep
from pipelang.records import dataclass, field


class Range:
    """A number between two bounds, with the arithmetic of a sweep."""

    __slots__ = ("high", "low")

    imag = 0.0

    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.high = high

    @property
    def real(self) -> Range:
        return self

    def __bool__(self) -> bool:
        return bool(self.low or self.high)

    def __add__(self, other: Any) -> Range:
        low, high = ends_of(other)
        return Range(self.low + low, self.high + high)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Range:
        low, high = ends_of(other)
        return Range(self.low - high, self.high - low)

    def __rsub__(self, other: Any) -> Range:
        low, high = ends_of(other)
        return Range(low - self.high, high - self.low)

    def __mul__(self, other: Any) -> Any:
        low, high = ends_of(other)
        if not low and not high:
            return 0.0
        found = [a * b for a in {self.low, self.high} for b in {low, high} if a and b]
        if len(found) < 4 and not (self.low and self.high and low and high):
            found.append(0.0)
        return Range(min(found), max(found))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Range:
        """A conditional probability: a quotient of a part and the whole."""
        low, high = ends_of(other)
        return Range(
            max(0.0, self.low / high) if high > 0 else 0.0,
            min(1.0, self.high / low) if low > 0 else 1.0,
        )

    def __rtruediv__(self, other: Any) -> Range:
        return Range(*ends_of(other)) / self

    def __gt__(self, other: float) -> bool:
        return self.high > other

    def __lt__(self, other: float) -> bool:
        return self.low < other


def ends_of(number: Any) -> tuple[float, float]:
    """Return both ends of a range; of a number, that number twice."""
    if isinstance(number, Range):
        return number.low, number.high
    return float(number), float(number)


@dataclass(slots=True)
class _Step:
    """Weights before and after one operation: its edges, and the endings of each state before.

    `ended` says which states after belong to runs that ended in the region: they are among the
    endings already.
    """

    source: Any
    target: Any
    edges: list[Edge]
    ended: frozenset[int]
    endings: list[tuple[int, Ending, Any]] = field(default_factory=list)


@dataclass(slots=True)
class RangeTape:
    """The operations of a sweep over ranges, in order; a recorder of them."""

    records: bool = True
    steps: list[_Step] = field(default_factory=list)
    layouts: dict[tuple[State, ...], Layout] = field(default_factory=dict)

    def layout(self, states: tuple[State, ...]) -> Layout:
        known = self.layouts.get(states)
        if known is None:
            known = self.layouts[states] = Layout(states)
        return known

    def note(self, source: Any, target: Any, edges: list[Edge], name: str | None) -> None:
        at = target.index(END)
        ended: frozenset[int] = frozenset()
        if at is not None and name is not None:
            states = enumerate(target.layout.states)
            ended = frozenset(number for number, state in states if state[at])
        self.steps.append(_Step(source, target, list(edges), ended))

    def ended(self, source: Any, endings: list[tuple[int, Ending]]) -> None:
        found = [(number, ending, 1.0) for number, ending in endings]
        self.steps.append(_Step(source, None, [], frozenset(), found))

    def ended_by(self, source: Any, name: str, endings: list[tuple[int, Ending, Any]]) -> None:
        last = self.steps[-1]
        assert last.source is source, "a step's endings are noted right after its transition"
        last.endings = endings


Read = Callable[[Totals], Any]


@dataclass(slots=True)
class RobustBounds:
    """The operations of a sweep over ranges, and the bounds that were found with them."""

    tape: RangeTape

    def bounds(self, read: Read) -> tuple[float, float] | None:
        """Bounds of a figure that is read off where runs end; None for any other."""
        gains = _Gains(read)
        if gains.passing:
            return None
        return self._value(gains, 1.0), -self._value(gains, -1.0)

    def _value(self, gains: _Gains, sign: float) -> float:
        """The least mean of `sign` times the figure."""
        values: dict[int, list[float]] = {}
        first: Any = None
        for step in reversed(self.tape.steps):
            mine = values.setdefault(id(step.source), [0.0] * len(step.source))
            first = step.source
            after = [] if step.target is None else values.get(id(step.target), [])
            choices: dict[int, list[tuple[float, float, float]]] = {}
            for start, end, chance in step.edges:
                if end not in step.ended:
                    worth = after[end] if after else 0.0
                    choices.setdefault(start, []).append((worth, *ends_of(chance)))
            for start, ending, chance in step.endings:
                worth = sign * gains.of(ending)
                choices.setdefault(start, []).append((worth, *ends_of(chance)))
            for start, found in choices.items():
                mine[start] += _least_mean(found)
        return sum(values[id(first)])


def _least_mean(choices: list[tuple[float, float, float]]) -> float:
    """The least mean of values with probabilities between bounds that sum to 1."""
    total = sum(value * low for value, low, _ in choices)
    left = 1 - sum(low for _, low, _ in choices)
    if left <= 0:
        return total
    for value, low, high in sorted(choices):
        part = min(left, high - low)
        if part > 0:
            total += value * part
            left -= part
    return total


class _Gains:
    """Addition of each ending to a figure."""

    def __init__(self, read: Read) -> None:
        self.read = read
        self.known: dict[tuple[int, bool, bool], float] = {}
        probe = _Probe(Totals())
        read(probe)  # type: ignore[arg-type]
        self.passing = probe.passing

    def of(self, ending: Ending) -> float:
        """A figure of runs that all end so."""
        outcome, right, wrong = ending
        key = (id(outcome), right, wrong)
        if key not in self.known:
            totals = Totals()
            record(totals, outcome, right, wrong, 1.0)
            self.known[key] = float(self.read(totals))
        return self.known[key]


class _Probe:
    """Totals that note whether a figure is read that runs add to before they end."""

    def __init__(self, totals: Totals) -> None:
        self.totals = totals
        self.passing = False

    def __getattr__(self, name: str) -> Any:
        if name in (
            "cost",
            "tokens",
            "asked",
            "reached",
            "step_costs",
            "inside",
            "endings",
            "work",
        ):
            self.passing = True
        return getattr(self.totals, name)


def robust_bounds(model: PipelineModel) -> RobustBounds | None:
    """Sweep a model whose unknowns are ranges; None where its frontier is too large for that."""
    tape = RangeTape()
    try:
        sweep(model, tape)
    except TooLarge:
        return None
    return RobustBounds(tape)
