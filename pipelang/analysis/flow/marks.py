"""Marks on values: which kind of data a part of a value is, where it comes from, and its trail.

Four kinds describe data. `untrusted`: text that an outsider may have written. `influenced`: a
choice that such text may have steered, of a type that cannot carry text. `private` and `secret`: as
labelled. A fifth, `owner`, is on values that identify the owner of private data.

A `Flow` has these marks by paths into a value: labels are per field, and `*` is any element of a
list. Marks at a path apply to everything inside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipelang.diagnostics import Span
from pipelang.records import dataclass, field, replace
from pipelang.semantics.types import (
    EnumType,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
)

UNTRUSTED, INFLUENCED, PRIVATE, SECRET, OWNER = (
    "untrusted",
    "influenced",
    "private",
    "secret",
    "owner",
)
ELEMENT = "*"
Way = tuple[str, ...]

MOST_HOPS = 40
"""The most steps that a mark remembers; of a longer trail, it keeps the beginning."""

MOST_MARKS = 6
"""The most marks of one kind at one path."""


@dataclass(frozen=True, slots=True)
class Hop:
    """A step of a flow, in words, with its place."""

    text: str
    span: Span
    by_model: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """The place where labelled data enters, and its name in the file."""

    name: str
    label: str
    span: Span


Key = tuple[Origin, Span | None]


@dataclass(frozen=True, slots=True)
class Mark:
    """A kind of data with its origin and trail. `intact`: the value itself, not computed
    from it.
    """

    kind: str
    origin: Origin
    hops: tuple[Hop, ...] = field(default=(), compare=False)
    intact: bool = True

    @property
    def key(self) -> Key:
        """The identity of data for tests that look at it: its origin, and the last model that
        processed it. The output of another model needs a test of its own.
        """
        by = next((hop.span for hop in reversed(self.hops) if hop.by_model), None)
        return self.origin, by

    def through(
        self, text: str, span: Span, kind: str | None = None, *, by_model: bool = False
    ) -> Mark:
        """Return the mark after a step that makes a new value."""
        hops = self.hops if len(self.hops) > MOST_HOPS else (*self.hops, Hop(text, span, by_model))
        return Mark(kind or self.kind, self.origin, hops, intact=False)


Marks = dict[Mark, None]
Flow = Mapping[Way, Marks]

NOTHING: Flow = {}


def joined(*flows: Flow) -> Flow:
    """Return the union of flows: the value may be any of several."""
    filled = [flow for flow in flows if flow]
    if len(filled) <= 1:
        return filled[0] if filled else NOTHING
    found: dict[Way, Marks] = {}
    for flow in filled:
        for way, marks in flow.items():
            _add(found.setdefault(way, {}), marks)
    return found


def _add(into: Marks, marks: Iterable[Mark]) -> None:
    for mark in marks:
        if mark not in into and sum(one.kind == mark.kind for one in into) < MOST_MARKS:
            into[mark] = None


def inside(flow: Flow, name: str) -> Flow:
    """Return the flow of a field or of the elements of a value."""
    found: dict[Way, Marks] = {}
    for way, marks in flow.items():
        if not way:
            _add(found.setdefault((), {}), marks)
        elif way[0] in (name, ELEMENT) or name == ELEMENT:
            _add(found.setdefault(way[1:], {}), marks)
    return found


def under(name: str, flow: Flow) -> Flow:
    """Return the flow of a value as a part of another one."""
    return {(name, *way): marks for way, marks in flow.items()}


def marks_of(flow: Flow, *kinds: str) -> Iterator[Mark]:
    """Return all marks of some kinds, each once."""
    seen: Marks = {}
    for marks in flow.values():
        for mark in marks:
            if mark.kind in kinds and mark not in seen:
                seen[mark] = None
                yield mark


def only(flow: Flow, keeps: Iterable[str]) -> Flow:
    """Return the flow with only the marks of some kinds."""
    wanted = frozenset(keeps)
    found = {way: {m: None for m in marks if m.kind in wanted} for way, marks in flow.items()}
    return {way: marks for way, marks in found.items() if marks}


def is_closed(type: Type) -> bool:
    """Whether a type is closed: a finite set of values, which cannot carry text."""
    return isinstance(type, EnumType) or (
        isinstance(type, Scalar) and type.kind not in (ScalarKind.TEXT, ScalarKind.JSON)
    )


def spread(type: Type, marks: Iterable[Mark]) -> Flow:
    """Return the flow of a value of a type that was made from marked data: its texts keep the
    marks, its closed parts are influenced.
    """
    found = list(marks)
    if not found:
        return NOTHING
    ways: dict[Way, Marks] = {}
    for way, leaf in leaves(type):
        here: Marks = {}
        _add(here, (weaker(mark) if is_closed(leaf) else mark for mark in found))
        ways[way] = here
    return ways


def weaker(mark: Mark) -> Mark:
    """Return the mark on a value that cannot carry text: `untrusted` becomes `influenced`."""
    return replace(mark, kind=INFLUENCED) if mark.kind == UNTRUSTED else mark


def leaves(type: Type) -> Iterator[tuple[Way, Type]]:
    """Return the paths of a type's leaves, the parts that hold data themselves."""
    match type:
        case OptionalType():
            yield from leaves(type.inner)
        case RecordType():
            for one in type.fields:
                for way, leaf in leaves(one.type):
                    yield (one.name, *way), leaf
        case ListType():
            for way, leaf in leaves(type.element):
                yield (ELEMENT, *way), leaf
        case MapType():
            for way, leaf in leaves(type.value):
                yield (ELEMENT, *way), leaf
        case _:
            yield (), type


