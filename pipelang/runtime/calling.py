"""Calling tools for real: permits, arguments, time, and what comes back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelang.runtime.attempting import Attempting
from pipelang.runtime.idempotency import key_of
from pipelang.runtime.rates import Rates
from pipelang.runtime.received import received
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


class Calling(Attempting):
    """Calls the tools of a program."""

    _types: Types
    _tools: Toolbox
    _rates: Rates

    async def _call(
        self, run: Run, attempt: Attempt, action: p.Call, key: str | None = None
    ) -> Any:
        """One attempt of a call; `key` is its idempotency key, where an agent's loop made it."""
        tool = run.program.tools[action.tool]
        self._may(run, tool.name)
        key = key or key_of(run, attempt, acts=tool.acts)
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
        cost = Decimal(0)  # what waits for its turn has cost nothing yet
        try:
            async with clock:
                if tool.rate is not None:
                    await self._turn(run, tool)
                cost = tool.cost
                result = received(
                    await call(function, arguments, self._tools.threads, tool.name, key)
                )
            value = None
            if not isinstance(tool.returns, NothingType):
                value = self._types.check(tool.returns, result)
        except TimeoutError:
            raise self._timed_out(run, attempt, patience, clock, started, cost, key) from None
        except ToolRaised as raised:
            message = str(raised)
            raise self._failed(
                run, attempt, "raised", message, started=started, cost=cost, key=key
            ) from raised
        except Misfit as misfit:
            message = str(misfit)
            raise self._failed(
                run, attempt, "misfit", message, started=started, cost=cost, key=key
            ) from None
        finally:
            run.budget.settle(held, cost, 0)
        run.tell(
            "result",
            attempt.step.name,
            content=shown(tool.returns, value),
            tool=tool.name,
            effect=tool.effect,
            key=key,
            attempt=attempt.number,
            seconds=round(self.elapsed(run) - started, 3),
            cost=float(cost),
        )
        return value

    async def _turn(self, run: Run, tool: p.Tool) -> None:
        """Wait until the tool's rate lets a call through, and the run may still make it."""
        while seconds := self._rates.take(tool):
            await self._pause(run, seconds)
            self._may(run, tool.name)

    async def use(self, run: Run, attempt: Attempt, call: ToolCall) -> ToolResult:
        """Call a tool for an agent, with the tool's own retries; what fails is a result too."""
        tool = run.program.tools[call.name]
        given = {
            parameter.name: call.arguments.get(parameter.name, parameter.default)
            for parameter in tool.parameters
        }
        action = p.Call(tool.name, ())
        key = key_of(run, replace(attempt, number=0), acts=tool.acts)
        why = ""
        for number in range(tool.retry.count + 1):
            mine = replace(
                attempt, action=action, tier=None, arguments=given, number=number, misfit=None
            )
            try:
                answer = await self._call(run, mine, action, key)
                return ToolResult(call, shown(tool.returns, answer))
            except AttemptFailed as failure:
                why = str(failure)
                if not failure.retryable:
                    break
        return ToolResult(call, why, failed=True)
