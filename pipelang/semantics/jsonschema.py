"""Types as JSON Schema, as sent to models; its tokens count as part of a prompt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, assert_never

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
)

_SCALARS: dict[ScalarKind, dict[str, Any]] = {
    ScalarKind.TEXT: {"type": "string"},
    ScalarKind.INT: {"type": "integer"},
    ScalarKind.NUMBER: {"type": "number"},
    ScalarKind.BOOL: {"type": "boolean"},
    ScalarKind.PROBABILITY: {"type": "number", "minimum": 0, "maximum": 1},
    ScalarKind.MONEY: {"type": "number", "description": "US dollars"},
    ScalarKind.DURATION: {"type": "number", "description": "seconds"},
    ScalarKind.TIME: {"type": "string", "format": "date-time"},
    ScalarKind.JSON: {},
    ScalarKind.TOKENS: {"type": "integer"},
    ScalarKind.RATE: {"type": "string"},
}


def json_schema(type: Type) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a type's values."""
    match type:
        case Scalar():
            schema = dict(_SCALARS[type.kind])
            if type.low is not None and type.kind is not ScalarKind.TEXT:
                schema["minimum"] = float(type.low)
            if type.high is not None and type.kind is not ScalarKind.TEXT:
                schema["maximum"] = float(type.high)
            return schema
        case EnumType():
            return {"type": "string", "enum": list(type.members)}
        case RecordType():
            return {
                "type": "object",
                "properties": {
                    field.key: json_schema(field.type)
                    | ({"description": field.doc} if field.doc else {})
                    for field in type.fields
                },
                "required": [
                    field.key
                    for field in type.fields
                    if not field.has_default and not isinstance(field.type, OptionalType)
                ],
                "additionalProperties": False,
            }
        case ListType():
            schema = {"type": "array", "items": json_schema(type.element)}
            if type.max_length is not None:
                schema["maxItems"] = type.max_length
            return schema
        case MapType():
            return {"type": "object", "additionalProperties": json_schema(type.value)}
        case OptionalType():
            return {"anyOf": [json_schema(type.inner), {"type": "null"}]}
        case NoneType():
            return {"type": "null"}
        case NothingType() | ErrorType() | AnswererType():
            return {}
        case _:
            assert_never(type)


class Typed(Protocol):
    """A parameter: its name outside, its type, whether it may be left out."""

    @property
    def key(self) -> str: ...
    @property
    def type(self) -> Type: ...
    @property
    def has_default(self) -> bool: ...


def parameters_schema(parameters: Iterable[Typed]) -> dict[str, Any]:
    """The JSON Schema of arguments by name."""
    listed = list(parameters)
    return {
        "type": "object",
        "properties": {one.key: json_schema(one.type) for one in listed},
        "required": [one.key for one in listed if not one.has_default],
        "additionalProperties": False,
    }
