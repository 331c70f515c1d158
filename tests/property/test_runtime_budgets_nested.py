"""Budgets in budgets, in all four dimensions, with models that use what they like.

Two pipelines inside one another ask in lists, agents, votes, cascades and side by side; providers
fail, hang, report nothing, or report more than was held for them. The clock is virtual, so that
hours pass in no time and every example is the same on every machine. What has to hold is watched at
every call: nothing is begun for which there is no room in every budget around it.
"""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelang import Answered, Failed
from pipelang.records import replace
from pipelang.runtime.engine import subpipelines
from pipelang.runtime.engine.budget import BudgetSpent, Reservation, RunBudget
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.outcomes import Result
from pipelang.runtime.engine.world import ToolCall
from pipelang.runtime.host.handle import LoadedProgram, Runtime
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from pipelang.runtime.worlds.real import model_calls
from pipelang.runtime.worlds.real import world as real_world

from ..unit.runtime.stage import left_over, load

MILLION = Decimal(1_000_000)
PRICES = {"small": (1, 5), "big": (2, 10)}

PROGRAM = """
tool look(x: text) -> text { effect read cost $0.00003 latency 1s median succeeds 99% retry 1
  timeout 2s }
pipeline inner(x: text) -> text {
  budget $1, 1h, 9k tokens, 99 steps
    else return "inner spent"
  step a: text = ask say(x) by small { retry 2 timeout 5s output 30 tokens max } else x
  step b: text = ask say(x) by big { vote 3 timeout 5s output 20 tokens max } else x
  step c: Answer = ask say(x) by cascade(small, big) until it.confidence >= 50%
    { output 40 tokens max timeout 5s } else {value: "", confidence: 0%}
  gate g: c.confidence >= 20% else redo c up to 1 else return "redone"
  return a
}
pipeline main(x: text) -> text {
  budget $1, 1h, 9k tokens, 99 steps
    else return "outer spent"
  step l: [text] max 4 = each y in ["a", "b", "c", "d"] {
    ask say(y) by small { retry 1 timeout 5s output 30 tokens max } else y
  }
  step r: text = run inner(x) else x
  step s: text = run inner(x) else x
  step t: text = agent say(x) by small with look, inner
    { steps 3 retry 1 timeout 5s output 50 tokens max } else x
  step u = call look(x) else x
  step v: text = ask join(r, s) by big { output 30 tokens max timeout 5s } else x
  return v
}
"""


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to what comes next as soon as nothing is left to do now."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        return self.now


