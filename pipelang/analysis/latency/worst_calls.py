"""The run with the most calls of models and tools: what `budget N steps` counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelang.analysis.latency.worst_case import RegionItem, Tries, alike, worst_case
from pipelang.analysis.model.model import PipelineModel
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import CALLS_A_TURN


def most_calls(model: PipelineModel) -> int:
    """The most calls of models and tools that a run of a pipeline makes."""
    return worst_case(CallCount(), model)


class CallCount:
    """Calls, which add up wherever steps run."""

    nothing = 0

    def __init__(self) -> None:
        self.chains: dict[Any, int] = {}

    def then(self, first: int, second: int) -> int:
        return first + second

    def larger(self, first: int, second: int) -> int:
        return max(first, second)

    def times(self, count: int, one: int) -> int:
        return count * one

    def region(self, before: int, items: Sequence[RegionItem], takes: Sequence[int]) -> int:
        return before + sum(takes)

    def of_step(self, amount: int, step: p.Step) -> int:
        return amount

    def tried(self, retry: p.Retry, count: int, one: Tries[int]) -> int:
        return one.first + (count - 1) * one.again if count > 1 else one.first

    def polled(self, link: p.Link, count: int, one: Tries[int]) -> int:
        call = self.tried(link.retry, count, one)
        return call if link.vote is None else call * link.vote.calls

    def elements(self, each: p.Each, length: int, one: int) -> int:
        return length * one

    def between_turns(self, rounds: int, tool: int) -> int:
        return rounds * CALLS_A_TURN * tool

    def ask(
        self,
        model: PipelineModel,
        step: p.Step,
        link: p.Link,
        ask: p.AskTier | p.Cascade | p.Agent,
        tier: str,
        turn: int,
    ) -> Tries[int]:
        return alike(1)

    def call(self, link: p.Link, tool: p.Tool) -> int:
        return 1

    def most_of_call(self, link: p.Link, tool: p.Tool) -> None:
        return None

    def tool(self, tool: p.Tool) -> int:
        return 1

    def answer(self, link: p.Link) -> int:
        return 0

    def approval(self, person: p.Person) -> int:
        return 0
