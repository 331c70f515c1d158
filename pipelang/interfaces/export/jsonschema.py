"""JSON Schema (draft 2020-12) of what goes into pipelines and what comes out.

What the runtime accepts, the schema accepts. The other way round holds as far as JSON Schema can
say it: a limit in tokens counts bytes and is bounded here in characters (exactly so for ASCII), RE2
patterns stand in an annotation, and to JSON Schema 1.0 is an integer.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, assert_never

from pipelang.semantics import program as p
from pipelang.semantics.quantities import BYTES_A_TOKEN
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

Json = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
MEDIUM: Json = {
    "anyOf": [
        {
            "type": "object",
            "properties": {name: {"type": "string"} for name in names},
            "required": list(names),
            "additionalProperties": False,
        }
        for names in (("path",), ("url",), ("data", "media_type"))
    ]
    + [
        {"type": "string", "pattern": "^[dD][aA][tT][aA]:"},
        {
            "type": "object",
            "properties": {
                "media_type": {"type": "string"},
                "size": {"type": "integer"},
                "sha256": {"type": "string"},
                "pages": {"type": "integer"},
                "sides": {"type": "array", "items": {"type": "integer"}},
            },
            "required": ["media_type", "size", "sha256"],
            "additionalProperties": False,
        },
    ],
}
"""A picture or document: as an input gives it, of which a host says itself what it takes, and last
as a result tells of it.
"""

_SCALARS: dict[ScalarKind, Json] = {
    ScalarKind.TEXT: {"type": "string"},
    ScalarKind.INT: {"type": "integer"},
    ScalarKind.NUMBER: {"type": "number"},
    ScalarKind.BOOL: {"type": "boolean"},
    ScalarKind.PROBABILITY: {"type": "number", "minimum": 0, "maximum": 1},
    ScalarKind.MONEY: {"type": "number"},
    ScalarKind.DURATION: {"type": "number"},
    ScalarKind.TIME: {"type": "string", "format": "date-time"},
    ScalarKind.JSON: {},
    ScalarKind.IMAGE: MEDIUM,
    ScalarKind.DOCUMENT: MEDIUM,
    ScalarKind.TOKENS: {"type": "integer"},
    ScalarKind.RATE: {},
}
_UNITS = {
    ScalarKind.MONEY: "US dollars",
    ScalarKind.DURATION: "seconds",
    ScalarKind.TIME: "with its offset",
    ScalarKind.IMAGE: "a picture: PNG, JPEG, GIF or WebP",
    ScalarKind.DOCUMENT: "a document: PDF",
}


def jsonschema(program: p.Program, pipelines: Sequence[str], root: str | None = None) -> Json:
    """A schema whose `$defs` hold `NAME.input` and `NAME.result` of the pipelines, and every record
    and enum that these mention. With `root`, an instance of the schema is that pipeline's input.
    """
    schemas = _Schemas(program)
    definitions: Json = {}
    for name in sorted(pipelines):
        pipeline = program.pipelines[name]
        definitions[f"{name}.input"] = schemas.input(pipeline)
        definitions[f"{name}.result"] = schemas.of(pipeline.returns)
    types = {name: schemas.definitions[name] for name in sorted(schemas.definitions)}
    head: Json = {"$schema": DRAFT, "$comment": f"pipelang {program.hash}"}
    if root is not None:
        head["$ref"] = f"#/$defs/{root}.input"
    return {**head, "$defs": {**types, **definitions}}


class _Schemas:
    """Schemas of types; those that have a name are collected in `definitions`."""

    def __init__(self, program: p.Program) -> None:
        self.program = program
        self.definitions: Json = {}

    def input(self, pipeline: p.Pipeline) -> Json:
        """The object that `pipelang run --input` and `handle.run(**...)` take."""
        made: Json = {"type": "object", "title": pipeline.name}
        if pipeline.doc:
            made["description"] = pipeline.doc
        made["properties"] = {
            parameter.key: self._with_default(parameter) for parameter in pipeline.parameters
        }
        made["required"] = [
            parameter.key
            for parameter in pipeline.parameters
            if not parameter.has_default and not isinstance(parameter.type, OptionalType)
        ]
        return made | {"additionalProperties": False}

    def _with_default(self, parameter: p.Parameter) -> Json:
        default = {"default": _plain(parameter.default)} if parameter.has_default else {}
        return self.of(parameter.type) | default

    def of(self, type: Type) -> Json:
        """The schema of a type's values."""
        schema = self._shape(type)
        if type.labels:
            schema["x-labels"] = sorted(type.labels)
        return schema

    def _shape(self, type: Type) -> Json:
        match type:
            case Scalar():
                return self._scalar(type)
            case EnumType():
                if type.name not in self.definitions:
                    members = list(type.members)
                    self.definitions[type.name] = {"type": "string", "enum": members}
                return {"$ref": f"#/$defs/{type.name}"}
            case RecordType():
                if type.name not in self.definitions:
                    self.definitions[type.name] = {}  # its place; no record holds itself
                    self.definitions[type.name] = self._record(type)
                return {"$ref": f"#/$defs/{type.name}"}
            case ListType():
                most = {} if type.max_length is None else {"maxItems": type.max_length}
                return {"type": "array", "items": self.of(type.element), **most}
            case MapType():
                most = {} if type.max_length is None else {"maxProperties": type.max_length}
                return {"type": "object", "additionalProperties": self.of(type.value), **most}
            case OptionalType():
                return {"anyOf": [self.of(type.inner), {"type": "null"}]}
            case NoneType() | NothingType():
                return {"type": "null"}
            case AnswererType() | ErrorType():
                raise AssertionError(type)
            case _:
                assert_never(type)

    def _scalar(self, type: Scalar) -> Json:
        schema = dict(_SCALARS[type.kind])
        said = [_UNITS[type.kind]] if type.kind in _UNITS else []
        if type.low is not None:
            schema["minimum"] = _plain(type.low)
        if type.high is not None:
            schema["maximum"] = _plain(type.high)
        if type.max_tokens is not None:
            bytes = type.max_tokens * BYTES_A_TOKEN
            schema["maxLength"] = bytes
            said.append(f"at most {type.max_tokens} tokens: {bytes} bytes of UTF-8")
        if type.max_pages is not None:
            said.append(f"at most {type.max_pages} pages")
        if type.patterns is not None:
            schema["x-matches"] = list(self.program.patterns[type.patterns])
            said.append(f"one of the RE2 patterns of `{type.patterns}` is found in it")
        if said:
            schema["description"] = "; ".join(said)
        return schema

    def _record(self, type: RecordType) -> Json:
        properties: Json = {}
        for field in type.fields:
            schema = self.of(field.type)
            if field.has_default:
                schema["default"] = _plain(field.default)
            if field.doc:
                said = schema.get("description")
                schema["description"] = f"{field.doc} ({said})" if said else field.doc
            properties[field.key] = schema
        required = [
            field.key
            for field in type.fields
            if not field.has_default and not isinstance(field.type, OptionalType)
        ]
        return {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }


def _plain(value: Any) -> Any:
    """A constant as JSON has it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value
