"""Types, parameters and records in the IR."""

from __future__ import annotations

from typing import assert_never

from pipelang.interfaces.export.ir.writer import Json, constant, exact, names
from pipelang.semantics import program as p
from pipelang.semantics.types import (
    AnswererType,
    EnumType,
    ErrorType,
    ListType,
    MapType,
    NoneType,
    NothingType,
    OptionalType,
    RecordField,
    RecordType,
    Scalar,
    Type,
)


def type_json(type: Type) -> Json:
    """A type by its shape; enums and records by name. Constraints only where there are some."""
    labels: Json = {"labels": names(type.labels)} if type.labels else {}
    match type:
        case Scalar():
            limits = {
                "max_tokens": type.max_tokens,
                "max_pages": type.max_pages,
                "low": exact(type.low),
                "high": exact(type.high),
                "matches": type.patterns,
            }
            present = {key: limit for key, limit in limits.items() if limit is not None}
            return {"type": type.kind.value, **present, **labels}
        case EnumType():
            docs = {"docs": dict(type.docs)} if type.docs else {}
            return {"type": "enum", "name": type.name, **docs, **labels}
        case RecordType():
            return {"type": "record", "name": type.name, **labels}
        case ListType():
            return {"type": "list", "of": type_json(type.element), **_most(type), **labels}
        case MapType():
            return {"type": "map", "of": type_json(type.value), **_most(type), **labels}
        case OptionalType():
            return {"type": "optional", "of": type_json(type.inner), **labels}
        case NoneType():
            return {"type": "none", **labels}
        case NothingType():
            return {"type": "nothing", **labels}
        case AnswererType():
            return {"type": "answerer", **labels}
        case ErrorType():
            raise AssertionError("a program without errors has no such type")
        case _:
            assert_never(type)


def _most(type: ListType | MapType) -> Json:
    return {} if type.max_length is None else {"max_length": type.max_length}


def record_json(record: RecordType) -> Json:
    return {"fields": [_field(field) for field in record.fields]}


def _field(field: RecordField) -> Json:
    default = {"default": constant(field.default)} if field.has_default else {}
    outer = _outer(field)
    return {"name": field.name, **outer, "type": type_json(field.type), **default, "doc": field.doc}


def _outer(part: RecordField | p.Parameter) -> Json:
    return {} if part.outer is None else {"outer": part.outer}


def parameters_json(parameters: tuple[p.Parameter, ...]) -> list[Json]:
    return [
        {
            "name": parameter.name,
            **_outer(parameter),
            "type": type_json(parameter.type),
            **({"default": constant(parameter.default)} if parameter.has_default else {}),
        }
        for parameter in parameters
    ]
