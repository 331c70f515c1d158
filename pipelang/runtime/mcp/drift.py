"""Drift: the difference between a declared tool and what its MCP server offers.

Compared is what can be said for sure: which parameters there are, which are required, and which
JSON types they take; where a schema says nothing, nothing differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelang.semantics import program as p
from pipelang.semantics.jsonschema import json_schema
from pipelang.semantics.types import NothingType, show

Schema = Mapping[str, Any]

_ALL = frozenset("string integer number boolean null array object".split())


def differences(tool: p.Tool, takes: Schema, gives: Schema | None) -> list[str]:
    """The differences, one a line: `-` is declared and not offered, `+` is required and not
    declared, `~` has another type.
    """
    found: list[str] = []
    theirs, required = properties_of(takes), set(required_names(takes))
    declared = {parameter.key for parameter in tool.parameters}
    for parameter in tool.parameters:
        line = f"{parameter.key}: {show(parameter.type)}"
        if parameter.key in theirs:
            given: Schema = json_schema(parameter.type)
            if parameter.key not in required:
                given = _if_given(given)
            problems = _unfit(given, theirs[parameter.key], takes, parameter.key)
            found += [f"~ {line}  ({problem})" for problem in problems]
        elif takes.get("additionalProperties") in (None, False):
            found.append(f"- {line}  (it has no such parameter)")
    for name in sorted(required - declared):
        kind = _words(_types(theirs.get(name, {}), takes))
        found.append(f"+ {name}: {kind}  (it needs this, and it is not declared)")
    if gives is not None and not isinstance(tool.returns, NothingType):
        wanted = json_schema(tool.returns)
        unfit = [list(_unfit(one, wanted, wanted, "", gives)) for one in _results(gives)]
        if all(unfit):
            found.append(f"~ -> {show(tool.returns)}  ({unfit[0][0]})")
    return found


def _results(gives: Schema) -> list[Schema]:
    """The schemas that a result may have: as it is, and out of the wrapper `{"result": ...}`."""
    properties = properties_of(gives)
    if set(properties) == {"result"}:
        return [_schema(properties["result"]), gives]
    return [gives]


def _unfit(
    given: Any, taken: Any, whole: Schema, path: str, around: Schema | None = None
) -> Iterator[str]:
    """The reasons why not all values of one schema are values of the other. `whole` resolves the
    references of `taken`, `around` those of `given`.
    """
    given, taken = _resolved(given, around or given), _resolved(taken, whole)
    ours, theirs = _types(given, around or given), _types(taken, whole)
    place = f"`{path}` " if path else ""
    widened = theirs | {"integer"} if "number" in theirs else theirs
    if ours != _ALL and not ours <= widened:
        yield f"{place}expected {_words(theirs)}, found {_words(ours)}"
        return
    allowed = taken.get("enum")
    if isinstance(allowed, list) and ours == {"string"}:
        members = given.get("enum")
        members = members if isinstance(members, list) else None
        strange = None if members is None else [one for one in members if one not in allowed]
        if members is None or strange:
            yield f"{place}expected one of {', '.join(map(str, allowed))}"
    if ours == {"array"} and all(isinstance(one.get("items"), Mapping) for one in (given, taken)):
        yield from _unfit(given["items"], taken["items"], whole, f"{path}[]", around)
    if ours == {"object"} and "properties" in given and "properties" in taken:
        yield from _fields(given, taken, whole, path, around)


def _fields(
    given: Schema, taken: Schema, whole: Schema, path: str, around: Schema | None
) -> Iterator[str]:
    ours, theirs = properties_of(given), properties_of(taken)
    for name, schema in ours.items():
        inner = f"{path}.{name}" if path else name
        if name in theirs:
            if name not in required_names(taken):
                schema = _if_given(schema)
            yield from _unfit(schema, theirs[name], whole, inner, around)
        elif taken.get("additionalProperties") is False:
            yield f"it has no `{inner}`"
    for name in required_names(taken):
        if name not in required_names(given) and name not in ours:
            yield f"it needs `{path}.{name}`" if path else f"it needs `{name}`"


def _if_given(schema: Any) -> Any:
    """The schema of a value that may be left out, without the null that stands for that here."""
    parts = _schema(schema).get("anyOf")
    if isinstance(parts, list):
        there = [part for part in parts if _schema(part).get("type") != "null"]
        if len(there) == 1 < len(parts):
            return there[0] if isinstance(there[0], Mapping) else schema
    return schema


def left_out(value: Any, schema: Any, whole: Schema) -> Any:
    """A JSON value without the fields that are null where the schema wants them left out."""
    schema = _resolved(schema, whole)
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        return [left_out(item, schema["items"], whole) for item in value]
    known = schema.get("properties")
    if not isinstance(value, dict) or not isinstance(known, Mapping):
        return value
    required = required_names(schema)
    return {
        name: left_out(item, known.get(name), whole)
        for name, item in value.items()
        if item is not None
        or name in required
        or (name in known and "null" in _types(known[name], whole))
    }


def _schema(said: Any) -> Schema:
    """A schema as one that says something: `true` allows all as `{}` does, and nobody is held to
    what is none at all.
    """
    return said if isinstance(said, Mapping) else {}


def properties_of(schema: Any) -> Schema:
    """The properties of a schema by their names; none where it names none."""
    return _schema(_schema(schema).get("properties"))


def required_names(schema: Schema) -> list[str]:
    """The names that a schema requires; what is no name is left out."""
    said = schema.get("required")
    return [name for name in said if isinstance(name, str)] if isinstance(said, list) else []


def _resolved(said: Any, whole: Schema) -> Schema:
    schema = _schema(said)
    for _ in range(20):
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        at: Any = whole
        for part in reference[2:].split("/"):
            at = at.get(part, {}) if isinstance(at, Mapping) else {}
        schema = _schema(at)
    return schema


def _types(schema: Any, whole: Schema, depth: int = 10) -> frozenset[str]:
    """The JSON types of a schema's values; all of them where it does not say."""
    if not isinstance(schema, Mapping) or depth == 0:
        return _ALL
    schema = _resolved(schema, whole)
    for word in ("anyOf", "oneOf"):
        if isinstance(schema.get(word), list):
            parts = (_types(one, whole, depth - 1) for one in schema[word])
            return frozenset().union(*parts)
    said = schema.get("type")
    if isinstance(said, str):
        return frozenset({said})
    if isinstance(said, list):
        return frozenset(one for one in said if isinstance(one, str))
    return _ALL


def _words(types: frozenset[str]) -> str:
    return "anything" if types == _ALL else " or ".join(sorted(types))
