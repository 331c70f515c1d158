"""The comparison of a result with what a case expects: exactly, by field, by `fn`, by a judge."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from pipelang.interfaces.golden.cases import GoldenExpectation, Near, place_of
from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.outcomes import Answered, Escalated, Failed, Rejected, Result
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import Misfit, Types, to_json
from pipelang.semantics import expressions as expr
from pipelang.semantics.types import BOOL

Judge = Callable[[str, Any, Any], Awaitable[tuple[bool | None, str]]]
"""Asks a judging pipeline about an answer beside the expected one: its verdict, None if it gave
none, and the reason."""


async def difference(
    run: Run, types: Types, result: Result, expected: GoldenExpectation, judge: Judge
) -> str | None:
    """The first thing of a result that is not as expected; None if all is."""
    outcome = type(result).__name__.lower()
    if outcome != expected.outcome:
        return f"{_ended(result)}, expected {expected.outcome}"
    match result:
        case Escalated() | Rejected() if expected.reason not in (None, result.reason):
            return f"{outcome} because of `{result.reason}`, expected `{expected.reason}`"
        case Escalated() if expected.role not in (None, result.role):
            return f"escalated to `{result.role}`, expected `{expected.role}`"
        case Failed() if expected.code not in (None, result.code):
            return f"failed with `{result.code}`, expected `{expected.code}`"
        case _:
            pass
    calls = [event for event in result.trace if event.kind in ("result", "effect")]
    called = {event.data.get("tool") for event in calls}
    for tool in expected.called:
        if tool not in called:
            return f"`{tool}` was not called"
    for tool in expected.not_called:
        if tool in called:
            return f"`{tool}` was called"
    if isinstance(result, Answered):
        return await _value(run, types, result.value, expected, judge)
    return None


def _ended(result: Result) -> str:
    match result:
        case Failed():
            return f"failed with `{result.code}`" + (f" ({result.text})" if result.text else "")
        case Escalated() | Rejected():
            return f"{type(result).__name__.lower()} because of `{result.reason}`"
        case Answered():
            return f"answered {_shown(to_json(result.value))}"


async def _value(
    run: Run, types: Types, value: Any, expected: GoldenExpectation, judge: Judge
) -> str | None:
    said = to_json(value)
    if expected.fn is not None:
        return _by_function(run, types, value, expected)
    if expected.judge is not None:
        verdict, why = await judge(expected.judge, said, expected.value)
        if verdict:
            return None
        words = "gave no verdict" if verdict is None else "says it is wrong"
        return f"`{expected.judge}` {words}{f': {why}' if why else ''}"
    for path, wanted in expected.fields:
        missing, found = _at(said, path)
        name = ".".join(path)
        if missing:
            return f"there is no `{name}` in the answer"
        if not _equal(found, wanted):
            return f"`{name}` is {_shown(found)}, expected {_shown(wanted)}"
    if expected.has_value and not _equal(said, expected.value):
        return f"answered {_shown(said)}, expected {_shown(expected.value)}"
    return None


def _by_function(run: Run, types: Types, value: Any, expected: GoldenExpectation) -> str | None:
    assert expected.fn is not None
    function = run.program.functions[expected.fn]
    arguments: list[expr.Expr] = [expr.Const(value, run.pipeline.returns)]
    try:
        if expected.has_value and len(function.parameters) > 1:
            second = function.parameters[1].type
            arguments.append(expr.Const(types.check(second, expected.value), second))
        holds = run.evaluate(expr.Apply(function.name, tuple(arguments), BOOL))
    except (NoValue, Misfit) as problem:
        return f"`{expected.fn}` gave no verdict: {problem}"
    return None if holds is True else f"`{expected.fn}` does not hold"


def _at(value: Any, path: tuple[str, ...]) -> tuple[bool, Any]:
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list):
            place = place_of(part)
            if place is None or place >= len(value):
                return True, None
            value = value[place]
        else:
            return True, None
    return False, value


def _equal(found: Any, wanted: Any) -> bool:
    """Whether JSON values are equal; money may be written as a number or as a text."""
    if isinstance(wanted, Near):
        return _number(found) is not None and abs(float(found) - wanted.value) <= wanted.within
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    if isinstance(found, dict) and isinstance(wanted, dict):
        same = found.keys() == wanted.keys()
        return same and all(_equal(found[key], wanted[key]) for key in wanted)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(_equal, found, wanted))
    if isinstance(found, str) is not isinstance(wanted, str):
        one, other = _number(found), _number(wanted)
        return one is not None and one == other
    return bool(found == wanted)


def _number(value: Any) -> float | None:
    try:
        return None if value is None or isinstance(value, (bool, dict, list)) else float(value)
    except (ValueError, OverflowError):
        return None


def _shown(value: Any) -> str:
    if isinstance(value, Near):
        return f"{value.value:g} ± {value.within:g}"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 120 else f"{text[:117]}..."
