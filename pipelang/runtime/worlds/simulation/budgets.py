"""Budgets of a simulated run: the same reservations as a real one, on the virtual clock."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from pipelang.runtime.engine.budget import BudgetSpent, Reservation, RunBudget
from pipelang.runtime.worlds.simulation.frames import DrawnPrompt
from pipelang.runtime.worlds.simulation.virtual_clock import Task, VirtualLoop
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.runtime.engine.run import Run

NOTHING_HELD = (Decimal(0), 0)
"""The reservation where no budget limits dollars or tokens."""


class Spending(Protocol):
    """Prices of a simulation, for one pipeline: dollars and tokens."""

    def attempt(
        self, step: p.Step, link: p.Link, tier: str, turn: int, told: bool, drawn: DrawnPrompt
    ) -> tuple[float, float]:
        """One attempt of a link at a tier, at a turn of an agent (1 for anything else); `told`: a
        gate's feedback is in the prompt; `drawn` is what this run has drawn of it.
        """

    def reserved(
        self, step: p.Step, link: p.Link, tier: str, turn: int, told: bool, again: bool
    ) -> tuple[Decimal, int]:
        """Dollars and tokens that such an attempt reserves in a budget; `again`: one before it
        failed.
        """

    def child(self, action: p.RunPipeline) -> Spending:
        """The same for a sub-pipeline."""


class SimulatedBudgets:
    """Reservations, settlements and the time of a run's budgets; `timed` says whether it counts."""

    def __init__(self, loop: VirtualLoop, timed: bool) -> None:
        self._loop = loop
        self._timed = timed
        self._settled: Task | None = None

    async def hold(self, run: Run, money: Decimal, tokens: int) -> Reservation:
        """A reservation, once calls side by side have left room. Raises `BudgetSpent`."""
        while not isinstance(held := run.budget.hold(money, tokens), Reservation):
            if self._settled is None:
                self._settled = self._loop.signal()
            await self._loop.first((self._settled,))
        return held

    def settle(self, run: Run, held: Reservation, money: Decimal, tokens: float) -> None:
        """Release a reservation and count what was used."""
        run.budget.settle(held, money, math.ceil(tokens) if math.isfinite(tokens) else 0)
        if self._settled is not None:
            self._loop.give(self._settled)
            self._settled = None

    async def let_pass(self, run: Run, seconds: float) -> None:
        """Let time pass. Raises `BudgetSpent` when that of a budget is up."""
        left = _time_left(run.budget, self._loop.now) if self._timed else None
        if left is None:
            await self._loop.sleep(seconds)
            return
        if left[0] <= 0:
            raise BudgetSpent(left[1], "time")
        await self._loop.sleep(min(seconds, left[0]))
        if seconds > left[0]:
            raise BudgetSpent(left[1], "time")


def _time_left(budget: RunBudget, now: float) -> tuple[float, RunBudget] | None:
    """The least time that a pipeline's budget leaves. The timeout of a `run` is none: the analysis
    knows nothing of it either.
    """
    least: tuple[float, RunBudget] | None = None
    for one in budget.chain():
        limits = one.limits
        if limits is not None and limits.seconds is not None and not one.patience:
            left = float(limits.seconds) - (now - one.began)
            if least is None or left < least[0]:
                least = (left, one)
    return least
