"""Attempts in the real world: room in the budgets, a time limit, and how an attempt fails."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from pipelang.records import dataclass
from pipelang.runtime.engine.budget import BudgetSpent, Reservation, RunBudget
from pipelang.runtime.engine.redaction import arguments_of, hide
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.world import Attempt, AttemptFailed
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
    return budget.seconds_left(run.world.elapsed(run)) if budget.timed() else None


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


def time_limit_or_release(
    run: Run, held: Reservation, timeout: Decimal | None, used: float = 0.0
) -> TimeLimit:
    """As `time_limit`, for a call whose reservation is given back if no time is left."""
    try:
        return time_limit(run, timeout, used)
    except BudgetSpent:
        run.budget.settle(held, Decimal(0), 0)
        raise


def attempt_failed(
    run: Run,
    attempt: Attempt,
    kind: str,
    message: str,
    *,
    started: float | None = None,
    cost: Decimal | None = None,
    retryable: bool = True,
    retry_after: float | None = None,
    misfit: str | None = None,
    key: str | None = None,
) -> AttemptFailed:
    """Record a failed attempt as an event; the exception to raise for it. Secrets are taken out of
    `message` and `misfit`. `started` is machine time, `key` an idempotency key.
    """
    given = arguments_of(attempt.action, run.program, attempt.arguments)
    message = hide(run, message, given)
    misfit = None if misfit is None else hide(run, misfit, given)
    data: dict[str, Any] = {}
    if attempt.tier:
        data = {"tier": attempt.tier, "model": run.program.tiers[attempt.tier].model}
    if isinstance(attempt.action, p.Call):
        tool = run.program.tools[attempt.action.tool]
        data = {"tool": tool.name, "effect": tool.effect}
    if key is not None:
        data["key"] = key
    if cost:
        data["cost"] = float(cost)
    run.emit(
        "failed",
        attempt.step.name,
        why=kind,
        message=message,
        attempt=attempt.number,
        seconds=None if started is None else round(run.world.elapsed(run) - started, 3),
        **data,
    )
    return AttemptFailed(
        message, kind=kind, retryable=retryable, retry_after=retry_after, misfit=misfit
    )


def timed_out(
    run: Run,
    attempt: Attempt,
    limit: TimeLimit,
    timeout: asyncio.Timeout | None,
    started: float,
    cost: Decimal,
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
