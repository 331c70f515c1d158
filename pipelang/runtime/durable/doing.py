"""Doing a leg: a run is started from its journal and goes on until its end or a long wait."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Protocol

from pipelang.records import replace
from pipelang.runtime.durable.activity import Activity
from pipelang.runtime.durable.history.costs import cost_text
from pipelang.runtime.durable.journal import JournalRecord, surely
from pipelang.runtime.durable.legs import BegunLeg, Fenced, Legs, LegToken
from pipelang.runtime.durable.outcomes import end_of
from pipelang.runtime.durable.shared.leg_quotas import LegQuotas
from pipelang.runtime.durable.switches import StoredSwitches
from pipelang.runtime.durable.world import JournaledWorld
from pipelang.runtime.engine.budget import RunBudget
from pipelang.runtime.engine.events import Sink
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.outcomes import Result
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.world import World
from pipelang.runtime.worlds.real.world import Performers
from pipelang.runtime.worlds.recorded.record import RunRecord
from pipelang.semantics import program as p

LONG = 30.0
"""Seconds of waiting beyond which a leg ends."""
LOOK = 0.1
STILL = 3
"""Looks at an activity that waits and does not move, before its leg ends."""
PAUSE = 5.0
"""Seconds until a leg that came to nothing is tried again."""

LOG = logging.getLogger("pipelang.worker")


class Startable(Protocol):
    """A pipeline with what a host plugs in: a handle."""

    def start(
        self,
        given: Mapping[str, Any],
        *,
        sinks: Iterable[Sink] = (),
        permits: Iterable[str] | None = None,
        tenant: str | None = None,
        run_id: str | None = None,
        record: RunRecord | None = None,
        recorder: Callable[[Performers, RunBudget, RunRecord, p.Program], World[Run]] | None = None,
    ) -> Run:
        """Make a run that has not begun."""


class LegWork:
    """Does legs of the runs of pipelines, which are by their queue. `sinks` gets the sinks of a run
    by its id. Once `stopping` is set, a run that only waits is put back at once. `live` hears
    events before they are recorded. `switches` are looked at before a leg begins.
    """

    def __init__(
        self,
        legs: Legs,
        pipelines: Mapping[str, Startable],
        sinks: Callable[[str], Iterable[Sink]] = lambda run: (),
        stopping: threading.Event | None = None,
        live: Sink | None = None,
        switches: StoredSwitches | None = None,
    ) -> None:
        self._switches = switches
        self._legs = legs
        self._pipelines = pipelines
        self._sinks = sinks
        self._stopping = stopping or threading.Event()
        self._live = live

    async def do(self, token: LegToken) -> None:
        """Do a leg, if there is anything to do in it. Raises `Fenced`."""
        if self._switches is not None:
            await asyncio.to_thread(self._switches.catch_up)
        claim = await surely(lambda: self._legs.begin(token))
        if claim is None:
            return
        activity = Activity()
        live = None if self._live is None else partial(self._live, token.run)
        record = JournalRecord(self._legs, claim, activity, live)
        handle = self._pipelines[claim.queue]
        try:
            run = handle.start(
                claim.input,
                run_id=token.run,
                tenant=claim.tenant,
                permits=claim.permits,
                sinks=tuple(self._sinks(token.run)),
                record=record,
                recorder=partial(JournaledWorld, activity, quotas=LegQuotas(self._legs, token)),
            )
        except Exception as error:  # a model or a tool that this worker does not have
            LOG.warning("run %s is left to others: %s", token.run, error)
            await surely(lambda: self._legs.again(claim, PAUSE))
            return
        await self._go_on(claim, run, activity)

    async def _go_on(self, claim: BegunLeg, run: Run, activity: Activity) -> None:
        task = asyncio.ensure_future(run_pipeline(run))
        try:
            waited = await self._until_long_wait(task, activity)
            if not waited:
                await self._end(claim, run, task)
                return
            due, waiting = waited
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        if task.done() and not task.cancelled() and task.exception() is None:
            await self._end(claim, run, task)  # it came to its end while it was asked to stop
            return
        cost, tokens = cost_text(run.budget.cost), run.budget.tokens
        spent = _spent(run) if waiting["kind"] == "person" else None
        await surely(lambda: self._legs.park(claim, due, waiting, cost, tokens, spent))

    async def _end(self, claim: BegunLeg, run: Run, task: asyncio.Task[Result]) -> None:
        try:
            result = task.result()
        except (asyncio.CancelledError, Fenced):
            raise
        except Exception:
            LOG.exception("run %s broke; it is tried again", claim.token.run)
            await surely(lambda: self._legs.again(claim, PAUSE))
            return
        end = replace(end_of(run, result), spent=_spent(run))
        await surely(lambda: self._legs.end(claim.token, end))

    async def _until_long_wait(
        self, task: asyncio.Task[Result], activity: Activity
    ) -> tuple[float | None, dict[str, Any]] | None:
        """Wait until a run is done (None), or does nothing but wait, for long."""
        still, moved = 0, activity.moved
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK)
            first = activity.first_wait()
            if first is None or moved != activity.moved:
                still, moved = 0, activity.moved
                continue
            still += 1
            left = None if first.due is None else first.due - self._legs.store.now()
            is_long = left is None or left > LONG or self._stopping.is_set()
            if still >= STILL and is_long:
                return first.due, first.as_json()
        return None


def _spent(run: Run) -> dict[str, tuple[Decimal, int]] | None:
    """The dollars and tokens that pipelines of a run took of their quotas; None if its program has
    none.
    """
    if not any(pipeline.quota for pipeline in run.program.pipelines.values()):
        return None
    assert isinstance(run.world, JournaledWorld)
    return run.world.spent()
