"""Budgets: reserved before each call, settled once, and never passed."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, Escalated, Failed
from pipelang.diagnostics import Span
from pipelang.runtime.engine.budget import BudgetSpent, RunBudget
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, Usage
from pipelang.semantics import program as p

from ..stage import Humans, Models, events, handle, load, play

NOWHERE = Span("", 0, 0)


def limits(
    money: str | None = None, tokens: int | None = None, steps: int | None = None
) -> p.Budget:
    amount = None if money is None else Decimal(money)
    return p.Budget(amount, None, tokens, steps, None, NOWHERE)


async def waits(work: Any) -> asyncio.Task[Any]:
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not task.done()
    return task


# --------------------------------------------------------------------------- the budget itself


def test_what_fits_is_reserved_and_what_cannot_is_refused() -> None:
    async def main() -> None:
        budget = RunBudget(limits("1.00", 100))
        held = await budget.reserve(Decimal("1.00"), 100)
        budget.settle(held, Decimal("0.40"), 30)
        with pytest.raises(BudgetSpent) as spent:
            await budget.reserve(Decimal("0.61"), 0)
        assert (spent.value.budget, spent.value.dimension) == (budget, "money")
        with pytest.raises(BudgetSpent) as spent:
            await budget.reserve(Decimal(0), 71)
        assert spent.value.dimension == "tokens"
        await budget.reserve(Decimal("0.60"), 70)

    asyncio.run(asyncio.wait_for(main(), 60))


def test_what_a_neighbour_holds_is_waited_for() -> None:
    async def main() -> None:
        budget = RunBudget(limits("1.00"))
        first = await budget.reserve(Decimal("0.80"), 0)
        second = await waits(budget.reserve(Decimal("0.70"), 0))
        budget.settle(first, Decimal("0.30"), 0)
        held = await second
        assert (budget.money, budget.held_money) == (Decimal("0.30"), Decimal("0.70"))
        budget.settle(held, Decimal("0.70"), 0)
        assert (budget.money, budget.held_money) == (Decimal("1.00"), Decimal(0))

    asyncio.run(asyncio.wait_for(main(), 60))


def test_who_waits_in_vain_is_told() -> None:
    async def main() -> None:
        budget = RunBudget(limits("1.00"))
        first = await budget.reserve(Decimal("0.80"), 0)
        second = await waits(budget.reserve(Decimal("0.70"), 0))
        budget.settle(first, Decimal("0.80"), 0)
        with pytest.raises(BudgetSpent):
            await second

    asyncio.run(asyncio.wait_for(main(), 60))


def test_of_several_who_wake_up_only_those_that_fit_go_on() -> None:
    async def main() -> None:
        budget = RunBudget(limits("1.00"))
        first = await budget.reserve(Decimal("1.00"), 0)
        others = [await waits(budget.reserve(Decimal("0.40"), 0)) for _ in range(4)]
        budget.settle(first, Decimal(0), 0)
        await asyncio.sleep(0.01)
        assert [task.done() for task in others] == [True, True, False, False]
        assert budget.held_money == Decimal("0.80")
        budget.settle(others[0].result(), Decimal("0.40"), 0)
        budget.settle(others[1].result(), Decimal("0.10"), 0)
        await asyncio.sleep(0.01)
        assert [task.done() for task in others] == [True, True, True, False]
        budget.settle(others[2].result(), Decimal("0.40"), 0)
        with pytest.raises(BudgetSpent):
            await others[3]

    asyncio.run(asyncio.wait_for(main(), 60))


def test_a_cancelled_waiter_holds_nothing() -> None:
    async def main() -> None:
        budget = RunBudget(limits("1.00"))
        first = await budget.reserve(Decimal("1.00"), 0)
        second = await waits(budget.reserve(Decimal("0.50"), 0))
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        budget.settle(first, Decimal(0), 0)
        assert (budget.money, budget.held_money, budget.steps) == (Decimal(0), Decimal(0), 1)

    asyncio.run(asyncio.wait_for(main(), 60))


def test_the_innermost_that_is_spent_says_so() -> None:
    async def main() -> None:
        outer = RunBudget(limits("1.00", steps=3))
        inner = RunBudget(limits("0.50"), parent=outer)
        for money, spent_by in (("0.60", inner), ("2.00", inner)):
            with pytest.raises(BudgetSpent) as spent:
                await inner.reserve(Decimal(money), 0)
            assert spent.value.budget is spent_by
        held = await outer.reserve(Decimal("0.80"), 0)
        outer.settle(held, Decimal("0.80"), 0)
        with pytest.raises(BudgetSpent) as spent:
            await inner.reserve(Decimal("0.30"), 0)
        assert spent.value.budget is outer
        held = await inner.reserve(Decimal("0.20"), 0)
        assert outer.held_money == inner.held_money == Decimal("0.20")
        inner.settle(held, Decimal("0.10"), 0)
        assert (outer.money, inner.money) == (Decimal("0.90"), Decimal("0.10"))

    asyncio.run(asyncio.wait_for(main(), 60))


def test_an_inner_budget_waits_for_neighbours_in_an_outer_one() -> None:
    async def main() -> None:
        outer = RunBudget(limits("1.00"))
        one, two = RunBudget(limits("0.80"), parent=outer), RunBudget(limits("0.80"), parent=outer)
        first = await one.reserve(Decimal("0.70"), 0)
        second = await waits(two.reserve(Decimal("0.70"), 0))
        one.settle(first, Decimal("0.20"), 0)
        await second
        assert outer.money + outer.held_money == Decimal("0.90")

    asyncio.run(asyncio.wait_for(main(), 60))


def test_steps_are_counted_and_never_given_back() -> None:
    async def main() -> None:
        budget = RunBudget(limits(steps=2))
        for _ in range(2):
            budget.settle(await budget.reserve(Decimal(0), 0), Decimal(0), 0)
        with pytest.raises(BudgetSpent) as spent:
            await budget.reserve(Decimal(0), 0)
        assert spent.value.dimension == "steps"

    asyncio.run(asyncio.wait_for(main(), 60))


# --------------------------------------------------------------------------------------- runs

# A prompt `Say hi.` is 3 of our tokens; 100 of output at $5 a million are $0.0005.
ASK = "ask say(x) by small { retry 1 output 100 tokens max }"


def budget(folder: Path, amounts: str, otherwise: str = "", steps: str = "") -> Any:
    return load(
        folder,
        f"""
        pipeline main(x: text) -> text {{
          budget {amounts} {otherwise}
          step a: text = {ASK}
          {steps or f"step b: text = {ASK}"}
          return a
        }}
        """,
    )


@pytest.mark.parametrize(
    ("amounts", "code"),
    [
        ("$0.0006", "budget_exceeded"),
        ("150 tokens", "budget_exceeded"),
        ("1 steps", "max_steps"),
    ],
)
def test_the_code_of_a_spent_budget(tmp_path: Path, amounts: str, code: str) -> None:
    models = Models(a=ModelAnswer("x", Usage(3, 90), "m"))
    steps = f'gate g: a != "" else reject step b: text = {ASK}'
    result = play(budget(tmp_path, amounts, steps=steps), models, x="hi")
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == (code, "budget")
    assert len(models.requests) == 1, "what cannot be paid is not called"
    assert result.partial["values"] == {"a": "x"}


def test_the_budgets_own_outcome(tmp_path: Path) -> None:
    loaded = budget(tmp_path, "$0.0001", 'else escalate to boss "spent" with x')
    models = Models()
    result = play(loaded, models, x="hi")
    assert isinstance(result, Escalated)
    assert (result.role, result.reason, result.text) == ("boss", "budget", "spent")
    assert result.handoff["with"] == "hi"
    assert models.requests == []
    assert events(result, "budget")[0].data == {"dimension": "money"}


def test_a_budget_may_answer(tmp_path: Path) -> None:
    result = play(budget(tmp_path, "$0.0001", "else return x"), x="hi")
    assert isinstance(result, Answered)
    assert result.value == "hi"


def test_the_larger_count_is_reserved(tmp_path: Path) -> None:
    """Ours says 3 tokens of prompt, the provider's counter 500: at $1 a million $0.0005 more."""
    loaded = budget(tmp_path, "$0.0006", steps=" ")
    assert isinstance(play(loaded, Models(), x="hi"), Answered)
    models = Models(counted=500)
    result = play(loaded, models, x="hi")
    assert isinstance(result, Failed)
    assert models.requests == []


