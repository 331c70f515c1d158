"""Budgets: the worst case of a call is reserved before it is made, and settled afterwards.

So a limit is never exceeded, neither by one call nor by calls side by side. A reservation for which
only calls side by side leave no room waits for them to settle; one that could never fit raises
`BudgetSpent`. A budget knows its parent: a sub-pipeline reserves from every budget around it, and
the innermost that is spent is named.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Protocol

from pipelang.records import dataclass, field
from pipelang.semantics import program as p

CODES = {
    "money": "budget_exceeded",
    "tokens": "budget_exceeded",
    "time": "timeout",
    "steps": "max_steps",
}
"""The code with which a run fails when a dimension is spent and the budget has no `else`."""


class PeopleWaits:
    """Counts the seconds in which people are waited for and no work of the pipeline goes on.

    Machine time leaves these waits out. It is a pipeline's own: that a neighbour works on neither
    charges a pipeline that only waits for a person, nor does the wait stop the neighbour's clock.
    """

    __slots__ = ("_people", "_since", "_total")

    def __init__(self) -> None:
        self._people = 0
        self._since: float | None = None
        self._total = 0.0

    @property
    def waiting(self) -> bool:
        """Whether people are waited for now."""
        return self._people > 0

    def begin(self, busy: bool) -> None:
        """Begin to wait for a person; `busy` says that the pipeline works on meanwhile."""
        self._people += 1
        if not busy:
            self.rest()

    def end(self) -> None:
        """End a wait for a person."""
        self._people -= 1
        if not self._people:
            self.work()

    def rest(self) -> None:
        """Take note that no work goes on from now."""
        if self._people and self._since is None:
            self._since = time.monotonic()

    def work(self) -> None:
        """Take note that work goes on from now."""
        if self._since is not None:
            self._total += time.monotonic() - self._since
            self._since = None

    def seconds(self) -> float:
        """The seconds so far."""
        now = 0.0 if self._since is None else time.monotonic() - self._since
        return self._total + now

    def restore(self, seconds: float) -> None:
        """Count waits of a former process, so many seconds in all."""
        self._total = max(self._total, seconds)


class BudgetSpent(Exception):
    """A budget cannot carry the next call. `budget` is the innermost that is spent, or that of the
    pipeline whose quota is, by the `dimension`.
    """

    def __init__(self, budget: RunBudget, dimension: str) -> None:
        what = dimension if is_quota(dimension) else f"{dimension} budget"
        super().__init__(f"the {what} is spent")
        self.budget = budget
        self.dimension = dimension


_QUOTA = "quota of "


def quota_of(limit: str) -> str:
    """The dimension of a quota: `limit` as it is written, such as `$50/day`."""
    return _QUOTA + limit


def is_quota(dimension: str) -> bool:
    """Whether a dimension is that of a quota."""
    return dimension.startswith(_QUOTA)


def limit_of(dimension: str) -> str:
    """The limit of a quota, as it is written."""
    return dimension.removeprefix(_QUOTA)


class Stake(Protocol):
    """The part of a quota that a run holds. `rests` says that it may be less than a run needs to go
    on.
    """

    rests: bool

    def rest(self, money: Decimal, tokens: int) -> None:
        """Hold no more than what was spent: people are waited for, and nothing else is done."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """The most that a call may take: dollars (None without a price) and tokens."""

    money: Decimal | None
    tokens: int


ZERO = Decimal(0)
"""The dollars of what nobody is billed for."""

FREE = Reservation(ZERO, 0)
"""The reservation of a call that costs nothing."""


@dataclass(slots=True, eq=False)
class RunBudget:
    """The limits of one pipeline in one run, and its usage: settled and held.

    `money` are the dollars that are known; without `priced`, calls of unknown price came on top.
    `began` is when its own time began, in seconds since the run began. `working` counts the calls
    and waits of the pipeline that take machine time now; `waits` are those for people, if any.
    `place` is that of the pipeline in a record. `patience` says that it is no budget but the
    timeout of a `run`. `stake` is what the pipeline holds of its quota.
    """

    limits: p.Budget | None
    parent: RunBudget | None = None
    money: Decimal = Decimal(0)
    priced: bool = True
    tokens: int = 0
    steps: int = 0
    held_money: Decimal = Decimal(0)
    held_tokens: int = 0
    began: float = 0.0
    place: str = ""
    working: int = 0
    waits: PeopleWaits | None = None
    patience: bool = False
    stake: Stake | None = field(default=None, repr=False)
    _settled: asyncio.Event | None = field(default=None, repr=False)

    @property
    def cost(self) -> Decimal | None:
        """The dollars that were used; None where a call had no price."""
        return self.money if self.priced else None

    def chain(self) -> list[RunBudget]:
        """This budget and every one around it, innermost first."""
        found: list[RunBudget] = []
        at: RunBudget | None = self
        while at is not None:
            found.append(at)
            at = at.parent
        return found

    async def reserve(self, money: Decimal | None, tokens: int) -> Reservation:
        """Reserve one call in every budget. Raises `BudgetSpent` where it can never fit."""
        while not isinstance(held := self.hold(money, tokens), Reservation):
            await held.next_settled().wait()
        return held

    def next_settled(self) -> asyncio.Event:
        """An event of the next settlement in this budget, which may make room."""
        if self._settled is None:
            self._settled = asyncio.Event()
        return self._settled

    def hold(self, money: Decimal | None, tokens: int) -> Reservation | RunBudget:
        """Reserve one call if there is room now; else the budget in which calls side by side hold
        what it needs. Raises `BudgetSpent` where it can never fit.
        """
        at: RunBudget | None = self
        while at is not None:
            if at.limits is not None and (short := at._short(at.limits, money or ZERO, tokens)):
                dimension, holds = short
                if not holds:
                    raise BudgetSpent(at, dimension)
                return at
            at = at.parent
        at = self
        while at is not None:
            if money:
                at.held_money += money
            at.held_tokens += tokens
            at.steps += 1
            at.working += 1
            if at.waits is not None:
                at.waits.work()
            at = at.parent
        return FREE if money == 0 and not tokens else Reservation(money, tokens)

    def _short(self, limits: p.Budget, money: Decimal, tokens: int) -> tuple[str, bool] | None:
        """The dimension in which this budget alone has no room; whether settling may make some."""
        if limits.steps is not None and self.steps + 1 > limits.steps:
            return "steps", False
        most_money, most_tokens = limits.money, limits.tokens
        if most_money is not None and self.money + self.held_money + money > most_money:
            return "money", self.money + money <= most_money
        if most_tokens is not None and self.tokens + self.held_tokens + tokens > most_tokens:
            return "tokens", self.tokens + tokens <= most_tokens
        return None

    def settle(self, held: Reservation, money: Decimal | None, tokens: int) -> None:
        """Release a reservation and count the real usage; None is one of unknown price."""
        at: RunBudget | None = self
        while at is not None:
            if held.money:
                at.held_money -= held.money
            if money:
                at.money += money
            elif money is None:
                at.priced = False
            at.held_tokens -= held.tokens
            at.tokens += tokens
            at.working -= 1
            if at.waits is not None and not at.working:
                at._rest()
            if at._settled is not None:
                at._settled.set()
                at._settled = None
            at = at.parent

    def charge(self, money: Decimal | None, tokens: int, steps: int) -> None:
        """Count what was used before, in this budget alone; there need not be room for it."""
        if money is None:
            self.priced = False
        else:
            self.money += money
        self.tokens += tokens
        self.steps += steps

    def needs_price(self) -> bool:
        """Whether somewhere dollars are limited, so that an unpriced call cannot be carried."""
        return any(b.limits is not None and b.limits.money is not None for b in self.chain())

    def limited(self) -> bool:
        """Whether dollars or tokens are limited anywhere."""
        return any(
            b.limits is not None and (b.limits.money is not None or b.limits.tokens is not None)
            for b in self.chain()
        )

    def unhindered(self) -> bool:
        """Whether no time is limited anywhere, and no quota must be taken up again."""
        at: RunBudget | None = self
        while at is not None:
            if at.limits is not None and at.limits.seconds is not None:
                return False
            if at.stake is not None and at.stake.rests:
                return False
            at = at.parent
        return True

    def timed(self) -> bool:
        """Whether time is limited anywhere."""
        at: RunBudget | None = self
        while at is not None:
            if at.limits is not None and at.limits.seconds is not None:
                return True
            at = at.parent
        return False

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Machine time of this pipeline and those around it goes on, without a call: in a wait
        before a retry, for room, for another run.
        """
        chain = self.chain()
        for budget in chain:
            budget.working += 1
            if budget.waits is not None:
                budget.waits.work()
        try:
            yield
        finally:
            for budget in chain:
                budget.working -= 1
                if budget.waits is not None and not budget.working:
                    budget._rest()

    @contextmanager
    def waiting_for_people(self) -> Iterator[None]:
        """A person is waited for: machine time stands still in each pipeline that does nothing
        besides.
        """
        chain = self.chain()
        for budget in chain:
            if budget.waits is None:
                budget.waits = PeopleWaits()
            budget.waits.begin(busy=budget.working > 0)
            if not budget.working:
                budget._rest()
        try:
            yield
        finally:
            for budget in chain:
                assert budget.waits is not None
                budget.waits.end()

    def _rest(self) -> None:
        """No work of this pipeline goes on; people may be waited for."""
        assert self.waits is not None
        self.waits.rest()
        if self.stake is not None and self.waits.waiting:
            self.stake.rest(self.money, self.tokens)

    def rests(self) -> bool:
        """Whether a quota must be taken up again before anything more is called."""
        at: RunBudget | None = self
        while at is not None:
            if at.stake is not None and at.stake.rests:
                return True
            at = at.parent
        return False

    def machine_time(self, elapsed: float) -> float:
        """Seconds of machine time so far; `elapsed` are all seconds since the run began."""
        waited = 0.0 if self.waits is None else self.waits.seconds()
        return max(0.0, elapsed - self.began - waited)

    def seconds_left(self, elapsed: float) -> tuple[float, RunBudget] | None:
        """The least machine time that is left, in seconds, and its budget; None without a limit."""
        least: tuple[float, RunBudget] | None = None
        for budget in self.chain():
            if budget.limits is not None and budget.limits.seconds is not None:
                left = float(budget.limits.seconds) - budget.machine_time(elapsed)
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
