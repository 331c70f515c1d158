"""JSON Schemas as a maker's structured answers take them.

What none takes, or this maker does not, is put in words, and only our own validation stands behind
it: `semantics.kernels.answer_schemas` says which that is, for `check` as well.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pipelang.semantics.kernels.answer_schemas import beyond_all

if TYPE_CHECKING:
    from pydantic import BaseModel

Schema = dict[str, Any]


class StrictSchemas:
    """Schemas of types, translated once each. Types live as long as their program; a schema takes
    a millisecond and is asked for at each call.
    """

    def __init__(self, translate: Callable[[Schema], Schema | None]) -> None:
        self._translate = translate
        self._known: WeakKeyDictionary[type[BaseModel], Schema | None] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, model: type[BaseModel]) -> Schema | None:
        """The schema that the API enforces for `model`, or None where it can't."""
        with self._lock:
            if model in self._known:
                return self._known[model]
        plain = model.model_json_schema()
        strict = self._translate(plain) if beyond_all(plain) is None else None
        with self._lock:
            self._known[model] = strict
        return strict


class _Untyped(Exception):
    """A part of a schema that says nothing about its values."""


def closed(schema: Schema, keywords: frozenset[str]) -> Schema | None:
    """A schema in which every object is closed and has all its keys, one that may be left out as
    null; of what a part says besides, the `keywords` stay. None where a part has no type.

    Definitions are put in place where more than a reference is said of them, since a reference
    stands alone in such schemas. Ours are never recursive.
    """
    definitions = schema.get("$defs", {})
    try:
        return _closed(schema, definitions, keywords)
    except _Untyped:
        return None


def _closed(schema: Any, definitions: Mapping[str, Any], keywords: frozenset[str]) -> Schema:
    if not isinstance(schema, dict):
        raise _Untyped
    said = {key: schema[key] for key in keywords if key in schema}
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return {**_closed(definitions[name], definitions, keywords), **said}
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            parts = [_closed(part, definitions, keywords) for part in schema[choice]]
            return {**said, "anyOf": parts}
    if "allOf" in schema and len(schema["allOf"]) == 1:
        return {**_closed(schema["allOf"][0], definitions, keywords), **said}
    if "const" in schema:
        return {**said, "type": _type_of(schema["const"]), "enum": [schema["const"]]}
    if "enum" in schema:
        kinds = {_type_of(value) for value in schema["enum"]}
        return {
            **said,
            "type": schema.get("type") or (kinds.pop() if len(kinds) == 1 else sorted(kinds)),
            "enum": list(schema["enum"]),
        }
    kind = schema.get("type")
    if kind == "object":
        needed = set(schema.get("required", ()))
        properties = {
            name: part if name in needed else _nullable(part)
            for name, part in (
                (name, _closed(part, definitions, keywords))
                for name, part in schema.get("properties", {}).items()
            )
        }
        return {
            **said,
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
    if kind == "array":
        return {
            **said,
            "type": "array",
            "items": _closed(schema.get("items"), definitions, keywords),
        }
    if kind is None:
        raise _Untyped
    return {**said, "type": kind}


def _nullable(schema: Schema) -> Schema:
    """A schema that takes null as well, which stands for a field that is left out."""
    if any(part.get("type") == "null" for part in schema.get("anyOf", ())):
        return schema
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    description = {"description": schema["description"]} if "description" in schema else {}
    plain = {key: value for key, value in schema.items() if key != "description"}
    return {**description, "anyOf": [plain, {"type": "null"}]}


def _type_of(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case _:
            return "string"
