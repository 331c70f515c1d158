"""The kernel of answers' schemas: which of them a maker's API enforces, and why it does not others.

What it does not enforce is put in words and checked afterwards, so that an answer that does not fit
is a failed attempt. Two of our types are beyond all makers: `{text: T}` is an object with free
keys, where a strict schema closes every object, and `json` has no type at all. OpenAI's limits are
those of https://developers.openai.com/api/docs/guides/structured-outputs, read on 2026-11-30.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelang.semantics.jsonschema import json_schema
from pipelang.semantics.types import TEXT, RecordType, Type

Schema = Mapping[str, Any]

MOST_LEVELS = 10
MOST_PROPERTIES = 5_000
MOST_VALUES = 1_000
MOST_NAMES = 120_000
"""Characters of all names and values together."""

_LIMITED = ("openai", "openai_compatible", "other")
"""The kinds whose schemas are written as OpenAI takes them."""


def why_in_words(kind: str, answers: Type) -> str | None:
    """The reason for which the schema of an answer is put in words at a kind of provider; None
    where its API enforces it, or where the answer is a text.
    """
    if answers == TEXT:
        return None
    schema = json_schema(answers)
    if not isinstance(answers, RecordType):
        schema = {"type": "object", "properties": {"answer": schema}}
    return beyond_all(schema) or (beyond_openai(schema) if kind in _LIMITED else None)


def beyond_all(schema: Schema) -> str | None:
    """The reason for which no maker enforces a schema."""
    for part in _parts(schema, {}):
        if part.get("additionalProperties") not in (None, False) or "patternProperties" in part:
            return "has keys that no schema can list (a map)"
        if not {"type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"} & part.keys():
            return "has a part of any type (`json`)"
    return None


def beyond_openai(schema: Schema) -> str | None:
    """The reason for which OpenAI's API refuses a schema as too large."""
    definitions = schema.get("$defs", {})
    properties, names, values = 0, 0, 0
    for part in _parts(schema, definitions):
        named = part.get("properties", {})
        properties += len(named)
        names += sum(map(len, named))
        listed = part.get("enum", ())
        values += len(listed)
        names += sum(len(str(value)) for value in listed)
    levels = _levels(schema, definitions)
    if levels > MOST_LEVELS:
        return f"has {levels} levels, more than {MOST_LEVELS}"
    if properties > MOST_PROPERTIES:
        return f"has {properties:,} fields, more than {MOST_PROPERTIES:,}"
    if values > MOST_VALUES:
        return f"lists {values:,} values, more than {MOST_VALUES:,}"
    if names > MOST_NAMES:
        return f"has names of {names:,} characters, more than {MOST_NAMES:,}"
    return None


def _inner(part: Schema, definitions: Mapping[str, Any]) -> Iterator[Schema]:
    """The parts right inside of a part; a reference stands for what it refers to."""
    name = str(part.get("$ref", "")).rpartition("/")[2]
    inner: list[Any] = [definitions.get(name), part.get("items")]
    inner.extend(part.get("properties", {}).values())
    for choice in ("anyOf", "oneOf", "allOf", "prefixItems"):
        inner.extend(part.get(choice, ()))
    return (one for one in inner if isinstance(one, Mapping))


def _parts(schema: Schema, definitions: Mapping[str, Any]) -> Iterator[Schema]:
    """All parts of a schema that is never recursive."""
    definitions = definitions or schema.get("$defs", {})
    yield schema
    for part in _inner(schema, definitions):
        yield from _parts(part, definitions)


def _levels(part: Schema, definitions: Mapping[str, Any]) -> int:
    """The depth to which objects and lists stand in each other."""
    own = int("properties" in part or "items" in part)
    return own + max((_levels(one, definitions) for one in _inner(part, definitions)), default=0)