@pytest.mark.usefixtures("virtual_time")
@pytest.mark.parametrize("counter", [OSError("down"), ModelFault("server", "?"), "hang"])
def test_a_counter_that_fails_is_no_reason_to_fail(tmp_path: Path, counter: Any) -> None:
    class Counting(Models):
        async def count_tokens(self, request):
            if counter == "hang":
                await asyncio.Event().wait()
            raise counter

    text = "step a: text = ask say(x) by small { timeout 100ms output 100 tokens max }"
    loaded = load(tmp_path, f"pipeline main(x: text) -> text {{ budget $0.001 {text} return a }}")
    began = time.monotonic()
    assert isinstance(play(loaded, Counting(), x="hi"), Answered)
    assert time.monotonic() - began < 0.5


@pytest.mark.usefixtures("virtual_time")
def test_counting_is_part_of_the_attempts_time(tmp_path: Path) -> None:
    class Counting(Models):
        async def count_tokens(self, request):
            await asyncio.sleep(0.1)
            return 3

    text = "step a: text = ask say(x) by small { timeout 300ms output 100 tokens max }"
    loaded = load(tmp_path, f"pipeline main(x: text) -> text {{ budget $1 {text} return a }}")
    models = Counting()
    play(loaded, models, x="hi")
    assert models.requests[0].timeout == pytest.approx(0.2)


