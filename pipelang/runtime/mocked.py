"""The world of `pipelang test`: what a test mocks, and nothing else that costs or acts.

Pure and reading tools run for real unless they are mocked. Reaching a model, a person or an effect
that is not mocked ends the test with that as its reason. A mocked answer costs what its prompt and
its own length would by our count, so that budgets and `expect cost` mean something.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelang.runtime.pricing import ask_for, price_of, prompt_tokens, reservation, tokens_of
from pipelang.runtime.providers.protocol import Usage
from pipelang.runtime.templates import RenderError
from pipelang.runtime.tools import Toolbox, ToolMissing, ToolRaised, call, checked
from pipelang.runtime.values import Misfit, Types, to_json
from pipelang.runtime.world import Attempt, AttemptFailed, Decision, Question
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.quantities import count_tokens
from pipelang.semantics.sizes import output_limit
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

    def pure(self, run: Run, step: p.Step, link: p.Link, subjects: tuple[ir.Expr, ...]) -> Any:
        assert isinstance(link.action, p.Value)
        return run.expressions.evaluate(link.action.value, run.values)

    def answer(self, run: Run, value: Any) -> Any:
        return run.expressions.fitted(value, run.pipeline.returns)

    async def attempt(self, run: Run, attempt: Attempt) -> Any:
        action = attempt.action
        step = attempt.step.name
        self.reached.add(step)
        if isinstance(action, p.Call):
            return await self._call(run, attempt, run.program.tools[action.tool])
        if step not in self._values:
            whom = f"the role `{action.role}`" if isinstance(action, p.AskRole) else "a model"
            raise Unmocked(f"`{step}` asks {whom}: mock it")
        try:
            ask = ask_for(run.program.prompts[action.prompt], action, attempt, self._types)
        except RenderError as error:
            raise self._failed(run, attempt, "render", str(error), retryable=False) from None
        if isinstance(action, p.AskRole):
            return self._mocked(run, attempt, step, Decimal(0))
        assert attempt.tier is not None
        tier = run.program.tiers[attempt.tier]
        limit = output_limit(attempt.link, action.answers)
        held = await run.budget.reserve(*reservation(tier, ask, attempt, limit, None))
        cost, tokens = held.money, held.tokens  # a mock that fails is billed in full
        try:
            told = self._peek(step)
            if told is not FAILS:
                said = json.dumps(to_json(told), ensure_ascii=False)
                used = Usage(prompt_tokens(ask), count_tokens(said))
                cost, tokens = price_of(tier, used), tokens_of(used)
            return self._mocked(run, attempt, step, cost)
        finally:
            run.budget.settle(held, cost, tokens)

    async def _call(self, run: Run, attempt: Attempt, tool: p.Tool) -> Any:
        self.called.add(tool.name)
        try:
            arguments = checked(self._types, tool, attempt.arguments)
        except Misfit as misfit:
            raise self._failed(run, attempt, "argument", str(misfit), retryable=False) from None
        held = await run.budget.reserve(tool.cost, 0)
        try:
            for name in (attempt.step.name, tool.name):
                if name in self._values:
                    return self._mocked(run, attempt, name, tool.cost)
            if tool.acts:
                step = attempt.step.name
                raise Unmocked(f"`{step}` calls `{tool.name}`, which acts on the world: mock it")
            return await self._for_real(run, attempt, tool, arguments)
        finally:
            run.budget.settle(held, tool.cost, 0)

    def _peek(self, name: str) -> Any:
        """What the next attempt of a mock gives."""
        values = self._values[name]
        if not isinstance(values, list):
            return values
        return values[min(self._taken.get(name, 0), len(values) - 1)]

    def _mocked(self, run: Run, attempt: Attempt, name: str, cost: Decimal) -> Any:
        value = self._peek(name)
        self._taken[name] = self._taken.get(name, 0) + 1
        if value is FAILS:
            raise self._failed(run, attempt, "mock", "mocked to fail")
        content, step = to_json(value), attempt.step.name
        run.tell("answer", step, content=content, note="mocked", cost=float(cost))
        return value

    async def _for_real(
        self, run: Run, attempt: Attempt, tool: p.Tool, arguments: Mapping[str, Any]
    ) -> Any:
        timeout = attempt.link.timeout or tool.timeout
        try:
            async with asyncio.timeout(None if timeout is None else float(timeout)):
                function = self._tools.function(tool)
                result = await call(function, arguments, self._tools.threads)
            if isinstance(tool.returns, NothingType):
                return None
            return self._types.check(tool.returns, result)
        except ToolMissing as missing:
            raise Unmocked(str(missing)) from missing
        except Misfit as misfit:
            raise self._failed(run, attempt, "misfit", str(misfit)) from None
        except TimeoutError:
            raise self._failed(run, attempt, "timeout", f"nothing within {timeout} s") from None
        except ToolRaised as raised:
            raise self._failed(run, attempt, "raised", str(raised)) from raised

    def _failed(
        self, run: Run, attempt: Attempt, why: str, message: str, retryable: bool = True
    ) -> AttemptFailed:
        run.tell("failed", attempt.step.name, why=why, message=message)
        return AttemptFailed(message, kind=why, retryable=retryable)

    async def holds(self, run: Run, item: Any, test: ir.Expr) -> bool:
        return bool(run.expressions.evaluate(test, run.values))

    def chose(self, run: Run, step: p.Step, answer: Any) -> None:
        return None

    async def accepts(self, run: Run, step: p.Step, action: p.Cascade, answer: Any) -> bool:
        return bool(run.expressions.evaluate(action.until, {**run.values, "it": answer}))

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
