"""The real world: models behind providers, Python tools, people, memories, and asyncio's clock."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from pipelang.runtime.engine.outcomes import Escalated, Halted
from pipelang.runtime.engine.redaction import hide
from pipelang.runtime.engine.templates import RenderError
from pipelang.runtime.engine.values import Misfit, shown
from pipelang.runtime.engine.world import NOTHING, Attempt, AttemptFailed, Decision, Question
from pipelang.runtime.providers.pricing import ask_for
from pipelang.runtime.shared.services import Plugged
from pipelang.runtime.tools.registry import describe
from pipelang.runtime.worlds.real.circuit_breaking import admitted, note, over
from pipelang.runtime.worlds.real.evaluation import Evaluating
from pipelang.runtime.worlds.real.memory_and_cache import MemoryAndCache
from pipelang.runtime.worlds.real.model_calls import Asking
from pipelang.runtime.worlds.real.tool_calls import Calling
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.runtime.engine.outcomes import Ended
    from pipelang.runtime.engine.run import Run


class RealWorld(Evaluating, Asking, Calling, MemoryAndCache):
    """Performs for one run, with what its host plugged in."""

    # One for every run in flight: slots take a third of the room.
    __slots__ = (
        "_asked",
        "_away_since",
        "_began",
        "_guards",
        "_kept",
        "_plugged",
        "_types",
        "_waited",
        "_waiting",
    )

    def __init__(self, plugged: Plugged) -> None:
        Evaluating.__init__(self, plugged.types)
        Asking.__init__(self, plugged)
        self._guards = False
        self._kept = None
        self._asked = None

    def admit(self, run: Run) -> bool:
        self._may(run)
        breaker = run.pipeline.breaker
        if breaker is None:
            return True
        run.frame = admitted(run, breaker, self._plugged.breakers)
        self._guards = True
        return run.frame is not None

    async def holds(self, run: Run, item: Any, test: expr.Expr) -> bool:
        passed = await super().holds(run, item, test)
        if self._guards and isinstance(item, p.Gate):
            note(run, item.name, passed)
        return passed

    def leave(self, run: Run, ended: Ended | None) -> None:
        if run.frame is not None:
            over(run, run.frame, ended, self._plugged.breakers)

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
        self._may(run)
        prompt = run.program.prompts[action.prompt]
        timeout, people = attempt.link.timeout, self._plugged.people
        try:
            ask = ask_for(prompt, action, attempt, self._types)
        except Misfit as misfit:
            raise self._failed(run, attempt, "argument", str(misfit), retryable=False) from None
        except RenderError as error:
            raise self._failed(run, attempt, "render", str(error), retryable=False) from None
        try:
            run.tell("asks", attempt.step.name, role=action.role, what="ask", content=ask.user)
            said = await self._away(
                self._unless_killed(run, people.answer(run, attempt, action, ask.user)),
                None if timeout is None or people.keeps_time else float(timeout),
            )
            if said is None:
                raise self._failed(run, attempt, "nobody", f"nobody of `{action.role}` answered")
            if said.declined is not None:
                why = f"`{said.by}` would not answer: {said.declined}".removesuffix(": ")
                raise self._failed(run, attempt, "declined", why, retryable=False)
            value = self._types.check(action.answers, said.value)
        except (AttemptFailed, Halted):
            raise
        except Misfit as misfit:
            raise self._failed(run, attempt, "misfit", str(misfit)) from None
        except Exception as error:
            raise self._failed(run, attempt, "raised", describe(error)) from error
        content = shown(action.answers, value)
        by = {} if said.by is None else {"by": hide(run, said.by)}
        run.tell("answer", attempt.step.name, content=content, role=action.role, **by)
        return value

    async def decide(self, run: Run, question: Question) -> Decision | None:
        """A person's word. Where people cannot be reached at all nobody could have said no, so that
        counts as one.
        """
        self._may(run)
        seconds = question.person.seconds
        people = self._plugged.people
        limit = None if seconds is None or people.keeps_time else float(seconds)
        try:
            asked = self._unless_killed(run, people.decide(run, question))
            decision = await self._away(asked, limit)
            if decision is not None and not isinstance(decision, Decision):
                raise TypeError(f"expected a Decision, found a `{type(decision).__name__}`")
        except Halted:
            raise
        except Exception as error:
            reason = f"nobody could be asked: {hide(run, describe(error))}"
            return Decision(False, reason=reason)
        return decision

    async def hand_over(self, run: Run, result: Escalated) -> None:
        try:
            case = await self._plugged.people.hand_over(run, result)
        except Exception as error:
            message = hide(run, describe(error))
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
