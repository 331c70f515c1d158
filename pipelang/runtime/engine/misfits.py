"""Messages about values that do not fit their types, and values of models that fit by a default.

A message is in the units of JSON (0 to 1, seconds, dollars, bytes) and never holds the value: it
goes into traces and to the model that wrote the value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from pipelang.diagnostics.spelling import closest
from pipelang.semantics.jsonschema import Typed, patterns_in_words
from pipelang.semantics.quantities import BYTES_A_TOKEN
from pipelang.semantics.types import (
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
)


class Misfit(ValueError):
    """A value that does not fit its type. The message names the path and what is wrong with it."""


def out_of_range(allowed: str) -> str:
    """The message for a quantity beyond its bounds, which are told in the units of JSON: whoever
    wrote the value, a model or a program, wrote JSON.
    """
    number = allowed.startswith(("between", "at least", "at most"))
    return f"out of range, expected {'a number ' if number else ''}{allowed}"


def text_too_long(tokens: int, most: int) -> str:
    """The message for a text of so many tokens, in bytes too: those can be counted."""
    return (
        f"text of {tokens} tokens, at most {most} are allowed "
        f"({most * BYTES_A_TOKEN} bytes in JSON)"
    )


def text_without_match(name: str, patterns: tuple[str, ...]) -> str:
    """The message for a text in which nothing matches the patterns of a declaration."""
    return f"text that does not match {name}: {patterns_in_words(patterns)}"


def without_nulls(type: Type, value: Any) -> Any:
    """A JSON value of a model in which a field that is null, has a default and cannot be absent is
    left out: models write null where they have nothing to say.
    """
    match type:
        case RecordType() if isinstance(value, Mapping):
            types = {field.key: field for field in type.fields}
            return {
                name: without_nulls(types[name].type, item) if name in types else item
                for name, item in value.items()
                if not (item is None and name in types and null_is_default(types[name]))
            }
        case ListType() if isinstance(value, list):
            return [without_nulls(type.element, item) for item in value]
        case MapType() if isinstance(value, Mapping):
            return {name: without_nulls(type.value, item) for name, item in value.items()}
        case OptionalType() if value is not None:
            return without_nulls(type.inner, value)
        case _:
            return value


def arguments_by_model(parameters: Iterable[Typed], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that a model gave a tool, for all of its parameters: what is left out or null
    is the default. Raises `Misfit` for an argument that is unknown or missing.
    """
    known = {parameter.key: parameter for parameter in parameters}
    for name in given:
        if name not in known:
            close = closest(name, known)
            listed = ", ".join(f"`{one}`" for one in known) or "none"
            help = f"did you mean `{close}`?" if close else f"there are: {listed}"
            raise Misfit(f"there is no argument `{name}`; {help}")
    arguments = {}
    for name, parameter in known.items():
        value = without_nulls(parameter.type, given.get(name))
        left_out = name not in given or (value is None and null_is_default(parameter))
        if left_out and parameter.has_default:
            value = parameter.default
        elif name not in given and not isinstance(parameter.type, OptionalType):
            raise Misfit(f"argument `{name}` is missing")
        arguments[parameter.name] = value
    return arguments


def null_is_default(field: Typed) -> bool:
    """Whether null stands for the default of a field or parameter: it is no value of its own."""
    is_json = isinstance(field.type, Scalar) and field.type.kind is ScalarKind.JSON
    return field.has_default and not is_json and not isinstance(field.type, OptionalType)


_IN_JSON = dict.fromkeys(
    ("model_type", "model_attributes_type", "dict_type"), "expected a JSON object"
)
_IN_JSON |= {"extra_forbidden": "there is no such field", "missing": "it is missing"}
"""Problems in words of JSON that pydantic tells in those of Python and of its models."""


def told(kind: str, message: str) -> str:
    """A problem of a validation as whoever wrote the value takes it, who knows no class."""
    plain = message.removeprefix("Value error, ").replace(" after validation", "")
    return _IN_JSON.get(kind) or plain


def describe(error: ValidationError) -> str:
    """A validation error in a line: path and problem, values left out."""
    parts = []
    for problem in error.errors(include_url=False, include_input=False, include_context=False)[:5]:
        path = ".".join(str(part) for part in problem["loc"])
        message = told(problem["type"], problem["msg"])
        message = f"{message[:1].lower()}{message[1:]}"
        parts.append(f"`{path}`: {message}" if path else message)
    return "; ".join(parts)
