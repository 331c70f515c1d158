"""Running `test` blocks: given, mock, expect."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipelang.diagnostics import Span
from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.outcomes import Answered, Escalated, Failed, Rejected, Result
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import Misfit, field_of, to_json
from pipelang.runtime.host.handle import Handle, InputError, LoadedProgram, NotRunnable, Runtime
from pipelang.runtime.tools.registry import Toolbox, ToolMissing
from pipelang.runtime.worlds.mocked import FAILS, MockedWorld, Unmocked
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import sub_pipelines
from pipelang.semantics.types import Type
from pipelang.semantics.walk import all_items, inner_links


@dataclass(frozen=True, slots=True)
class Miss:
    """An expectation that was not met; `span` is its line."""

    message: str
    span: Span


@dataclass(frozen=True, slots=True)
class TestResult:
    """A test's misses (none: it passed) and the run's events."""

    __test__ = False  # pytest would take it for a test class

    test: p.Test
    misses: tuple[Miss, ...]
    trace: tuple[Event, ...]


class _BadMock(Exception):
    """A mock that cannot be one; `span` is its line."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.span = span


async def run_test(loaded: LoadedProgram, test: p.Test) -> TestResult:
    """Run one test. What cannot be run is a miss, never an exception."""
    program = loaded.program
    pipeline = program.pipelines[test.pipeline]
    try:
        handle = TestHandle(loaded, pipeline, Runtime(), _stand_ins(program))
        evaluate = handle.evaluate
        values, answers = _mocks(loaded, test, evaluate)
        world = MockedWorld(loaded.types, Toolbox(program, {}), values, answers)
        keys = {one.name: one.key for one in handle.pipeline.parameters}
        given = {keys[name]: to_json(evaluate(value)) for name, value in test.arguments}
        run = handle.start(given, world=world)
    except _BadMock as wrong:
        return TestResult(test, (Miss(str(wrong), wrong.span),), ())
    except (InputError, NotRunnable, ToolMissing, NoValue) as error:
        return TestResult(test, (Miss(str(error), test.span),), ())
    try:
        result = await run_pipeline(run)
    except Unmocked as reached:
        return TestResult(test, (Miss(str(reached), test.span),), tuple(run.trace))
    misses = [
        miss
        for expectation in test.expectations
        if (miss := _check(run, world, result, expectation, evaluate)) is not None
    ]
    return TestResult(test, tuple(misses), tuple(run.trace))


