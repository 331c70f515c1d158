"""The world of `pipelang test`: mocks in place of everything that costs or acts.

Pure and reading tools run for real unless they are mocked. Reaching a model, a person or an effect
that is not mocked ends the test with that as its reason. A mocked answer costs what its prompt and
its own length would by our count, so that budgets and `expect cost` mean something.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelang.runtime.engine.templates import RenderError
from pipelang.runtime.engine.values import Misfit, Types, to_json
from pipelang.runtime.engine.world import (
    NOTHING,
    Attempt,
    AttemptFailed,
    Decision,
    Question,
    Subjects,
    ToolCall,
    ToolResult,
    Turn,
)
from pipelang.runtime.providers.pricing import (
    ask_for,
    price_of,
    prompt_tokens,
    reservation,
    tokens_of,
)
from pipelang.runtime.providers.protocol import Usage
from pipelang.runtime.tools.idempotency import key_of
from pipelang.runtime.tools.registry import (
    Toolbox,
    ToolMissing,
    ToolRaised,
    call_tool,
    checked_arguments,
)
from pipelang.runtime.tools.tool_results import plain_result
from pipelang.runtime.worlds.evaluation import EvaluatingWorld
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.timeouts import call_limit
from pipelang.semantics.quantities import count_tokens
from pipelang.semantics.sizes import output_limit
from pipelang.semantics.types import ListType, NothingType

if TYPE_CHECKING:
    from pipelang.runtime.engine.run import Run


class Unmocked(Exception):
    """A test reached something that it did not mock."""


FAILS = object()
"""A mock that fails every attempt."""


class MockedWorld(EvaluatingWorld):
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
        super().__init__()
        self._types = types
        self._remembered: dict[tuple[str, str], list[Any]] = {}
        self._tools = tools
        self._values = values
        self._answers = answers
        self._taken: dict[str, int] = {}
        self.called: set[str] = set()
        self.reached: set[str] = set()

    def _name(self, run: Run, step: str) -> str:
        """The name of a step in mocks: `PIPELINE.STEP` for one of a sub-pipeline."""
        return step if run.parent is None else f"{run.pipeline.name}.{step}"

    async def admit(self, run: Run) -> bool:
        """`mock breaker open` is of the pipeline that is tested, not of those that it runs."""
        open_ = run.parent is None and self._answers.get("breaker") == "open"
        if open_:
            run.emit("breaker", run.pipeline.name, state="open", why="mocked")
        return not open_

    def stand_in(self, run: Run, step: p.Step, action: p.Action) -> Any:
        name = self._name(run, step.name)
        self.reached.add(name)
        if name in self._values:
            value = self._peek(name)
            self._taken[name] = self._taken.get(name, 0) + 1
            if value is FAILS:
                run.emit("failed", step.name, why="mock", message="mocked to fail")
                raise AttemptFailed("mocked to fail", kind="mock")
            run.emit("answer", step.name, content=to_json(value), note="mocked")
            return value
        if isinstance(action, p.Agent):
            raise Unmocked(f"`{name}` lets a model work: mock it")
        return NOTHING

    async def turn(
        self, run: Run, attempt: Attempt, agent: p.Agent, turns: tuple[Turn, ...]
    ) -> Turn:
        raise Unmocked(f"`{attempt.step.name}` lets a model work: mock it")

    async def use_tool(self, run: Run, attempt: Attempt, call: ToolCall) -> ToolResult:
        raise Unmocked(f"`{attempt.step.name}` lets a model work: mock it")

    async def recall(self, run: Run, step: p.Step, action: p.Recall, subjects: Subjects) -> Any:
        """Read what the run itself wrote: a test begins with empty memories."""
        memory = run.program.memories[action.memory]
        found = self._remembered.get((memory.name, self._memory_key(run, action.key)), [])
        if isinstance(memory.returns, ListType):
            return list(found)
        return found[-1] if found else None

    async def remember(self, run: Run, item: p.Remember, place: str) -> None:
        memory = run.program.memories[item.memory]
        entries = self._remembered.setdefault((memory.name, self._memory_key(run, item.key)), [])
        entries.append(run.evaluate(item.value))
        most = memory.returns.max_length if isinstance(memory.returns, ListType) else 1
        if most is not None:
            del entries[:-most]

    def _memory_key(self, run: Run, key: expr.Expr) -> str:
        return json.dumps(to_json(run.evaluate(key)), sort_keys=True)

    async def look_up(self, run: Run, step: p.Step, link: p.Link, subjects: Subjects) -> Any:
        return NOTHING

    async def attempt(self, run: Run, attempt: Attempt) -> Any:
        action = attempt.action
        step = self._name(run, attempt.step.name)
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
        except Misfit as misfit:
            raise self._failed(run, attempt, "argument", str(misfit), retryable=False) from None
        if isinstance(action, p.AskRole):
            return self._mocked(run, attempt, step, Decimal(0))
        assert attempt.tier is not None
        tier = run.program.tiers[attempt.tier]
        limit = output_limit(attempt.link, action.answers)
        held = await run.budget.reserve(*reservation(tier, ask, attempt, limit, None))
        cost, tokens = held.money, held.tokens  # a mock that fails is billed in full
        try:
            next_value = self._peek(step)
            if next_value is not FAILS:
                said = json.dumps(to_json(next_value), ensure_ascii=False)
                used = Usage(prompt_tokens(ask), count_tokens(said))
                cost, tokens = price_of(tier, used), tokens_of(used)
            return self._mocked(run, attempt, step, cost)
        finally:
            run.budget.settle(held, cost, tokens)

    async def _call(self, run: Run, attempt: Attempt, tool: p.Tool) -> Any:
        self.called.add(tool.name)
        try:
            arguments = checked_arguments(self._types, tool, attempt.arguments)
        except Misfit as misfit:
            raise self._failed(run, attempt, "argument", str(misfit), retryable=False) from None
        held = await run.budget.reserve(tool.cost, 0)
        try:
            for name in (self._name(run, attempt.step.name), tool.name):
                if name in self._values:
                    return self._mocked(run, attempt, name, tool.cost)
            if tool.acts:
                step = attempt.step.name
                raise Unmocked(f"`{step}` calls `{tool.name}`, which acts on the world: mock it")
            if tool.binding is not None and tool.binding[0] == "mcp":
                step = attempt.step.name
                raise Unmocked(f"`{step}` calls `{tool.name}`, which is on a server: mock it")
            return await self._for_real(run, attempt, tool, arguments)
        finally:
            run.budget.settle(held, tool.cost, 0)

    def _peek(self, name: str) -> Any:
        """The value of the next attempt of a mock."""
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
        run.emit("answer", step, content=content, note="mocked", cost=float(cost))
        return value

    async def _for_real(
        self, run: Run, attempt: Attempt, tool: p.Tool, arguments: Mapping[str, Any]
    ) -> Any:
        timeout = call_limit(attempt.link, tool)
        try:
            async with asyncio.timeout(None if timeout is None else float(timeout)):
                function = self._tools.function(tool)
                key = key_of(run, attempt)
                result = plain_result(
                    await call_tool(function, arguments, self._tools.threads, tool.name, key)
                )
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
        run.emit("failed", attempt.step.name, why=why, message=message)
        return AttemptFailed(message, kind=why, retryable=retryable)

    async def decide(self, run: Run, question: Question) -> Decision | None:
        name = self._name(run, question.person.name)
        answer = self._answers.get(name)
        if answer is None:
            kind = question.person.kind
            word = "no" if kind == "approve" else "veto"
            raise Unmocked(f"`{name}` asks a person: `mock {name} yes` or `mock {name} {word}`")
        return Decision(answer == "yes", by="mock", reason=answer)

    async def sleep(self, run: Run, seconds: float) -> None:
        return None

    def since_start(self, run: Run) -> float:
        return 0.0

    def elapsed(self, run: Run) -> float:
        return 0.0

    async def jitter(self, run: Run, longest: float) -> float:
        return longest

    async def first(self, tasks: Iterable[asyncio.Task[Any]]) -> Iterable[asyncio.Task[Any]]:
        """One task at a time, in writing order, so that a test always goes the same way."""
        task = next(iter(tasks))
        await asyncio.wait([task])
        return [task]