def test_room_for_telling_of_a_misfit_is_reserved(tmp_path: Path) -> None:
    """The provider adds up to 200 tokens to the next prompt: $0.0002."""
    models = Models(a=ModelAnswer(5, Usage(3, 1), "m"))
    play(budget(tmp_path, "$0.0006", steps=" "), models, x="hi")
    assert len(models.requests) == 1
    models = Models(a=ModelAnswer(5, Usage(3, 1), "m"))
    play(budget(tmp_path, "$0.0008", steps=" "), models, x="hi")
    assert len(models.requests) == 2


@pytest.mark.parametrize(
    ("fault", "cost"),
    [
        (ModelFault("overloaded", "busy"), "0"),
        (ModelFault("rate_limited", "busy"), "0"),
        (ModelFault("overloaded", "busy", Usage(3, 10)), "0.000053"),
        (ModelFault("server", "?"), "0.000503"),
        (ModelFault("connection", "?"), "0.000503"),
        (ModelFault("misfit", "?"), "0.000503"),
        (ModelFault("output_limit", "?", Usage(3, 100)), "0.000503"),
        (ValueError("?"), "0.000503"),
    ],
)
def test_what_a_failed_attempt_costs(tmp_path: Path, fault: Exception, cost: str) -> None:
    text = "step a: text = ask say(x) by small { output 100 tokens max } else x"
    loaded = load(tmp_path, f"pipeline main(x: text) -> text {{ budget $1 {text} return a }}")
    result = play(loaded, Models(a=fault), x="hi")
    assert result.cost == Decimal(cost)
    assert sum(e.data.get("cost", 0) for e in events(result, "failed")) == float(cost)


@pytest.mark.usefixtures("virtual_time")
def test_a_timeout_costs_all_that_was_reserved(tmp_path: Path) -> None:
    async def hang(request):
        await asyncio.Event().wait()

    text = "step a: text = ask say(x) by small { output 100 tokens max timeout 20ms } else x"
    loaded = load(tmp_path, f"pipeline main(x: text) -> text {{ budget $1 {text} return a }}")
    result = play(loaded, Models(a=hang), x="hi")
    assert result.cost == Decimal("0.000503")
    assert result.tokens == 103


