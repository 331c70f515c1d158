"""The file of a golden set: one case a line, as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from math import isfinite
from typing import Any

from pipelang.diagnostics.spelling import closest
from pipelang.records import dataclass, field
from pipelang.runtime.files import strict_json
from pipelang.semantics import program as p
from pipelang.semantics.types import BOOL, RecordType
from pipelang.semantics.walk import all_items

OUTCOMES = ("answered", "escalated", "rejected", "failed")
_KEYS = ("case", "pipeline", "input", "expect", "times", "tools", "people")
_EXPECTED = (
    "outcome",
    "value",
    "fields",
    "fn",
    "judge",
    "reason",
    "code",
    "role",
    "called",
    "not_called",
)
_ONLY_OF = {"reason": ("escalated", "rejected"), "role": ("escalated",), "code": ("failed",)}
"""Expectations of some outcomes alone."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
MOST_TIMES = 1000


class BadSet(ValueError):
    """A golden set that cannot be run. The arguments are the line, the reason and the fix."""


@dataclass(frozen=True, slots=True)
class Near:
    """A number that may be off by so much."""

    value: float
    within: float


@dataclass(frozen=True, slots=True)
class GoldenExpectation:
    """The expectation of a case. The answer is `value` exactly, or has these `fields`, or satisfies
    the function `fn` or the pipeline `judge` (beside `value`, if there is one).
    """

    outcome: str
    has_value: bool = False
    value: Any = None
    fields: tuple[tuple[tuple[str, ...], Any], ...] = ()
    fn: str | None = None
    judge: str | None = None
    reason: str | None = None
    code: str | None = None
    role: str | None = None
    called: tuple[str, ...] = ()
    not_called: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """A case at its `line`. `expected` None: nothing is said so far. `tools` answer in place of the
    real ones, `people` by the names of approvals and holds.
    """

    name: str
    line: int
    pipeline: str
    given: Mapping[str, Any]
    expected: GoldenExpectation | None
    times: int | None = None
    tools: Mapping[str, Any] = field(default_factory=dict)
    people: Mapping[str, bool] = field(default_factory=dict)


def read_set(text: str, program: p.Program, pipeline: str | None) -> list[GoldenCase]:
    """The cases of a set; `pipeline` is that of lines that name none. Raises `BadSet`."""
    found: list[GoldenCase] = []
    names: dict[str, int] = {}
    for number, line in enumerate(lines_of(text.removeprefix("\ufeff")), 1):
        if not line.strip():
            continue
        case = _case(_object(line, number), number, program, pipeline)
        if case.name in names:
            why = f"case `{case.name}` stands on line {names[case.name]} already"
            raise BadSet(number, why, "every case has a name of its own")
        names[case.name] = number
        found.append(case)
    if not found:
        raise BadSet(1, "there are no cases", EXAMPLE)
    return found


def lines_of(text: str) -> list[str]:
    """The lines of a set with their ends. In texts JSON may have other separators, as U+2028."""
    return _LINE.findall(text)


EXAMPLE = 'one a line: {"case": "t1", "input": {...}, "expect": {"value": ...}}'


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        row = strict_json.loads(line)
    except strict_json.DuplicateKey as error:
        raise BadSet(number, str(error), "each of them once") from None
    except (ValueError, RecursionError) as error:
        raise BadSet(number, f"this is no JSON: {error}", EXAMPLE) from None
    if not isinstance(row, dict):
        raise BadSet(number, "a case is an object", EXAMPLE)
    return row


def _case(row: dict[str, Any], number: int, program: p.Program, pipeline: str | None) -> GoldenCase:
    _only(row, _KEYS, number, "a case")
    name = _name(row.get("case", f"line {number}"), number)
    wanted = row.get("pipeline", pipeline)
    if wanted is None:
        names = list(program.pipelines)
        if len(names) != 1:
            raise BadSet(number, "which pipeline?", f"`pipeline`, one of {', '.join(names)}")
        wanted = names[0]
    _known(wanted, program.pipelines, "pipeline", number)
    given = row.get("input")
    if not isinstance(given, dict):
        raise BadSet(number, "a case needs an `input`", "an object with the pipeline's inputs")
    times = row.get("times")
    if times is not None and (type(times) is not int or not 1 <= times <= MOST_TIMES):
        raise BadSet(number, "`times` is a whole number from 1 to 1000", "how often it is run")
    tools = _table(row, "tools", number, '{"TOOL": what it answers}')
    for tool in tools:
        _known(tool, program.tools, "tool", number)
    said = row.get("expect")
    expected = None if said is None else _expected(said, number, program)
    return GoldenCase(
        name, number, wanted, given, expected, times, tools, _people(row, number, program)
    )


def _name(said: Any, number: int) -> str:
    numeral = type(said) is int or (type(said) is float and isfinite(said))
    if not numeral and (not isinstance(said, str) or not said):
        raise BadSet(number, "`case` is a text or a number", "a name that no other case has")
    return str(said)


