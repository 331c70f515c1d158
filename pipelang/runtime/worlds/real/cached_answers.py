"""Cached answers of links in the real world, and sharing the answers of runs that ask now."""

from __future__ import annotations

import asyncio
import contextlib
import json
from functools import partial
from typing import Any

from pipelang.records import dataclass
from pipelang.runtime.engine.budget import BudgetSpent
from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.interruption import foreign
from pipelang.runtime.engine.redaction import hide, may_hide
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import Misfit, to_json
from pipelang.runtime.engine.world import NOTHING, AttemptFailed
from pipelang.runtime.shared.cache import CacheStore, Key
from pipelang.runtime.shared.services import Services
from pipelang.runtime.shared.single_flight import Flight
from pipelang.runtime.tools.binding import describe
from pipelang.runtime.tools.registry import class_of
from pipelang.runtime.worlds.real.attempts import time_left
from pipelang.runtime.worlds.real.cancellation import OutOfTime, unless_killed
from pipelang.semantics import program as p
from pipelang.semantics.kernels.kept_answers import kept_type
from pipelang.semantics.kernels.run import called_behind, permits_behind
from pipelang.semantics.types import JSON, Type


@dataclass(frozen=True, slots=True)
class _Entry:
    """The place of an answer in a cache, and its type. `step` names the step that has it."""

    key: Key
    store: CacheStore
    type: Type
    seconds: float
    step: str


_Asked = tuple[Run, p.Link]
"""A link as a run, or an element of it, meets it."""


