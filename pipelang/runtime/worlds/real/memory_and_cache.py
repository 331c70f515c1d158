"""Memories and caches for real: what outlives a run, and what runs share while they ask."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from pipelang.runtime.engine.budget import BudgetSpent
from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.redaction import hide
from pipelang.runtime.engine.values import Misfit, Types, shown, to_json
from pipelang.runtime.engine.world import NOTHING, AttemptFailed
from pipelang.runtime.shared.cache import Key
from pipelang.runtime.shared.memory_store import Place
from pipelang.runtime.shared.single_flight import Flight
from pipelang.runtime.tools.registry import describe
from pipelang.runtime.worlds.real.attempts import Attempting
from pipelang.runtime.worlds.real.evaluation import Subjects
from pipelang.semantics import program as p
from pipelang.semantics.types import ListType, Type

if TYPE_CHECKING:
    from pipelang.runtime.engine.run import Run


class MemoryAndCache(Attempting):
    """Reads and writes memories and caches. `_asked` are the flights that this run began, `_kept`
    what it keeps should it end answered; None while there are none.
    """

    _types: Types
    _kept: dict[Key, tuple[Any, float]] | None
    _asked: list[tuple[Key, Flight]] | None

    async def recall(self, run: Run, step: p.Step, action: p.Recall, subjects: Subjects) -> Any:
        self._may(run)
        memory = run.program.memories[action.memory]
        key = run.evaluate(action.key)
        try:
            found = await self._plugged.tools.threads.run(
                lambda: self._plugged.memories.read(_place(run, memory, key), _keeps(memory))
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
        self._may(run)
        memory = run.program.memories[item.memory]
        type = memory.returns.element if isinstance(memory.returns, ListType) else memory.returns
        most = memory.returns.max_length if isinstance(memory.returns, ListType) else 1
        key, given = run.evaluate(item.key), run.evaluate(item.value)
        try:
            value = to_json(self._types.check(type, given))
            await self._plugged.tools.threads.run(
                lambda: self._plugged.memories.write(
                    _place(run, memory, key), value, most, _keeps(memory)
                )
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
        """An answer that is kept or that somebody is about to give; else this run begins to ask."""
        key = _cache_key(run, step, link)
        if key is None:
            return NOTHING
        found = await self._find(key)
        until = None if link.timeout is None else self.elapsed(run) + float(link.timeout)
        while found is NOTHING and (flight := self._plugged.flights.of(key)) is not None:
            await self._wait_for(run, step, flight, until)
            found = flight.result()
            if found is not NOTHING:
                self._keep(link, key, found)
        if found is not NOTHING:
            try:
                return self._types.check(_answers(run, link), found)
            except Misfit:  # it was kept by something else: asked anew
                pass
        if self._asked is None:
            self._asked = []
        if self._plugged.flights.of(key) is None:
            self._asked.append((key, self._plugged.flights.begin(key)))
        return NOTHING

    async def _find(self, key: Key) -> Any:
        try:
            if getattr(self._plugged.cache, "blocks", False):
                return await self._plugged.tools.threads.run(lambda: self._plugged.cache.find(key))
            return self._plugged.cache.find(key)
        except Exception:
            return NOTHING  # a cache that cannot be read is an empty one

    async def _wait_for(self, run: Run, step: p.Step, flight: Flight, until: float | None) -> None:
        """Wait for somebody's answer, as long as an attempt of our own would have waited."""
        limit = None if until is None else until - self.elapsed(run)
        left = self._left(run)
        ours = left is not None and (limit is None or left[0] < limit)
        seconds = left[0] if left is not None and ours else limit
        await asyncio.wait([flight], timeout=None if seconds is None else max(seconds, 0.0))
        if flight.done():
            return
        if left is not None and ours:
            raise BudgetSpent(left[1], "time")
        message = "nobody who asks for the same had an answer in time"
        run.tell("failed", step.name, why="timeout", message=message)
        raise AttemptFailed(message, kind="timeout")

    def keep(self, run: Run, step: p.Step, link: p.Link, answer: Any) -> None:
        key = _cache_key(run, step, link)
        if key is not None:
            told = shown(_answers(run, link), answer)
            self._keep(link, key, told)
            self._land(key, told)

    def lack(self, run: Run, step: p.Step, link: p.Link) -> None:
        key = _cache_key(run, step, link)
        if key is not None:
            self._land(key, NOTHING)

    def _keep(self, link: p.Link, key: Key, told: Any) -> None:
        assert link.cache is not None
        if self._kept is None:
            self._kept = {}
        self._kept[key] = (told, float(link.cache.keeps))

    def _land(self, key: Key, told: Any) -> None:
        """Give those who wait what came of asking, if it was this run that asked."""
        for asked in self._asked or ():
            if asked[0] == key:
                self._plugged.flights.land(*asked, told)
        self._asked = [asked for asked in self._asked or () if asked[0] != key]

    def finish(self, run: Run, answered: bool) -> None:
        if answered and self._kept:
            for key, (answer, seconds) in self._kept.items():
                self._plugged.cache.store(key, answer, seconds)
        self._kept = None


def _place(run: Run, memory: p.Memory, key: Any) -> Place:
    return run.tenant, memory.name, json.dumps(to_json(key), sort_keys=True)


def _keeps(memory: p.Memory) -> float | None:
    return None if memory.keeps is None else float(memory.keeps)


def _cache_key(run: Run, step: p.Step, link: p.Link) -> Key | None:
    """What an answer is kept under; None if that has no value: then nothing is kept."""
    assert link.cache is not None
    try:
        values = [to_json(run.evaluate(key)) for key in link.cache.keys]
    except NoValue:
        return None
    place = f"{run.pipeline.name}.{step.name}@{link.span.start}"
    return run.tenant, run.program.hash, place, json.dumps(values, sort_keys=True, default=str)


def _answers(run: Run, link: p.Link) -> Type:
    """The type of what a link that may be cached answers."""
    action = link.action
    if isinstance(action, p.Call):
        return run.program.tools[action.tool].returns
    assert isinstance(action, (p.AskTier, p.AskRole, p.Cascade, p.Agent))
    return action.answers
