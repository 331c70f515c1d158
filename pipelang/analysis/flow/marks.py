"""Marks on values: which kind of data a part of a value is, where it comes from, and its trail.

Four kinds describe data. `untrusted`: text that an outsider may have written. `influenced`: a
choice that such text may have steered, of a type that cannot carry text. `private` and `secret`: as
labelled. A fifth, `owner`, is on values that identify the owner of private data.

A `Flow` has these marks by paths into a value: labels are per field, `*` is any element of a list
and `[0]` one of them. Marks at a path apply to everything inside it, except that `?` is whether an
optional is there and `#` how many elements a list has: a model chooses both, whatever is inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipelang.analysis.claims.inequalities import TooHard
from pipelang.diagnostics import Span
from pipelang.records import dataclass, field, replace
from pipelang.semantics.types import (
    AnswererType,
    EnumType,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
    present,
)

UNTRUSTED, INFLUENCED, PRIVATE, SECRET, OWNER = (
    "untrusted",
    "influenced",
    "private",
    "secret",
    "owner",
)
ELEMENT = "*"
PRESENCE, LENGTH = "?", "#"
WRITTEN = "!"
"""The path, in the flow of a memory, of whether something was remembered at all."""

Way = tuple[str, ...]

MOST_HOPS = 40
"""The most steps that a mark remembers; of a longer trail, it keeps the beginning."""

MOST_MARKS = 1_000
"""The most marks at one path. A flow with more is not decided, and a finding says so."""


@dataclass(frozen=True, slots=True)
class Hop:
    """A step of a flow, in words, with its place."""

    text: str
    span: Span
    by_model: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """The place where labelled data enters, and its name in the file. `run` are the calls that led
    to it: what one run of a sub-pipeline receives is not what another one receives.
    """

    name: str
    label: str
    span: Span
    run: tuple[Span, ...] = ()


Maker = tuple[Span, ...]
"""Origin of a value: the place of a model's call or of a recall, behind the calls to it."""

Key = tuple[Origin, Maker]


@dataclass(frozen=True, slots=True)
class Mark:
    """A kind of data with its origin and trail.

    `intact`: the value itself, not computed from it. `maker`: the last model that processed it.
    `free`: a number that may be of any size. `few`: a secret with so few values that one bit of
    what is made of it, of whatever type, tells much.
    """

    kind: str
    origin: Origin
    hops: tuple[Hop, ...] = field(default=(), compare=False)
    intact: bool = True
    maker: Maker = ()
    free: bool = False
    few: bool = False

    @property
    def key(self) -> Key:
        """The identity of data for tests that look at it: its origin, and the last model that
        processed it. The output of another model needs a test of its own.
        """
        return self.origin, self.maker

    def through(
        self,
        text: str,
        span: Span,
        kind: str | None = None,
        *,
        by_model: bool = False,
        maker: Maker = (),
    ) -> Mark:
        """Return the mark after a step that makes a new value; a `maker` makes it anew."""
        hops = self.hops if len(self.hops) > MOST_HOPS else (*self.hops, Hop(text, span, by_model))
        made = maker or self.maker
        return Mark(kind or self.kind, self.origin, hops, False, made, self.free, self.few)


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
        into.setdefault(mark)
    if len(into) > MOST_MARKS:
        raise TooHard("values from too many places come together")


def inside(flow: Flow, name: str) -> Flow:
    """Return the flow of a field or of the elements of a value."""
    found: dict[Way, Marks] = {}
    for way, marks in flow.items():
        if not way:
            if name not in (PRESENCE, LENGTH):
                _add(found.setdefault((), {}), marks)
        elif _is_part(way[0], name):
            _add(found.setdefault(way[1:], {}), marks)
    return found


def _is_part(part: str, name: str) -> bool:
    """Whether what is marked at `part` may be what is read at `name`."""
    if part == name:
        return True
    if part in (PRESENCE, LENGTH) or name in (PRESENCE, LENGTH):
        return False
    indexed = name.startswith("[") and not part.startswith("[")
    return ELEMENT in (part, name) or indexed


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


OPEN = (ScalarKind.TEXT, ScalarKind.JSON, ScalarKind.IMAGE, ScalarKind.DOCUMENT)
"""The kinds of scalars that can carry any text: a model reads what a picture shows."""


def is_closed(type: Type) -> bool:
    """Whether a type is closed: a finite set of values, which cannot carry text."""
    return isinstance(type, EnumType) or (isinstance(type, Scalar) and type.kind not in OPEN)


FEW = 16
"""The most values of which one bit tells much: as of a choice, and not as of a text."""


def is_choice(type: Type) -> bool:
    """Whether a type has so few values that one bit tells much of one."""
    inner = present(type)
    if isinstance(inner, EnumType):
        return True
    if not isinstance(inner, Scalar):
        return isinstance(inner, AnswererType)
    if inner.kind is ScalarKind.INT and inner.low is not None and inner.high is not None:
        return inner.high - inner.low < FEW
    return inner.kind is ScalarKind.BOOL


def is_number(type: Type) -> bool:
    """Whether a type is a number without an upper bound."""
    kinds = (ScalarKind.INT, ScalarKind.NUMBER, ScalarKind.MONEY, ScalarKind.DURATION)
    return isinstance(type, Scalar) and type.kind in kinds and type.high is None


