"""Marks on what was made from data, or chosen by it: what a value tells of the data that it comes
from, and what is left of that once somebody has looked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pipelang.analysis.flow.marks import (
    ELEMENT,
    INFLUENCED,
    PRIVATE,
    SECRET,
    UNTRUSTED,
    Flow,
    Mark,
    Way,
    is_choice,
    marks_of,
    spread,
)
from pipelang.records import replace
from pipelang.semantics.types import Type

ALL = (UNTRUSTED, INFLUENCED, PRIVATE, SECRET)


def leads(done: Way, way: Way) -> bool:
    """Whether what was looked at is the value at a path, or holds it."""
    return len(done) <= len(way) and all(
        one == other or (one == ELEMENT and other.startswith("["))
        for one, other in zip(done, way, strict=False)
    )


def any_size(flow: Flow) -> bool:
    """Whether a flow has a number of any size."""
    return any(mark.free for marks in flow.values() for mark in marks)


def without(flow: Flow, done: Way, weaker: Callable[[Mark], Mark]) -> Flow:
    """Return the flow after the data at a path was looked at, with the weaker marks there."""
    return {
        way: dict.fromkeys(map(weaker, marks)) if way[: len(done)] == done else marks
        for way, marks in flow.items()
    }


def of_test(type: Type, flow: Flow) -> Flow:
    """Return what the result of a test of a value of a type tells of the value, from its flow. One
    bit does not reveal a secret text. It does reveal a secret choice, and what was made of one: a
    text that a choice has picked is as good as the choice.
    """
    choice = is_choice(type)
    found: dict[Way, dict[Mark, None]] = {}
    for way, marks in flow.items():
        if any(mark.kind == SECRET and not mark.few for mark in marks):
            kept = (_few(m) if choice else m for m in marks if choice or m.few or m.kind != SECRET)
            found[way] = dict.fromkeys(kept)
        else:
            found[way] = marks
    return {way: marks for way, marks in found.items() if marks}


def _few(mark: Mark) -> Mark:
    return replace(mark, few=True) if mark.kind == SECRET else mark


def computed(type: Type, flow: Flow) -> Flow:
    """Return the flow of a computed value of a type."""
    return spread(type, changed(flow), shaped=True)


def changed(flow: Flow) -> Iterator[Mark]:
    """Return the marks of a flow on what was computed from it."""
    for mark in marks_of(flow, *ALL):
        yield replace(mark, intact=False) if mark.intact else mark


def steered(type: Type, flow: Flow) -> Flow:
    """Return the flow of a value of a type that is selected among several: the condition that
    selects it leaves its marks on it.
    """
    return picked(type, marks_of(flow, *ALL))


def picked(type: Type, marks: Iterable[Mark]) -> Flow:
    """Return the flow of a value of a type that data with these marks has selected."""
    found = []
    for mark in marks:
        kind = mark.kind if mark.kind in (PRIVATE, SECRET) else INFLUENCED
        found.append(replace(mark, kind=kind, intact=False, free=False))
    return spread(type, found, shaped=True)
