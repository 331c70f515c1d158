"""Calls of tools in the real world: permits, arguments, time limits and results."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Any

from pipelang.records import replace
from pipelang.runtime.engine.budget import ZERO, Reservation, RunBudget
from pipelang.runtime.engine.interruption import (
    asked_before,
    foreign,
    interrupts,
    stop_if_cancelled,
)
from pipelang.runtime.engine.misfits import arguments_by_model
from pipelang.runtime.engine.outcomes import Halted
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import Misfit, shown
from pipelang.runtime.engine.world import Attempt, AttemptFailed, ToolCall, ToolResult
from pipelang.runtime.prompts.templates import shorten_failure
from pipelang.runtime.shared.services import Services
from pipelang.runtime.tools.idempotency import key_of
from pipelang.runtime.tools.prepared import PreparedTool, fitted_arguments, prepared
from pipelang.runtime.tools.registry import error_of_tool, is_foreign
from pipelang.runtime.tools.tool_results import LARGEST, LIGHT, Heavy, plain_result
from pipelang.runtime.worlds.real.attempts import (
    NO_LIMIT,
    TimeLimit,
    attempt_failed,
    off_the_clock,
    room,
    settle,
    take_up_or_release,
    time_limit_or_release,
    timed_out,
)
from pipelang.runtime.worlds.real.cancellation import check_not_killed, pause
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import longest_wait
from pipelang.semantics.kernels.timeouts import call_limit


def _timeout(attempt: Attempt, tool: p.Tool) -> Decimal | None:
    """The timeout of a call in seconds: its link's, in an agent the tool's."""
    mine = isinstance(attempt.link.action, p.Call)
    return call_limit(attempt.link if mine else None, tool)


def _emit_effect(
    run: Run, attempt: Attempt, tool: p.Tool, arguments: Mapping[str, Any], key: str | None
) -> None:
    """Emit that a tool is about to act on the world: if no result follows, it may have acted."""
    if run.quiet:
        return
    content = {q.key: shown(q.type, arguments[q.key]) for q in tool.parameters}
    details = {"tool": tool.name, "effect": tool.effect, "attempt": attempt.number}
    run.emit("effect", attempt.step.name, content=content, **details, key=key)


async def _stopped(clock: asyncio.Timeout, error: BaseException) -> None:
    """Stop a clock that was running when an error came: `expired` then says whether it was its."""
    with suppress(TimeoutError):
        await clock.__aexit__(type(error), error, error.__traceback__)


def _check_granted(run: Run, attempt: Attempt, permit: str) -> None:
    """Raise `AttemptFailed` if the run was not granted what a tool needs."""
    if run.granted is not None and permit not in run.granted:
        message = f'this run was not granted "{permit}"'
        raise attempt_failed(run, attempt, "permit", message, retryable=False)


_NOTHING: Mapping[str, Any] = {}


def _secret(ready: PreparedTool, attempt: Attempt) -> Mapping[str, Any]:
    """The arguments of a call that may be secret."""
    return {name: attempt.arguments[name] for name in ready.secret}


class ToolCalls:
    """Calls the tools of a program, for any of its runs."""

    __slots__ = ("_ready", "_services")

    def __init__(self, services: Services) -> None:
        self._services = services
        self._ready: dict[str, PreparedTool] = {}

    async def call(
        self, run: Run, attempt: Attempt, ready: PreparedTool, key: str | None = None
    ) -> Any:
        """One attempt of a call; `key` is its idempotency key, where an agent's loop made it."""
        # What this holds while it waits, ten thousand runs hold: the fewer names the better.
        if not self._services.switches.idle():
            check_not_killed(self._services.switches, run, ready.tool.name)
        if ready.tool.permit is not None:
            _check_granted(run, attempt, ready.tool.permit)
        if key is None and (ready.keyed or not run.quiet):
            key = key_of(run, attempt)
        try:
            arguments = fitted_arguments(ready.signature, attempt.arguments)
        except Misfit as error:
            raise attempt_failed(run, attempt, "argument", str(error), retryable=False) from None
        attempt.arguments = _secret(ready, attempt) if ready.secret else _NOTHING
        limit, clock, held = NO_LIMIT, None, run.budget.hold(ready.tool.cost, 0)
        if (
            not isinstance(held, Reservation)
            or not run.budget.unhindered()
            or attempt.link.timeout is not None
            or ready.tool.timeout is not None
        ):
            held, limit = await self._in_time(run, attempt, ready.tool, held)
        started = 0.0 if run.quiet else run.world.elapsed(run)
        # As `mark` and `stop_if_cancelled`, without their frames.
        task = asyncio.current_task(run.world.loop)
        asked = 0 if task is None or not task.cancelling() else asked_before(task)
        cost = ZERO  # until it is called, it has cost nothing
        try:
            if limit.seconds is not None:
                clock = await asyncio.timeout(limit.seconds).__aenter__()
            if ready.tool.rate is not None:
                await self._turn(run, ready.tool)
            if run.world.lasting:
                await off_the_clock(clock, run.world.reserved(run, held))
            if ready.tool.acts:
                _emit_effect(run, attempt, ready.tool, arguments, key)
                await off_the_clock(clock, run.world.intend(run))
                self._check_may_act(run, ready.tool)
            cost = ready.tool.cost
            work = self._started(run, ready, arguments, key)
            del arguments
            work = await work
            if task is not None and task.cancelling() > asked:
                raise asyncio.CancelledError
            if clock is not None:
                await clock.__aexit__(None, None, None)
        except BaseException as error:
            if clock is not None:
                await _stopped(clock, error)
            if interrupts(error, (task, asked)):
                if not isinstance(error, GeneratorExit):
                    stop_if_cancelled((task, asked))
                raise
            if isinstance(error, Halted):
                raise
            if clock is not None and clock.expired():
                raise timed_out(run, attempt, limit, clock, started, cost, key) from None
            raise self._spoilt(run, attempt, ready.tool, error, started, key) from error
        finally:
            settle(run, held, cost, 0)
        try:
            work = ready.fitted(plain_result(work, LIGHT))
        except Heavy:
            return await self._returned_heavy(run, attempt, ready, work, started, key)
        except Exception as error:  # a misfit, or an object that cannot be read
            raise self._spoilt(run, attempt, ready.tool, error, started, key) from error
        if not run.quiet:
            self._emit(run, attempt, ready, shown(ready.tool.returns, work), started, key)
        return work

    async def _in_time(
        self,
        run: Run,
        attempt: Attempt,
        tool: p.Tool,
        held: Reservation | RunBudget,
    ) -> tuple[Reservation, TimeLimit]:
        """A reservation, once the budgets have room and what was given back of the quotas is taken
        up again, and the time that is left for the call.
        """
        timeout, used = _timeout(attempt, tool), 0.0
        if not isinstance(held, Reservation):
            switches = self._services.switches
            held, used = await room(switches, run, attempt, tool.cost, 0, timeout, tool=tool.name)
            check_not_killed(switches, run, tool.name)
        if run.budget.rests():
            await take_up_or_release(run, held)
        return held, time_limit_or_release(run, attempt, held, timeout, used)

    def _started(
        self, run: Run, ready: PreparedTool, arguments: dict[str, Any], key: str | None
    ) -> Any:
        """The call itself, to be awaited; where it has to wait before it begins, it then looks
        again whether the run or the tool was switched off.
        """
        look = None
        if not ready.begins:
            look = partial(check_not_killed, self._services.switches, run, ready.tool.name)
        return ready.start(arguments, self._services.tools.threads, key, look)

    def _spoilt(
        self,
        run: Run,
        attempt: Attempt,
        tool: p.Tool,
        error: BaseException,
        started: float,
        key: str | None,
    ) -> AttemptFailed:
        self._emit_stderr(run, attempt, tool)
        problem = error_of_tool(error)
        return attempt_failed(
            run,
            attempt,
            "misfit" if isinstance(problem, Misfit) else "raised",
            str(problem),
            started=started,
            cost=tool.cost,
            key=key,
            error=error if is_foreign(error) else None,
        )

    def _emit_stderr(self, run: Run, attempt: Attempt, tool: p.Tool) -> None:
        """Emit what the server of a tool wrote to its standard error, as content."""
        if run.quiet or tool.binding is None or tool.binding[0] != "mcp":
            return
        take = getattr(self._services.tools.function(tool), "stderr", None)
        lines = take() if take is not None else []
        if lines:
            server = tool.binding[1]
            run.emit("stderr", attempt.step.name, content=lines, tool=tool.name, server=server)

    async def _returned_heavy(
        self,
        run: Run,
        attempt: Attempt,
        ready: PreparedTool,
        result: Any,
        started: float,
        key: str | None,
    ) -> Any:
        """Check a result that takes long and emit it, in a thread: the other runs of this loop need
        not wait for it.
        """
        tool = ready.tool

        def read() -> tuple[Any, Any]:
            value = ready.fitted(plain_result(result, LARGEST))
            return value, None if run.quiet else shown(tool.returns, value)

        try:
            value, content = await foreign(self._services.tools.threads.run(read))
        except Exception as error:
            raise self._spoilt(run, attempt, tool, error, started, key) from error
        if not run.quiet:
            self._emit(run, attempt, ready, content, started, key)
        return value

    def _emit(
        self,
        run: Run,
        attempt: Attempt,
        ready: PreparedTool,
        content: Any,
        started: float,
        key: str | None,
    ) -> None:
        tool = ready.tool
        self._emit_stderr(run, attempt, tool)
        run.emit(
            "result",
            attempt.step.name,
            content=content,
            tool=tool.name,
            effect=tool.effect,
            key=key,
            attempt=attempt.number,
            seconds=round(run.world.elapsed(run) - started, 3),
            cost=ready.cost,
        )

    def prepared(self, run: Run, name: str) -> PreparedTool:
        """A tool of a run's program, ready to be called."""
        ready = self._ready.get(name)
        if ready is None:
            tool = run.program.tools[name]
            function = self._services.tools.function(tool)
            ready = self._ready[name] = prepared(self._services.types, tool, function)
        return ready

    def _check_may_act(self, run: Run, tool: p.Tool) -> None:
        """Raise `Halted` if somebody who listens could not take down that a tool is about to act,
        or if the run or the tool was switched off meanwhile.
        """
        for sink in run.terms.sinks:
            problem = getattr(sink, "failing", None)
            if problem is not None:
                raise Halted("unrecorded", f"`{tool.name}` would act unrecorded: {problem}")
        check_not_killed(self._services.switches, run, tool.name)

    async def _turn(self, run: Run, tool: p.Tool) -> None:
        """Wait until the tool's rate lets a call through, and the run may still make it."""
        rates = self._services.rates
        take = partial(rates.take, tool)
        while seconds := (await asyncio.to_thread(take) if rates.blocks else take()):
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
        key = key_of(run, attempt)
        why = ""
        for number in range(tool.retry.count + 1):
            if number:
                longest = float(longest_wait(tool.retry, number))
                await run.world.sleep(run, await run.world.jitter(run, longest))
            mine = replace(
                attempt, action=action, tier=None, arguments=given, number=number, misfit=None
            )
            try:
                answer = await self.call(run, mine, self.prepared(run, tool.name), key)
                return ToolResult(call, shown(tool.returns, answer))
            except AttemptFailed as failure:
                why = str(failure)
                if not failure.retryable:
                    break
        return ToolResult(call, shorten_failure(why), failed=True)
