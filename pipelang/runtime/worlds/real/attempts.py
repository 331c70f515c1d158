"""What every attempt in the real world needs: its clock, its patience, its budget, its failure."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelang.records import dataclass
from pipelang.runtime.engine.budget import BudgetSpent, Reservation, RunBudget
from pipelang.runtime.engine.redaction import arguments_of, hide
from pipelang.runtime.engine.world import Attempt, AttemptFailed
from pipelang.runtime.shared.services import Plugged
from pipelang.runtime.worlds.real.cancellation import Stopping
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.runtime.engine.run import Run

_NO_TIME = 0.001
"""Seconds: with less left nothing is begun."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an attempt may take; `budget` is set where its time runs out before the timeout."""

    seconds: float | None
    budget: RunBudget | None


ENDLESS = Patience(None, None)
"""Where nothing limits the time."""


class Attempting(Stopping):
    """The clock of a run, and how attempts are begun and fail."""

    def __init__(self, plugged: Plugged) -> None:
        self._plugged = plugged
        self._began = time.monotonic()
        self._waited = 0.0
        self._waiting = 0
        self._away_since = 0.0

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
        key: str | None = None,
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
        if key is not None:
            data["key"] = key
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
        clock: asyncio.Timeout | None,
        started: float,
        cost: Decimal,
        key: str | None = None,
    ) -> Exception:
        """An attempt that took too long failed, unless it was the budget's time that ran out."""
        ours = clock is not None and clock.expired() and patience.seconds is not None
        message = f"nothing came within {patience.seconds:g} s" if ours else "it timed out"
        failed = self._failed(run, attempt, "timeout", message, started=started, cost=cost, key=key)
        if ours and patience.budget is not None:
            return BudgetSpent(patience.budget, "time")
        return failed

    # ----------------------------------------------------------------------------------- time

    def elapsed(self, run: Run) -> float:
        now = time.monotonic()
        if not self._waiting:
            return now - self._began - self._waited
        away = now - self._away_since
        return max(0.0, now - self._began - self._waited - away)

    async def sleep(self, run: Run, seconds: float) -> None:
        left = self._left(run)
        if left is not None and seconds >= left[0]:
            await self._pause(run, left[0])
            raise BudgetSpent(left[1], "time")
        await self._pause(run, seconds)

    def _left(self, run: Run) -> tuple[float, RunBudget] | None:
        """The least machine time that is left and whose it is; None without any time limit."""
        budget = run.budget
        return budget.seconds_left(self.elapsed(run)) if budget.timed() else None

    def _patience(self, run: Run, timeout: Decimal | None, used: float = 0.0) -> Patience:
        """What an attempt's timeout and the budgets leave it. Raises `BudgetSpent` if nothing."""
        limit = None if timeout is None else max(float(timeout) - used, 0.0)
        left = self._left(run)
        if left is None:
            return ENDLESS if limit is None else Patience(limit, None)
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
        return held, self._held(run, held, timeout, used)

    def _held(
        self, run: Run, held: Reservation, timeout: Decimal | None, used: float = 0.0
    ) -> Patience:
        """How long a call with room in the budgets may take. Raises `BudgetSpent` if no time is
        left, and gives the room back.
        """
        try:
            return self._patience(run, timeout, used)
        except BudgetSpent:
            run.budget.settle(held, Decimal(0), 0)
            raise

    def jitter(self, longest: float) -> float:
        return self._plugged.chance.uniform(0.0, longest)

    async def _away(self, work: Coroutine[Any, Any, Any], limit: float | None) -> Any:
        """Wait for people: their time does not count as the run's, and not twice if several are
        waited for. None if it was up.
        """
        if not self._waiting:
            self._away_since = time.monotonic()
        self._waiting += 1
        clock = asyncio.timeout(limit)
        try:
            async with clock:
                return await work
        except TimeoutError:
            if not clock.expired():
                raise
            return None
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._waited += time.monotonic() - self._away_since
