"""The world of `pipelang test`: what a test mocks, and nothing else that costs or acts.

Pure and reading tools run for real unless they are mocked. Reaching a model, a person or an effect
that is not mocked ends the test with that as its reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pipelang.runtime.tools import Toolbox, ToolMissing, call
from pipelang.runtime.values import Misfit, Types, to_json
from pipelang.runtime.world import Attempt, AttemptFailed, Decision, Question
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.types import NothingType

if TYPE_CHECKING:
    from pipelang.runtime.interpreter import Run


class Unmocked(Exception):
    """A test reached something that it did not mock."""


FAILS = object()
"""A mock that fails every attempt."""


class MockedWorld:
    """Answers from mocks. `values` go by the name of a step or tool: successive attempts, the last
    one repeated; `answers` by the name of an approval or hold.
    """

    def __init__(
        self,
        types: Types,
        tools: Toolbox,
        values: Mapping[str, list[Any] | object],
        answers: Mapping[str, str],
    ) -> None:
        self._types = types
        self._tools = tools
        self._values = values
        self._answers = answers
        self._taken: dict[str, int] = {}
        self.called: set[str] = set()
        self.reached: set[str] = set()

    def value(self, run: Run, expr: ir.Expr) -> Any:
        return run.expressions.evaluate(expr, run.values)

    def route(self, run: Run, expr: ir.Expr) -> Any:
        return run.expressions.evaluate(expr, run.values)

    def pure(
        self, run: Run, step: p.Step, link: p.Link, subjects: tuple[ir.Expr, ...]
    ) -> Any:
        assert isinstance(link.action, p.Value)
        return run.expressions.evaluate(link.action.value, run.values)

    async def attempt(self, run: Run, attempt: Attempt) -> Any:
        action = attempt.action
        step = attempt.step.name
        self.reached.add(step)
        if isinstance(action, p.Call):
            self.called.add(action.tool)
            if step in self._values:
                return self._mocked(run, step, attempt)
            if action.tool in self._values:
                return self._mocked(run, action.tool, attempt)
            tool = run.program.tools[action.tool]
            if tool.acts:
                raise Unmocked(f"`{step}` calls `{tool.name}`, which acts on the world: mock it")
            return await self._for_real(run, attempt, tool)
        if step in self._values:
            return self._mocked(run, step, attempt)
        whom = f"the role `{action.role}`" if isinstance(action, p.AskRole) else "a model"
        raise Unmocked(f"`{step}` asks {whom}: mock it")

    def _mocked(self, run: Run, name: str, attempt: Attempt) -> Any:
        values = self._values[name]
        if values is FAILS:
            run.tell("failed", attempt.step.name, why="mock", message="mocked to fail")
            raise AttemptFailed("mocked to fail")
        assert isinstance(values, list)
        number = self._taken.get(name, 0)
        self._taken[name] = number + 1
        value = values[min(number, len(values) - 1)]
        run.tell("answer", attempt.step.name, content=to_json(value), note="mocked")
        return value

    async def _for_real(self, run: Run, attempt: Attempt, tool: p.Tool) -> Any:
        try:
            result = await call(self._tools.function(tool), attempt.arguments)
            if isinstance(tool.returns, NothingType):
                return None
            return self._types.check(tool.returns, result)
        except ToolMissing as missing:
            raise Unmocked(str(missing)) from missing
        except Misfit as misfit:
            run.tell("failed", attempt.step.name, why="misfit", message=str(misfit))
            raise AttemptFailed(str(misfit)) from misfit
        except asyncio.CancelledError:
            raise
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            run.tell("failed", attempt.step.name, why="raised", message=message)
            raise AttemptFailed(message) from error

    async def holds(self, run: Run, item: Any, test: ir.Expr) -> bool:
        return bool(run.expressions.evaluate(test, run.values))

    async def decide(self, run: Run, question: Question) -> Decision | None:
        name = question.person.name
        answer = self._answers.get(name)
        if answer is None:
            kind = question.person.kind
            word = "no" if kind == "approve" else "veto"
            raise Unmocked(f"`{name}` asks a person: `mock {name} yes` or `mock {name} {word}`")
        return Decision(answer == "yes", by="mock", reason=answer)

    async def sleep(self, run: Run, seconds: float) -> None:
        return None

    def elapsed(self, run: Run) -> float:
        return 0.0

    def jitter(self, longest: float) -> float:
        return longest

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return asyncio.ensure_future(work)

    async def first(self, tasks: Iterable[asyncio.Task[Any]]) -> Iterable[asyncio.Task[Any]]:
        """One task at a time, in writing order, so that a test always goes the same way."""
        task = next(iter(tasks))
        await asyncio.wait([task])
        return [task]

    async def stop(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        running = list(tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
