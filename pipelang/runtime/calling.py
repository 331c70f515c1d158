"""Calling tools for real: permits, arguments, time, and what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelang.runtime.attempting import Attempting
from pipelang.runtime.tools import Toolbox, ToolRaised, call, checked
from pipelang.runtime.values import Misfit, Types, shown
from pipelang.runtime.world import Attempt, AttemptFailed, ToolCall, ToolResult
from pipelang.semantics import program as p
from pipelang.semantics.types import NothingType

if TYPE_CHECKING:
    from pipelang.runtime.run import Run


def _limit(attempt: Attempt, tool: p.Tool) -> Decimal | None:
    """How long a call may take: by its own link, in an agent by the tool."""
    mine = isinstance(attempt.link.action, p.Call)
    return (attempt.link.timeout if mine else None) or tool.timeout


def _tell_effect(
    run: Run, attempt: Attempt, tool: p.Tool, arguments: Mapping[str, Any], **data: Any
) -> None:
    """Say that a tool is about to act on the world: should nothing come back, it may have."""
    if run.quiet or not tool.acts:
        return
    content = {q.name: shown(q.type, arguments[q.name]) for q in tool.parameters}
    told = {"tool": tool.name, "effect": tool.effect, "attempt": attempt.number, **data}
    run.tell("effect", attempt.step.name, content=content, **told)


class Calling(Attempting):
    """Calls the tools of a program."""

    _types: Types
    _tools: Toolbox

    async def _call(self, run: Run, attempt: Attempt, action: p.Call) -> Any:
        tool = run.program.tools[action.tool]
        if tool.permit is not None and run.granted is not None and tool.permit not in run.granted:
            message = f'this run was not granted "{tool.permit}"'
            raise self._failed(run, attempt, "permit", message, retryable=False)
        function = self._tools.function(tool)
        try:
            arguments = checked(self._types, tool, attempt.arguments)
        except Misfit as misfit:
            message = str(misfit)
            raise self._failed(run, attempt, "argument", message, retryable=False) from None
        cost, timeout = tool.cost, _limit(attempt, tool)
        held, patience = await self._reserve(run, cost, 0, timeout)
        started, clock = self.elapsed(run), asyncio.timeout(patience.seconds)
        try:
            async with clock:
                _tell_effect(run, attempt, tool, arguments)
                result = await call(function, arguments, self._tools.threads)
            value = None
            if not isinstance(tool.returns, NothingType):
                value = self._types.check(tool.returns, result)
        except TimeoutError:
            raise self._timed_out(run, attempt, patience, clock, started, cost) from None
        except ToolRaised as raised:
            message = str(raised)
            raise self._failed(
                run, attempt, "raised", message, started=started, cost=cost
            ) from raised
        except Misfit as misfit:
            message = str(misfit)
            raise self._failed(
                run, attempt, "misfit", message, started=started, cost=cost
            ) from None
        finally:
            run.budget.settle(held, cost, 0)
        run.tell(
            "result",
            attempt.step.name,
            content=shown(tool.returns, value),
            tool=tool.name,
            effect=tool.effect,
            attempt=attempt.number,
            seconds=round(self.elapsed(run) - started, 3),
            cost=float(cost),
        )
        return value

    async def use(self, run: Run, attempt: Attempt, call: ToolCall) -> ToolResult:
        """Call a tool for an agent, with the tool's own retries; what fails is a result too."""
        tool = run.program.tools[call.name]
        given = {
            parameter.name: call.arguments.get(parameter.name, parameter.default)
            for parameter in tool.parameters
        }
        action = p.Call(tool.name, ())
        why = ""
        for number in range(tool.retry.count + 1):
            mine = replace(
                attempt, action=action, tier=None, arguments=given, number=number, misfit=None
            )
            try:
                return ToolResult(call, shown(tool.returns, await self._call(run, mine, action)))
            except AttemptFailed as failure:
                why = str(failure)
                if not failure.retryable:
                    break
        return ToolResult(call, why, failed=True)
