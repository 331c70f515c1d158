"""Paths of a run as a shared graph: the conditions to get here, and the events on the way.

A path is a chain of nodes, each with a condition and perhaps an event. Where branches meet again,
their paths become one node with alternatives, so a thousand branches in sequence are a thousand
nodes and not 2^1000 paths. An assignment that satisfies the conditions selects one alternative at
each such node: the trace.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipelang.analysis.claims.deciding import Assignment, VariableFacts, Work, decide
from pipelang.analysis.claims.formulas import (
    TRUE,
    Equals,
    Formula,
    SignedAtom,
    all_of,
    any_of,
    is_false,
    is_true,
)
from pipelang.diagnostics import Span
from pipelang.records import dataclass


@dataclass(frozen=True, slots=True)
class PathEvent:
    """An event in words, with its place. `by` is the name of the test that decided it."""

    text: str
    span: Span
    by: str | None = None


class Path:
    """A node; `alternatives` are the paths that meet here, all of which came through `parent`."""

    __slots__ = ("alternatives", "depth", "event", "formula", "length", "parent")

    def __init__(
        self,
        parent: Path | None,
        formula: Formula,
        event: PathEvent | None = None,
        alternatives: tuple[Path, ...] = (),
    ) -> None:
        self.parent = parent
        self.formula = formula
        self.event = event
        self.alternatives = alternatives
        self.depth: int = 0 if parent is None else parent.depth + 1
        before = 0 if parent is None else parent.length
        shortest = min((one.length for one in alternatives), default=before)
        self.length: int = shortest + (event is not None)

    def parts(self) -> list[Formula]:
        """Return all conditions that must hold to get here."""
        found: list[Formula] = []
        node: Path | None = self
        while node is not None:
            if not is_true(node.formula):
                found.append(node.formula)
            node = node.parent
        found.reverse()
        return found


def start() -> Path:
    return Path(None, TRUE)


def extend(
    path: Path | None, formula: Formula = TRUE, event: PathEvent | None = None
) -> Path | None:
    """Return the path under one more condition; None where it is plainly impossible."""
    if path is None or is_false(formula):
        return None
    if event is None and is_true(formula):
        return path
    return Path(path, formula, event)


def meet(paths: Iterable[Path | None], picks: int = 0) -> Path | None:
    """Return one path for several that continue in the same way. `picks` says that they differ in
    the value of one choice with so many values, of which a run always takes one.
    """
    unique = list({id(path): path for path in paths if path is not None}.values())
    if len(unique) <= 1:
        return unique[0] if unique else None
    origin = unique[0]
    for other in unique[1:]:
        origin = _common(origin, other)
    unique.sort(key=lambda path: path.length)
    for path in unique:
        if path is origin:
            return origin  # nothing more is needed to be there
    ways = any_of(since := [_since(path, origin) for path in unique])
    if picks and _is_choice(since, picks):
        ways = TRUE
    return Path(origin, ways, None, tuple(unique))


def _is_choice(ways: list[Formula], picks: int) -> bool:
    """Whether the alternatives are exactly the values of one choice."""
    found: set[str] = set()
    chosen: set[str] = set()
    for way in ways:
        if not isinstance(way, SignedAtom) or not way.positive or not isinstance(way.atom, Equals):
            return False
        if not way.atom.constant:
            return False
        chosen.add(way.atom.variable)
        found.add(way.atom.other)
    return len(chosen) == 1 and len(found) == picks


def _common(first: Path, second: Path) -> Path:
    one: Path | None = first
    two: Path | None = second
    while one is not two:
        assert one is not None and two is not None
        if one.depth >= two.depth:
            one = one.parent
        else:
            two = two.parent
    assert one is not None
    return one


def _since(path: Path, origin: Path) -> Formula:
    """Return the conditions between a node and another below it."""
    found: list[Formula] = []
    node = path
    while node is not origin:
        found.append(node.formula)
        assert node.parent is not None
        node = node.parent
    return all_of(reversed(found))


@dataclass(frozen=True, slots=True)
class Witness:
    """One way through the file with its conditions, and an assignment under which a run takes
    it.
    """

    events: tuple[PathEvent, ...]
    case: Assignment
    parts: tuple[Formula, ...]


def trace(facts: VariableFacts, end: Path, case: Assignment, work: Work) -> Witness:
    """Return the way to a path's end under an assignment. Raises `TooHard`."""
    nodes: list[Path] = []
    node: Path | None = end
    while node is not None:
        nodes.append(node)
        if node.alternatives:
            node = _taken(node, case)
            continue
        node = node.parent
    nodes.reverse()
    parts = tuple(one.formula for one in nodes if not one.alternatives)
    exact = decide(facts, parts, work)
    events = tuple(one.event for one in nodes if one.event is not None)
    return Witness(events, case if exact is None else exact, parts)


def _taken(node: Path, case: Assignment) -> Path:
    """Return the shortest alternative that the assignment allows; `_since` its parent, which is on
    all of them.
    """
    assert node.parent is not None
    for path in node.alternatives:
        if case.makes(_since(path, node.parent)):
            return path
    return node.alternatives[0]