def test_tools_cost_what_they_say_whatever_comes_of_them(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        tool look(x: text) -> text {
          effect read cost $0.02 latency 1ms median succeeds 99% retry 2
        }
        pipeline main(x: text) -> text {
          budget $0.05 else reject
          step a = call look(x) else "none"
          return a
        }
        """,
    )

    def look(x: str) -> str:
        raise OSError

    result = play(loaded, tools={"look": look}, x="hi")
    assert getattr(result, "reason", None) == "budget"
    assert result.cost == Decimal("0.04")


def test_an_unpriced_tier_cannot_be_asked_under_a_money_budget(tmp_path: Path) -> None:
    head = """
    tier free { provider lab model "f" latency 1s median transient 0% context 10k tokens }
    """
    text = "step a: text = ask say(x) by free return a"
    models = Models()
    loaded = load(tmp_path, f"{head} pipeline main(x: text) -> text {{ budget $1 {text} }}")
    result = play(loaded, models, x="hi")
    assert isinstance(result, Failed)
    assert result.code == "unpriced"
    assert models.requests == []
    loaded = load(tmp_path, f"{head} pipeline main(x: text) -> text {{ budget 9k tokens {text} }}")
    assert isinstance(play(loaded, models, x="hi"), Answered)


@pytest.mark.usefixtures("virtual_time")
def test_the_time_budget_cuts_a_hanging_region(tmp_path: Path) -> None:
    gone: list[str] = []

    async def hang(request):
        try:
            await asyncio.Event().wait()
        finally:
            gone.append(request.step)

    loaded = budget(tmp_path, "100ms")
    models = Models(a=hang, b=hang)
    began = time.monotonic()
    result = play(loaded, models, x="hi")
    assert time.monotonic() - began < 1
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == ("timeout", "budget")
    assert sorted(gone) == ["a", "b"]
    assert len(models.requests) == 2, "a budget's time is not retried"


@pytest.mark.usefixtures("virtual_time")
def test_the_time_budget_cuts_a_wait_between_attempts(tmp_path: Path) -> None:
    fault = ModelFault("rate_limited", "later", retry_after=30)
    began = time.monotonic()
    result = play(budget(tmp_path, "100ms"), Models(a=fault), x="hi")
    assert time.monotonic() - began < 1
    assert isinstance(result, Failed)
    assert result.code == "timeout"


@pytest.mark.usefixtures("virtual_time")
def test_the_time_budget_cuts_a_tool(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        tool look(x: text) -> text { effect read latency 1ms median succeeds 99% timeout 9s }
        pipeline main(x: text) -> text { budget 100ms step a = call look(x) return a }
        """,
    )
    began = time.monotonic()
    result = play(loaded, tools={"look": lambda x: time.sleep(1.5)}, x="hi")
    assert time.monotonic() - began < 1
    assert isinstance(result, Failed)
    assert result.code == "timeout"


@pytest.mark.usefixtures("virtual_time")
def test_time_spent_in_waiting_for_a_neighbours_money_counts(tmp_path: Path) -> None:
    """`b` can only start when `a` has settled; then nothing is left of its time."""

    async def slow(request):
        await asyncio.sleep(0.15)
        return ModelAnswer("x", Usage(1, 1), "m")

    text = "ask say(x) by small { output 100 tokens max }"
    loaded = load(
        tmp_path,
        f"""
        pipeline main(x: text) -> text {{
          budget $0.0006, 200ms
          step a: text = {text}
          step b: text = {text}
          step c: text = {text}
          return a
        }}
        """,
    )
    models = Models(a=slow, b=slow, c=slow)
    began = time.monotonic()
    result = play(loaded, models, x="hi")
    assert time.monotonic() - began < 1
    assert isinstance(result, Failed)
    assert result.code == "timeout"
    assert result.duration == pytest.approx(0.2)
    assert len(models.requests) == 2
    assert models.requests[1].timeout == pytest.approx(0.05)


