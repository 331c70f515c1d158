"""Calling tools for real: permits, arguments, time, and what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelang.records import replace
from pipelang.runtime.attempting import Attempting
from pipelang.runtime.budget import Reservation
from pipelang.runtime.tools import Toolbox, begin, checked, raised_by
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

    async def _call(self, run: Run, attempt: Attempt, tool: p.Tool) -> Any:
        # What this holds while it waits, ten thousand runs hold: the fewer names the better.
        function, arguments = self._begun(run, attempt, tool)
        held = run.budget.hold(tool.cost, 0)
        if not isinstance(held, Reservation):
            held = await run.budget.reserve(tool.cost, 0)
        patience = self._held(run, held, _limit(attempt, tool))
        started, clock = self.elapsed(run), None
        try:
            work = begin(function, arguments, self._tools.threads)
            del function, arguments
            if patience.seconds is None:
                result = await work
            else:
                clock = asyncio.timeout(patience.seconds)
                async with clock:
                    result = await work
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            if clock is not None and clock.expired() and isinstance(error, TimeoutError):
                raise self._timed_out(run, attempt, patience, clock, started, tool.cost) from None
            raised = raised_by(error)
            if raised is None:
                raise
            raise self._spoilt(run, attempt, tool, raised, started) from error
        finally:
            run.budget.settle(held, tool.cost, 0)
        return self._returned(run, attempt, tool, result, started)

    def _spoilt(
        self, run: Run, attempt: Attempt, tool: p.Tool, problem: Exception, started: float
    ) -> AttemptFailed:
        kind = "misfit" if isinstance(problem, Misfit) else "raised"
        return self._failed(run, attempt, kind, str(problem), started=started, cost=tool.cost)

    def _returned(
        self, run: Run, attempt: Attempt, tool: p.Tool, result: Any, started: float
    ) -> Any:
        """What a tool returned, checked and told. Raises `AttemptFailed`."""
        value = None
        if not isinstance(tool.returns, NothingType):
            try:
                value = self._types.check(tool.returns, result)
            except Misfit as misfit:
                raise self._spoilt(run, attempt, tool, misfit, started) from None
        if not run.quiet:
            run.tell(
                "result",
                attempt.step.name,
                content=shown(tool.returns, value),
                tool=tool.name,
                effect=tool.effect,
                attempt=attempt.number,
                seconds=round(self.elapsed(run) - started, 3),
                cost=float(tool.cost),
            )
        return value

    def _begun(
        self, run: Run, attempt: Attempt, tool: p.Tool
    ) -> tuple[Callable[..., Any], dict[str, Any]]:
        """A tool's function, which this run may call, and its arguments. Raises `AttemptFailed`."""
        if tool.permit is not None and run.granted is not None and tool.permit not in run.granted:
            message = f'this run was not granted "{tool.permit}"'
            raise self._failed(run, attempt, "permit", message, retryable=False)
        function = self._tools.function(tool)
        try:
            return function, checked(self._types, tool, attempt.arguments)
        except Misfit as misfit:
            message = str(misfit)
            raise self._failed(run, attempt, "argument", message, retryable=False) from None

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
                return ToolResult(call, shown(tool.returns, await self._call(run, mine, tool)))
            except AttemptFailed as failure:
                why = str(failure)
                if not failure.retryable:
                    break
        return ToolResult(call, why, failed=True)
