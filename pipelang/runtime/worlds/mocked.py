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

from pipelang.records import dataclass, replace
from pipelang.runtime.engine.budget import BudgetSpent, Reservation, quota_of
from pipelang.runtime.engine.event_payloads import dollars
from pipelang.runtime.engine.misfits import arguments_by_model
from pipelang.runtime.engine.values import Misfit, Types, shown, to_json
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
from pipelang.runtime.prompts.templates import RenderError, shorten_failure
from pipelang.runtime.providers.pricing import (
    PricedAsk,
    ask_for,
    conversation_tokens,
    price_of,
    prompt_tokens,
    reservation,
    tokens_of,
)
from pipelang.runtime.providers.protocol import ToolSchema, Usage
from pipelang.runtime.tools.binding import ToolMissing
from pipelang.runtime.tools.idempotency import key_of
from pipelang.runtime.tools.prepared import call_tool, checked_arguments, prepared
from pipelang.runtime.tools.registry import Toolbox, ToolRaised, place_of_raise
from pipelang.runtime.tools.tool_results import plain_result
from pipelang.runtime.worlds.evaluation import EvaluatingWorld
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import tools_of
from pipelang.semantics.kernels.timeouts import call_limit
from pipelang.semantics.quantities import count_tokens
from pipelang.semantics.sizes import output_limit
from pipelang.semantics.types import ListType

if TYPE_CHECKING:
    from pipelang.runtime.engine.run import Run


class Unmocked(Exception):
    """A test reached something that it did not mock."""


FAILS = object()
"""A mock that fails every attempt."""


@dataclass(frozen=True, slots=True)
class MockedTurn:
    """A turn of an agent's model that asks for a tool, with arguments as a model gives them."""

    callee: str
    arguments: Mapping[str, Any]


