"""The file of recorded answers: JSON Lines, one answer (or fault) a line.

    {"recording": 1, "source": "hand-written", "note": "made up for the example"}
    {"prompt": "classify_ticket", "args": {"ticket": {"id": "T01"}}, "answer": {"kind": "billing"},
     "correct": true, "usage": {"input": 312, "output": 41}}
    {"prompt": "classify_ticket", "args": {"ticket": {"id": "T02"}}, "fault": "overloaded"}
    {"prompt": "answer_ticket", "calls": [{"name": "search_kb", "args": {"query": "bill"}}]}
    {"prompt": "answer_ticket", "answer": {"text": "It is right."}}

(each on one line). The last two are an agent's turns: it asks for a tool, then it answers. People
write these by hand, so `args` need only tell the calls apart: a call matches when every leaf that
is given equals the call's. A list is matched as a whole: element by element, each partially, and
of the same length; an empty object only matches an empty one.

A recording is what an offline run believes, so a line that can't be understood is an error with
its place and never skipped: a misspelt key would silently turn into another answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias, get_args

from pipelang.records import dataclass, field
from pipelang.runtime.engine.world import ToolCall
from pipelang.runtime.providers.protocol import FaultKind, Usage

VERSION = 1

Leaf: TypeAlias = tuple[tuple[str | int, ...], tuple[str, Any]]
"""The path of a value in the arguments, and the value with its JSON type."""

_LENGTH = "#length"
"""Ends the path of a pseudo-leaf: the length of a list."""

_KEYS = frozenset(
    {"prompt", "args", "tier", "model", "answer", "correct", "usage", "fault", "message"}
    | {"retry_after", "note", "calls", "probabilities"}
)
_HEADER_KEYS = frozenset({"recording", "source", "note"})
_USAGE_KEYS = frozenset({"input", "output", "cache_write", "cache_read"})
_FAULTS: frozenset[str] = frozenset(get_args(FaultKind))


class RecordingError(ValueError):
    """A line of a recording can't be understood."""

    def __init__(self, file: str, line: int, problem: str) -> None:
        super().__init__(file, line, problem)
        self.file = file
        self.line = line
        """From 1."""
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a recording; all fields are empty where the file has none."""

    source: str | None = None
    """`hand-written` or `recorded`, or the writer's own word."""
    note: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """One line: what to answer to calls that match."""

    prompt: str
    args: Mapping[str, Any] = field(repr=False)
    leaves: frozenset[Leaf] = field(repr=False)
    """`args` as it is matched."""
    line: int
    """In the file, from 1."""
    tier: str | None = None
    """None matches every tier."""
    model: str | None = None
    answer: Any = field(default=None, repr=False)
    correct: bool | None = None
    """None where nobody has judged it."""
    usage: Usage | None = None
    fault: FaultKind | None = None
    """Raised in place of an answer."""
    calls: tuple[ToolCall, ...] = field(default=(), repr=False)
    """The tools that an agent's model asked for at this turn, in place of an answer."""
    message: str | None = None
    retry_after: float | None = None
    """Seconds."""
    note: str | None = None
    probabilities: bool = False
    """Whether the confidence of a decision is a probability that the provider told."""


