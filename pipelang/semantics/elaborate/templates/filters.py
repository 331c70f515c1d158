"""Filters in templates: of which type they make a value, and what of it they read.

A filter reads all of what it is given, but for those that hand on the elements of a list as they
are: these read how many there are, and what `attribute` names.
"""

from __future__ import annotations

from pipelang.records import replace
from pipelang.semantics.elaborate.templates.members import attribute, element, elements
from pipelang.semantics.elaborate.templates.reading import Reading, Variable
from pipelang.semantics.elaborate.templates.vocabulary import FILTERS
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import (
    INT,
    JSON,
    NUMBER,
    ErrorType,
    ListType,
    RecordType,
    present,
)
from pipelang.syntax.templates.nodes import TemplateConst, TemplateFilter

_GROWTH = {"e": 5, "escape": 5, "tojson": 6, "upper": 3, "lower": 3, "title": 3, "capitalize": 3}
"""Factor by which a filter can lengthen a text at most, in bytes."""

KEEPS = ("length", "first", "last", "list", "reverse", "default")
"""Filters that make no text of what they are given, and look at no element of a list."""

_BY_ATTRIBUTE = {"sort": 2, "unique": 1, "min": 1, "max": 1, "sum": 0, "join": 1}
"""Filters that read one attribute of each element if they are told so, and as which argument."""


def known_filter(reading: Reading, node: TemplateFilter) -> None:
    """Report a filter that is none."""
    name = node.name
    if name not in FILTERS:
        help = suggestion(name, FILTERS) or "there are: " + ", ".join(sorted(FILTERS))
        reading.tell(node.line, f"unknown filter `{name}`", word=name, help=help)


def filtered(reading: Reading, node: TemplateFilter, value: Variable) -> Variable:
    """Make of a value what a filter makes of it."""
    name = node.name
    type = present(value.type)
    if isinstance(type, ListType):
        if name in ("first", "last"):
            return element(reading, value)
        if name == "length":
            reading.counts(value)
        elif name not in KEEPS:
            _looks_inside(reading, node, value)
    match name:
        case "length" | "wordcount" | "int":
            return Variable(INT, None)
        case "abs" | "float" | "round" | "sum":
            return Variable(NUMBER, None)
        case "min" | "max" if isinstance(type, ListType):
            return element(reading, value)
        case "items" | "trim" | "truncate" | "string" | "list" | "reverse" | "sort" | "unique":
            return value
        case "default":
            return replace(value, type=type, place=None)
        case _ if name in _GROWTH:
            return replace(value, times=value.times * _GROWTH[name])
        case _:  # what `replace`, `join` and `indent` make has no bound of its own
            return Variable(value.type if isinstance(value.type, ErrorType) else JSON, None)


def _looks_inside(reading: Reading, node: TemplateFilter, value: Variable) -> None:
    """A filter reads the elements of a list: an attribute of each, or all of them."""
    found = _attributes(node)
    if found is None or not isinstance(present(elements(value).type), RecordType):
        reading.reads(value)  # once more: what is done with the list further on is another matter
        return
    for path in found:
        part = reading.reads(elements(value))
        for name in path.split("."):
            part = attribute(reading, part, name, node.line)
    if node.name in ("sum", "join"):
        reading.counts(value)


def _attributes(node: TemplateFilter) -> list[str] | None:
    """The attributes of elements that a filter looks at; None if it may be all of an element."""
    place = _BY_ATTRIBUTE.get(node.name)
    if place is None or any(name is None for name, _ in node.named):
        return None
    named = [given for name, given in node.named if name == "attribute"]
    for given in (*named, *node.arguments[place : place + 1]):
        if isinstance(given, TemplateConst) and isinstance(given.value, str):
            return given.value.split(",") if node.name == "sort" else [given.value]
    return None
