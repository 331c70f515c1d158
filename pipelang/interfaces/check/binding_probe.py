"""The child process of `check --import-tools`: imports one module and says what its functions take.

It is started with a request (JSON) and the path of a file for the answer, because whatever the
module prints goes nowhere, and because a module that ends the process must leave no half answer.
Annotations are told as data, so that they are compared where the declared types are.
"""

from __future__ import annotations

import collections.abc as abc
import dataclasses
import datetime
import inspect
import json
import os
import sys
import types
import typing
from decimal import Decimal
from numbers import Number
from pathlib import Path
from typing import Any

from pipelang.diagnostics import Span
from pipelang.runtime.media.medium import Media
from pipelang.runtime.tools.binding import ToolMissing, bind, describe

DEEPEST = 6
"""The depth to which annotations are compared; below it everything fits."""

ANYTHING = {"is": "any"}
_CLASSES: tuple[tuple[type, str], ...] = (
    (bool, "bool"),  # before int, of which it is one
    (int, "int"),
    (float, "float"),
    (Decimal, "decimal"),
    (str, "text"),
    (datetime.datetime, "time"),
    (datetime.date, "date"),
    (datetime.timedelta, "duration"),
    (bytes, "bytes"),
    (bytearray, "bytes"),
    (Path, "path"),
    (Media, "media"),
)
_LISTS = (list, tuple, abc.Sequence, abc.Iterable, abc.Collection, abc.MutableSequence)
_SETS = (set, frozenset, abc.Set, abc.MutableSet)
_MAPS = (dict, abc.Mapping, abc.MutableMapping)


def main(request: str, answer: str) -> None:
    """Answer a request: `bindings` are lists of a name, a target and the file that binds it."""
    bindings = json.loads(request)["bindings"]
    told = [probe(name, target, file) for name, target, file in bindings]
    with open(f"{answer}.part", "w", encoding="utf-8") as file:
        json.dump(told, file)
    os.replace(f"{answer}.part", answer)
    os._exit(0)  # threads or exit handlers of the module keep nobody waiting


def probe(name: str, target: str, file: str) -> dict[str, Any]:
    """The result for one name: `missing`, `failed`, or its signature."""
    try:
        function = bind(name, target, Span(file, 0, 0))
    except ToolMissing as missing:
        if missing.__cause__ is not None:
            return {"failed": describe(missing.__cause__)}
        return {"missing": str(missing).removeprefix(f"`{name}`: "), "help": missing.help}
    except BaseException as error:  # a KeyboardInterrupt that a module raises, say
        return {"failed": describe(error)}
    try:
        return signature(function)
    except Exception:  # an exotic object: nothing is sure
        return {"parameters": None}


def signature(function: Any) -> dict[str, Any]:
    """Parameters by name and kind, annotations, and where it stands."""
    try:
        found = inspect.signature(function)
    except (TypeError, ValueError):  # some built-in functions do not say
        return {"parameters": None}
    hints = _hints(function)
    call = function if inspect.isroutine(function) else type(function).__call__
    return {
        "parameters": [
            {
                "name": parameter.name,
                "kind": parameter.kind.name,
                "required": parameter.default is inspect.Parameter.empty,
                "none": parameter.default is None,
                "annotation": _told(hints, parameter.name),
            }
            for parameter in found.parameters.values()
        ],
        "returns": _told(hints, "return"),
        "async": inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call),
        "shown": f"{getattr(function, '__name__', 'it')}{found}",
    }


def _hints(function: Any) -> dict[str, Any]:
    """The annotations; none where they cannot be resolved, as with names only type checkers see."""
    target = inspect.unwrap(function) if callable(function) else function
    if inspect.isclass(target):
        target = target.__init__
    elif not inspect.isroutine(target):
        target = type(target).__call__
    try:
        hints = typing.get_type_hints(target)
    except Exception:
        return {}
    if inspect.isclass(function):
        hints.pop("return", None)
    return hints


def _told(hints: dict[str, Any], name: str) -> dict[str, Any]:
    if name not in hints:
        return ANYTHING
    return annotation(hints[name])


def annotation(given: Any, depth: int = 0) -> dict[str, Any]:
    """An annotation as data. What is not known well enough to rule anything out is `any`."""
    made = _described(given, depth) if depth < DEEPEST else ANYTHING
    if made is ANYTHING:
        return made
    return {**made, "shown": inspect.formatannotation(given).replace("NoneType", "None")}


def _described(given: Any, depth: int) -> dict[str, Any]:
    if given is None or given is type(None):
        return {"is": "none"}
    origin, arguments = typing.get_origin(given), typing.get_args(given)
    if origin in (typing.Union, types.UnionType):
        return {"is": "union", "of": [annotation(one, depth + 1) for one in arguments]}
    if origin is typing.Literal:
        plain = [value for value in arguments if isinstance(value, (str, int, bool))]
        return {"is": "literal", "values": plain} if len(plain) == len(arguments) else ANYTHING
    if origin is typing.Annotated:
        return annotation(arguments[0], depth)
    if hasattr(given, "__supertype__"):  # a NewType
        return annotation(given.__supertype__, depth + 1)
    base = origin or given
    if not inspect.isclass(base):
        return ANYTHING
    if base in _LISTS:
        even = base is not tuple or arguments[1:] == (...,)
        inner = arguments[0] if arguments and even else Any
        return {"is": "list", "of": annotation(inner, depth + 1)}
    if base in _SETS:
        return {"is": "set"}
    if base in _MAPS:
        inner = arguments[1] if len(arguments) == 2 else Any
        return {"is": "map", "of": annotation(inner, depth + 1)}
    return _of_class(base, depth)


def _of_class(base: type, depth: int) -> dict[str, Any]:
    for known, word in _CLASSES:
        if issubclass(base, known):
            return {"is": word}
    if issubclass(base, Number):
        return ANYTHING
    fields: dict[str, Any] | None = None
    if isinstance(getattr(base, "model_fields", None), dict):  # a pydantic model
        fields = {
            field.alias or name: [annotation(field.annotation, depth + 1), field.is_required()]
            for name, field in getattr(base, "model_fields").items()  # noqa: B009
        }
    elif typing.is_typeddict(base):
        required: frozenset[str] = getattr(base, "__required_keys__", frozenset())
        hints = typing.get_type_hints(base)
        fields = {
            name: [annotation(hint, depth + 1), name in required] for name, hint in hints.items()
        }
        return {"is": "map", "of": ANYTHING, "fields": fields}
    elif dataclasses.is_dataclass(base):
        hints = typing.get_type_hints(base)
        fields = {
            field.name: [
                annotation(hints.get(field.name, Any), depth + 1),
                field.default is dataclasses.MISSING
                and field.default_factory is dataclasses.MISSING,
            ]
            for field in dataclasses.fields(base)
        }
    return ANYTHING if fields is None else {"is": "model", "fields": fields}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
