"""Stakes: the part of a quota that a run holds, from its start to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from pipelang.records import dataclass
from pipelang.runtime.engine.budget import BudgetSpent, RunBudget, quota_of
from pipelang.runtime.engine.run import Run
from pipelang.runtime.shared.quotas import QuotaClaim, QuotaRefusal, Quotas, claim_of

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class QuotaStake:
    """A claim that was granted, and when its run started. One that `rests` holds what was spent, or
    is of a former process: it is taken up before anything more is called.
    """

    claim: QuotaClaim
    quotas: Quotas
    started: float
    rests: bool = False

    def rest(self, money: Decimal, tokens: int) -> None:
        self.rests = True
        if not self.quotas.blocks:
            self.quotas.rest(self.claim, money, tokens)


async def asked(quotas: Quotas, work: Callable[[], T]) -> T:
    """The answer of quotas, got in a thread if they block."""
    return await asyncio.to_thread(work) if quotas.blocks else work()


def claim_of_run(run: Run) -> QuotaClaim:
    """The claim of a run, or of a sub-pipeline in one."""
    return claim_of(run.pipeline, run.terms.tenant, run.id, run.where)


def granted(run: Run, quotas: Quotas, started: float, rests: bool = False) -> QuotaStake:
    """The stake of a run whose claim was granted."""
    stake = QuotaStake(claim_of_run(run), quotas, started, rests)
    run.budget.stake = stake
    return stake


async def reserve_quota(run: Run, quotas: Quotas) -> QuotaStake:
    """Reserve from the quota of a pipeline that begins. Raises `BudgetSpent` if it is spent."""
    claim = claim_of_run(run)
    answer = await asked(quotas, lambda: quotas.reserve(claim))
    if isinstance(answer, QuotaRefusal):
        raise BudgetSpent(run.budget, quota_of(answer.limit))
    held: dict[str, Any] = {what: _plain(amount) for what, amount in claim.most.items()}
    run.emit("quota", run.pipeline.name, state="reserved", **held)
    return granted(run, quotas, answer)


def _plain(amount: Decimal) -> int | float:
    return int(amount) if amount == int(amount) else float(amount)


async def take_up_quotas(budget: RunBudget) -> None:
    """Reserve again what rests, in all pipelines around a call. Raises `BudgetSpent` where a quota
    has no room any more.
    """
    for one in budget.chain():
        if isinstance(one.stake, QuotaStake) and one.stake.rests:
            refused = await _taken_up(one.stake)
            if refused is not None:
                raise BudgetSpent(one, quota_of(refused.limit))
            one.stake.rests = False


async def _taken_up(stake: QuotaStake) -> QuotaRefusal | None:
    return await asked(stake.quotas, lambda: stake.quotas.take_up(stake.claim, stake.started))


async def settle_quota(budget: RunBudget) -> None:
    """End the stake of a pipeline that is over."""
    stake = budget.stake
    if not isinstance(stake, QuotaStake):
        return
    budget.stake = None
    money, tokens, held = budget.money, budget.tokens, stake
    await asked(held.quotas, lambda: held.quotas.settle(held.claim, money, tokens))