def test_neighbours_share_a_budget_without_passing_it(tmp_path: Path) -> None:
    steps = "\n".join(f"step s{n}: text = {ASK}" for n in range(8))
    loaded = budget(tmp_path, "$0.0015", steps=steps)

    async def cheap(request):
        await asyncio.sleep(0)
        return ModelAnswer("x", Usage(3, 1), "m")

    models = Models(**{f"s{n}": cheap for n in range(8)}, a=cheap)
    result = play(loaded, models, x="hi")
    assert isinstance(result, Answered), "all can be paid, one after the other"
    assert len(models.requests) == 9


def test_what_is_left_can_be_asked_for(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        pipeline main(x: text) -> text {
          budget $0.01, 5k tokens, 1m, 9 steps
          step a: text = ask say(x) by small { output 100 tokens max }
          step b = if a == "" then $0 else budget.remaining
          step c = if a == "" then 0 tokens else budget.remaining.tokens
          step d = if a == "" then 0 else budget.remaining.steps
          step e = if a == "" then 0s else budget.remaining.time
          return a
        }
        """,
    )
    ready = handle(loaded, Models())
    run = ready.start({"x": "hi"})
    assert isinstance(asyncio.run(run_pipeline(run)), Answered)
    assert run.values["b"] == Decimal("0.01") - Decimal("0.000035")
    assert run.values["c"] == 5000 - 15
    assert run.values["d"] == 8
    assert 50 < run.values["e"] < 60


def test_cancelled_calls_are_settled_once(tmp_path: Path) -> None:
    """`c` cannot be paid while `b` hangs: what `b` held is taken, and nothing stays held."""

    async def hang(request):
        await asyncio.Event().wait()

    large = ASK.replace("100 tokens", "200 tokens")
    loaded = budget(tmp_path, "$0.0011", steps=f"step b: text = {ASK} step c: text = {large}")
    ready = handle(loaded, Models(a=ModelAnswer("x", Usage(3, 99), "m"), b=hang))
    run = ready.start({"x": "hi"})
    result = asyncio.run(asyncio.wait_for(run_pipeline(run), 60))
    assert isinstance(result, Failed)
    assert run.budget.held_money == 0
    assert run.budget.held_tokens == 0
    assert result.cost == Decimal("0.000498") + Decimal("0.000503")
    assert result.cost <= Decimal("0.0011")


def test_people_cost_nothing(tmp_path: Path) -> None:
    step = "step a: text = ask say(x) by boss"
    loaded = load(tmp_path, f"pipeline main(x: text) -> text {{ budget 1 steps {step} return a }}")
    assert isinstance(play(loaded, people=Humans(boss="fine"), x="hi"), Answered)


@pytest.mark.usefixtures("virtual_time")
@pytest.mark.parametrize("amounts", ["2 steps", "300ms"])
@pytest.mark.parametrize(("order", "side_by_side"), [("", "parallel 3"), ("ordered", "")])
def test_what_a_cut_list_has_so_far_is_handed_over(
    tmp_path: Path, amounts: str, order: str, side_by_side: str
) -> None:
    async def says(request: Any) -> str:
        if amounts == "300ms" and request.arguments["x"] == "c":
            await asyncio.sleep(30)
        return str(request.arguments["x"])

    text = f"""
      pipeline main(xs: [text max 5 tokens] max 5) -> [text?] max 5 {{
        budget {amounts}
        step s: [text?] max 5 = each x in xs {order} {{ {ASK} }} {{ {side_by_side} need any }}
        return s
      }}"""
    result = play(load(tmp_path, text), Models(s=says), xs=["a", "b", "c"])
    assert isinstance(result, Failed)
    assert result.partial["values"] == {"s": ["a", "b", None]}
