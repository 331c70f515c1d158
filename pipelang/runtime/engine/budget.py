"""Budgets: the worst case of a call is reserved before it is made, and settled afterwards.

So a limit is never exceeded, neither by one call nor by calls side by side. A reservation for which
only calls side by side leave no room waits for them to settle; one that could never fit raises
`BudgetSpent`. A budget knows its parent: a sub-pipeline reserves from every budget around it, and
the innermost that is spent is named.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal

from pipelang.records import dataclass, field
from pipelang.semantics import program as p

CODES = {
    "money": "budget_exceeded",
    "tokens": "budget_exceeded",
    "time": "timeout",
    "steps": "max_steps",
}
"""The code with which a run fails when a dimension is spent and the budget has no `else`."""


class BudgetSpent(Exception):
    """A budget cannot carry the next call. `budget` is the innermost that is spent."""

    def __init__(self, budget: RunBudget, dimension: str) -> None:
        super().__init__(f"the {dimension} budget is spent")
        self.budget = budget
        self.dimension = dimension


@dataclass(frozen=True, slots=True)
class Reservation:
    """The most that a call may take: dollars and tokens."""

    money: Decimal
    tokens: int


FREE = Reservation(Decimal(0), 0)
"""The reservation of a call that costs nothing."""


@dataclass(slots=True, eq=False)
class RunBudget:
    """The limits of one pipeline in one run, and its usage: settled and held.

    `began` is the machine time of the run, in seconds, at which its own time began.
    """

    limits: p.Budget | None
    parent: RunBudget | None = None
    money: Decimal = Decimal(0)
    tokens: int = 0
    steps: int = 0
    held_money: Decimal = Decimal(0)
    held_tokens: int = 0
    began: float = 0.0
    _settled: asyncio.Event | None = field(default=None, repr=False)

    def chain(self) -> list[RunBudget]:
        """This budget and every one around it, innermost first."""
        found: list[RunBudget] = []
        at: RunBudget | None = self
        while at is not None:
            found.append(at)
            at = at.parent
        return found

    async def reserve(self, money: Decimal, tokens: int) -> Reservation:
        """Reserve one call in every budget. Raises `BudgetSpent` where it can never fit."""
        while True:
            held = self.hold(money, tokens)
            if isinstance(held, Reservation):
                return held
            if held._settled is None:
                held._settled = asyncio.Event()
            await held._settled.wait()

    def hold(self, money: Decimal, tokens: int) -> Reservation | RunBudget:
        """Reserve one call if there is room now; else the budget in which calls side by side hold
        what it needs. Raises `BudgetSpent` where it can never fit.
        """
        short = self._short(money, tokens)
        if short is not None:
            budget, dimension, holds = short
            if not holds:
                raise BudgetSpent(budget, dimension)
            return budget
        at: RunBudget | None = self
        while at is not None:
            if money:
                at.held_money += money
            at.held_tokens += tokens
            at.steps += 1
            at = at.parent
        return Reservation(money, tokens) if money or tokens else FREE

    def _short(self, money: Decimal, tokens: int) -> tuple[RunBudget, str, bool] | None:
        """The innermost budget that has no room, in what, and whether settling may make room."""
        at: RunBudget | None = self
        while at is not None:
            limits = at.limits
            if limits is not None:
                if limits.steps is not None and at.steps + 1 > limits.steps:
                    return at, "steps", False
                most_money, most_tokens = limits.money, limits.tokens
                if most_money is not None and at.money + at.held_money + money > most_money:
                    return at, "money", at.money + money <= most_money
                if most_tokens is not None and at.tokens + at.held_tokens + tokens > most_tokens:
                    return at, "tokens", at.tokens + tokens <= most_tokens
            at = at.parent
        return None

    def settle(self, held: Reservation, money: Decimal, tokens: int) -> None:
        """Release a reservation and count the real usage."""
        at: RunBudget | None = self
        while at is not None:
            if held.money:
                at.held_money -= held.money
            if money:
                at.money += money
            at.held_tokens -= held.tokens
            at.tokens += tokens
            if at._settled is not None:
                at._settled.set()
                at._settled = None
            at = at.parent

    def needs_price(self) -> bool:
        """Whether somewhere dollars are limited, so that an unpriced call cannot be carried."""
        return any(b.limits is not None and b.limits.money is not None for b in self.chain())

    def limited(self) -> bool:
        """Whether dollars or tokens are limited anywhere."""
        return any(
            b.limits is not None and (b.limits.money is not None or b.limits.tokens is not None)
            for b in self.chain()
        )

    def timed(self) -> bool:
        """Whether time is limited anywhere."""
        at: RunBudget | None = self
        while at is not None:
            if at.limits is not None and at.limits.seconds is not None:
                return True
            at = at.parent
        return False

    def seconds_left(self, elapsed: float) -> tuple[float, RunBudget] | None:
        """The least machine time that is left, in seconds, and its budget; None without a limit."""
        least: tuple[float, RunBudget] | None = None
        for budget in self.chain():
            if budget.limits is not None and budget.limits.seconds is not None:
                left = float(budget.limits.seconds) - (elapsed - budget.began)
                if least is None or left < least[0]:
                    least = (left, budget)
        return least

    def remaining(self, what: str, elapsed: float) -> Decimal | int:
        """The rest of a dimension for `budget.remaining`; reservations count as taken."""
        limits = self.limits
        if what == "money":
            limit = limits.money if limits is not None else None
            return (limit if limit is not None else Decimal("Infinity")) - (
                self.money + self.held_money
            )
        if what == "time":
            left = self.seconds_left(elapsed)
            return Decimal("Infinity") if left is None else Decimal(repr(max(left[0], 0.0)))
        if what == "tokens":
            most = limits.tokens if limits is not None and limits.tokens is not None else 2**62
            return most - self.tokens - self.held_tokens
        most = limits.steps if limits is not None and limits.steps is not None else 2**62
        return most - self.steps
