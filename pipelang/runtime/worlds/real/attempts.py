"""Attempts in the real world: room in the budgets, a time limit, and how an attempt fails."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from decimal import Decimal
from typing import Any

from pipelang.records import dataclass
from pipelang.runtime.engine.budget import ZERO, BudgetSpent, Reservation, RunBudget
from pipelang.runtime.engine.event_payloads import dollars
from pipelang.runtime.engine.redaction import arguments_of, hide
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.world import Attempt, AttemptFailed
from pipelang.runtime.shared.kill_switches import Switches
from pipelang.runtime.tools.registry import class_of
from pipelang.runtime.worlds.real.cancellation import OutOfTime, unless_killed
from pipelang.semantics import program as p

_NO_TIME = 0.001
"""Seconds: with less left nothing is begun."""


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """The time that an attempt may take, in seconds, None for no limit; `budget` is set where the
    time of a budget runs out before the attempt's own timeout.
    """

    seconds: float | None
    budget: RunBudget | None


NO_LIMIT = TimeLimit(None, None)


def time_left(run: Run) -> tuple[float, RunBudget] | None:
    """The least machine time that a budget has left, in seconds, and which; None if none limits
    time.
    """
    budget = run.budget
    return budget.seconds_left(run.world.since_start(run)) if budget.timed() else None


def time_limit(run: Run, timeout: Decimal | None, used: float = 0.0) -> TimeLimit:
    """The time limit of an attempt by its timeout, of which `used` seconds are gone, and by the
    budgets. Raises `BudgetSpent` if no time is left.
    """
    limit = None if timeout is None else max(float(timeout) - used, 0.0)
    left = time_left(run)
    if left is None:
        return NO_LIMIT if limit is None else TimeLimit(limit, None)
    if left[0] <= _NO_TIME:
        raise BudgetSpent(left[1], "time")
    if limit is None or left[0] < limit:
        return TimeLimit(left[0], left[1])
    return TimeLimit(limit, None)


def settle(run: Run, held: Reservation, money: Decimal | None, tokens: int) -> None:
    """Give a reservation back, and count what the call used; no `money` is of unknown price."""
    run.budget.settle(held, money, tokens)
    if run.world.lasting:
        run.world.used(run, money, tokens)


def time_limit_or_release(
    run: Run, attempt: Attempt, held: Reservation, timeout: Decimal | None, used: float = 0.0
) -> TimeLimit:
    """As `time_limit`, for a call whose reservation is given back if no time is left. Raises
    `AttemptFailed` if the timeout was used up.
    """
    try:
        limit = time_limit(run, timeout, used)
        if used and limit.budget is None and limit.seconds is not None:
            _not_in_time(run, attempt, limit.seconds)
    except (BudgetSpent, AttemptFailed):
        settle(run, held, Decimal(0), 0)
        raise
    return limit


async def off_the_clock(clock: asyncio.Timeout | None, work: Awaitable[None]) -> None:
    """Wait for something that is no part of an attempt: a record that comes late is no call that
    takes long, and a call that was never made must not be taken for one of unknown fate.
    """
    due = None if clock is None or clock.expired() else clock.when()
    if clock is None or due is None:
        await work
        return
    loop = asyncio.get_running_loop()
    left = due - loop.time()
    clock.reschedule(None)
    try:
        await work
    finally:
        clock.reschedule(loop.time() + max(left, 0.0))


async def take_up_or_release(run: Run, held: Reservation) -> None:
    """Reserve from the quotas again what rests, for a call whose reservation is given back if one
    is spent.
    """
    try:
        await run.world.take_up(run)
    except BaseException:
        settle(run, held, Decimal(0), 0)
        raise


async def room(
    switches: Switches,
    run: Run,
    attempt: Attempt,
    money: Decimal | None,
    tokens: int,
    timeout: Decimal | None,
    used: float = 0.0,
    tool: str | None = None,
) -> tuple[Reservation, float]:
    """Wait until calls side by side make room for one more: its reservation, and how many seconds
    of the timeout are gone, of which `used` were before.

    The wait is the run's own time. Raises `BudgetSpent` where it can never fit or a budget's time
    is up, `AttemptFailed` where the timeout is, `Halted` if the run or the tool is switched off.
    """
    began = run.world.since_start(run)
    with run.budget.at_work():
        while not isinstance(held := run.budget.hold(money, tokens), Reservation):
            gone = used + run.world.since_start(run) - began
            limit = time_limit(run, timeout, gone)
            if limit.budget is None and limit.seconds is not None:
                _not_in_time(run, attempt, limit.seconds)
            settled = held.next_settled().wait()
            with contextlib.suppress(OutOfTime):
                await unless_killed(switches, run, settled, limit.seconds, tool)
    return held, used + run.world.since_start(run) - began


def _not_in_time(run: Run, attempt: Attempt, seconds: float) -> None:
    """Raise `AttemptFailed` if the timeout of an attempt is over before it began."""
    if seconds <= _NO_TIME:
        message = "its timeout ran out before it could begin"
        raise attempt_failed(run, attempt, "timeout", message)


def attempt_failed(
    run: Run,
    attempt: Attempt,
    kind: str,
    message: str,
    *,
    started: float | None = None,
    cost: Decimal | None = ZERO,
    retryable: bool = True,
    retry_after: float | None = None,
    misfit: str | None = None,
    key: str | None = None,
    error: BaseException | None = None,
) -> AttemptFailed:
    """Record a failed attempt as an event; the exception to raise for it. Secrets are taken out of
    `message` and `misfit`. `started` is machine time, `key` an idempotency key; no `cost` is an
    unknown one. `error` is what foreign code raised: its class is in the event, its text, which
    may quote anything, is content.
    """
    given = arguments_of(attempt.action, run.program, attempt.arguments)
    message = hide(run, message, given)
    content = None
    misfit = None if misfit is None else hide(run, misfit, given)
    data: dict[str, Any] = {}
    if attempt.tier:
        data = {"tier": attempt.tier, "model": run.program.tiers[attempt.tier].model}
    if isinstance(attempt.action, p.Call):
        tool = run.program.tools[attempt.action.tool]
        data = {"tool": tool.name, "effect": tool.effect}
    if key is not None:
        data["key"] = key
    if cost != ZERO:
        data["cost"] = dollars(cost)
    if error is None:
        data["message"] = message
    else:
        data["error"], content = class_of(error), message
    run.emit(
        "failed",
        attempt.step.name,
        content=content,
        why=kind,
        attempt=attempt.number,
        seconds=None if started is None else round(run.world.elapsed(run) - started, 3),
        **data,
    )
    return AttemptFailed(
        message,
        kind=kind,
        retryable=retryable,
        retry_after=retry_after,
        misfit=misfit,
        quotes=error is not None,
    )


def timed_out(
    run: Run,
    attempt: Attempt,
    limit: TimeLimit,
    timeout: asyncio.Timeout | None,
    started: float,
    cost: Decimal | None,
    key: str | None = None,
) -> Exception:
    """The exception for an attempt that took too long: it failed, unless it was the time of a
    budget that ran out.
    """
    ours = timeout is not None and timeout.expired() and limit.seconds is not None
    message = f"nothing came within {limit.seconds:g} s" if ours else "it timed out"
    failed = attempt_failed(run, attempt, "timeout", message, started=started, cost=cost, key=key)
    if ours and limit.budget is not None:
        return BudgetSpent(limit.budget, "time")
    return failed