class _Jumping(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "everything waits for something that never comes"
        self._loop.now += timeout
        return super().select(0)


@dataclass
class Books:
    """Every budget of a run, what it may hold, and what was really taken."""

    budgets: list[RunBudget] = field(default_factory=list)
    above: Decimal = Decimal(0)
    tokens_above: int = 0
    money: Decimal = Decimal(0)
    wrong: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """No budget holds or has taken more than it has, but for what came unasked."""
        for budget in self.budgets:
            limits = budget.limits
            if budget.held_money < 0 or budget.held_tokens < 0:
                self.wrong.append("a reservation was given back twice")
            if limits is None:
                continue
            dollars, tokens = budget.money + budget.held_money, budget.tokens + budget.held_tokens
            if limits.money is not None and dollars > limits.money + self.above:
                self.wrong.append("money")
            if limits.tokens is not None and tokens > limits.tokens + self.tokens_above:
                self.wrong.append("tokens")
            if limits.steps is not None and budget.steps > limits.steps:
                self.wrong.append("steps")


class Wild:
    """A provider that does what it likes, and keeps the true books."""

    name = "lab"

    def __init__(self, chance: random.Random, books: Books, honest: bool) -> None:
        self.chance = chance
        self.books = books
        self.honest = honest

    async def count_tokens(self, request: ModelRequest) -> int | None:
        return self.chance.choice([None, 1, 60])

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        chance, books = self.chance, self.books
        books.watch()
        size = -(-len(request.user.encode()) // 3)
        most = request.max_output_tokens or 4096
        used = Usage(chance.randint(0, size), chance.choice([0, most, chance.randint(0, most)]))
        if not self.honest and chance.random() < 0.2:
            used = Usage(size * 50, most * 50)
        kind = chance.choice(["answer"] * 5 + ["calls", "misfit", "hang", "server", "overloaded"])
        await asyncio.sleep(chance.choice([0, 0.5, 1, 3]) if kind != "hang" else 60)
        if kind == "overloaded":
            raise ModelFault("overloaded", "busy", retry_after=chance.choice([None, 1.0, 9.0]))
        if kind == "server":
            raise ModelFault("server", "?")
        price_in, price_out = PRICES[request.tier]
        books.money += (used.input * price_in + used.output * price_out) / MILLION
        if kind == "misfit":
            return ModelAnswer(5, used, "m")
        if kind == "calls" and request.tools:
            names = chance.choices(["look", "inner", "none"], k=chance.randint(1, 3))
            calls = [ToolCall(f"c{n}", name, {"x": "y"}) for n, name in enumerate(names)]
            return ModelAnswer(None, used, "m", calls=tuple(calls))
        sure = chance.choice([0.1, 0.3, 0.9])
        text = chance.choice(["p", "q"])
        value: Any = text if request.answer is None else {"value": text, "confidence": sure}
        return ModelAnswer(value, used, "m")

    async def close(self) -> None:
        return None


Limits = st.fixed_dictionaries(
    {
        "outer_money": st.integers(0, 4000).map(lambda micros: Decimal(micros) / MILLION),
        "outer_time": st.integers(1, 60),
        "outer_tokens": st.integers(0, 2500),
        "outer_steps": st.integers(0, 40),
        "inner_money": st.integers(0, 2000).map(lambda micros: Decimal(micros) / MILLION),
        "inner_time": st.integers(1, 25),
        "inner_tokens": st.integers(0, 1000),
        "inner_steps": st.integers(0, 12),
    },
)
"""Each of these is the one that is spent in a good share of the examples."""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedProgram:
    return load(tmp_path_factory.mktemp("nested"), PROGRAM)


def limited(loaded: LoadedProgram, limits: dict[str, Any]) -> LoadedProgram:
    """The program with these limits in its two budgets."""
    pipelines = dict(loaded.program.pipelines)
    for name, prefix in (("main", "outer"), ("inner", "inner")):
        budget = pipelines[name].budget
        assert budget is not None
        changed = replace(
            budget,
            money=limits[f"{prefix}_money"],
            seconds=Decimal(limits[f"{prefix}_time"]),
            tokens=limits[f"{prefix}_tokens"],
            steps=limits[f"{prefix}_steps"],
        )
        pipelines[name] = replace(pipelines[name], budget=changed)
    return LoadedProgram(replace(loaded.program, pipelines=pipelines))


def innermost_first(books: Books, hold: Any) -> Callable[..., Any]:
    """`RunBudget.hold` against its promise: who is spent is the innermost without room."""

    def watched(self: RunBudget, money: Decimal, tokens: int) -> Reservation | RunBudget:
        short = [budget for budget in self.chain() if not _has_room(budget, money, tokens)]
        try:
            made = hold(self, money, tokens)
        except BudgetSpent as spent:
            if not short or spent.budget is not short[0]:
                books.wrong.append("another budget than the innermost was called spent")
            raise
        if isinstance(made, Reservation) == bool(short):
            books.wrong.append("held without room, or not held although there was room")
        books.watch()
        return made

    return watched


def _has_room(budget: RunBudget, money: Decimal, tokens: int) -> bool:
    limits = budget.limits
    return limits is None or (
        (limits.money is None or budget.money + budget.held_money + money <= limits.money)
        and (limits.tokens is None or budget.tokens + budget.held_tokens + tokens <= limits.tokens)
        and (limits.steps is None or budget.steps < limits.steps)
    )


def noting(books: Books, settle: Any) -> Callable[..., None]:
    """`RunBudget.settle`, noting what was used beyond what was held."""

    def noted(self: RunBudget, held: Reservation, money: Decimal, tokens: int) -> None:
        books.above += max(Decimal(0), money - held.money)
        books.tokens_above += max(0, tokens - held.tokens)
        settle(self, held, money, tokens)
        books.watch()

    return noted


def run_virtually(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work())


@pytest.mark.parametrize("honest", [True, False])
@settings(max_examples=120, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**9), limits=Limits)
def test_no_budget_is_exceeded_in_any_dimension(
    loaded: LoadedProgram, honest: bool, seed: int, limits: dict[str, Any]
) -> None:
    books = Books()
    models = Wild(random.Random(seed), books, honest)
    program = limited(loaded, limits)

    async def look(x: str) -> str:
        books.watch()
        books.money += Decimal("0.00003")
        await asyncio.sleep(models.chance.choice([0, 1, 60]))
        return x

    def kept(*given: Any, **named: Any) -> RunBudget:
        books.budgets.append(RunBudget(*given, **named))
        return books.budgets[-1]

    async def main() -> Result:
        loop = asyncio.get_running_loop()
        clock = SimpleNamespace(monotonic=loop.time)
        patch.setattr(real_world, "time", clock)
        patch.setattr(model_calls, "time", clock)
        runtime = Runtime(providers={"lab": models}, chance=random.Random(seed))
        run = program.pipeline("main", tools={"look": look}, runtime=runtime).start({"x": "hi"})
        books.budgets.append(run.budget)
        result = await run_pipeline(run)
        assert left_over() == []
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subpipelines, "RunBudget", kept)
        patch.setattr(RunBudget, "hold", innermost_first(books, RunBudget.hold))
        patch.setattr(RunBudget, "settle", noting(books, RunBudget.settle))
        result = run_virtually(main)

    books.watch()
    assert books.wrong == []
    assert all((b.held_money, b.held_tokens) == (0, 0) for b in books.budgets)
    outer = books.budgets[0]
    # What was taken inside was taken outside as well, and never less than what is really due.
    assert books.money <= outer.money == result.cost
    if honest:
        assert result.cost <= limits["outer_money"]
        assert result.tokens <= limits["outer_tokens"]
    assert outer.steps <= limits["outer_steps"]
    assert result.duration <= limits["outer_time"] + 1e-6
    spent = [event.name for event in result.trace if event.kind == "budget"]
    assert isinstance(result, (Answered, Failed))
    if "main" in spent:
        assert isinstance(result, Answered)
        assert (result.value, spent[-1]) == ("outer spent", "main")
    else:
        assert not (isinstance(result, Answered) and result.value == "outer spent")