def labels(type: Type) -> Iterator[tuple[Way, frozenset[str], Type]]:
    """Return the labels of each leaf of a type, with those of the parts around it."""
    yield from _labels(type, frozenset())


def _labels(type: Type, around: frozenset[str]) -> Iterator[tuple[Way, frozenset[str], Type]]:
    here = around | type.labels
    match type:
        case OptionalType():
            yield from _labels(type.inner, here)
        case RecordType():
            for one in type.fields:
                for way, found, leaf in _labels(one.type, here):
                    yield (one.name, *way), found, leaf
        case ListType():
            for way, found, leaf in _labels(type.element, here):
                yield (ELEMENT, *way), found, leaf
        case MapType():
            for way, found, leaf in _labels(type.value, here):
                yield (ELEMENT, *way), found, leaf
        case _:
            yield (), here, type


def source(name: str, type: Type, span: Span, how: str) -> Flow:
    """Return the flow of a value by the labels of its type; `how` describes where it enters."""
    found: dict[Way, Marks] = {}
    everything = list(labels(type))
    for way, labelled, leaf in everything:
        shown = _shown(name, way)
        for label in sorted(labelled & {UNTRUSTED, PRIVATE, SECRET}):
            origin = Origin(shown, label, span)
            hop = Hop(f"`{shown}` is {label}{how}", span)
            kind = INFLUENCED if label == UNTRUSTED and is_closed(leaf) else label
            found.setdefault(way, {})[Mark(kind, origin, (hop,))] = None
            if label == PRIVATE:
                for other, _, _ in everything:
                    if other and other[:-1] == way[: len(other) - 1] and identifies(other[-1]):
                        found.setdefault(other, {})[Mark(OWNER, origin)] = None
    return found


def _shown(name: str, way: Way) -> str:
    return ".".join([name, *(part for part in way if part != ELEMENT)])


def identifies(name: str) -> bool:
    """Whether a field or parameter of this name identifies the owner of a record."""
    names = ("id", "key", "email", "user", "customer", "account", "owner", "person", "username")
    return name in names or name.endswith(("_id", "_key", "_email"))
