"""Parts of values in templates: fields, elements, and what Jinja2 knows of a loop."""

from __future__ import annotations

from pipelang.records import replace
from pipelang.semantics.elaborate.templates.reading import Reading, Variable, for_each
from pipelang.semantics.symbols import listed, suggestion
from pipelang.semantics.types import (
    BOOL,
    ERROR,
    INT,
    JSON,
    ErrorType,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
    present,
    quoted,
)

LOOP = MapType(INT)
"""Type of `loop`: whatever is asked of it is a number, but for what stands here."""

_NEIGHBOURS = ("previtem", "nextitem")
_COUNTS = ("index", "index0", "revindex", "revindex0", "length", "depth", "depth0")
_ENDS = ("first", "last")
_OF_LOOP = (*_COUNTS, *_ENDS, *_NEIGHBOURS)


def attribute(reading: Reading, target: Variable, name: str, line: int) -> Variable:
    """`target.name`; a mistake in it is reported."""
    if target.neighbour is not None:
        return _of_loop(reading, target, target.neighbour, name, line)
    if isinstance(target.type, OptionalType) and not reading.is_present(target):
        reading.absent(line, target)
    place = None if target.place is None else (*target.place, name)

    def within(type: Type) -> Variable:
        reading.passes(target)
        made = for_each(target, lambda one: _part(one, name))
        return reading.reads(replace(made, type=type, place=place))

    match present(target.type):
        case RecordType() as type:
            found = type.field(name)
            if found is not None:
                return within(found.type)
            help = suggestion(name, [f.name for f in type.fields])
            help = help or "fields: " + listed(f.name for f in type.fields)
            why = f"{quoted(type)} has no field `{name}`"
            reading.tell(line, why, word=name, help=help)
            return Variable(ERROR, None)
        case MapType() as type:
            return within(type.value)
        case ErrorType():
            return Variable(ERROR, None)
        case type if type == JSON:
            return Variable(JSON, None)
        case type:
            reading.tell(line, f"{quoted(type)} has no field `{name}`", word=name)
            return Variable(ERROR, None)


def _part(value: Variable, name: str) -> Variable:
    path = None if value.path is None else (*value.path, name)
    return Variable(value.type, path, value.times)


def element(reading: Reading, target: Variable) -> Variable:
    """One element of a list, of which nothing else is read but whether it is there."""
    reading.counts(target)
    return reading.reads(for_each(target, _element))


def elements(target: Variable) -> Variable:
    """Name whatever stands in a list, before it is read."""
    return for_each(target, _element)


def _element(target: Variable) -> Variable:
    type = present(target.type)
    return Variable(type.element if isinstance(type, ListType) else JSON, target.inside())


def is_neighbour(value: Variable) -> bool:
    """Whether a value is what stands before or behind an element in a loop."""
    place = value.place or ()
    return place[1:] in (("previtem",), ("nextitem",)) and place[0].startswith("loop@")


def _of_loop(
    reading: Reading, loop: Variable, neighbour: Variable, name: str, line: int
) -> Variable:
    """Read what Jinja2 knows of a loop; its neighbours are elements as a whole."""
    if name in _NEIGHBOURS:
        type = OptionalType(present(neighbour.type))
        return reading.reads(replace(neighbour, type=type, place=(*(loop.place or ()), name)))
    if name in _COUNTS:
        return Variable(INT, None)
    if name in _ENDS:
        return Variable(BOOL, None)
    help = suggestion(name, _OF_LOOP) or "there are: " + ", ".join(_OF_LOOP)
    reading.tell(line, f"`loop` has no `{name}`", word=name, help=help)
    return Variable(ERROR, None)
