"""The real world: models behind providers, Python tools, people, memories, and asyncio's clock."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pipelang.runtime.asking import Asking
from pipelang.runtime.caching import CacheStore, Key
from pipelang.runtime.calling import Calling
from pipelang.runtime.evaluating import Evaluating, Subjects
from pipelang.runtime.hiding import hide
from pipelang.runtime.memories import MemoryStore, Place
from pipelang.runtime.people import People
from pipelang.runtime.pricing import ask_for
from pipelang.runtime.providers.protocol import ModelProvider
from pipelang.runtime.templates import RenderError
from pipelang.runtime.tools import Toolbox, describe
from pipelang.runtime.values import Misfit, Types, shown, to_json
from pipelang.runtime.world import NOTHING, Attempt, AttemptFailed, Decision, Question
from pipelang.semantics import program as p
from pipelang.semantics.types import ListType, Type

if TYPE_CHECKING:
    from pipelang.runtime.run import Run


class RealWorld(Evaluating, Asking, Calling):
    """Performs for one run. `providers` are by the name of the program's provider; `secrets` are
    references to what must not be told.
    """

    def __init__(
        self,
        types: Types,
        providers: Mapping[str, ModelProvider],
        tools: Toolbox,
        people: People,
        chance: random.Random,
        memories: MemoryStore,
        cache: CacheStore,
        secrets: tuple[str, ...] = (),
    ) -> None:
        Evaluating.__init__(self, types)
        Asking.__init__(self, chance, secrets)
        self._providers = providers
        self._tools = tools
        self._people = people
        self._memories = memories
        self._cache = cache
        self._kept: dict[Key, tuple[Any, float]] = {}

    async def attempt(self, run: Run, attempt: Attempt) -> Any:
        match attempt.action:
            case p.AskTier():
                return await self._ask(run, attempt, attempt.action)
            case p.Call():
                return await self._call(run, attempt, attempt.action)
            case p.AskRole():
                return await self._ask_role(run, attempt, attempt.action)

    def stand_in(self, run: Run, step: p.Step, action: p.Action) -> Any:
        return NOTHING

    # --------------------------------------------------------------------------------- people

    async def _ask_role(self, run: Run, attempt: Attempt, action: p.AskRole) -> Any:
        from pipelang.semantics.jsonschema import json_schema

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
                self._people.answer(run.id, action.role, ask.user, json_schema(action.answers)),
                None if timeout is None else float(timeout),
            )
            if said is None:
                raise self._failed(run, attempt, "nobody", f"nobody of `{action.role}` answered")
            value = self._types.check(action.answers, said)
        except AttemptFailed:
            raise
        except Misfit as misfit:
            raise self._failed(run, attempt, "misfit", str(misfit)) from None
        except Exception as error:
            raise self._failed(run, attempt, "raised", describe(error)) from error
        content = shown(action.answers, value)
        run.tell("answer", attempt.step.name, content=content, role=action.role)
        return value

    async def decide(self, run: Run, question: Question) -> Decision | None:
        """A person's word. Where people cannot be reached at all nobody could have said no, so that
        counts as one.
        """
        seconds = question.person.seconds
        limit = None if seconds is None else float(seconds)
        try:
            decision = await self._away(self._people.decide(run.id, question), limit)
            if decision is not None and not isinstance(decision, Decision):
                raise TypeError(f"expected a Decision, found a `{type(decision).__name__}`")
        except Exception as error:
            reason = f"nobody could be asked: {hide(run, describe(error))}"
            return Decision(False, reason=reason)
        return decision

    # -------------------------------------------------------------------- memories and caches

    async def recall(self, run: Run, step: p.Step, action: p.Recall, subjects: Subjects) -> Any:
        memory = run.program.memories[action.memory]
        key = run.evaluate(action.key)
        try:
            found = await self._tools.threads.run(
                lambda: self._memories.read(_place(run, memory, key), _keeps(memory))
            )
            if isinstance(memory.returns, ListType):
                return self._types.check(memory.returns, found)
            return self._types.check(memory.returns, found[-1]) if found else None
        except Misfit as misfit:
            # What an older program remembered need not fit this one's types.
            raise self._not_reached(
                run, step.name, f"what `{memory.name}` holds: {misfit}"
            ) from None
        except Exception as error:
            raise self._not_reached(run, step.name, describe(error)) from error

    async def remember(self, run: Run, item: p.Remember) -> None:
        memory = run.program.memories[item.memory]
        type = memory.returns.element if isinstance(memory.returns, ListType) else memory.returns
        most = memory.returns.max_length if isinstance(memory.returns, ListType) else 1
        key, given = run.evaluate(item.key), run.evaluate(item.value)
        try:
            value = to_json(self._types.check(type, given))
            await self._tools.threads.run(
                lambda: self._memories.write(_place(run, memory, key), value, most, _keeps(memory))
            )
        except Misfit as misfit:
            raise self._not_reached(run, memory.name, str(misfit)) from None
        except Exception as error:
            raise self._not_reached(run, memory.name, describe(error)) from error

    def _not_reached(self, run: Run, name: str, message: str) -> AttemptFailed:
        message = hide(run, message)
        run.tell("failed", name, why="memory", message=message)
        return AttemptFailed(message, kind="memory", retryable=False)

    async def look_up(self, run: Run, step: p.Step, link: p.Link, subjects: Subjects) -> Any:
        try:
            found = self._cache.find(_cache_key(run, step, link))
            return NOTHING if found is NOTHING else self._types.check(_answers(run, link), found)
        except Exception:
            return NOTHING  # a cache that cannot be read is an empty one

    def keep(self, run: Run, step: p.Step, link: p.Link, answer: Any) -> None:
        assert link.cache is not None
        seconds = float(link.cache.keeps)
        self._kept[_cache_key(run, step, link)] = (shown(_answers(run, link), answer), seconds)

    def finish(self, run: Run, answered: bool) -> None:
        if answered:
            for key, (answer, seconds) in self._kept.items():
                self._cache.store(key, answer, seconds)
        self._kept.clear()

    # --------------------------------------------------------------------------- side by side

    async def first(self, tasks: Iterable[asyncio.Task[Any]]) -> Iterable[asyncio.Task[Any]]:
        done, _ = await asyncio.wait(list(tasks), return_when=asyncio.FIRST_COMPLETED)
        return done


def _place(run: Run, memory: p.Memory, key: Any) -> Place:
    return run.tenant, memory.name, json.dumps(to_json(key), sort_keys=True)


def _keeps(memory: p.Memory) -> float | None:
    return None if memory.keeps is None else float(memory.keeps)


def _cache_key(run: Run, step: p.Step, link: p.Link) -> Key:
    assert link.cache is not None
    values = [to_json(run.evaluate(key)) for key in link.cache.keys]
    place = f"{run.pipeline.name}.{step.name}@{link.span.start}"
    return run.tenant, run.program.hash, place, json.dumps(values, sort_keys=True, default=str)


def _answers(run: Run, link: p.Link) -> Type:
    """The type of what a link that may be cached answers."""
    action = link.action
    if isinstance(action, p.Call):
        return run.program.tools[action.tool].returns
    assert isinstance(action, (p.AskTier, p.AskRole, p.Cascade, p.Agent))
    return action.answers
