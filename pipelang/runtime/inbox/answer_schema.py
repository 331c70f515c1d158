"""Shapes: JSON Schemas of answers to asks, and validation against them.

The case of an ask may be answered in another process, long after it was opened, where the program
is not at hand: its shape must say all that the type says. JSON Schema has no tokens, and patterns
that are not RE2, so a text's limits stand beside it as `maxTokens` and `matches`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

from pipelang.runtime.engine.misfits import text_too_long, text_without_match
from pipelang.runtime.files.strict_json import is_number
from pipelang.semantics.jsonschema import json_schema
from pipelang.semantics.quantities import text_tokens
from pipelang.semantics.types import (
    JSON,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
)


def shape_of(type: Type, patterns: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """The JSON Schema of a type, with the limits of its texts."""
    shape = json_schema(type)
    _limit(shape, type, patterns)
    return shape


def _limit(shape: dict[str, Any], type: Type, patterns: Mapping[str, tuple[str, ...]]) -> None:
    match type:
        case Scalar(kind=ScalarKind.TEXT):
            if type.max_tokens is not None:
                shape["maxTokens"] = type.max_tokens
            if type.patterns is not None:
                shape["matches"] = {type.patterns: list(patterns[type.patterns])}
        case RecordType():
            for field in type.fields:
                _limit(shape["properties"][field.key], field.type, patterns)
        case ListType():
            _limit(shape["items"], type.element, patterns)
        case MapType():
            _limit(shape["additionalProperties"], type.value, patterns)
            if type.max_length is not None:
                shape["maxProperties"] = type.max_length
        case OptionalType():
            _limit(shape["anyOf"][0], type.inner, patterns)
        case _:
            return


def misfit(shape: Mapping[str, Any], value: Any, path: str = "") -> str | None:
    """The first misfit of a JSON value against a shape, with its path; None if the value fits."""
    wrong = _wrong(shape, value, path)
    if wrong is None:
        return None
    where, problem = wrong
    return f"`{where}`: {problem}" if where else problem


_NAMES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


def shape_flaw(shape: Any, path: str) -> str | None:
    """The first flaw of what should be a shape of ours; None if values can be held against it."""
    if not isinstance(shape, Mapping):
        return f"`{path}` must be an object"
    for key, fits in _KEYWORDS.items():
        if key in shape and not fits(shape[key]):
            return f"`{path}.{key}` is none that a shape has"
    if shape.get("type") == "array" and "items" not in shape:
        return f"`{path}.items` is missing"
    parts = {
        **{f"{path}.anyOf[{at}]": one for at, one in enumerate(shape.get("anyOf", ()))},
        **{f"{path}.properties.{key}": one for key, one in shape.get("properties", {}).items()},
        **{f"{path}.{key}": shape[key] for key in ("items",) if key in shape},
    }
    if isinstance(shape.get("additionalProperties"), Mapping):
        parts[f"{path}.additionalProperties"] = shape["additionalProperties"]
    return next((flaw for at, one in parts.items() if (flaw := shape_flaw(one, at))), None)


def _is_count(value: Any) -> bool:
    return _is("integer", value) and value >= 0


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_bound(value: Any) -> bool:
    return _is("number", value) and abs(value) <= sys.float_info.max


_KEYWORDS: Mapping[str, Callable[[Any], bool]] = {
    "type": lambda value: isinstance(value, str) and value in _NAMES,
    "anyOf": lambda value: isinstance(value, list) and bool(value),
    "enum": lambda value: _are_texts(value) and bool(value),
    "properties": lambda value: isinstance(value, Mapping),
    "additionalProperties": lambda value: isinstance(value, (bool, Mapping)),
    "required": _are_texts,
    "maxItems": _is_count,
    "maxProperties": _is_count,
    "maxTokens": _is_count,
    "minimum": _is_bound,
    "maximum": _is_bound,
    "matches": lambda value: isinstance(value, Mapping) and all(map(_are_patterns, value.values())),
}
"""The keywords of shapes that say what fits, and what each may hold."""


def _are_patterns(value: Any) -> bool:
    if not _are_texts(value):
        return False
    from pipelang.semantics.patterns import are_patterns

    return are_patterns(value)


def _wrong(shape: Mapping[str, Any], value: Any, path: str) -> tuple[str, str] | None:
    if "anyOf" in shape:  # only made for what may be absent
        return None if value is None else _wrong(shape["anyOf"][0], value, path)
    kind = shape.get("type")
    if kind is None:
        return _wrong_json(value, path)
    if not _is(kind, value):
        return path, f"expected {_NAMES[kind]}, found {_found(value)}"
    match kind:
        case "string":
            return _wrong_text(shape, value, path)
        case "integer" | "number":
            return _wrong_number(shape, value, path)
        case "array":
            most = shape.get("maxItems")
            if most is not None and len(value) > most:
                return path, f"a list of {len(value)}, at most {most} are allowed"
            inside = [(shape["items"], item, f"{path}[{i}]") for i, item in enumerate(value)]
        case "object":
            wrong = _wrong_keys(shape, value, path)
            if wrong is not None:
                return wrong
            known, rest = shape.get("properties", {}), shape.get("additionalProperties")
            rest = rest if isinstance(rest, Mapping) else {}  # of a picture any key
            inside = [
                (known.get(key, rest), item, f"{path}.{key}" if path else key)
                for key, item in value.items()
            ]
        case _:
            return None
    return next((w for part in inside if (w := _wrong(*part)) is not None), None)


def _is(kind: str, value: Any) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return is_number(value) and (isinstance(value, int) or math.isfinite(value))
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case _:
            return value is None


def _found(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "one that is not finite"
    return next(name for kind, name in _NAMES.items() if _is(kind, value))


def _wrong_text(shape: Mapping[str, Any], text: str, path: str) -> tuple[str, str] | None:
    if not _is_unicode(text):
        return path, "text that is not valid Unicode"
    if "enum" in shape and text not in shape["enum"]:
        return path, f"expected one of {', '.join(shape['enum'])}"
    if shape.get("format") == "date-time" and not _is_time(text):
        return path, "expected a time with its offset, such as 2026-11-21T09:30:00Z"
    most = shape.get("maxTokens")
    if most is not None and text_tokens(text) > most:
        return path, text_too_long(text_tokens(text), most)
    for name, patterns in shape.get("matches", {}).items():
        if not _matches(patterns, text):
            return path, text_without_match(name, tuple(patterns))
    return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_time(text: str) -> bool:
    from datetime import datetime

    try:
        return datetime.fromisoformat(text).utcoffset() is not None
    except ValueError:
        return False


def _matches(patterns: list[str], text: str) -> bool:
    from pipelang.semantics.patterns import Patterns

    return Patterns({"one": tuple(patterns)}).matches("one", text)


def _wrong_json(value: Any, path: str) -> tuple[str, str] | None:
    """JSON of any shape has limits too: how deep it is, how large its numbers are."""
    from pipelang.runtime.engine.values import Misfit, Types
    from pipelang.semantics.patterns import Patterns

    try:
        Types(Patterns({})).check(JSON, value)
    except Misfit as problem:
        return path, str(problem)
    return None


def _wrong_number(shape: Mapping[str, Any], number: float, path: str) -> tuple[str, str] | None:
    try:
        float(number)
    except OverflowError:
        return path, "number that is too large"
    low, high = shape.get("minimum"), shape.get("maximum")
    if (low is not None and number < low) or (high is not None and number > high):
        bounds = [f"{bound:g}" for bound in (low, high) if bound is not None]
        return path, f"{number:g} is out of range, expected {'..'.join(bounds)}"
    return None


def _wrong_keys(
    shape: Mapping[str, Any], value: Mapping[str, Any], path: str
) -> tuple[str, str] | None:
    known, most = shape.get("properties", {}), shape.get("maxProperties")
    for key in shape.get("required", []):
        if key not in value:
            return (f"{path}.{key}" if path else key), "is missing"
    if shape.get("additionalProperties") is False:
        for key in value:
            if key not in known:
                names = ", ".join(f"`{name}`" for name in known) or "none"
                return path, f"there is no field `{key}`; there are: {names}"
    if not all(_is_unicode(key) for key in value):
        return path, "a key that is not valid Unicode"
    if most is not None and len(value) > most:
        return path, f"{len(value)} keys, at most {most} are allowed"
    return None
