"""The longest run: every attempt up to its timeout, every retry after its longest wait.

What runs side by side takes as long as the longest of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import inf
from typing import Any

from pipelang.analysis.latency.worst_case import RegionItem, Tries, worst_case
from pipelang.analysis.model.model import PipelineModel
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import longest_wait
from pipelang.semantics.kernels.timeouts import call_limit


def longest_run(model: PipelineModel, people: bool) -> float | None:
    """Seconds of the longest run, with waits for `people` or without; None where nothing bounds
    them.
    """
    return _seconds(_Seconds(people), model)


def longest_runs(model: PipelineModel) -> tuple[float | None, float | None]:
    """The same without waits for people, and with them; one walk where nobody is waited for."""
    by = _Seconds(people=True)
    seconds = _seconds(by, model)
    return (longest_run(model, people=False) if by.waited else seconds), seconds


def _seconds(by: _Seconds, model: PipelineModel) -> float | None:
    seconds = worst_case(by, model)
    return None if seconds == inf else seconds


def _limit(timeout: Decimal | None) -> float:
    return inf if timeout is None else float(timeout)


class _Seconds:
    """Seconds, infinite where nothing bounds them; waits for people count as `people` says, and
    `waited` tells whether there were any.
    """

    nothing = 0.0

    def __init__(self, people: bool) -> None:
        self.people, self.waited = people, False
        self.chains: dict[Any, float] = {}

    def then(self, first: float, second: float) -> float:
        return first + second

    def larger(self, first: float, second: float) -> float:
        return max(first, second)

    def times(self, count: int, one: float) -> float:
        return count * one if count else 0.0

    def region(self, before: float, items: Sequence[RegionItem], takes: Sequence[float]) -> float:
        if inf in takes:
            return inf
        done: dict[str, float] = {}
        longest = 0.0
        for item, seconds in zip(items, takes, strict=True):
            start = 0.0
            for name in item.reads:
                before_it = done.get(name, 0.0)
                if before_it > start:
                    start = before_it
            end = done[item.name] = start + seconds
            if end > longest:
                longest = end
        return before + longest

    def of_step(self, amount: float, step: p.Step) -> float:
        return amount

    def tried(self, retry: p.Retry, count: int, one: Tries[float]) -> float:
        waits = (float(longest_wait(retry, number)) for number in range(1, count))
        again = (count - 1) * one.again if count > 1 else 0.0
        return one.first + again + sum(max(wait, one.forced) for wait in waits)

    def polled(self, link: p.Link, count: int, one: Tries[float]) -> float:
        call = self.tried(link.retry, count, one)
        # The calls of a majority run side by side.
        return link.vote.calls * call if isinstance(link.vote, p.Lead) else call

    def elements(self, each: p.Each, length: int, one: float) -> float:
        at_once = 1 if each.ordered else min(each.parallel or length, length)
        return self.times(-(-length // at_once) if length else 0, one)

    def between_turns(self, rounds: int, tool: float) -> float:
        return self.times(rounds, tool)  # the calls of a turn run side by side

    def ask(
        self,
        model: PipelineModel,
        step: p.Step,
        link: p.Link,
        ask: p.AskTier | p.Cascade | p.Agent,
        tier: str,
        turn: int,
    ) -> Tries[float]:
        batch = 0.0 if link.batch is None else float(link.batch)
        one = _limit(link.timeout) + batch
        # A provider may say when to come back; one that asks for more than the timeout is given up.
        return Tries(one, one, _limit(link.timeout))

    def call(self, link: p.Link, tool: p.Tool) -> float:
        return _limit(call_limit(link, tool))

    def most_of_call(self, link: p.Link, tool: p.Tool) -> Decimal | None:
        return call_limit(link, tool)

    def tool(self, tool: p.Tool) -> float:
        return _limit(call_limit(None, tool))

    def answer(self, link: p.Link) -> float:
        self.waited = True
        return _limit(link.timeout) if self.people else 0.0

    def approval(self, person: p.Person) -> float:
        self.waited = True
        return _limit(person.seconds) if self.people else 0.0
