"""Selects the records and enums of a stub, by side (input or output), and names them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from keyword import iskeyword

from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.types import (
    EnumType,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
)

HELPERS = ("Answered", "Program")
"""Names that every stub declares. A type of the file that has such a name keeps it."""

BUILTINS = frozenset({"bool", "dict", "float", "int", "list", "str", "tuple"})
"""Names in annotations. Where something else has such a name, they are written in full."""


@dataclass(frozen=True, slots=True)
class StubNames:
    """Python names by the keys of types and pipelines. `given` and `made` hold records: what comes
    in, what goes out. `qualified` says that something has the name of a builtin.
    """

    enums: dict[str, tuple[str, EnumType]]
    given: dict[str, tuple[str, RecordType]]
    made: dict[str, tuple[str, RecordType]]
    handles: dict[str, str]
    inputs: dict[str, str]
    helpers: dict[str, str]
    qualified: bool

    def builtin(self, name: str) -> str:
        return f"_builtins.{name}" if self.qualified else name


def names(pipelines: Iterable[p.Pipeline]) -> StubNames:
    """The names for a stub of some pipelines."""
    pipelines = list(pipelines)
    given = _named(parameter.type for one in pipelines for parameter in one.parameters)
    made = _named(one.returns for one in pipelines)
    taken: set[str] = set()
    called: dict[str, str] = {}
    for key in sorted({**given, **made}):
        called[key] = _fresh(key.replace(".", "_"), taken)
    enums = {key: type for key, type in {**given, **made}.items() if isinstance(type, EnumType)}
    into: dict[str, tuple[str, RecordType]] = {}
    for key, type in sorted(given.items()):
        if isinstance(type, RecordType):
            name = _fresh(f"{called[key]}Input", taken) if key in made else called[key]
            into[key] = (name, type)
    handles = {one.name: _fresh(pascal(one.name), taken) for one in pipelines}
    inputs = {one.name: _fresh(f"{pascal(one.name)}Inputs", taken) for one in pipelines}
    helpers = {name: _fresh(name, taken) for name in HELPERS}
    fields = {
        field.name
        for type in {**given, **made}.values()
        if isinstance(type, RecordType)
        for field in type.fields
    }
    return StubNames(
        enums={key: (called[key], type) for key, type in sorted(enums.items())},
        given=into,
        made={
            key: (called[key], type)
            for key, type in sorted(made.items())
            if isinstance(type, RecordType)
        },
        handles=handles,
        inputs=inputs,
        helpers=helpers,
        qualified=bool(BUILTINS & (fields | taken)),
    )


def pascal(name: str) -> str:
    """`handle_ticket` as `HandleTicket`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_")) or "Pipeline"


def _fresh(wanted: str, taken: set[str]) -> str:
    name = wanted
    while name in taken or iskeyword(name):
        name += "_"
    taken.add(name)
    return name


def _named(types: Iterable[Type]) -> dict[str, EnumType | RecordType]:
    """Every enum and record in some types, by name."""
    found: dict[str, EnumType | RecordType] = {}
    for type in types:
        for inner in _walk(type):
            found.setdefault(inner.name, inner)
    return found


def _walk(type: Type) -> Iterator[EnumType | RecordType]:
    match type:
        case EnumType():
            yield type
        case RecordType():
            yield type
            for field in type.fields:
                yield from _walk(field.type)
        case ListType():
            yield from _walk(type.element)
        case MapType():
            yield from _walk(type.value)
        case OptionalType():
            yield from _walk(type.inner)
        case _:
            pass
