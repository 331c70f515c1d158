"""Runs with a quota, side by side: no interleaving passes it, by what their tools cost outside."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelang import Answered, Escalated, Failed, Rejected, Runtime
from pipelang.runtime.engine.outcomes import Result
from pipelang.runtime.engine.world import Decision, Question
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.tools.threads import Threads

from ..stage import events, load
from ..virtual_time import virtual

PIPE = """
tool work(x: int) -> int { effect write cost $0.10 timeout 9h retry 2 succeeds 90% }
pipeline part(x: int) -> int {
  budget $0.30
  quota $1.20/day per tenant else escalate to boss "part"
  step a = call work(x) else 0
  return a
}
pipeline main(x: int) -> int {
  budget $0.70, 9h
  quota $3/day, 30 runs/month per tenant
  step first = call work(x) else fail "first"
  approve fine by boss showing first else reject "no"
  step all: [int?] max 2 = each y in [first, x] { call work(y) else run part(y) } { need any }
    else fail "none"
  approve sure by boss within 1h showing all else escalate to boss "late"
  step last = call work(first) else fail "last"
  return last
}
"""

COST = Decimal("0.10")
MAIN, PART = Decimal(3), Decimal("1.20")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> LoadedProgram:
    return load(tmp_path_factory.mktemp("quotas"), PIPE)


class Outside:
    """The tool and the person, who take as long and fail as often as the numbers say."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers
        self.taken = 0
        self.spent = Decimal(0)
        self.runtime = Runtime(tools={"work": self.work}, people=self)

    def next(self) -> int:
        self.taken += 1
        return self.numbers[self.taken % len(self.numbers)]

    async def work(self, x: int) -> int:
        self.spent += COST
        number = self.next()
        await asyncio.sleep(number % 7)
        if number % 5 == 0:
            raise OSError("it failed")
        return x

    async def decide(self, run_id: str, question: Question) -> Decision | None:
        number = self.next()
        await asyncio.sleep(number % 50 * 100)
        return Decision(number % 6 != 0, by="ann")

    async def answer(self, run_id: str, role: str, prompt: str, shape: dict[str, Any]) -> Any:
        raise AssertionError("nobody is asked")

    def held(self) -> dict[str, tuple[Decimal, Decimal]]:
        counts = self.runtime.quotas._counts  # type: ignore[attr-defined]
        return {
            key[0]: (one.used.get("money", Decimal(0)), one.held.get("money", Decimal(0)))
            for key, one in counts.items()
            if len(key[2]) == len("2026-11-29")
        }


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=5, max_size=40), st.integers(0, 8))
def test_no_interleaving_passes_a_quota(
    program: LoadedProgram, numbers: list[int], cancelled: int
) -> None:
    outside = Outside(numbers)
    worst = dict.fromkeys(("main", "part"), Decimal(0))

    def look(run: str, event: Any) -> None:
        for name, (used, _) in outside.held().items():
            worst[name] = max(worst[name], used)
        assert worst["main"] <= MAIN
        assert worst["part"] <= PART

    async def all_of_them() -> list[Any]:
        outside.runtime.sinks = (look,)
        handle = program.pipeline("main", runtime=outside.runtime)
        tasks = []
        for number in range(14):
            tasks.append(asyncio.create_task(handle.run(x=number)))
            await asyncio.sleep(numbers[number % len(numbers)] % 90)
        for task in tasks[:cancelled]:
            task.cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    with virtual():
        ended = asyncio.run(all_of_them())
    kinds = (Answered, Escalated, Rejected, Failed, asyncio.CancelledError)
    assert all(isinstance(one, kinds) for one in ended)
    assert outside.held().get("main", (outside.spent, 0)) == (outside.spent, 0)
    assert outside.spent <= MAIN
    assert outside.held().get("part", (0, 0))[1] == 0
    results = [one for one in ended if not isinstance(one, asyncio.CancelledError)]
    codes = Counter(one.code for one in results if isinstance(one, Failed))
    assert set(codes) <= {"quota_exceeded", "first", "none", "last", "budget_exceeded"}


def told(result: Result) -> list[Any]:
    return [event.data for event in events(result, "quota")]


def test_a_run_tells_what_it_reserved_and_what_was_spent(
    program: LoadedProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = Outside([1])

    async def some() -> list[Result]:
        handle = program.pipeline("part", runtime=outside.runtime)
        return list(await asyncio.gather(*(handle.run(x=n) for n in range(5))))

    with virtual():
        *ran, last = asyncio.run(some())
    assert [told(one) for one in ran] == 4 * [[{"state": "reserved", "money": 0.3, "runs": 1}]]
    assert told(last) == [{"state": "spent", "limit": "$1.20/day"}]
    assert isinstance(last, Escalated)
    assert (last.reason, last.text, last.cost) == ("quota", "part", 0)
    assert isinstance(outside.runtime.threads, Threads)
    refused = program.pipeline("part", runtime=outside.runtime).refusal()
    assert refused is None  # four took $0.40 of $1.20
    assert program.pipeline("main", runtime=outside.runtime).refusal("t") is None
