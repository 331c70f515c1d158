"""Cached answers of links in the real world, and sharing the answers of runs that ask now."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from pipelang.runtime.engine.budget import BudgetSpent
from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import Misfit, shown, to_json
from pipelang.runtime.engine.world import NOTHING, AttemptFailed
from pipelang.runtime.shared.cache import Key
from pipelang.runtime.shared.services import Services
from pipelang.runtime.shared.single_flight import Flight
from pipelang.runtime.worlds.real.attempts import time_left
from pipelang.semantics import program as p
from pipelang.semantics.types import Type


class CachedAnswers:
    """The cache as one run uses it: the flights that the run began, and the answers that it stores
    should it end answered.
    """

    __slots__ = ("_asked", "_kept", "_services")

    def __init__(self, services: Services) -> None:
        self._services = services
        self._asked: list[tuple[Key, Flight]] = []
        self._kept: dict[Key, tuple[Any, float]] = {}

    async def look_up(self, run: Run, step: p.Step, link: p.Link) -> Any:
        """The stored answer of a link, or that of another run that asks now; else `NOTHING`, and
        this run is the one that asks.
        """
        key = _cache_key(run, step, link)
        if key is None:
            return NOTHING
        found = await self._find(key)
        until = None if link.timeout is None else run.world.elapsed(run) + float(link.timeout)
        while found is NOTHING and (flight := self._services.flights.of(key)) is not None:
            await self._wait_for(run, step, flight, until)
            found = flight.result()
            if found is not NOTHING:
                self._keep(link, key, found)
        if found is not NOTHING:
            try:
                return self._services.types.check(_answers(run, link), found)
            except Misfit:  # it was kept by something else: asked anew
                pass
        if self._services.flights.of(key) is None:
            self._asked.append((key, self._services.flights.begin(key)))
        return NOTHING

    async def _find(self, key: Key) -> Any:
        try:
            if getattr(self._services.cache, "blocks", False):
                return await self._services.tools.threads.run(
                    lambda: self._services.cache.find(key)
                )
            return self._services.cache.find(key)
        except Exception:
            return NOTHING  # a cache that cannot be read is an empty one

    async def _wait_for(self, run: Run, step: p.Step, flight: Flight, until: float | None) -> None:
        """Wait for another run's answer, as long as an attempt of this run would have taken."""
        limit = None if until is None else until - run.world.elapsed(run)
        left = time_left(run)
        ours = left is not None and (limit is None or left[0] < limit)
        seconds = left[0] if left is not None and ours else limit
        await asyncio.wait([flight], timeout=None if seconds is None else max(seconds, 0.0))
        if flight.done():
            return
        if left is not None and ours:
            raise BudgetSpent(left[1], "time")
        message = "nobody who asks for the same had an answer in time"
        run.emit("failed", step.name, why="timeout", message=message)
        raise AttemptFailed(message, kind="timeout")

    def keep(self, run: Run, step: p.Step, link: p.Link, answer: Any) -> None:
        key = _cache_key(run, step, link)
        if key is not None:
            as_json = shown(_answers(run, link), answer)
            self._keep(link, key, as_json)
            self._land(key, as_json)

    def keep_nothing(self, run: Run, step: p.Step, link: p.Link) -> None:
        key = _cache_key(run, step, link)
        if key is not None:
            self._land(key, NOTHING)

    def _keep(self, link: p.Link, key: Key, as_json: Any) -> None:
        assert link.cache is not None
        self._kept[key] = (as_json, float(link.cache.keeps))

    def _land(self, key: Key, as_json: Any) -> None:
        """Deliver the answer to the runs that wait for it, if this run is the one that asked."""
        for asked in self._asked:
            if asked[0] == key:
                self._services.flights.land(*asked, as_json)
        self._asked = [asked for asked in self._asked if asked[0] != key]

    def finish(self, answered: bool) -> None:
        if answered:
            for key, (answer, seconds) in self._kept.items():
                self._services.cache.store(key, answer, seconds)
        self._kept.clear()


def _cache_key(run: Run, step: p.Step, link: p.Link) -> Key | None:
    """The key of a link's answer; None, for no caching, if an expression in it has no value."""
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
