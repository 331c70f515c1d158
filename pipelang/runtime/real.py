"""The real world: models behind providers, Python tools, people, memories, and asyncio's clock."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pipelang.runtime.asking import Asking
from pipelang.runtime.batching import Batches
from pipelang.runtime.caching import CacheStore
from pipelang.runtime.calling import Calling
from pipelang.runtime.evaluating import Evaluating
from pipelang.runtime.flights import Flights
from pipelang.runtime.inbox.inbox import Inbox
from pipelang.runtime.inbox.reaching import Reach
from pipelang.runtime.memories import MemoryStore
from pipelang.runtime.outcomes import Escalated
from pipelang.runtime.people import People
from pipelang.runtime.pricing import ask_for
from pipelang.runtime.providers.protocol import ModelProvider
from pipelang.runtime.remembering import Remembering
from pipelang.runtime.secrets import redact
from pipelang.runtime.templates import RenderError
from pipelang.runtime.tools import Toolbox, describe
from pipelang.runtime.values import Misfit, Types, shown
from pipelang.runtime.world import NOTHING, Attempt, AttemptFailed, Decision, Question
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.runtime.run import Run


class RealWorld(Evaluating, Asking, Calling, Remembering):
    """Performs for one run. `providers` are by the name of the program's provider; `secrets` are
    references to what must not be told.
    """

    # One for every run in flight: slots take a third of the room.
    __slots__ = (
        "_asked",
        "_away_since",
        "_batches",
        "_began",
        "_cache",
        "_chance",
        "_flights",
        "_kept",
        "_memories",
        "_people",
        "_providers",
        "_secrets",
        "_tools",
        "_types",
        "_waited",
        "_waiting",
    )

    def __init__(
        self,
        types: Types,
        providers: Mapping[str, ModelProvider],
        tools: Toolbox,
        people: People | Inbox,
        chance: random.Random,
        memories: MemoryStore,
        cache: CacheStore,
        flights: Flights,
        batches: Batches,
        secrets: tuple[str, ...] = (),
    ) -> None:
        Evaluating.__init__(self, types)
        Asking.__init__(self, chance, secrets)
        self._providers = providers
        self._tools = tools
        self._people = Reach(people, secrets)
        self._memories = memories
        self._cache = cache
        self._flights = flights
        self._batches = batches
        self._kept = None
        self._asked = None

    def attempt(self, run: Run, attempt: Attempt) -> Coroutine[Any, Any, Any]:
        match attempt.action:
            case p.AskTier():
                return self._ask(run, attempt, attempt.action)
            case p.Call():
                return self._call(run, attempt, run.program.tools[attempt.action.tool])
            case p.AskRole():
                return self._ask_role(run, attempt, attempt.action)

    def stand_in(self, run: Run, step: p.Step, action: p.Action) -> Any:
        return NOTHING

    # --------------------------------------------------------------------------------- people

    async def _ask_role(self, run: Run, attempt: Attempt, action: p.AskRole) -> Any:
        prompt = run.program.prompts[action.prompt]
        timeout = attempt.link.timeout
        try:
            ask = ask_for(prompt, action, attempt, self._types)
        except Misfit as misfit:
            raise self._failed(run, attempt, "argument", str(misfit), retryable=False) from None
        except RenderError as error:
            raise self._failed(run, attempt, "render", str(error), retryable=False) from None
        try:
            run.tell("asks", attempt.step.name, role=action.role, what="ask", content=ask.user)
            said = await self._away(
                self._people.answer(run, attempt, action, ask.user),
                None if timeout is None or self._people.keeps_time else float(timeout),
            )
            if said is None:
                raise self._failed(run, attempt, "nobody", f"nobody of `{action.role}` answered")
            if said.declined is not None:
                why = f"`{said.by}` would not answer: {said.declined}".removesuffix(": ")
                raise self._failed(run, attempt, "declined", why, retryable=False)
            value = self._types.check(action.answers, said.value)
        except AttemptFailed:
            raise
        except Misfit as misfit:
            raise self._failed(run, attempt, "misfit", str(misfit)) from None
        except Exception as error:
            raise self._failed(run, attempt, "raised", describe(error)) from error
        content = shown(action.answers, value)
        by = {} if said.by is None else {"by": said.by}
        run.tell("answer", attempt.step.name, content=content, role=action.role, **by)
        return value

    async def decide(self, run: Run, question: Question) -> Decision | None:
        """A person's word. Where people cannot be reached at all nobody could have said no, so that
        counts as one.
        """
        seconds = question.person.seconds
        limit = None if seconds is None or self._people.keeps_time else float(seconds)
        try:
            decision = await self._away(self._people.decide(run, question), limit)
            if decision is not None and not isinstance(decision, Decision):
                raise TypeError(f"expected a Decision, found a `{type(decision).__name__}`")
        except Exception as error:
            reason = f"nobody could be asked: {redact(describe(error), self._secrets)}"
            return Decision(False, reason=reason)
        return decision

    async def hand_over(self, run: Run, result: Escalated) -> None:
        try:
            case = await self._people.hand_over(run, result)
        except Exception as error:
            message = redact(describe(error), self._secrets)
            run.tell("failed", result.reason, why="inbox", message=message)
            return
        if case is not None:
            run.tell("case", case.name, case=case.id, role=case.role, what=case.kind)

    # --------------------------------------------------------------------------- side by side

    async def first(self, tasks: Iterable[asyncio.Task[Any]]) -> Iterable[asyncio.Task[Any]]:
        """What `asyncio.wait` does, without its sets."""
        waited = list(tasks)
        waiter = asyncio.get_running_loop().create_future()

        def wake(task: asyncio.Task[Any]) -> None:
            if not waiter.done():
                waiter.set_result(None)

        for task in waited:
            task.add_done_callback(wake)
        try:
            await waiter
        finally:
            for task in waited:
                if not task.done():
                    task.remove_done_callback(wake)
        return [task for task in waited if task.done()]
