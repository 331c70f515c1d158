"""Expectations against the type of an answer: what none can ever be is a mistake of the set."""

from __future__ import annotations

import json
from collections.abc import Collection
from math import isfinite
from typing import Any

from pipelang.diagnostics.spelling import closest
from pipelang.interfaces.golden.cases import BadSet, GoldenCase, Near, as_number, place_of
from pipelang.semantics import program as p
from pipelang.semantics.types import (
    EnumType,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
)

_NUMBERS = (
    ScalarKind.INT,
    ScalarKind.NUMBER,
    ScalarKind.PROBABILITY,
    ScalarKind.MONEY,
    ScalarKind.DURATION,
    ScalarKind.TOKENS,
    ScalarKind.RATE,
)


def check_types(case: GoldenCase, program: p.Program) -> None:
    """Refuse a case whose value or fields no answer of its pipeline can have. Raises `BadSet`."""
    expected = case.expected
    if expected is None:
        return
    returns = program.pipelines[case.pipeline].returns
    for path, wanted in expected.fields:
        type = _at(returns, path, case.line)
        if type is not None:
            _fits(type, wanted, ".".join(path), case.line)
    if expected.has_value and expected.fn is None and expected.judge is None:
        _fits(returns, expected.value, "value", case.line)


def _at(type: Type, path: tuple[str, ...], line: int) -> Type | None:
    """The type at a path of an answer; None where anything may stand there."""
    for number, part in enumerate(path):
        while isinstance(type, OptionalType):
            type = type.inner
        shown = ".".join(path[:number]) or "the answer"
        match type:
            case RecordType():
                fields = {one.key: one.type for one in type.fields}
                if part not in fields:
                    why = f"`{shown}` has no `{part}`" if number else f"the answer has no `{part}`"
                    raise BadSet(line, why, _near(part, fields))
                type = fields[part]
            case ListType():
                most = type.max_length
                place = place_of(part)
                if place is None or (most is not None and place >= most):
                    end = "" if most is None else f" to {most - 1}"
                    help = f"name an element by its number, from 0{end}"
                    raise BadSet(line, f"`{shown}` is a list and has no `{part}`", help)
                type = type.element
            case MapType():
                type = type.value
            case Scalar(kind=ScalarKind.JSON):
                return None
            case _:
                help = f"the path ends at `{shown}`" if number else "compare it by `value`"
                raise BadSet(line, f"`{shown}` has no parts, so no `{part}`", help)
    return type


def _fits(type: Type, wanted: Any, at: str, line: int) -> None:
    """Refuse what no value of a type is equal to."""
    match type:
        case OptionalType():
            if wanted is not None:
                _fits(type.inner, wanted, at, line)
        case RecordType():
            fields = {one.key: one.type for one in type.fields}
            if not isinstance(wanted, dict):
                raise _unlike(wanted, at, "an object", line)
            for key in wanted:
                if key not in fields:
                    raise BadSet(line, f"`{at}` has no `{key}`", _near(key, fields))
            missing = [key for key in fields if key not in wanted]
            if missing:
                why = f"`{at}` lacks `{missing[0]}`, which every answer has"
                raise BadSet(line, why, "name all parts, or compare some of them by `fields`")
            for key, part in wanted.items():
                _fits(fields[key], part, key if at == "value" else f"{at}.{key}", line)
        case ListType():
            if not isinstance(wanted, list):
                raise _unlike(wanted, at, "a list", line)
            if type.max_length is not None and len(wanted) > type.max_length:
                raise _unlike(wanted, at, f"at most {type.max_length} elements", line)
            for number, one in enumerate(wanted):
                _fits(type.element, one, f"{at}.{number}", line)
        case MapType():
            if not isinstance(wanted, dict):
                raise _unlike(wanted, at, "an object", line)
            for key, one in wanted.items():
                _fits(type.value, one, f"{at}.{key}", line)
        case EnumType():
            if wanted not in type.members:
                near = _near(wanted, type.members)
                raise BadSet(line, f"`{at}` is never {_shown(wanted)}", near)
        case Scalar(kind=ScalarKind.BOOL):
            if not isinstance(wanted, bool):
                raise _unlike(wanted, at, "true or false", line)
        case Scalar(kind=kind) if kind in _NUMBERS:
            if not isinstance(wanted, Near) and not _is_number(wanted):
                raise _unlike(wanted, at, "a number", line)
        case Scalar(kind=ScalarKind.TEXT | ScalarKind.TIME):
            if not isinstance(wanted, str):
                raise _unlike(wanted, at, "a text", line)
        case _:
            pass


def _is_number(wanted: Any) -> bool:
    if not isinstance(wanted, str):
        return type(wanted) is int or as_number(wanted) is not None
    try:
        return isfinite(float(wanted))
    except ValueError:
        return False


def _unlike(wanted: Any, at: str, what: str, line: int) -> BadSet:
    return BadSet(line, f"`{at}` is never {_shown(wanted)}", f"it is {what}")


def _shown(wanted: Any) -> str:
    if isinstance(wanted, Near):
        return f"near {wanted.value:g}"
    text = json.dumps(wanted, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _near(name: Any, known: Collection[str]) -> str:
    close = closest(str(name), known)
    return f"did you mean `{close}`?" if close else f"there are: {', '.join(known) or 'none'}"