def _people(row: dict[str, Any], number: int, program: p.Program) -> dict[str, bool]:
    words = {"yes": True, "no": False, "veto": False}
    people = _table(row, "people", number, '{"APPROVAL": "yes"}')
    asked = [
        item.name
        for pipeline in program.pipelines.values()
        for item in all_items(pipeline.block)
        if isinstance(item, p.Person)
    ]
    for name, said in people.items():
        _known(name, asked, "approval or hold", number)
        if not isinstance(said, str) or said not in words:
            raise BadSet(number, f"`{name}` says yes, no or veto", 'such as {"signed": "yes"}')
    return {name: words[said] for name, said in people.items()}


def _expected(said: Any, number: int, program: p.Program) -> GoldenExpectation:
    if not isinstance(said, dict):
        raise BadSet(number, "`expect` is an object", '{"outcome": "escalated"} or {"value": ...}')
    _only(said, _EXPECTED, number, "`expect`")
    ways = [way for way in ("fields", "fn", "judge") if way in said]
    if len(ways) > 1:
        raise BadSet(number, f"{' and '.join(ways)} exclude each other", "one way to compare")
    if "fields" in said and "value" in said:
        raise BadSet(number, "`value` and `fields` exclude each other", "one way to compare")
    outcome = said.get("outcome", "answered")
    if outcome not in OUTCOMES:
        raise BadSet(number, f"no run ends `{outcome}`", f"one of {', '.join(OUTCOMES)}")
    if outcome != "answered" and (ways or "value" in said):
        raise BadSet(number, f"a run that is {outcome} has no value", "leave it out")
    for key, outcomes in _ONLY_OF.items():
        if said.get(key) is None:
            continue
        if outcome not in outcomes:
            help = " or ".join(f'"outcome": "{one}"' for one in outcomes)
            raise BadSet(number, f"a run that is {outcome} has no `{key}`", f"it goes with {help}")
        if not isinstance(said[key], str):
            raise BadSet(number, f"`{key}` is a text", f'as in "{key}": "..."')
    if said.get("role") is not None:
        _known(said["role"], program.roles, "role", number)
    fields = _table(said, "fields", number, '{"total": {"near": 12.5, "within": 0.01}}')
    if "fn" in said:
        _known(said["fn"], program.functions, "fn", number)
    if "judge" in said:
        _judge(said["judge"], number, program, "value" in said)
    for key in ("called", "not_called"):
        if not isinstance(said.get(key, []), list):
            raise BadSet(number, f"`{key}` is a list of tools", f'"{key}": ["TOOL"]')
        for tool in said.get(key, ()):
            _known(tool, program.tools, "tool", number)
    return GoldenExpectation(
        outcome,
        "value" in said,
        said.get("value"),
        tuple((tuple(path.split(".")), _field(value, number)) for path, value in fields.items()),
        said.get("fn"),
        said.get("judge"),
        said.get("reason"),
        said.get("code"),
        said.get("role"),
        tuple(said.get("called", ())),
        tuple(said.get("not_called", ())),
    )


def _judge(name: Any, number: int, program: p.Program, beside: bool) -> None:
    _known(name, program.pipelines, "pipeline", number)
    judge = program.pipelines[name]
    inputs = {one.key for one in judge.parameters}
    needed = {"answer", "expected"} if beside else {"answer"}
    if not needed <= inputs:
        help = "a judge takes `answer`, and `expected` where the case has a `value`"
        raise BadSet(number, f"`{name}` cannot judge", help)
    if judge.returns != BOOL and not isinstance(judge.returns, RecordType):
        raise BadSet(number, f"`{name}` says neither right nor wrong", "a judge answers `bool`")


def _known(name: Any, known: Collection[str], what: str, number: int) -> None:
    """Refuse a name that is none of those."""
    if not isinstance(name, str) or name not in known:
        shown = name if isinstance(name, str) else json.dumps(name)
        raise BadSet(number, f"there is no {what} `{shown}`", _near(shown, known))


def _table(row: dict[str, Any], key: str, number: int, example: str) -> dict[str, Any]:
    found = row.get(key, {})
    if not isinstance(found, dict):
        raise BadSet(number, f"`{key}` is an object", example)
    return found


def _field(value: Any, number: int) -> Any:
    if isinstance(value, dict) and set(value) == {"near", "within"}:
        near, within = (as_number(one) for one in (value["near"], value["within"]))
        if near is None or within is None or within < 0:
            why = "`near` and `within` are numbers, and `within` is not below 0"
            raise BadSet(number, why, '{"near": 12.5, "within": 0.01}')
        return Near(near, within)
    return value


def as_number(value: Any) -> float | None:
    """A number of JSON as a float; None for what is none, or larger than a float can be."""
    if type(value) not in (int, float):
        return None
    try:
        return float(value) if isfinite(value) else None
    except OverflowError:
        return None


def place_of(part: str) -> int | None:
    """The number of an element in a path; None for what is none."""
    return int(part) if part.isascii() and part.isdigit() and len(part) < 10 else None


def _only(row: dict[str, Any], known: tuple[str, ...], number: int, what: str) -> None:
    for key in row:
        if key not in known:
            raise BadSet(number, f"{what} has no `{key}`", _near(key, known))


def _near(name: Any, known: Any) -> str:
    close = closest(str(name), known)
    return f"did you mean `{close}`?" if close else f"there are: {', '.join(known) or 'none'}"
