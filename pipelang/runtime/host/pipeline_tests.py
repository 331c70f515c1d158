"""Running `test` blocks: given, mock, expect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pipelang.diagnostics import Span
from pipelang.records import dataclass
from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.values import Misfit, to_json
from pipelang.runtime.host.expectations import EndedTest, missed
from pipelang.runtime.host.handle import Handle, InputError, LoadedProgram, NotRunnable, Runtime
from pipelang.runtime.media.given import MediaSources, with_media
from pipelang.runtime.media.looking import NotMedia
from pipelang.runtime.tools.binding import ToolMissing
from pipelang.runtime.tools.registry import Toolbox
from pipelang.runtime.worlds.mocked import FAILS, MockedTurn, MockedWorld, Unmocked
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import with_inner
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
        world = _world(loaded, test, evaluate)
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
        return TestResult(test, (Miss(str(reached), test.span),), tuple(run.trace or ()))
    ended = EndedTest(run, world, result, handle.evaluate)
    misses = [
        Miss(message, expectation.span)
        for expectation in test.expectations
        if (message := missed(ended, expectation)) is not None
    ]
    return TestResult(test, tuple(misses), tuple(run.trace or ()))


def _world(loaded: LoadedProgram, test: p.Test, evaluate: Callable[[Any], Any]) -> MockedWorld:
    """The world of a test: its mocks, which must fit their types as answers from outside do. Raises
    `_BadMock`.
    """
    program = loaded.program
    types = _targets(program, program.pipelines[test.pipeline])
    values: dict[str, Any] = {}
    verdicts: dict[str, tuple[p.MockedVerdict, ...]] = {}
    breaker_open = quota_spent = False
    for mock in test.mocks:
        name = mock.target
        if mock.verdicts is not None:
            verdicts[name] = mock.verdicts
        elif name == "breaker" and mock.values is None:
            breaker_open = True
        elif name == "quota" and mock.values is None:
            quota_spent = True
        elif name not in types:
            raise _BadMock(f"`{name}` is worked out from other values: mock those", mock.span)
        elif mock.values is None:
            values[name] = FAILS
        else:
            values[name] = [
                _turn(program, value, evaluate)
                if isinstance(value, p.MockedCall)
                else _fitting(loaded, mock, types[name], evaluate(value))
                for value in mock.values
            ]
    toolbox = Toolbox(program, {})
    return MockedWorld(loaded.types, toolbox, values, verdicts, breaker_open, quota_spent)


def _fitting(loaded: LoadedProgram, mock: p.Mock, type: Type, value: Any) -> Any:
    try:
        read = with_media(type, to_json(value), MediaSources())
        return loaded.types.check(type, read)
    except (Misfit, NotMedia) as misfit:
        raise _BadMock(f"`{mock.target}`: {misfit}", mock.span) from None


def _turn(program: p.Program, call: p.MockedCall, evaluate: Callable[[Any], Any]) -> MockedTurn:
    """The turn of a mocked agent, with its arguments as a model writes them."""
    tool = program.tools.get(call.callee)
    parameters = program.pipelines[call.callee].parameters if tool is None else tool.parameters
    keys = {one.name: one.key for one in parameters}
    given = {keys[name]: to_json(evaluate(value)) for name, value in call.arguments}
    return MockedTurn(call.callee, given)


def _stand_ins(program: p.Program) -> dict[str, Callable[..., Any]]:
    """Tools need not be importable for a test that never calls them."""

    def stand_in(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a test calls tools through its world")

    return dict.fromkeys(program.tools, stand_in)


class TestHandle(Handle):
    """A handle that also evaluates the constants of a test."""

    __test__ = False

    def evaluate(self, expr: Any, values: Mapping[str, Any] = {}) -> Any:
        return self._expressions.evaluate(expr, values)


def _targets(program: p.Program, pipeline: p.Pipeline) -> dict[str, Type]:
    """The names that can be mocked with values, and their types: steps that ask or call, those of
    sub-pipelines as `PIPELINE.STEP`, and tools.
    """
    types = {tool.name: tool.returns for tool in program.tools.values()}
    types |= dict(_steps(pipeline))
    for inner in with_inner(program, pipeline):
        if inner.name != pipeline.name:
            types |= {f"{inner.name}.{step}": type for step, type in _steps(inner)}
    return types


def _steps(pipeline: p.Pipeline) -> Iterator[tuple[str, Type]]:
    for item in all_items(pipeline.block):
        if isinstance(item, p.Step):
            actions = [link.action for link in inner_links(item.chain)]
            if not all(isinstance(action, (p.Value, p.Choose)) for action in actions):
                yield item.name, item.type
