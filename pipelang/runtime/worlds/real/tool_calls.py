"""Calls of tools in the real world: permits, arguments, time limits and results."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelang.records import replace
from pipelang.runtime.engine.budget import Reservation
from pipelang.runtime.engine.misfits import arguments_by_model
from pipelang.runtime.engine.outcomes import Halted
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import Misfit, shown
from pipelang.runtime.engine.world import Attempt, AttemptFailed, ToolCall, ToolResult
from pipelang.runtime.shared.services import Services
from pipelang.runtime.tools.idempotency import key_of
from pipelang.runtime.tools.registry import checked_arguments, error_of_tool, start_call
from pipelang.runtime.tools.tool_results import plain_result
from pipelang.runtime.worlds.real.attempts import (
    attempt_failed,
    time_limit_or_release,
    timed_out,
)
from pipelang.runtime.worlds.real.cancellation import check_not_killed, pause
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import longest_wait
from pipelang.semantics.types import NothingType

if TYPE_CHECKING:
    from pipelang.runtime.mcp.tools import RemoteTool


_NO_CLOCK = nullcontext()


def _timeout(attempt: Attempt, tool: p.Tool) -> Decimal | None:
    """The timeout of a call in seconds: its link's, in an agent the tool's."""
    mine = isinstance(attempt.link.action, p.Call)
    return (attempt.link.timeout if mine else None) or tool.timeout


def _emit_effect(
    run: Run, attempt: Attempt, tool: p.Tool, arguments: Mapping[str, Any], **data: Any
) -> None:
    """Emit that a tool is about to act on the world: if no result follows, it may have acted."""
    if run.quiet or not tool.acts:
        return
    content = {q.name: shown(q.type, arguments[q.name]) for q in tool.parameters}
    details = {"tool": tool.name, "effect": tool.effect, "attempt": attempt.number, **data}
    run.emit("effect", attempt.step.name, content=content, **details)
    for sink in run.sinks:
        problem = getattr(sink, "failing", None)
        if problem is not None:
            raise Halted("unrecorded", f"`{tool.name}` would act unrecorded: {problem}")


class ToolCalls:
    """Calls the tools of a program, for any of its runs."""

    __slots__ = ("_services",)

    def __init__(self, services: Services) -> None:
        self._services = services

    async def call(self, run: Run, attempt: Attempt, tool: p.Tool, key: str | None = None) -> Any:
        """One attempt of a call; `key` is its idempotency key, where an agent's loop made it."""
        # What this holds while it waits, ten thousand runs hold: the fewer names the better.
        check_not_killed(self._services.switches, run, tool.name)
        key = key or key_of(run, attempt, acts=tool.acts)
        function, arguments = self._begun(run, attempt, tool)
        held = run.budget.hold(tool.cost, 0)
        if not isinstance(held, Reservation):
            held = await run.budget.reserve(tool.cost, 0)
        limit = time_limit_or_release(run, held, _timeout(attempt, tool))
        started, clock = run.world.elapsed(run), None
        if limit.seconds is not None:
            clock = asyncio.timeout(limit.seconds)
        # What waits for its turn has cost nothing yet.
        cost = tool.cost if tool.rate is None else Decimal(0)
        try:
            async with clock or _NO_CLOCK:
                if tool.rate is not None:
                    await self._turn(run, tool)
                    cost = tool.cost
                _emit_effect(run, attempt, tool, arguments, key=key)
                work = start_call(function, arguments, self._services.tools.threads, tool.name, key)
                del function, arguments
                result = await work
        except (Halted, GeneratorExit):
            raise
        except BaseException as error:
            if clock is not None and clock.expired() and isinstance(error, TimeoutError):
                raise timed_out(run, attempt, limit, clock, started, cost, key) from None
            raised = error_of_tool(error)
            if raised is None:
                raise
            raise self._spoilt(run, attempt, tool, raised, started, key) from error
        finally:
            run.budget.settle(held, cost, 0)
        return self._returned(run, attempt, tool, result, started, key)

    def _spoilt(
        self, run: Run, attempt: Attempt, tool: p.Tool, problem: Exception, started: float, key: str
    ) -> AttemptFailed:
        self._emit_stderr(run, attempt, tool)
        kind = "misfit" if isinstance(problem, Misfit) else "raised"
        said = str(problem)
        return attempt_failed(run, attempt, kind, said, started=started, cost=tool.cost, key=key)

    def _emit_stderr(self, run: Run, attempt: Attempt, tool: p.Tool) -> None:
        """Emit what the server of a tool wrote to its standard error, as content."""
        if run.quiet or tool.binding is None or tool.binding[0] != "mcp":
            return
        take = getattr(self._services.tools.function(tool), "stderr", None)
        lines = take() if take is not None else []
        if lines:
            server = tool.binding[1]
            run.emit("stderr", attempt.step.name, content=lines, tool=tool.name, server=server)

    def _returned(
        self, run: Run, attempt: Attempt, tool: p.Tool, result: Any, started: float, key: str
    ) -> Any:
        """Check the result of a tool and emit it. Raises `AttemptFailed`."""
        value = None
        try:
            result = plain_result(result)
            if not isinstance(tool.returns, NothingType):
                value = self._services.types.check(tool.returns, result)
        except Misfit as misfit:
            raise self._spoilt(run, attempt, tool, misfit, started, key) from None
        self._emit_stderr(run, attempt, tool)
        if not run.quiet:
            run.emit(
                "result",
                attempt.step.name,
                content=shown(tool.returns, value),
                tool=tool.name,
                effect=tool.effect,
                key=key,
                attempt=attempt.number,
                seconds=round(run.world.elapsed(run) - started, 3),
                cost=float(tool.cost),
            )
        return value

    def _begun(
        self, run: Run, attempt: Attempt, tool: p.Tool
    ) -> tuple[Callable[..., Any] | RemoteTool, dict[str, Any]]:
        """A tool's function, which this run may call, and its arguments. Raises `AttemptFailed`."""
        if tool.permit is not None and run.granted is not None and tool.permit not in run.granted:
            message = f'this run was not granted "{tool.permit}"'
            raise attempt_failed(run, attempt, "permit", message, retryable=False)
        function = self._services.tools.function(tool)
        try:
            return function, checked_arguments(self._services.types, tool, attempt.arguments)
        except Misfit as misfit:
            message = str(misfit)
            raise attempt_failed(run, attempt, "argument", message, retryable=False) from None

    async def _turn(self, run: Run, tool: p.Tool) -> None:
        """Wait until the tool's rate lets a call through, and the run may still make it."""
        while seconds := self._services.rates.take(tool):
            await pause(self._services.switches, run, seconds, tool.name)
            check_not_killed(self._services.switches, run, tool.name)

    async def use(self, run: Run, attempt: Attempt, call: ToolCall) -> ToolResult:
        """Call a tool for an agent, with the tool's own retries; what fails is a result too."""
        tool = run.program.tools[call.name]
        try:
            given = arguments_by_model(tool.parameters, call.arguments)
        except Misfit as misfit:
            return ToolResult(call, str(misfit), failed=True)
        action = p.Call(tool.name, ())
        key = key_of(run, replace(attempt, number=0), acts=tool.acts)
        why = ""
        for number in range(tool.retry.count + 1):
            if number:
                longest = float(longest_wait(tool.retry, number))
                await run.world.sleep(run, run.world.jitter(longest))
            mine = replace(
                attempt, action=action, tier=None, arguments=given, number=number, misfit=None
            )
            try:
                return ToolResult(call, shown(tool.returns, await self.call(run, mine, tool, key)))
            except AttemptFailed as failure:
                why = str(failure)
                if not failure.retryable:
                    break
        return ToolResult(call, why, failed=True)
