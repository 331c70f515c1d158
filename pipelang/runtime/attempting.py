"""What every attempt in the real world needs: its clock, its patience, its budget, its failure."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelang.runtime.budget import Budget, BudgetSpent, Reservation
from pipelang.runtime.hiding import arguments_of, hide
from pipelang.runtime.world import Attempt, AttemptFailed
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.runtime.run import Run

_NO_TIME = 0.001
"""Seconds: with less left nothing is begun."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an attempt may take; `budget` is set where its time runs out before the timeout."""

    seconds: float | None
    budget: Budget | None


class Attempting:
    """The clock of a run, and how attempts are begun and fail. `secrets` are references to what
    must not be told.
    """

    def __init__(self, chance: random.Random, secrets: tuple[str, ...]) -> None:
        self._chance = chance
        self._secrets = secrets
        self._began = time.monotonic()
        self._waited = 0.0
        self._waiting: list[float] = []

    def _failed(
        self,
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
    ) -> AttemptFailed:
        given = arguments_of(attempt.action, run.program, attempt.arguments)
        message = hide(run, message, given)
        misfit = None if misfit is None else hide(run, misfit, given)
        data: dict[str, Any] = {}
        if attempt.tier:
            data = {"tier": attempt.tier, "model": run.program.tiers[attempt.tier].model}
        if isinstance(attempt.action, p.Call):
            tool = run.program.tools[attempt.action.tool]
            data = {"tool": tool.name, "effect": tool.effect}
        if cost:
            data["cost"] = float(cost)
        run.tell(
            "failed",
            attempt.step.name,
            why=kind,
            message=message,
            attempt=attempt.number,
            seconds=None if started is None else round(self.elapsed(run) - started, 3),
            **data,
        )
        return AttemptFailed(
            message, kind=kind, retryable=retryable, retry_after=retry_after, misfit=misfit
        )

    def _timed_out(
        self,
        run: Run,
        attempt: Attempt,
        patience: Patience,
        clock: asyncio.Timeout,
        started: float,
        cost: Decimal,
    ) -> Exception:
        """An attempt that took too long failed, unless it was the budget's time that ran out."""
        ours = clock.expired() and patience.seconds is not None
        message = f"nothing came within {patience.seconds:g} s" if ours else "it timed out"
        failed = self._failed(run, attempt, "timeout", message, started=started, cost=cost)
        if ours and patience.budget is not None:
            return BudgetSpent(patience.budget, "time")
        return failed

    # ----------------------------------------------------------------------------------- time

    def elapsed(self, run: Run) -> float:
        now = time.monotonic()
        away = sum(now - began for began in self._waiting)
        return max(0.0, now - self._began - self._waited - away)

    async def sleep(self, run: Run, seconds: float) -> None:
        left = run.budget.seconds_left(self.elapsed(run))
        if left is not None and seconds >= left[0]:
            await asyncio.sleep(max(0.0, left[0]))
            raise BudgetSpent(left[1], "time")
        await asyncio.sleep(seconds)

    def _patience(self, run: Run, timeout: Decimal | None, used: float = 0.0) -> Patience:
        """What an attempt's timeout and the budgets leave it. Raises `BudgetSpent` if nothing."""
        limit = None if timeout is None else max(float(timeout) - used, 0.0)
        left = run.budget.seconds_left(self.elapsed(run))
        if left is None:
            return Patience(limit, None)
        if left[0] <= _NO_TIME:
            raise BudgetSpent(left[1], "time")
        if limit is None or left[0] < limit:
            return Patience(left[0], left[1])
        return Patience(limit, None)

    async def _reserve(
        self, run: Run, money: Decimal, tokens: int, timeout: Decimal | None, used: float = 0.0
    ) -> tuple[Reservation, Patience]:
        """Room in the budgets for one call, and how long it may then take. Raises `BudgetSpent`."""
        held = await run.budget.reserve(money, tokens)
        try:
            return held, self._patience(run, timeout, used)
        except BudgetSpent:
            run.budget.settle(held, Decimal(0), 0)
            raise

    def jitter(self, longest: float) -> float:
        return self._chance.uniform(0.0, longest)

    async def _away(self, work: Coroutine[Any, Any, Any], limit: float | None) -> Any:
        """Wait for people: their time does not count as the run's. None if it was up."""
        began = time.monotonic()
        self._waiting.append(began)
        clock = asyncio.timeout(limit)
        try:
            async with clock:
                return await work
        except TimeoutError:
            if not clock.expired():
                raise
            return None
        finally:
            self._waiting.remove(began)
            self._waited += time.monotonic() - began
