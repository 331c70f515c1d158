"""A worker: takes legs from the queues of its programs and does them, side by side."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from secrets import token_hex
from typing import Any, Protocol

from sqlalchemy.exc import SQLAlchemyError

from pipelang.runtime.durable.activity import Activity
from pipelang.runtime.durable.address import StoreProblem
from pipelang.runtime.durable.engine import LegRunner
from pipelang.runtime.durable.journal import JournalRecord, surely
from pipelang.runtime.durable.leases import BEAT, Lease
from pipelang.runtime.durable.legs import BegunLeg, Fenced, Legs, LegToken
from pipelang.runtime.durable.outcomes import end_of
from pipelang.runtime.durable.store import Store
from pipelang.runtime.durable.submitting import queue_of
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
        tenant: str | None = None,
        run_id: str | None = None,
        record: RunRecord | None = None,
        recorder: Callable[[Performers, RunBudget, RunRecord, p.Program], World[Run]] | None = None,
    ) -> Run:
        """Make a run that has not begun."""


class Worker:
    """Does legs of runs of these pipelines, which are by the hash of their program and their name.

    `sinks` gets the sinks of a run by its id.
    """

    def __init__(
        self,
        store: Store,
        pipelines: Mapping[tuple[str, str], Startable],
        concurrency: int = 10,
        sinks: Callable[[str], Iterable[Sink]] = lambda run: (),
        switches: StoredSwitches | None = None,
    ) -> None:
        self.executor = token_hex(6)
        self._store = store
        self._legs = Legs(store)
        self._pipelines = {queue_of(*key): handle for key, handle in pipelines.items()}
        self._concurrency = concurrency
        self._sinks = sinks
        self._switches = switches
        self._lease = Lease(store, self.executor, self.queues)
        self._runner = LegRunner(store.address, self.executor, self.queues, self._do)
        self._active: dict[LegToken, tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = {}
        self._stopping = threading.Event()
        self._over = threading.Event()
        self._beating = threading.Thread(target=self._beat, name="pipelang-beat", daemon=True)

    @property
    def queues(self) -> tuple[str, ...]:
        return tuple(self._pipelines)

    def start(self) -> None:
        """Begin to take legs. Raises `StoreProblem`."""
        self._lease.beat()
        with self._store.reached():
            self._runner.launch(self._concurrency)
        self._beating.start()

    def stop(self, grace: float) -> None:
        """Take no more legs, finish what can be finished within `grace` seconds, and leave the rest
        to others.
        """
        self._stopping.set()
        self._runner.take_no_more()
        end = time.monotonic() + grace
        while self._active and time.monotonic() < end:
            time.sleep(LOOK)
        for loop, task in list(self._active.values()):
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(task.cancel)
        end = time.monotonic() + 2.0
        while self._active and time.monotonic() < end:
            time.sleep(LOOK)
        self._over.set()
        self._beating.join(BEAT)
        with contextlib.suppress(SQLAlchemyError, StoreProblem):
            self._runner.take_over([self.executor])
            self._lease.forget([self.executor])

    def is_idle(self) -> bool:
        """Whether no run of these pipelines is queued or at work, with whomever."""
        table = self._store.legs.table
        names = {f"q{n}": name for n, name in enumerate(self.queues)}
        listed = ", ".join(f":{name}" for name in names)
        asked = f"""SELECT 1 FROM pipelang_runs r JOIN {table} w
            ON w.workflow_uuid = r.run || ':' || r.leg
            WHERE r.status IS NULL AND r.queue IN ({listed})
            AND w.status IN ('ENQUEUED', 'PENDING') LIMIT 1"""
        return not names or not self._store.rows(asked, **names)

    # -------------------------------------------------------------------------------- beats

    def _beat(self) -> None:
        while not self._over.wait(BEAT):
            try:
                dead = self._lease.beat()
                if dead and not self._stopping.is_set():
                    LOG.warning("takes over from %s", ", ".join(dead))
                    self._runner.take_over(dead)
                    self._lease.forget(dead)
                self._drop_ended()
                if self._switches is not None:
                    self._switches.look()
            except (StoreProblem, SQLAlchemyError) as error:
                LOG.warning("the store is away: %s", error)
            except Exception:
                LOG.exception("a beat failed")

    def _drop_ended(self) -> None:
        """Stop legs whose run was ended from outside."""
        active = list(self._active.items())
        if not active:
            return
        names = {f"r{n}": token.run for n, (token, _) in enumerate(active)}
        listed = ", ".join(f":{name}" for name in names)
        asked = f"SELECT run FROM pipelang_runs WHERE status IS NOT NULL AND run IN ({listed})"
        ended = {row["run"] for row in self._store.rows(asked, **names)}
        for token, (loop, task) in active:
            if token.run in ended:
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(task.cancel)

    # --------------------------------------------------------------------------------- legs

    async def _do(self, run: str, number: int, owner: str) -> None:
        token = LegToken(run, number, owner)
        task = asyncio.ensure_future(self._leg(token))
        self._active[token] = asyncio.get_running_loop(), task
        try:
            await task
        except Fenced as fenced:
            LOG.info("%s", fenced)
            raise asyncio.CancelledError from fenced
        finally:
            self._active.pop(token, None)

    async def _leg(self, token: LegToken) -> None:
        claim = await surely(lambda: self._legs.begin(token))
        if claim is None:
            return
        activity = Activity()
        record = JournalRecord(self._legs, claim, activity)
        handle = self._pipelines[claim.queue]
        try:
            run = handle.start(
                claim.input,
                run_id=token.run,
                tenant=claim.tenant,
                sinks=tuple(self._sinks(token.run)),
                record=record,
                recorder=partial(JournaledWorld, activity),
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
        cost, tokens = str(run.budget.money), run.budget.tokens
        await surely(lambda: self._legs.park(claim, due, waiting, cost, tokens))

    async def _end(self, claim: BegunLeg, run: Run, task: asyncio.Task[Result]) -> None:
        try:
            result = task.result()
        except (asyncio.CancelledError, Fenced):
            raise
        except Exception:
            LOG.exception("run %s broke; it is tried again", claim.token.run)
            await surely(lambda: self._legs.again(claim, PAUSE))
            return
        end = end_of(run, result)
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
            left = None if first.due is None else first.due - self._store.now()
            is_long = left is None or left > LONG or self._stopping.is_set()
            if still >= STILL and is_long:
                return first.due, first.as_json()
        return None