def spread(
    type: Type, marks: Iterable[Mark], *, chosen: bool = False, shaped: bool = False
) -> Flow:
    """Return the flow of a value of a type that was made from marked data: its texts keep the
    marks, its closed parts are influenced. A value that is `shaped` by the data has lists of any
    length and optionals that are there or not, as the data wants it; one that is `chosen`, by a
    model or by code that nobody looks into, has numbers of any size besides.
    """
    found = list(marks)
    if not found:
        return NOTHING
    ways: dict[Way, Marks] = {}
    for way, leaf in leaves(type):
        here: Marks = {}
        if is_closed(leaf):
            number = is_number(leaf)
            _add(here, (_closed(mark, number and (chosen or mark.free)) for mark in found))
        else:
            _add(here, (replace(mark, free=False) if mark.free else mark for mark in found))
        ways[way] = here
    if chosen or shaped:
        steering = [_closed(mark, False) for mark in found if mark.kind != OWNER]
        for way in shapes(type) if steering else ():
            ways[way] = dict.fromkeys(steering)
    return ways


def _closed(mark: Mark, free: bool) -> Mark:
    kind = INFLUENCED if mark.kind == UNTRUSTED else mark.kind
    free = free and kind == INFLUENCED
    return mark if (kind, free) == (mark.kind, mark.free) else replace(mark, kind=kind, free=free)


def checked(mark: Mark) -> Mark:
    """Return the mark on a value that a gate or a person has looked at: an outsider may have
    steered it, but writes nothing through it.
    """
    return replace(mark, kind=INFLUENCED) if mark.kind == UNTRUSTED else mark


def limited(mark: Mark) -> Mark:
    """Return the mark on a number that is bounded: an outsider no longer picks its size."""
    return replace(mark, free=False) if mark.free else mark


def shapes(type: Type) -> Iterator[Way]:
    """Return the paths of what is chosen about a value besides its leaves: the presence of its
    optionals and the lengths of its lists.
    """
    match type:
        case OptionalType():
            yield (PRESENCE,)
            yield from shapes(type.inner)
        case RecordType():
            for one in type.fields:
                for way in shapes(one.type):
                    yield (one.name, *way)
        case ListType() | MapType():
            yield (LENGTH,)
            for way in shapes(type.element if isinstance(type, ListType) else type.value):
                yield (ELEMENT, *way)
        case _:
            pass


def labelled_shapes(type: Type, label: str, around: bool = False) -> Iterator[Way]:
    """Return the paths of what a label says about a value besides its leaves: of an optional or a
    list that has the label itself, or stands in what has it, the presence or the length.
    """
    here = around or label in type.labels
    match type:
        case OptionalType():
            yield from [(PRESENCE,)] if here else []
            yield from labelled_shapes(type.inner, label, here)
        case RecordType():
            for one in type.fields:
                for way in labelled_shapes(one.type, label, here):
                    yield (one.name, *way)
        case ListType() | MapType():
            yield from [(LENGTH,)] if here else []
            inner = type.element if isinstance(type, ListType) else type.value
            for way in labelled_shapes(inner, label, here):
                yield (ELEMENT, *way)
        case _:
            pass


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


def labelled_ways(type: Type, label: str) -> list[Way]:
    """Return the paths of a type that accept data with a label."""
    return [way for way, labelled, _ in labels(type) if label in labelled]


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


def source(name: str, type: Type, span: Span, how: str, run: tuple[Span, ...] = ()) -> Flow:
    """Return the flow of a value by the labels of its type; `how` describes where it enters."""
    found: dict[Way, Marks] = {}
    everything = list(labels(type))
    for way, labelled, leaf in everything:
        shown = _shown(name, way)
        for label in sorted(labelled & {UNTRUSTED, PRIVATE, SECRET}):
            origin = Origin(shown, label, span, run)
            hop = Hop(f"`{shown}` is {label}{how}", span)
            picked = label == UNTRUSTED and is_closed(leaf)
            mark = Mark(label, origin, (hop,), few=label == SECRET and is_choice(leaf))
            found.setdefault(way, {})[_closed(mark, is_number(leaf)) if picked else mark] = None
            if label == PRIVATE:
                for other, _, _ in everything:
                    if other and other[:-1] == way[: len(other) - 1] and identifies(other[-1]):
                        found.setdefault(other, {})[Mark(OWNER, origin)] = None
    for label, kind in ((UNTRUSTED, INFLUENCED), (PRIVATE, PRIVATE)):
        for way in labelled_shapes(type, label):
            shown = _shown(name, way[:-1])
            hop = Hop(f"`{shown}` is {label}{how}", span)
            mark = Mark(kind, Origin(shown, label, span, run), (hop,))
            found.setdefault(way, {})[mark] = None
    return found


def _shown(name: str, way: Way) -> str:
    return ".".join([name, *(part for part in way if part != ELEMENT)])


def identifies(name: str) -> bool:
    """Whether a field or parameter of this name identifies the owner of a record."""
    names = ("id", "key", "email", "user", "customer", "account", "owner", "person", "username")
    return name in names or name.endswith(("_id", "_key", "_email"))