def _mocks(
    loaded: LoadedProgram, test: p.Test, evaluate: Callable[[Any], Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The mocks of a test: values by step or tool, answers by approval or hold. They must fit their
    types as answers from outside do. Raises `_BadMock`.
    """
    types = _targets(loaded.program, loaded.program.pipelines[test.pipeline])
    values: dict[str, Any] = {}
    answers: dict[str, str] = {}
    for mock in test.mocks:
        name = mock.target
        if mock.answer is not None:
            answers[name] = mock.answer
        elif name not in types:
            raise _BadMock(f"`{name}` is worked out from other values: mock those", mock.span)
        elif mock.values is None:
            values[name] = FAILS
        else:
            try:
                given = [to_json(evaluate(value)) for value in mock.values]
                values[name] = [loaded.types.check(types[name], value) for value in given]
            except Misfit as misfit:
                raise _BadMock(f"`{name}`: {misfit}", mock.span) from None
    return values, answers


def _stand_ins(program: p.Program) -> dict[str, Callable[..., Any]]:
    """Tools need not be importable for a test that never calls them."""

    def stand_in(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a test calls tools through its world")

    return dict.fromkeys(program.tools, stand_in)


class TestHandle(Handle):
    """A handle that also evaluates the constants of a test."""

    __test__ = False

    def evaluate(self, expr: Any) -> Any:
        return self._expressions.evaluate(expr, {})


def _targets(program: p.Program, pipeline: p.Pipeline) -> dict[str, Type]:
    """The names that can be mocked with values, and their types: steps that ask or call, those of
    sub-pipelines as `PIPELINE.STEP`, and tools.
    """
    types = {tool.name: tool.returns for tool in program.tools.values()}
    types |= dict(_steps(pipeline))
    for name in _behind(program, pipeline):
        inner = program.pipelines[name]
        types |= {f"{name}.{step}": type for step, type in _steps(inner)}
    return types


def _steps(pipeline: p.Pipeline) -> Iterator[tuple[str, Type]]:
    for item in all_items(pipeline.block):
        if isinstance(item, p.Step):
            actions = [link.action for link in inner_links(item.chain)]
            if not all(isinstance(action, (p.Value, p.Choose)) for action in actions):
                yield item.name, item.type


def _behind(program: p.Program, pipeline: p.Pipeline) -> Iterator[str]:
    """The pipelines that a run of one may reach."""
    for name in dict.fromkeys(sub_pipelines(pipeline.block)):
        yield name
        yield from _behind(program, program.pipelines[name])


def _check(
    run: Run,
    world: MockedWorld,
    result: Result,
    expectation: p.Expectation,
    evaluate: Callable[[Any], Any],
) -> Miss | None:
    def miss(message: str) -> Miss:
        return Miss(message, expectation.span)

    came = describe(result)
    match expectation.what:
        case "answered":
            if not isinstance(result, Answered):
                return miss(f"expected an answer, but it {came}")
            if expectation.value is not None:
                wanted = evaluate(expectation.value)
                if to_json(result.value) != to_json(wanted):
                    return miss(f"expected {_show(wanted)}, found {_show(result.value)}")
        case "escalated":
            if not isinstance(result, Escalated):
                return miss(f"expected it to escalate, but it {came}")
            if expectation.name not in (None, result.reason):
                return miss(f"expected `{expectation.name}` to escalate, but it {came}")
        case "rejected":
            if not isinstance(result, Rejected):
                return miss(f"expected it to be rejected, but it {came}")
            if expectation.name not in (None, result.reason):
                return miss(f"expected `{expectation.name}` to reject, but it {came}")
        case "failed":
            if not isinstance(result, Failed):
                return miss(f"expected it to fail, but it {came}")
            if expectation.name not in (None, result.code):
                return miss(f"expected it to fail with `{expectation.name}`, but it {came}")
        case "called" | "not called":
            if (expectation.name in world.called) != (expectation.what == "called"):
                word = "was never called" if expectation.what == "called" else "was called"
                return miss(f"`{expectation.name}` {word}")
        case "equal":
            return _equal(run, expectation, evaluate, miss)
        case _:
            compare = {
                "<=": operator.le,
                "<": operator.lt,
                ">=": operator.ge,
                ">": operator.gt,
                "==": operator.eq,
                "!=": operator.ne,
            }[expectation.op or "<="]
            limit = Decimal(evaluate(expectation.value))
            if not compare(result.cost, limit):
                return miss(f"it cost ${result.cost}, expected {expectation.op} ${limit}")
    return None


def _equal(
    run: Run,
    expectation: p.Expectation,
    evaluate: Callable[[Any], Any],
    miss: Callable[[str], Miss],
) -> Miss | None:
    path = (expectation.name or "").split(".")
    if path[0] not in run.values:
        return miss(f"`{path[0]}` was never made")
    value = run.values[path[0]]
    for part in path[1:]:
        value = field_of(value, part)
    found, wanted = to_json(value), to_json(evaluate(expectation.value))
    if found != wanted:
        return miss(f"expected `{expectation.name}` to be {_show(wanted)}, found {_show(found)}")
    return None


def _show(value: Any) -> str:
    import json

    text = json.dumps(to_json(value), ensure_ascii=False, default=str)
    return text if len(text) <= 200 else text[:197] + "..."


def describe(result: Result) -> str:
    """A result in words, with the failure before it if it did not answer: the tool's exception."""
    failed = [event for event in result.trace if event.kind == "failed"]
    if isinstance(result, Answered) or not failed:
        return _outcome_in_words(result)
    last = failed[-1]
    message = str(last.data.get("message", ""))
    return f"{_outcome_in_words(result)}; `{last.name}` had failed ({last.data['why']}): {message}"


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
