"""Expectations of a test against what its run did: each is met, or missed in words."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from pipelang.records import dataclass
from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.outcomes import Answered, Escalated, Failed, Rejected, Result
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import to_json
from pipelang.runtime.worlds.mocked import MockedWorld
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.arithmetic import equal
from pipelang.semantics.quantities import plain

RESULT = "result"
HANDOFF = "handoff"


@dataclass(frozen=True, slots=True)
class EndedTest:
    """The run of a test that is over; `evaluate` gives the value of an expression over values."""

    run: Run
    world: MockedWorld
    result: Result
    evaluate: Callable[[expr.Expr, Mapping[str, Any]], Any]


def missed(test: EndedTest, expectation: p.Expectation) -> str | None:
    """Say what is wrong with the run by an expectation; None if it is met."""
    result, came = test.result, describe(test.result)
    match expectation.what:
        case "answered":
            if not isinstance(result, Answered):
                return f"expected an answer, but it {came}"
            if expectation.value is None:
                return None
            wanted = test.evaluate(expectation.value, {})
            if not equal(to_json(result.value), to_json(wanted)):
                return f"expected {_show(wanted)}, found {_show(result.value)}"
        case "escalated":
            if not isinstance(result, Escalated):
                return f"expected it to escalate, but it {came}"
            if expectation.name not in (None, result.reason):
                return f"expected `{expectation.name}` to escalate, but it {came}"
        case "rejected":
            if not isinstance(result, Rejected):
                return f"expected it to be rejected, but it {came}"
            if expectation.name not in (None, result.reason):
                return f"expected `{expectation.name}` to reject, but it {came}"
        case "failed":
            if not isinstance(result, Failed):
                return f"expected it to fail, but it {came}"
            if expectation.name not in (None, result.code):
                return f"expected it to fail with `{expectation.name}`, but it {came}"
        case "called" | "not called":
            return _calls(test, expectation)
        case "holds":
            assert expectation.value is not None
            return _condition(test, expectation.value)
        case _:
            compare = _COMPARISONS[expectation.op or "<="]
            limit = Decimal(test.evaluate(expectation.value, {}) if expectation.value else 0)
            if result.cost is None:
                return "its cost is unknown: a tier that it asked has no price"
            if not compare(result.cost, limit):
                cost, op = plain(result.cost), expectation.op
                return f"it cost ${cost}, expected {op} ${plain(limit)}"
    return None


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}


# ----------------------------------------------------------------------------------------- calls


def _calls(test: EndedTest, expectation: p.Expectation) -> str | None:
    name = expectation.name or ""
    made = [arguments for tool, arguments in test.world.calls if tool == name]
    wanted: dict[str, Any] = {}
    if expectation.arguments:
        values, absent = _values(test, tuple(value for _, value in expectation.arguments))
        if absent is not None:
            return absent
        keys = {one.name: one.key for one in test.run.program.tools[name].parameters}
        for parameter, value in expectation.arguments:
            found, problem = _evaluated(test, value, values)
            if problem is not None:
                return problem
            wanted[keys[parameter]] = to_json(found)
    fitting = [one for one in made if all(equal(one[key], wanted[key]) for key in wanted)]
    if expectation.what == "not called":
        return f"`{name}` was called{_with(fitting[-1])}" if fitting else None
    if expectation.times is not None and len(fitting) != expectation.times:
        said = f"{_times(expectation.times)}{_with(wanted) if wanted else ''}"
        return f"expected `{name}` to be called {said}, it was {_times(len(fitting))}"
    if fitting or expectation.times is not None:
        return None
    if not made:
        return f"`{name}` was never called{_failure(test.result)}"
    return f"`{name}` was never called{_with(wanted)}; the last call was{_with(made[-1])}"


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count} times")


def _with(arguments: Mapping[str, Any]) -> str:
    listed = ", ".join(f"{key}: {_show(value)}" for key, value in arguments.items())
    return f" with {_short(listed)}" if listed else " without arguments"


# ------------------------------------------------------------------------------------ conditions


def _condition(test: EndedTest, condition: expr.Expr) -> str | None:
    """Say what is wrong by an `expect EXPR`."""
    values, absent = _values(test, (condition,))
    if absent is not None:
        return absent
    holds, problem = _evaluated(test, condition, values)
    if problem is not None or holds:
        return problem
    return _why_not(test, condition, values)


def _values(test: EndedTest, read: tuple[expr.Expr, ...]) -> tuple[dict[str, Any], str | None]:
    """The values that expressions mention, or in words which of them the run did not make."""
    run, result = test.run, test.result
    known: dict[str, Any] = {
        name: value for name, value in run.values.items() if not name.startswith("budget.")
    }
    declared = _names(run)
    for name in sorted(frozenset[str]().union(*map(expr.mentions, read))):
        if name in known:
            continue
        if name == RESULT and name not in declared:
            if not isinstance(result, Answered):
                return known, f"it has no `result`: it {describe(result)}"
            known[name] = result.value
        elif name == HANDOFF and name not in declared:
            if not isinstance(result, Escalated):
                return known, f"it has no `handoff`: it {describe(result)}"
            known[name] = _handed_over(run, result)
            for part in sorted(_parts_of_handoff(read)):
                if part not in known[name]:
                    return known, f"the handoff has no `{part}`: it was never made"
        else:
            return known, f"`{name}` was never made{_failure(result)}"
    return known, None


def _names(run: Run) -> set[str]:
    """The names of the values that a run of the pipeline may make."""
    from pipelang.semantics.walk import all_items

    items = all_items(run.pipeline.block)
    return {item.name for item in items if isinstance(item, (p.Step, p.Let))}


def _handed_over(run: Run, result: Escalated) -> dict[str, Any]:
    """Parts of a handoff, with values as the run made them."""
    handed = result.handoff
    said = {
        "input": {one.name: run.values[one.name] for one in run.pipeline.parameters},
        "text": result.text,
        "inside": handed.get("inside"),
        "with": handed.get("with"),
    }
    values = handed["values"]
    return {**said, **{name: run.values.get(name, values[name]) for name in values}}


def _parts_of_handoff(read: tuple[expr.Expr, ...]) -> set[str]:
    return {
        node.name
        for part in read
        for node in expr.walk(part)
        if isinstance(node, expr.Field) and isinstance(node.target, expr.Read)
        if node.target.name == HANDOFF
    }


def _evaluated(
    test: EndedTest, node: expr.Expr, values: Mapping[str, Any]
) -> tuple[Any, str | None]:
    """The value of an expression, or in words why it has none."""
    try:
        return test.evaluate(node, values), None
    except NoValue as problem:
        return None, str(problem)
    except TypeError:  # `len` or an order of what is absent: nothing else has another type here
        return None, f"`{expr.show(node)}` has no value: a part of it is not there"


def _why_not(test: EndedTest, condition: expr.Expr, values: Mapping[str, Any]) -> str:
    """The part of a condition that does not hold, with what it was about."""
    match condition:
        case expr.Logic(op="and"):
            for part in (condition.left, condition.right):
                holds, problem = _evaluated(test, part, values)
                if problem is not None or not holds:
                    return problem or _why_not(test, part, values)
        case expr.Compare(op="==") if not isinstance(condition.left, expr.Const):
            found, _ = _evaluated(test, condition.left, values)
            wanted, _ = _evaluated(test, condition.right, values)
            said = expr.show(condition.left)
            return f"expected `{said}` to be {_show(wanted)}, found {_show(found)}"
        case expr.IsPresent():
            return f"expected `{expr.show(condition.target)}` to be there"
        case expr.Not(operand=expr.IsPresent(target=target)):
            found, _ = _evaluated(test, target, values)
            return f"expected `{expr.show(target)}` to be null, found {_show(found)}"
        case _:
            pass
    shown = [
        f"`{expr.show(part)}` is {_show(value)}"
        for part in _about(condition)
        for value, problem in [_evaluated(test, part, values)]
        if problem is None
    ]
    told = f": {', '.join(shown)}" if shown else ""
    return f"`{expr.show(condition)}` does not hold{told}"


def _about(condition: expr.Expr) -> list[expr.Expr]:
    """The values that a condition is about, without what is written down in it."""
    match condition:
        case expr.Not():
            return _about(condition.operand)
        case expr.Compare() | expr.Logic():
            sides: tuple[expr.Expr, ...] = (condition.left, condition.right)
        case expr.Member():
            sides = (condition.item, condition.collection)
        case expr.Matches():
            sides = (condition.text,)
        case expr.Builtin():
            sides = condition.arguments
        case expr.IsPresent():
            sides = (condition.target,)
        case _:
            sides = ()
    return [side for side in sides if expr.mentions(side)]


# ----------------------------------------------------------------------------------------- words


def _show(value: Any) -> str:
    return _short(json.dumps(to_json(value), ensure_ascii=False, default=str))


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:197] + "..."


def describe(result: Result) -> str:
    """A result in words, with the failure before it if it did not answer: the tool's exception."""
    said = _outcome_in_words(result)
    return said if isinstance(result, Answered) else said + _failure(result)


def _failure(result: Result) -> str:
    """The last failure of a run in words: of which step, and what a tool raised where."""
    failed = [event for event in result.trace if event.kind == "failed"]
    if not failed:
        return ""
    last = failed[-1]
    return f"; `{last.name}` had failed ({last.data['why']}): {last.data.get('message', '')}"


def _outcome_in_words(result: Result) -> str:
    match result:
        case Answered():
            return f"answered {_show(result.value)}"
        case Escalated():
            return f"escalated to {result.role} by `{result.reason}`"
        case Rejected():
            return f"was rejected by `{result.reason}`"
        case Failed():
            return f"failed with `{result.code}` at `{result.reason}`"
