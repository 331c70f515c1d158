"""The real world: models behind providers, Python tools, people, memories, and asyncio's clock.

It is put together from components. Those that hold no state of a run are `Performers`, made once
for all runs of a handle; a run has a world of its own, with its clock and its cached answers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable, Mapping
from contextvars import copy_context
from typing import Any

from pipelang.runtime.engine.budget import BudgetSpent
from pipelang.runtime.engine.outcomes import Ended, Escalated
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.world import (
    NOTHING,
    Attempt,
    Decision,
    Question,
    Sampled,
    Subjects,
    ToolCall,
    ToolResult,
    Turn,
)
from pipelang.runtime.shared.quotas import Quotas
from pipelang.runtime.shared.services import Services
from pipelang.runtime.worlds.evaluation import EvaluatingWorld
from pipelang.runtime.worlds.real.attempts import time_left
from pipelang.runtime.worlds.real.cached_answers import CachedAnswers
from pipelang.runtime.worlds.real.cancellation import check_not_killed, pause
from pipelang.runtime.worlds.real.circuit_breaking import admit_run, record_end, record_verdict
from pipelang.runtime.worlds.real.memories import MemoryAccess
from pipelang.runtime.worlds.real.model_calls import ModelCalls
from pipelang.runtime.worlds.real.people_calls import PeopleCalls
from pipelang.runtime.worlds.real.quota_stakes import (
    reserve_quota,
    settle_quota,
    take_up_quotas,
)
from pipelang.runtime.worlds.real.tool_calls import ToolCalls
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p


class Performers:
    """The components that carry out attempts for all runs of a handle. They hold no state."""

    __slots__ = ("memories", "models", "people", "services", "tools")

    def __init__(self, services: Services) -> None:
        self.services = services
        self.models = ModelCalls(services)
        self.tools = ToolCalls(services)
        self.people = PeopleCalls(services)
        self.memories = MemoryAccess(services)


class RealWorld(EvaluatingWorld):
    """Carries out one run: its sub-pipelines and elements share the world of their root."""

    # One for every run in flight: slots take a third of the room.
    __slots__ = ("__weakref__", "_began", "_by", "_cached")

    def __init__(self, performers: Performers) -> None:
        super().__init__()
        self._by = performers
        self._began = time.monotonic()
        self._cached: CachedAnswers | None = None

    # ------------------------------------------------------------------- pipelines and gates

    async def admit(self, run: Run) -> bool:
        services = self._by.services
        if self.loop is None:
            self.loop = asyncio.get_running_loop()
        check_not_killed(services.switches, run)
        if run.pipeline.quota is not None:
            await reserve_quota(run, self._quotas())
        breaker = run.pipeline.breaker
        if breaker is None:
            return True
        run.frame = await admit_run(run, breaker, services.breakers)
        return run.frame is not None

    async def holds(self, run: Run, item: Any, test: expr.Expr) -> bool:
        passed = await super().holds(run, item, test)
        if isinstance(item, p.Gate):
            record_verdict(run, item.name, passed)
        return passed

    async def leave(self, run: Run, ended: Ended | None) -> None:
        if run.frame is not None:
            await record_end(run, run.frame, ended, self._by.services.breakers)
        if run.budget.stake is not None:
            await self._settled(run)

    async def _settled(self, run: Run) -> None:
        """End what a pipeline holds of its quota."""
        await settle_quota(run.budget)

    def _quotas(self) -> Quotas:
        """The quotas that this run asks."""
        return self._by.services.quotas

    async def take_up(self, run: Run) -> None:
        await take_up_quotas(run.budget)

    # ---------------------------------------------------------------- models, tools, people

    def attempt(self, run: Run, attempt: Attempt) -> Coroutine[Any, Any, Any]:
        match attempt.action:
            case p.Call() as action:
                tools = self._by.tools
                return tools.call(run, attempt, tools.prepared(run, action.tool))
            case p.AskTier() as action:
                return self._by.models.ask(run, attempt, action)
            case p.AskRole() as action:
                return self._by.people.ask(run, attempt, action)

    async def turn(
        self, run: Run, attempt: Attempt, agent: p.Agent, turns: tuple[Turn, ...]
    ) -> Turn:
        return await self._by.models.turn(run, attempt, agent, turns)

    async def use_tool(self, run: Run, attempt: Attempt, call: ToolCall) -> ToolResult:
        return await self._by.tools.use(run, attempt, call)

    def stand_in(self, run: Run, step: p.Step, action: p.Action) -> Any:
        return NOTHING

    async def decide(self, run: Run, question: Question) -> Decision | None:
        return await self._by.people.decide(run, question)

    async def hand_over(self, run: Run, result: Escalated) -> None:
        await self._by.people.hand_over(run, result)

    async def judge(self, run: Run, sampled: Sampled) -> None:
        await self._by.people.judge(run, sampled)

    # -------------------------------------------------------------------- memories and caches

    async def recall(self, run: Run, step: p.Step, action: p.Recall, subjects: Subjects) -> Any:
        return await self._by.memories.recall(run, step, action)

    async def remember(self, run: Run, item: p.Remember, place: str) -> Mapping[str, Any]:
        return await self._by.memories.remember(run, item, f"{run.id}/{place}")

    async def look_up(self, run: Run, step: p.Step, link: p.Link, subjects: Subjects) -> Any:
        return await self._answers().look_up(run, step, link)

    async def keep(self, run: Run, step: p.Step, link: p.Link, answer: Any) -> None:
        self._answers().keep(run, step, link, answer)

    async def keep_nothing(self, run: Run, step: p.Step, link: p.Link) -> None:
        self._answers().keep_nothing(run, step, link)

    async def finish(self, run: Run, answered: bool) -> None:
        if self._cached is not None:
            await self._cached.finish(run, answered)

    def _answers(self) -> CachedAnswers:
        """The cached answers of this run, made by the first link that has a cache."""
        if self._cached is None:
            self._cached = CachedAnswers(self._by.services)
        return self._cached

    # ----------------------------------------------------------------------------------- time

    def since_start(self, run: Run) -> float:
        return time.monotonic() - self._began

    def elapsed(self, run: Run) -> float:
        seconds, root = time.monotonic() - self._began, run.budget
        while root.parent is not None:
            root = root.parent
        return seconds if root.waits is None else root.machine_time(seconds)

    async def sleep(self, run: Run, seconds: float) -> None:
        switches, left = self._by.services.switches, time_left(run)
        with run.budget.at_work():
            if left is not None and seconds >= left[0]:
                await pause(switches, run, left[0])
                raise BudgetSpent(left[1], "time")
            await pause(switches, run, seconds)

    async def jitter(self, run: Run, longest: float) -> float:
        return self._by.services.chance.uniform(0.0, longest)

    # --------------------------------------------------------------------------- side by side

    async def first(self, tasks: Iterable[asyncio.Task[Any]]) -> Iterable[asyncio.Task[Any]]:
        """Wait as `asyncio.wait` does for the first task, without building its sets."""
        waited = list(tasks)
        loop = self.loop or asyncio.get_running_loop()
        waiter, context = loop.create_future(), copy_context()

        def wake(task: asyncio.Task[Any]) -> None:
            if not waiter.done():
                waiter.set_result(None)

        for task in waited:
            task.add_done_callback(wake, context=context)
        try:
            await waiter
        finally:
            for task in waited:
                if not task.done():
                    task.remove_done_callback(wake)
        return [task for task in waited if task.done()]