class CachedAnswers:
    """The cache as one run uses it: the flights that the run began, and the answers that it stores
    should it end answered.

    An entry is worked out once, when a link is looked up: what its key reads may change until the
    answer is there.
    """

    __slots__ = ("_asked", "_flights", "_kept", "_services")

    def __init__(self, services: Services) -> None:
        self._services = services
        self._asked: dict[tuple[int, int], tuple[_Asked, _Entry | None]] = {}
        self._flights: list[tuple[Key, Flight]] = []
        self._kept: dict[Key, tuple[_Entry, Any]] = {}

    async def look_up(self, run: Run, step: p.Step, link: p.Link) -> Any:
        """The stored answer of a link, or that of another run that asks now; else `NOTHING`, and
        this run is the one that asks. What is switched off answers from no cache either.
        """
        entry = None if self._is_off(run, link) else self._entry(run, step, link)
        found = NOTHING if entry is None else await self._found(run, step, link, entry)
        if found is NOTHING:
            self._asked[id(run), id(link)] = (run, link), entry
        return found

    async def _found(self, run: Run, step: p.Step, link: p.Link, entry: _Entry) -> Any:
        """The answer of an entry; without one this run begins a flight, if no other has."""
        found = await self._find(run, entry)
        until = None if link.timeout is None else run.world.since_start(run) + float(link.timeout)
        while found is NOTHING and (flight := self._services.flights.of(entry.key)) is not None:
            await self._wait_for(run, step, flight, until)
            found = flight.result()
            if found is not NOTHING:
                self._kept[entry.key] = entry, found
        if found is not NOTHING:
            try:
                return self._services.types.check(entry.type, found)
            except Misfit:  # it was kept by something else: asked anew
                pass
        if self._services.flights.of(entry.key) is None:
            self._flights.append((entry.key, self._services.flights.begin(entry.key)))
        return NOTHING

    async def _find(self, run: Run, entry: _Entry) -> Any:
        try:
            if getattr(entry.store, "blocks", False):
                with run.budget.at_work():
                    find = partial(entry.store.find, entry.key)
                    return await foreign(self._services.tools.threads.run(find))
            return entry.store.find(entry.key)
        except Exception:
            return NOTHING  # a cache that cannot be read is an empty one

    async def _wait_for(self, run: Run, step: p.Step, flight: Flight, until: float | None) -> None:
        """Wait for another run's answer, as long as an attempt of this run would have taken."""
        limit = None if until is None else until - run.world.since_start(run)
        left = time_left(run)
        ours = left is not None and (limit is None or left[0] < limit)
        seconds = left[0] if left is not None and ours else limit
        with run.budget.at_work(), contextlib.suppress(OutOfTime):
            wait = None if seconds is None else max(seconds, 0.0)
            await unless_killed(self._services.switches, run, asyncio.wait([flight]), wait)
        if flight.done():
            return
        if left is not None and ours:
            raise BudgetSpent(left[1], "time")
        message = "nobody who asks for the same had an answer in time"
        run.emit("failed", step.name, why="timeout", message=message)
        raise AttemptFailed(message, kind="timeout")

    def keep(self, run: Run, step: p.Step, link: p.Link, answer: Any) -> None:
        """Keep an answer to be stored should the run end answered; whoever waits for it gets it."""
        entry = self._taken(run, step, link)
        if entry is not None:
            as_json = to_json(answer)
            self._kept[entry.key] = entry, as_json
            self._land(entry.key, as_json)

    def keep_nothing(self, run: Run, step: p.Step, link: p.Link) -> None:
        """Tell those who wait that there is no answer."""
        entry = self._taken(run, step, link)
        if entry is not None:
            self._land(entry.key, NOTHING)

    def _taken(self, run: Run, step: p.Step, link: p.Link) -> _Entry | None:
        """The entry of a link that was looked up; of one that is asked anew, as it is now."""
        found = self._asked.pop((id(run), id(link)), None)
        return self._entry(run, step, link) if found is None else found[1]

    def _land(self, key: Key, as_json: Any) -> None:
        """Deliver the answer to the runs that wait for it, if this run is the one that asked."""
        for asked in self._flights:
            if asked[0] == key:
                self._services.flights.land(*asked, as_json)
        self._flights = [asked for asked in self._flights if asked[0] != key]

    def kept(self) -> list[Any]:
        """The answers that are kept for the cache so far, as JSON, but for secrets."""
        return [
            [list(key), answer, entry.seconds, entry.step]
            for key, (entry, answer) in self._kept.items()
            if entry.store is not self._services.secrets.cache
        ]

    def keep_again(self, kept: list[Any]) -> None:
        """Keep what a former process kept."""
        for (tenant, program, place, text), answer, seconds, step in kept:
            key = tenant, program, place, text
            entry = _Entry(key, self._services.cache, JSON, seconds, step)
            self._kept[key] = entry, answer

    async def finish(self, run: Run, answered: bool) -> None:
        """End the run: store its answers, if it answered. A store that fails ends nothing."""
        for asked in self._flights:
            self._services.flights.land(*asked)
        self._flights.clear()
        for entry, answer in self._kept.values() if answered else ():
            try:
                keep = partial(entry.store.store, entry.key, answer, entry.seconds)
                if getattr(entry.store, "blocks", False):
                    await foreign(asyncio.to_thread(keep))
                else:
                    keep()
            except Exception as error:
                said = hide(run, describe(error))
                run.emit("failed", entry.step, content=said, why="cache", error=class_of(error))
        self._kept.clear()

    def _is_off(self, run: Run, link: p.Link) -> bool:
        """Whether a tool or a pipeline behind a link is switched off."""
        switches = self._services.switches
        if switches.idle():
            return False
        tools, pipelines = called_behind(run.program, link.action)
        return any(switches.why(pipelines, tool) is not None for tool in (None, *tools))

    def _entry(self, run: Run, step: p.Step, link: p.Link) -> _Entry | None:
        """The entry of a link; None, for no caching, if an expression in its key has no value.

        It is another one for a run with other permits, if what is called needs some: an answer is
        for those alone who might have got it themselves.
        """
        assert link.cache is not None
        try:
            values = [to_json(run.evaluate(key)) for key in link.cache.keys]
        except NoValue:
            return None
        text = json.dumps(values, sort_keys=True, default=str)
        type = kept_type(run.program, link.action)
        secret = may_hide(type) or any(may_hide(key.type) for key in link.cache.keys)
        place = f"{run.pipeline.name}.{step.name}@{link.span.start}"
        needed = permits_behind(run.program, link.action)
        if needed:
            granted = needed if run.granted is None else needed & run.granted
            place += "+" + ",".join(sorted(granted))
        key = run.terms.tenant, run.program.hash, place, text
        store = self._services.secrets.cache if secret else self._services.cache
        return _Entry(key, store, type, float(link.cache.keeps), step.name)
