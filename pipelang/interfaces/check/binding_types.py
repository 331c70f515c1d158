"""Compares a Python annotation with a declared type. Only sure contradictions count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelang.records import NamedTuple
from pipelang.semantics.types import (
    AnswererType,
    EnumType,
    ErrorType,
    ListType,
    MapType,
    NoneType,
    NothingType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
    show,
)

Annotation = dict[str, Any]
"""An annotation in the form that `binding_probe` gives."""

_NUMBERS = frozenset({"int", "float", "decimal"})
_TAKES: dict[ScalarKind, frozenset[str]] = {
    ScalarKind.TEXT: frozenset({"text"}),
    ScalarKind.INT: _NUMBERS,
    ScalarKind.NUMBER: frozenset({"float", "decimal"}),
    ScalarKind.BOOL: frozenset({"bool", "int"}),
    ScalarKind.PROBABILITY: frozenset({"float", "decimal"}),
    ScalarKind.MONEY: frozenset({"float", "decimal"}),
    ScalarKind.DURATION: frozenset({"duration"}),
    ScalarKind.TIME: frozenset({"time", "date"}),
    ScalarKind.IMAGE: frozenset({"media"}),
    ScalarKind.DOCUMENT: frozenset({"media"}),
}
"""Annotations that fit a parameter, by the declared type of the argument."""

_GIVES: dict[ScalarKind, frozenset[str]] = {
    ScalarKind.TEXT: frozenset({"text"}),
    ScalarKind.INT: frozenset({"int"}),
    ScalarKind.NUMBER: _NUMBERS,
    ScalarKind.BOOL: frozenset({"bool"}),
    ScalarKind.PROBABILITY: _NUMBERS,
    ScalarKind.MONEY: _NUMBERS,
    ScalarKind.DURATION: _NUMBERS | {"duration"},
    ScalarKind.TIME: frozenset({"time", "text"}),
    ScalarKind.IMAGE: frozenset({"media", "bytes", "path", "map", "text"}),
    ScalarKind.DOCUMENT: frozenset({"media", "bytes", "path", "map", "text"}),
}
"""Annotations that fit a result, by the declared type that is read from it."""


class Clash(NamedTuple):
    """A contradiction: where in the value (`""`, `.field`, `[]`), and the two sides in words."""

    path: str
    declared: str
    annotated: str


def clashes(type: Type, annotation: Annotation, gives: bool) -> Iterator[Clash]:
    """The contradictions between a type and an annotation.

    `gives` says that the function answers the value; otherwise it is handed in.
    """
    word = annotation["is"]
    if word == "any" or isinstance(type, (ErrorType, AnswererType, NothingType)):
        return
    if isinstance(type, OptionalType) and not gives and not _admits_none(annotation):
        yield _all_of(type, annotation)
        return
    if word == "union":
        ways = [list(clashes(type, one, gives)) for one in annotation["of"]]
        if all(ways) and ways:
            yield _all_of(type, annotation)
        return
    if isinstance(type, OptionalType):
        if word != "none":
            yield from clashes(type.inner, annotation, gives)
        return
    if isinstance(type, NoneType):
        return
    yield from _present(type, annotation, gives)


def _admits_none(annotation: Annotation) -> bool:
    if annotation["is"] == "union":
        return any(map(_admits_none, annotation["of"]))
    return annotation["is"] in ("none", "any")


def _all_of(type: Type, annotation: Annotation) -> Clash:
    return Clash("", show(type), annotation["shown"])


def _present(
    type: Scalar | EnumType | RecordType | ListType | MapType, annotation: Annotation, gives: bool
) -> Iterator[Clash]:
    word = annotation["is"]
    fits: bool
    match type:
        case Scalar():
            words = (_GIVES if gives else _TAKES).get(type.kind)
            fits = words is None or word in words or _literal_fits(type, annotation)
        case EnumType():
            members, values = set(type.members), set(annotation.get("values", ()))
            if word == "literal":
                fits = bool(members & values) if gives else members <= values
            else:
                fits = word == "text"
        case ListType():
            fits = word == "list"
            if fits:
                for inner in clashes(type.element, annotation["of"], gives):
                    yield inner._replace(path=f"[]{inner.path}")
        case MapType():
            fits = word == "map" and ("fields" not in annotation or gives)
            if fits:
                for inner in clashes(type.value, annotation["of"], gives):
                    yield inner._replace(path=f"[]{inner.path}")
        case RecordType():
            # A record is handed over as an object with attributes, not as a dict.
            fits = word == "model" or (gives and word == "map")
            if fits and "fields" in annotation:
                yield from _fields(type, annotation["fields"], gives)
    if not fits:
        yield _all_of(type, annotation)


def _literal_fits(type: Scalar, annotation: Annotation) -> bool:
    """Literals of the right class: which of them come, nobody can say here."""
    if annotation["is"] != "literal":
        return False
    wanted = {ScalarKind.TEXT: str, ScalarKind.INT: int, ScalarKind.BOOL: bool}.get(type.kind)
    return wanted is None or any(isinstance(value, wanted) for value in annotation["values"])


def _fields(type: RecordType, fields: dict[str, Any], gives: bool) -> Iterator[Clash]:
    declared = {field.key if gives else field.name: field for field in type.fields}
    for name, (annotation, required) in fields.items():
        if name in declared:
            for inner in clashes(declared[name].type, annotation, gives):
                yield inner._replace(path=f".{name}{inner.path}")
        elif gives or required:
            yield Clash(f".{name}", "not there", annotation.get("shown", "there"))
    if gives:
        for name, field in declared.items():
            needed = not field.has_default and not isinstance(field.type, OptionalType)
            if needed and name not in fields:
                yield Clash(f".{name}", show(field.type), "not there")