def read_recording(path: Path) -> tuple[Header, tuple[RecordedAnswer, ...]]:
    """The header and the records of a file, in its order. Raises RecordingError and OSError."""
    header, records = Header(), []
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                # Not `splitlines`: JSON text may hold U+2028, which that one takes for a break.
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                if not text:
                    continue
                fields = json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_constant)
                if not isinstance(fields, dict):
                    raise ValueError("expected an object")
                if "recording" in fields:
                    if number != 1:
                        raise ValueError("a header belongs on the first line")
                    header = _header(fields)
                else:
                    records.append(_record(fields, number))
            except json.JSONDecodeError as error:
                problem = f"not JSON: {error.msg} at column {error.colno}"
                raise RecordingError(str(path), number, problem) from None
            except UnicodeDecodeError:
                raise RecordingError(str(path), number, "not UTF-8") from None
            except RecursionError:
                raise RecordingError(str(path), number, "nested too deeply") from None
            except ValueError as error:
                raise RecordingError(str(path), number, str(error)) from None
    return header, tuple(records)


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[Leaf]:
    """The leaves of a JSON value, and the length of each list in it."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, (list, tuple)):
        yield (*path, _LENGTH), ("number", len(value))
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path, _typed(value)


def leaf_at(value: Any, path: tuple[str | int, ...]) -> tuple[str, Any] | None:
    """The leaf of `value` at `path` as `leaves` would yield it, or None where there is none."""
    for part in path:
        if part == _LENGTH and isinstance(value, (list, tuple)):
            return "number", len(value)
        if isinstance(part, int):
            if not isinstance(value, (list, tuple)) or part >= len(value):
                return None
            value = value[part]
        elif isinstance(value, Mapping) and part in value:
            value = value[part]
        else:
            return None
    if isinstance(value, (list, tuple)) or (isinstance(value, Mapping) and value):
        return None
    return _typed(value)


def _typed(value: Any) -> tuple[str, Any]:
    # To Python `True == 1`; to JSON they are two values.
    match value:
        case bool():
            return "bool", value
        case int() | float():
            return "number", value
        case Decimal():
            # As a file would hold it; `Decimal("0.1") == 0.1` is false.
            return "number", float(value)
        case str():
            return "text", value
        case None:
            return "null", None
        case _ if isinstance(value, Mapping):
            return "object", None
        case _:
            return "no JSON value", None


def _header(fields: dict[str, Any]) -> Header:
    _only(fields, _HEADER_KEYS, "a header")
    version = fields["recording"]
    if isinstance(version, bool) or version != VERSION:
        raise ValueError(f'expected `"recording": {VERSION}`, the version of the format')
    return Header(_optional(fields, "source", str), _optional(fields, "note", str))


def _record(fields: dict[str, Any], line: int) -> RecordedAnswer:
    _only(fields, _KEYS, "a record")
    prompt = _optional(fields, "prompt", str)
    if not prompt:
        raise ValueError("`prompt` is missing: the name of the prompt that is answered")
    if sum(name in fields for name in ("answer", "fault", "calls")) != 1:
        raise ValueError("expected either `answer` or `fault`, or `calls`")
    fault = fields.get("fault")
    if "fault" in fields and (not isinstance(fault, str) or fault not in _FAULTS):
        raise ValueError(f"unknown `fault`; expected one of {', '.join(sorted(_FAULTS))}")
    calls = _calls(_optional(fields, "calls", list) or [], line)
    if "calls" in fields and not calls:
        raise ValueError("expected `calls` to hold a call; a turn without any has an `answer`")
    args = _optional(fields, "args", dict) or {}
    retry_after = _optional(fields, "retry_after", (int, float))
    if retry_after is not None and retry_after < 0:
        raise ValueError("expected `retry_after` to be seconds, 0 or more")
    return RecordedAnswer(
        prompt=prompt,
        args=args,
        leaves=frozenset(leaves(args)) if args else frozenset(),
        line=line,
        tier=_optional(fields, "tier", str),
        model=_optional(fields, "model", str),
        answer=fields.get("answer"),
        correct=_optional(fields, "correct", bool),
        usage=_usage(_optional(fields, "usage", dict)),
        fault=fault,
        calls=calls,
        message=_optional(fields, "message", str),
        retry_after=retry_after,
        note=_optional(fields, "note", str),
        probabilities=bool(_optional(fields, "probabilities", bool)),
    )


_CALL_KEYS = frozenset({"id", "name", "args"})


def _calls(given: list[Any], line: int) -> tuple[ToolCall, ...]:
    """Tool calls; one without an id gets one, which only has to differ from its neighbours'."""
    calls = []
    for number, fields in enumerate(given):
        if not isinstance(fields, dict):
            raise ValueError("expected each of `calls` to be an object")
        _only(fields, _CALL_KEYS, "one of `calls`")
        name = _optional(fields, "name", str)
        if not name:
            raise ValueError("a call of `calls` has no `name`: the tool that is called")
        id = _optional(fields, "id", str) or f"call_{line}_{number}"
        calls.append(ToolCall(id, name, _optional(fields, "args", dict) or {}))
    return tuple(calls)


def _usage(fields: dict[str, Any] | None) -> Usage | None:
    if fields is None:
        return None
    _only(fields, _USAGE_KEYS, "`usage`")
    for name, count in fields.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise ValueError(f"expected `usage.{name}` to be a whole number of tokens")
    if "input" not in fields or "output" not in fields:
        raise ValueError("`usage` needs `input` and `output`")
    return Usage(**fields)


def _optional(fields: dict[str, Any], name: str, kind: Any) -> Any:
    value = fields.get(name)
    wrong = isinstance(value, bool) and kind is not bool
    if value is not None and (wrong or not isinstance(value, kind)):
        words = {str: "a text", dict: "an object", list: "a list", bool: "true or false"}
        raise ValueError(f"expected `{name}` to be {words.get(kind, 'a number')}")
    return value


def _only(fields: dict[str, Any], known: frozenset[str], what: str) -> None:
    for name in fields:
        if name not in known:
            raise ValueError(
                f"unknown key `{name}` in {what}; known are {', '.join(sorted(known))}"
            )


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key comes twice in one object")
    return fields


def _no_constant(name: str) -> Any:
    raise ValueError(f"`{name}` isn't JSON")
