"""No budget is ever exceeded, not by one call: neither in a run with models that use all they can,
nor by any order of reserving and settling.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelang import Answered, Escalated, Failed
from pipelang.diagnostics import Span
from pipelang.runtime.engine.budget import BudgetSpent, RunBudget
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from pipelang.semantics import program as p

from ..unit.runtime.stage import handle, left_over, load

NOWHERE = Span("", 0, 0)
MILLION = Decimal(1_000_000)

PROGRAM = """
tier cached {
  provider lab model "c" price $1 in, $5 out, $2 cache_write, $0.50 cache_read
  latency 1s median transient 0% context 100k tokens
}
tool look(x: text) -> text { effect read cost $0.00007 latency 1ms median succeeds 99% retry 1 }
pipeline main(x: text) -> text {
  budget $1, 1M tokens
  step a: text = ask say(x) by small { retry 2 output 30 tokens max } else x
  step b: text = ask say(x) by big { output 50 tokens max } else ask say(x) by small else x
  step c: text = ask say(x) by cached { retry 1 output 80 tokens max } else x
  step d = call look(x) else x
  step e: text = ask say(a) by cached { output 20 tokens max } else x
  gate g: c != "never" else redo c up to 2 else reject
  step f: Answer = ask join(b, c) by small { retry 2 output 60 tokens max }
    else {value: "", confidence: 0%}
  step h: text = ask say(x) by big { output 60 tokens max } else x
  gate last: f.confidence >= 50% else redo f up to 1 else escalate to boss
  return h
}
"""
PRICES = {"small": (1, 5, 1, 1), "big": (2, 10, 2, 2), "cached": (1, 5, 2, Decimal("0.5"))}


class Greedy:
    """A provider that is slow, fails, and uses as much as it may; it keeps its own books."""

    name = "lab"

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.counts: dict[int, int] = {}
        self.money = Decimal(0)
        self.tokens = 0
        self.watch: Any = None

    async def count_tokens(self, request: ModelRequest) -> int | None:
        await asyncio.sleep(0)
        return self._count(request)

    def _count(self, request: ModelRequest) -> int:
        """As much as our own count at least, often much more."""
        size = -(-len(request.user.encode()) // 3)
        return size + random.Random(f"{request.step}{request.call}").choice([0, 0, 7, 90])

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        self.watch()
        for _ in range(self.chance.randrange(5)):
            await asyncio.sleep(0)
        self.watch()
        read = self.chance.choice([0, 3]) if request.tier == "cached" else 0
        written = self.chance.choice([0, 4]) if request.tier == "cached" else 0
        most = self._count(request)
        read, written = min(read, most), min(written, max(0, most - read))
        made = request.max_output_tokens or 4096
        used = Usage(
            most - read - written,
            self.chance.choice([made, made, 0, self.chance.randint(0, made)]),
            written,
            read,
        )
        kind = self.chance.choice(["answer"] * 5 + ["server", "overloaded", "misfit", "crash"])
        if kind == "overloaded":
            raise ModelFault("overloaded", "busy")
        if kind in ("server", "crash") or (kind == "misfit" and self.chance.random() < 0.5):
            # Nobody says what it used: all that it could.
            self._book(request.tier, Usage(0, made, most, 0))
            raise ValueError("oops") if kind == "crash" else ModelFault("server", "?")
        self._book(request.tier, used)
        if kind == "misfit":
            return ModelAnswer(5, used, "m")
        sure = self.chance.choice([0.1, 0.9])
        text = self.chance.choice(["never", "fine"])
        value: Any = text if request.answer is None else {"value": text, "confidence": sure}
        return ModelAnswer(value, used, "m")

    def _book(self, tier: str, used: Usage) -> None:
        price_in, price_out, write, read = PRICES[tier]
        total = used.input * price_in + used.output * price_out
        self.money += (total + used.cache_write * write + used.cache_read * read) / MILLION
        self.tokens += used.input + used.output + used.cache_write + used.cache_read

    async def close(self) -> None:
        return None


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Any:
    def look(x: str) -> str:
        if random.random() < 0.3:
            raise OSError
        return x

    async def later(x: str) -> str:
        await asyncio.sleep(0)
        return look(x)

    return handle(load(tmp_path_factory.mktemp("budgets"), PROGRAM), tools={"look": later})


@settings(max_examples=300, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**9), micros=st.integers(0, 4000), tokens=st.integers(0, 9000))
def test_a_run_never_exceeds_its_budget(ready: Any, seed: int, micros: int, tokens: int) -> None:
    models = Greedy(random.Random(seed))
    ready.runtime.providers = {"lab": models}
    run = ready.start({"x": "hi there"})
    assert run.budget.limits is not None
    most = Decimal(micros) / MILLION
    run.budget = RunBudget(dataclasses.replace(run.budget.limits, money=most, tokens=tokens))

    seen: list[tuple[Any, ...]] = []  # an assertion in a provider would be a failed attempt

    def watch() -> None:
        at = run.budget
        seen.append((at.money, at.held_money, at.tokens, at.held_tokens))

    models.watch = watch

    async def main() -> Any:
        result = await asyncio.wait_for(run_pipeline(run), 10)
        assert left_over() == []
        return result

    result = asyncio.run(main())
    watch()
    for spent, held, used, promised in seen:
        assert held >= 0 <= promised
        assert spent + held <= most
        assert used + promised <= tokens
    assert (run.budget.held_money, run.budget.held_tokens) == (0, 0)
    calls = len([e for e in result.trace if e.data.get("tool") == "look"])
    spent_on_tools = Decimal("0.00007") * calls
    # Our books never say less than the provider's; calls that were cut off count in full.
    assert models.money + spent_on_tools <= result.cost <= most
    assert models.tokens <= result.tokens <= tokens
    assert isinstance(result, (Answered, Escalated, Failed)) or result.reason == "g"
    if isinstance(result, Failed):
        assert (result.code, result.reason) == ("budget_exceeded", "budget")


Moves = st.lists(
    st.tuples(
        st.integers(0, 2),  # which of three budgets: an outer one and two inside it
        st.integers(0, 60),  # what is reserved
        st.integers(0, 60),
        st.floats(0, 1),  # how much of it is used
        st.integers(0, 6),  # how long that takes
        st.booleans(),  # whether it is cancelled on its way
    ),
    max_size=14,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(moves=Moves, money=st.integers(0, 150), tokens=st.integers(0, 150), inner=st.integers(0, 90))
def test_any_order_of_reserving_and_settling(
    moves: list[Any], money: int, tokens: int, inner: int
) -> None:
    def limit(dollars: int, most: int | None) -> p.Budget:
        return p.Budget(Decimal(dollars), None, most, None, None, NOWHERE)

    outer = RunBudget(limit(money, tokens))
    budgets = [outer, RunBudget(limit(inner, None), outer), RunBudget(limit(inner, tokens), outer)]

    def check() -> None:
        for budget in budgets:
            assert budget.limits is not None
            assert budget.held_money >= 0 <= budget.held_tokens
            assert budget.money + budget.held_money <= budget.limits.money  # type: ignore[operator]
            if budget.limits.tokens is not None:
                assert budget.tokens + budget.held_tokens <= budget.limits.tokens

    by_its_own: list[bool] = []

    async def call(which: int, dollars: int, amount: int, share: float, ticks: int) -> None:
        budget = budgets[which]
        try:
            held = await budget.reserve(Decimal(dollars), amount)
        except BudgetSpent as spent:
            by_its_own.append(spent.budget in budget.chain())
            return
        used = (Decimal(dollars), amount)
        try:
            check()
            for _ in range(ticks):
                await asyncio.sleep(0)
            used = (Decimal(int(dollars * share)), int(amount * share))
        finally:
            budget.settle(held, *used)
            check()

    async def main() -> None:
        tasks = []
        for *what, cancelled in moves:
            tasks.append(asyncio.ensure_future(call(*what)))
            if cancelled:
                await asyncio.sleep(0)
                tasks[-1].cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        for task in tasks:
            assert task.cancelled() or task.exception() is None, task.exception()

    asyncio.run(main())
    assert all(by_its_own)
    for budget in budgets:
        assert (budget.held_money, budget.held_tokens) == (0, 0)
    assert outer.money >= budgets[1].money + budgets[2].money
