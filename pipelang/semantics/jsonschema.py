"""Types as JSON Schema, as sent to models; its tokens count as part of a prompt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Protocol, assert_never

from pipelang.semantics.quantities import BYTES_A_TOKEN, plain
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
    ScalarKind.MONEY: {"type": "number"},
    ScalarKind.DURATION: {"type": "number"},
    ScalarKind.TIME: {"type": "string", "format": "date-time"},
    ScalarKind.JSON: {},
    # What a model or a person could give; a model is never asked for one.
    ScalarKind.IMAGE: {"type": "object"},
    ScalarKind.DOCUMENT: {"type": "object"},
    ScalarKind.TOKENS: {"type": "integer"},
    ScalarKind.RATE: {"type": "string"},
}

_UNITS = {ScalarKind.MONEY: "US dollars", ScalarKind.DURATION: "seconds"}

_ZERO = Decimal(0)

Patterns = Mapping[str, tuple[str, ...]]
"""RE2 patterns by the name of their declaration."""

_LONGEST_PATTERN = 200
"""Characters of patterns in a description: a list of hundreds would cost more than it tells."""


def json_schema(type: Type, patterns: Patterns | None = None) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a type's values.

    Descriptions say what keywords can't: units, limits in bytes, patterns (where `patterns` is
    given), defaults and doc comments; and the bounds once more, because not every provider
    enforces the keywords.
    """
    match type:
        case Scalar():
            schema = dict(_SCALARS[type.kind])
            if type.low is not None and type.kind is not ScalarKind.TEXT:
                schema["minimum"] = float(type.low)
            if type.high is not None and type.kind is not ScalarKind.TEXT:
                schema["maximum"] = float(type.high)
            return _described(schema, _scalar_in_words(type, patterns))
        case EnumType():
            docs = "; ".join(f"{member}: {_line(doc)}" for member, doc in type.docs)
            return _described({"type": "string", "enum": list(type.members)}, docs)
        case RecordType():
            schema = {
                "type": "object",
                "properties": {field.key: _field_schema(field, patterns) for field in type.fields},
                "required": [
                    field.key
                    for field in type.fields
                    if not field.has_default and not isinstance(field.type, OptionalType)
                ],
                "additionalProperties": False,
            }
            return _described(schema, type.doc or "")
        case ListType():
            schema = {"type": "array", "items": json_schema(type.element, patterns)}
            if type.max_length is None:
                return schema
            schema["maxItems"] = type.max_length
            return _described(schema, f"at most {_count(type.max_length, 'item')}")
        case MapType():
            schema = {
                "type": "object",
                "additionalProperties": json_schema(type.value, patterns),
            }
            if type.max_length is None:
                return schema
            return _described(schema, f"at most {_count(type.max_length, 'key')}")
        case OptionalType():
            return {"anyOf": [json_schema(type.inner, patterns), {"type": "null"}]}
        case NoneType():
            return {"type": "null"}
        case NothingType() | ErrorType() | AnswererType():
            return {}
        case _:
            assert_never(type)


def _described(schema: dict[str, Any], words: str) -> dict[str, Any]:
    return {**schema, "description": words} if words else schema


def _line(text: str) -> str:
    """A doc comment in one line, without the full stop at its end."""
    return " ".join(text.split()).removesuffix(".")


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _field_schema(field: Typed, patterns: Patterns | None) -> dict[str, Any]:
    """The schema of a field or parameter: its type's, described by its doc comment, too."""
    schema = json_schema(field.type, patterns)
    limits = schema.get("description", "")
    if field.has_default and isinstance(field.default, (str, int, Decimal)):
        limits = "; ".join(filter(None, (limits, f"{_json(field.default)} if left out")))
    if not field.doc:
        return _described(schema, limits)
    return _described(schema, f"{_line(field.doc)} ({limits})" if limits else field.doc)


def _json(value: str | int | Decimal) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else plain(Decimal(value))


def _scalar_in_words(type: Scalar, patterns: Patterns | None) -> str:
    match type.kind:
        case ScalarKind.TEXT:
            return "; ".join(_text_limits(type, patterns))
        case ScalarKind.IMAGE | ScalarKind.DOCUMENT:
            most = f" of at most {_count(type.max_pages, 'page')}" if type.max_pages else ""
            return f'a {type.kind.value}{most}: {{"data", "media_type"}}, the data in base64'
        case ScalarKind.TIME:
            return "with its offset, such as 2026-11-21T09:30:00Z"
        case _:
            return quantity_in_words(type)


def _text_limits(type: Scalar, patterns: Patterns | None) -> Iterator[str]:
    if type.max_tokens is not None:
        yield f"at most {type.max_tokens * BYTES_A_TOKEN} bytes of UTF-8"
    if type.patterns is not None and patterns is not None:
        yield f"matches {patterns_in_words(patterns[type.patterns])}"


def patterns_in_words(patterns: tuple[str, ...]) -> str:
    """The patterns of a declaration, of which one is to match; the first of them if there are too
    many for a sentence.
    """
    shown: list[str] = []
    for pattern in patterns:
        if shown and sum(map(len, shown)) + len(pattern) > _LONGEST_PATTERN:
            break
        shown.append(f"`{pattern}`")
    more = len(patterns) - len(shown)
    return " or ".join(shown) + (f" or one of {more} more patterns" if more else "")


def quantity_in_words(type: Scalar) -> str:
    """Unit and bounds of a quantity as JSON has it: "between 0 and 1", "seconds, 60 to 7200";
    empty for a number that has neither.
    """
    low, high = bounds(type)
    unit = _UNITS.get(type.kind)
    if low is None and high is None:
        return unit or ""
    if low is not None and high is not None:
        first, last = plain(low), plain(high)
        return f"{unit}, {first} to {last}" if unit else f"between {first} and {last}"
    one_sided = f"at most {plain(high)}" if high is not None else f"at least {plain(low or _ZERO)}"
    return f"{unit}, {one_sided}" if unit else one_sided


def bounds(type: Scalar) -> tuple[Decimal | None, Decimal | None]:
    """The least and the greatest value of a quantity, inclusive, None for no bound."""
    if type.kind is not ScalarKind.PROBABILITY:
        return type.low, type.high
    return (
        _ZERO if type.low is None else type.low,
        Decimal(1) if type.high is None else type.high,
    )


class Typed(Protocol):
    """A field or a parameter: its name outside, its type, default and doc comment."""

    @property
    def name(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def type(self) -> Type: ...
    @property
    def has_default(self) -> bool: ...
    @property
    def default(self) -> Any: ...
    @property
    def doc(self) -> str | None: ...


def parameters_schema(
    parameters: Iterable[Typed], patterns: Patterns | None = None
) -> dict[str, Any]:
    """The JSON Schema of arguments by name."""
    listed = list(parameters)
    return {
        "type": "object",
        "properties": {one.key: _field_schema(one, patterns) for one in listed},
        "required": [
            one.key
            for one in listed
            if not one.has_default and not isinstance(one.type, OptionalType)
        ],
        "additionalProperties": False,
    }
