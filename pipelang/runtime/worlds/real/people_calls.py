"""People in the real world: asks, approvals, holds and escalations."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from pipelang.records import replace
from pipelang.runtime.engine.interruption import foreign
from pipelang.runtime.engine.outcomes import Escalated, Halted
from pipelang.runtime.engine.redaction import hide
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import Misfit, shown
from pipelang.runtime.engine.world import Attempt, AttemptFailed, Decision, Question, Sampled
from pipelang.runtime.inbox.cases import Case
from pipelang.runtime.prompts.templates import RenderError
from pipelang.runtime.providers.kinds import REPLAY, SIMULATED
from pipelang.runtime.providers.pricing import ask_for
from pipelang.runtime.shared.services import Services
from pipelang.runtime.tools.binding import describe
from pipelang.runtime.tools.registry import class_of
from pipelang.runtime.worlds.real.attempts import attempt_failed
from pipelang.runtime.worlds.real.cancellation import OutOfTime, check_not_killed, unless_killed
from pipelang.semantics import program as p


class PeopleCalls:
    """Asks the people of a program, for any of its runs."""

    __slots__ = ("_services",)

    def __init__(self, services: Services) -> None:
        self._services = services

    async def ask(self, run: Run, attempt: Attempt, action: p.AskRole) -> Any:
        """One attempt of an ask of a role; the answer fits its type. Raises `AttemptFailed`."""
        check_not_killed(self._services.switches, run)
        prompt = run.program.prompts[action.prompt]
        timeout, people = attempt.link.timeout, self._services.people
        seconds = None if timeout is None else float(timeout)
        try:
            ask = ask_for(prompt, action, attempt, self._services.types)
        except Misfit as misfit:
            raise attempt_failed(run, attempt, "argument", str(misfit), retryable=False) from None
        except RenderError as error:
            raise attempt_failed(run, attempt, "render", str(error), retryable=False) from None
        try:
            run.emit("asks", attempt.step.name, role=action.role, what="ask", content=ask.user)
            await run.world.intend(run)
            waiting = run.world.waiting_for(run, action.role, seconds)
            said = await self._wait(
                run, people.answer(run, attempt, action, ask.user, waiting), seconds
            )
            if said is None:
                raise attempt_failed(run, attempt, "nobody", f"nobody of `{action.role}` answered")
            if said.declined is not None:
                why = f"`{said.by}` would not answer: {said.declined}".removesuffix(": ")
                raise attempt_failed(run, attempt, "declined", why, retryable=False)
            value = self._services.types.check(action.answers, said.value)
        except (AttemptFailed, Halted):
            raise
        except Misfit as misfit:
            raise attempt_failed(run, attempt, "misfit", str(misfit)) from None
        except Exception as error:
            message = describe(error)
            raise attempt_failed(run, attempt, "raised", message, error=error) from error
        content = shown(action.answers, value)
        by = {} if said.by is None else {"by": hide(run, said.by)}
        run.emit("answer", attempt.step.name, content=content, role=action.role, **by)
        return value

    async def _wait(self, run: Run, asked: Coroutine[Any, Any, Any], seconds: float | None) -> Any:
        """People's answer, None if they take longer than so many seconds: no machine time."""
        limit = None if self._services.people.keeps_time else seconds
        with run.budget.waiting_for_people():
            try:
                return await unless_killed(self._services.switches, run, asked, limit)
            except OutOfTime:
                return None

    async def decide(self, run: Run, question: Question) -> Decision | None:
        """Ask a person: the decision, None if there was none in time. Where people cannot be
        reached the decision is a no, because nobody had the chance to say it.
        """
        check_not_killed(self._services.switches, run)
        person, people = question.person, self._services.people
        seconds = None if person.seconds is None else float(person.seconds)
        try:
            await run.world.intend(run)
            waiting = run.world.waiting_for(run, person.role, seconds)
            decision = await self._wait(run, people.decide(run, question, waiting), seconds)
            if decision is not None and not isinstance(decision, Decision):
                raise TypeError(f"expected a Decision, found a `{type(decision).__name__}`")
        except Halted:
            raise
        except Exception as error:
            reason = f"nobody could be asked: {hide(run, describe(error))}"
            return Decision(False, reason=reason, heard=False)
        return decision

    async def hand_over(self, run: Run, result: Escalated) -> None:
        """Put what an escalated run hands over where people find it; a failure is an event."""
        try:
            case = await foreign(self._services.people.hand_over(run, result))
        except Exception as error:
            message = hide(run, describe(error))
            run.emit("failed", result.reason, content=message, why="inbox", error=class_of(error))
            return
        _filed(run, case)

    async def judge(self, run: Run, sampled: Sampled) -> None:
        """Put an answer before people for a verdict; a failure is an event, and ends no run."""
        if self._is_simulated(run, sampled):
            sampled = replace(sampled, about={**sampled.about, "simulated": True})
        try:
            case = await foreign(self._services.people.judge(run, sampled))
        except Exception as error:
            message, name = hide(run, describe(error)), sampled.name.removeprefix(run.path)
            run.emit("failed", name, content=message, why="inbox", error=class_of(error))
            return
        _filed(run, case)

    def _is_simulated(self, run: Run, sampled: Sampled) -> bool:
        """Whether an answer was drawn or played back: by its tier, else by any there is."""
        providers, tier = self._services.providers, sampled.about.get("tier")
        names = providers if tier is None else (run.program.tiers[tier].provider,)
        known = (providers.get(name) for name in names)
        return any(one is not None and one.name in (SIMULATED, REPLAY) for one in known)


def _filed(run: Run, case: Case | None) -> None:
    if case is not None:
        name = case.name.removeprefix(run.path)
        run.emit("case", name, case=case.id, role=case.role, what=case.kind)