class MockedWorld(EvaluatingWorld):
    """Answers from mocks. `values` go by the name of a step or tool: successive attempts, of an
    agent its turns; `verdicts` by the name of an approval or hold. The last of either is repeated.

    `calls` are those of tools so far, in order, with their arguments as JSON by outer names;
    `reached` are the steps that asked or called.
    """

    def __init__(
        self,
        types: Types,
        tools: Toolbox,
        values: Mapping[str, list[Any] | object],
        verdicts: Mapping[str, tuple[p.MockedVerdict, ...]],
        breaker_open: bool = False,
        quota_spent: bool = False,
    ) -> None:
        super().__init__()
        self._types = types
        self._remembered: dict[tuple[str, str], list[Any]] = {}
        self._tools = tools
        self._values = values
        self._verdicts = verdicts
        self._breaker_open = breaker_open
        self._quota_spent = quota_spent
        self._taken: dict[str, int] = {}
        self._asked: dict[str, int] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.reached: set[str] = set()

    def _name(self, run: Run, step: str) -> str:
        """The name of a step in mocks: `PIPELINE.STEP` for one of a sub-pipeline."""
        return step if run.parent is None else f"{run.pipeline.name}.{step}"

    async def admit(self, run: Run) -> bool:
        """`mock breaker open` and `mock quota spent` are of the pipeline that is tested, not of
        those that it runs.
        """
        quota = run.pipeline.quota
        if self._quota_spent and run.parent is None and quota is not None:
            raise BudgetSpent(run.budget, quota_of(quota.limits[0].text))
        closed = run.parent is not None or not self._breaker_open
        if not closed:
            run.emit("breaker", run.pipeline.name, state="open", why="mocked")
        return closed

    def stand_in(self, run: Run, step: p.Step, action: p.Action) -> Any:
        name = self._name(run, step.name)
        self.reached.add(name)
        if isinstance(action, p.Agent) and self._has_turns(name):
            return NOTHING
        if name in self._values:
            value = self._take(name)
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
        """The next mocked turn: a call of a tool, or the answer that ends the attempt."""
        name = self._name(run, attempt.step.name)
        tools = [
            ToolSchema(schema["name"], schema.get("description"), schema["input_schema"])
            for schema, _ in tools_of(run.program, agent)
        ]
        asked = self._peek(name)
        said = asked.arguments if isinstance(asked, MockedTurn) else asked
        held, cost, tokens = await self._priced(
            run, attempt, said, conversation_tokens(tools, turns)
        )
        try:
            if not isinstance(asked, MockedTurn):
                return Turn(self._mocked(run, attempt, name, cost))
            self._take(name)
            content = [{"tool": asked.callee, "arguments": dict(asked.arguments)}]
            step = attempt.step.name
            run.emit("turn", step, content=content, note="mocked", cost=dollars(cost))
            return Turn(None, (ToolCall(f"mock{len(turns)}", asked.callee, asked.arguments),))
        finally:
            run.budget.settle(held, cost, tokens)

    async def use_tool(self, run: Run, attempt: Attempt, call: ToolCall) -> ToolResult:
        """Call a tool for an agent, with the tool's own retries; what fails is a result too."""
        tool = run.program.tools[call.name]
        try:
            given = arguments_by_model(tool.parameters, call.arguments)
        except Misfit as misfit:
            return ToolResult(call, str(misfit), failed=True)
        action, why = p.Call(tool.name, ()), ""
        for number in range(tool.retry.count + 1):
            mine = replace(
                attempt, action=action, tier=None, arguments=given, number=number, misfit=None
            )
            try:
                value = await self._call(run, mine, tool, (tool.name,))
                return ToolResult(call, shown(tool.returns, value))
            except AttemptFailed as failure:
                why = str(failure)
                if not failure.retryable:
                    break
        return ToolResult(call, shorten_failure(why), failed=True)

    async def recall(self, run: Run, step: p.Step, action: p.Recall, subjects: Subjects) -> Any:
        """Read what the run itself wrote: a test begins with empty memories."""
        memory = run.program.memories[action.memory]
        found = self._remembered.get((memory.name, self._memory_key(run, action.key)), [])
        if isinstance(memory.returns, ListType):
            return list(found)
        return found[-1] if found else None

    async def remember(self, run: Run, item: p.Remember, place: str) -> Mapping[str, Any]:
        memory = run.program.memories[item.memory]
        entries = self._remembered.setdefault((memory.name, self._memory_key(run, item.key)), [])
        entries.append(run.evaluate(item.value))
        most = memory.returns.max_length if isinstance(memory.returns, ListType) else 1
        if most is not None:
            del entries[:-most]
        return {}

    def _memory_key(self, run: Run, key: expr.Expr) -> str:
        return json.dumps(to_json(run.evaluate(key)), sort_keys=True)

    async def look_up(self, run: Run, step: p.Step, link: p.Link, subjects: Subjects) -> Any:
        return NOTHING

    async def attempt(self, run: Run, attempt: Attempt) -> Any:
        action = attempt.action
        step = self._name(run, attempt.step.name)
        self.reached.add(step)
        if isinstance(action, p.Call):
            return await self._call(
                run, attempt, run.program.tools[action.tool], (step, action.tool)
            )
        if step not in self._values:
            whom = f"the role `{action.role}`" if isinstance(action, p.AskRole) else "a model"
            raise Unmocked(f"`{step}` asks {whom}: mock it")
        if isinstance(action, p.AskRole):
            self._rendered(run, attempt, action)
            return self._mocked(run, attempt, step, Decimal(0))
        if isinstance(self._peek(step), MockedTurn):
            message = f"`{step}` asks a model where its agent has no answer, and the mock has turns"
            raise Unmocked(f"{message} only: write what it answers then, in a pipeline of its own")
        held, cost, tokens = await self._priced(run, attempt, self._peek(step))
        try:
            return self._mocked(run, attempt, step, cost)
        finally:
            run.budget.settle(held, cost, tokens)

    def _rendered(self, run: Run, attempt: Attempt, action: p.AskTier | p.AskRole) -> PricedAsk:
        """The request of an attempt, in the same words as to a model. Raises `AttemptFailed`."""
        try:
            return ask_for(run.program.prompts[action.prompt], action, attempt, self._types)
        except RenderError as error:
            raise self._failed(run, attempt, "render", str(error), retryable=False) from None
        except Misfit as misfit:
            raise self._failed(run, attempt, "argument", str(misfit), retryable=False) from None

    async def _priced(
        self, run: Run, attempt: Attempt, said: Any, conversation: int = 0
    ) -> tuple[Reservation, Decimal | None, int]:
        """A reservation for a model's call, and the dollars and tokens that it takes: those of its
        prompt and of what is `said`. A mock that fails is billed in full.
        """
        action = attempt.action
        assert isinstance(action, p.AskTier)
        assert attempt.tier is not None
        ask = self._rendered(run, attempt, action)
        tier = run.program.tiers[attempt.tier]
        limit = output_limit(attempt.link, action.answers)
        most = reservation(tier, ask, attempt, limit, None, conversation)
        held = await run.budget.reserve(*most)
        if said is FAILS:
            return held, held.money, held.tokens
        text = json.dumps(to_json(said), ensure_ascii=False)
        used = Usage(prompt_tokens(ask) + conversation, count_tokens(text))
        return held, price_of(tier, used), tokens_of(used)

    async def _call(self, run: Run, attempt: Attempt, tool: p.Tool, mocks: tuple[str, ...]) -> Any:
        """One attempt of a call, answered by the first of these mocks that there is."""
        try:
            arguments = checked_arguments(self._types, tool, attempt.arguments)
        except Misfit as misfit:
            raise self._failed(run, attempt, "argument", str(misfit), retryable=False) from None
        held = await run.budget.reserve(tool.cost, 0)
        self.calls.append((tool.name, {key: to_json(one) for key, one in arguments.items()}))
        try:
            for name in mocks:
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

    def _has_turns(self, name: str) -> bool:
        """Whether the mock of an agent says what it does turn by turn."""
        values = self._values.get(name)
        return isinstance(values, list) and any(isinstance(one, MockedTurn) for one in values)

    def _peek(self, name: str) -> Any:
        """The value of the next attempt of a mock."""
        values = self._values[name]
        if not isinstance(values, list):
            return values
        return values[min(self._taken.get(name, 0), len(values) - 1)]

    def _take(self, name: str) -> Any:
        """The value of the next attempt of a mock, which is that of the one after it then."""
        value = self._peek(name)
        self._taken[name] = self._taken.get(name, 0) + 1
        return value

    def _mocked(self, run: Run, attempt: Attempt, name: str, cost: Decimal | None) -> Any:
        value = self._take(name)
        if value is FAILS:
            raise self._failed(run, attempt, "mock", "mocked to fail")
        content, step = to_json(value), attempt.step.name
        run.emit("answer", step, content=content, note="mocked", cost=dollars(cost))
        return value

    async def _for_real(
        self, run: Run, attempt: Attempt, tool: p.Tool, arguments: dict[str, Any]
    ) -> Any:
        timeout = call_limit(attempt.link, tool)
        try:
            async with asyncio.timeout(None if timeout is None else float(timeout)):
                ready = prepared(self._types, tool, self._tools.function(tool))
                key = key_of(run, attempt)
                result = plain_result(await call_tool(ready, arguments, self._tools.threads, key))
            return ready.fitted(result)
        except ToolMissing as missing:
            raise Unmocked(str(missing)) from missing
        except Misfit as misfit:
            raise self._failed(run, attempt, "misfit", str(misfit)) from None
        except TimeoutError:
            raise self._failed(run, attempt, "timeout", f"nothing within {timeout} s") from None
        except ToolRaised as raised:
            message = f"{raised}{place_of_raise(raised)}"
            raise self._failed(run, attempt, "raised", message) from raised

    def _failed(
        self, run: Run, attempt: Attempt, why: str, message: str, retryable: bool = True
    ) -> AttemptFailed:
        run.emit("failed", attempt.step.name, why=why, message=message)
        return AttemptFailed(message, kind=why, retryable=retryable)

    async def decide(self, run: Run, question: Question) -> Decision | None:
        name = self._name(run, question.person.name)
        verdicts = self._verdicts.get(name)
        if verdicts is None:
            kind = question.person.kind
            word = "no" if kind == "approve" else "veto"
            raise Unmocked(f"`{name}` asks a person: `mock {name} yes` or `mock {name} {word}`")
        asked = self._asked.get(name, 0)
        self._asked[name] = asked + 1
        said = verdicts[min(asked, len(verdicts) - 1)]
        if said.answer == p.NO_ANSWER:
            return None
        return Decision(said.answer == "yes", by="mock", reason=said.reason or "")

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
