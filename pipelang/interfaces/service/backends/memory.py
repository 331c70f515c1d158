"""Runs in memory: they are done by this process, and are gone with it."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
import time
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from pipelang.interfaces.service.backend import (
    CaseFilter,
    CasePage,
    Occurrence,
    RunFilter,
    RunJson,
    RunOrder,
    RunPage,
    SwitchKind,
)
from pipelang.interfaces.service.backends.cleaning import Cleaner
from pipelang.interfaces.service.backends.memory_runs import (
    MemoryRun,
    fits,
    hash_of,
    is_in,
    is_older,
    page_of_cases,
)
from pipelang.interfaces.service.backends.quota_refusals import refuse_beyond_quota
from pipelang.interfaces.service.health import Depth, Health
from pipelang.interfaces.service.problems import Problem, shortened
from pipelang.interfaces.text.number_format import plural
from pipelang.runtime.tools.under_way import with_calls

if TYPE_CHECKING:
    from pipelang.interfaces.observation.records import RunSource
    from pipelang.interfaces.service.deployment import Deployed
    from pipelang.interfaces.service.metrics import ServiceMetrics
    from pipelang.runtime.engine.events import Event
    from pipelang.runtime.engine.outcomes import Result
    from pipelang.runtime.inbox.cases import Case, Verdict
    from pipelang.runtime.inbox.inbox import Inbox
    from pipelang.runtime.shared.kill_switches import Switch, Switches

LOG = logging.getLogger("pipelang.serve")

AT_ONCE = 200
"""Runs at work at once that do not wait for people."""
MOST_QUEUED = 10_000
MOST_KEPT = 10_000
"""Ended runs that are kept; beyond it the oldest go, with their keys."""
MOST_EVENTS = 10_000
"""Events of a run that are kept; of a run with more the first ones are."""
IDLE = 15.0
"""Seconds after which somebody who follows a quiet run hears that nothing happened."""


class MemoryBackend:
    """Does runs in this process, at most `at_once` side by side, and keeps the last of them.

    `inbox` has the cases of people, `switches` stop runs.
    """

    where = "in memory"

    def __init__(
        self,
        inbox: Inbox,
        switches: Switches,
        *,
        at_once: int = AT_ONCE,
        most_queued: int = MOST_QUEUED,
        most_kept: int = MOST_KEPT,
    ) -> None:
        self._inbox = inbox
        self._switches = switches
        self._at_once = at_once
        self._most_queued = most_queued
        self._most_kept = most_kept
        self._deployed: Mapping[str, Deployed] = {}
        self._metrics: ServiceMetrics | None = None
        self._cleaner = Cleaner({})
        self._runs: OrderedDict[str, MemoryRun] = OrderedDict()
        self._done: deque[str] = deque()
        self._keys: dict[tuple[str | None, str, str], tuple[str, str]] = {}
        self._queue: list[tuple[int, int, str]] = []
        self._order = 0
        self._active = 0
        self._paused: dict[str, str] = {}
        self._held: defaultdict[str, list[tuple[int, int, str]]] = defaultdict(list)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._closing = False
        self._notes: dict[str, str] = {}

    # -------------------------------------------------------------------------------- serving

    async def open(self, deployed: Mapping[str, Deployed], metrics: ServiceMetrics) -> None:
        """Begin to work on these pipelines."""
        self._deployed, self._metrics = deployed, metrics
        self._cleaner = Cleaner(deployed)

    async def close(self, grace: float) -> None:
        """Finish what runs within `grace` seconds; all else is lost, and logged."""
        self._closing = True
        for timer in self._timers.values():
            timer.cancel()
        end = time.monotonic() + grace
        tasks = [one.task for one in self._runs.values() if one.task is not None and not one.asking]
        if tasks:
            await asyncio.wait(tasks, timeout=max(0.0, end - time.monotonic()))
        left = [one for one in self._runs.values() if not one.over]
        for one in left:
            if one.task is not None:
                one.task.cancel()
        cut = [one.task for one in left if one.task is not None]
        if cut:
            await asyncio.wait(cut, timeout=2.0)
        if left:
            LOG.warning("%d runs had not ended, and are lost: they were in memory", len(left))

    # ----------------------------------------------------------------------------------- runs

    async def start(self, order: RunOrder) -> tuple[str, bool]:
        """Take a run; its id, and whether it is new."""
        found = self._deployed[order.pipeline]
        handle = found.handle
        if handle is None:
            raise Problem(503, "not_runnable", "the pipeline cannot run here now")
        asked = hash_of(order.row)
        named = None if order.key is None else (order.tenant, order.pipeline, order.key)
        if named is not None and named in self._keys:
            known, before = self._keys[named]
            if before != asked:
                # An input that does not fit is told as that, as a store tells it.
                await asyncio.to_thread(handle.inputs, order.row)
                raise Problem(
                    409,
                    "key_conflict",
                    f"key `{shortened(named[2])}` was used for run {known} with another input",
                )
            return known, False
        if len(self._queue) >= self._most_queued:
            raise Problem(
                429,
                "queue_full",
                f"{plural(len(self._queue), 'run waits', 'runs wait')} to begin",
                headers={"Retry-After": "5"},
            )
        from pipelang.runtime.host.inputs import has_media, read_ahead

        row: Mapping[str, Any] = order.row
        if has_media(handle.pipeline):
            row = await read_ahead(handle.pipeline, row, handle.inputs)
        one = MemoryRun(token_hex(10), order, found.program, time.time())
        one.run = handle.start(
            row, tenant=order.tenant, run_id=one.id, sinks=(self._listener(one),)
        )
        refuse_beyond_quota(handle.runtime.quotas, handle.pipeline, order)
        if named is not None:
            if named in self._keys:  # while a picture was read
                return await self.start(order)
            self._keys[named] = one.id, asked
        self._runs[one.id] = one
        if order.delay > 0:
            loop = asyncio.get_running_loop()
            self._timers[one.id] = loop.call_later(order.delay, self._enqueue, one)
        else:
            self._enqueue(one)
        return one.id, True

    def _enqueue(self, one: MemoryRun) -> None:
        self._timers.pop(one.id, None)
        if one.over:
            return
        one.status = "queued"
        self._order += 1
        place = (one.order.priority, self._order, one.id)
        if one.order.pipeline in self._paused:
            self._held[one.order.pipeline].append(place)
            return
        heapq.heappush(self._queue, place)
        self._pump()

    def _pump(self) -> None:
        """Begin runs while there is room."""
        while self._queue and self._active < self._at_once and not self._closing:
            place = heapq.heappop(self._queue)
            one = self._runs.get(place[2])
            if one is None or one.over:
                continue
            if one.order.pipeline in self._paused:
                self._held[one.order.pipeline].append(place)
                continue
            self._active += 1
            one.status, one.started = "running", time.time()
            one.task = asyncio.ensure_future(self._do(one))

    async def _do(self, one: MemoryRun) -> None:
        from pipelang.runtime.engine.interpreter import run_pipeline

        assert one.run is not None
        try:
            result = await run_pipeline(one.run)
            self._end(one, result)
        except asyncio.CancelledError:
            if not one.over:
                self._cancelled(one)
        except Exception:
            LOG.exception("run %s broke", one.id)
            self._fail(one, "broken", "pipelang itself made a mistake")
        finally:
            if not one.asking:
                self._active -= 1
            one.asking.clear()
            one.run = None
            one.task = None
            self._pump()

    def _end(self, one: MemoryRun, result: Result) -> None:
        from pipelang.interfaces.report.runs.outcome import blanked
        from pipelang.runtime.engine.outcomes import result_json

        returns = self._deployed[one.order.pipeline].pipeline.returns
        one.took(result.cost, result.tokens)
        one.seconds = result.duration
        self._over(one, type(result).__name__.lower(), result_json(blanked(result, returns)))

    def _fail(self, one: MemoryRun, code: str, text: str, reason: str | None = None) -> None:
        result = {"code": code, "reason": reason or code, "text": text, "partial": {}}
        if one.run is not None:
            one.took(one.run.budget.cost, one.run.budget.tokens)
        self._over(one, "failed", result)

    def _cancelled(self, one: MemoryRun) -> None:
        text = with_calls("it was cancelled", one.under_way.calls)
        self._fail(one, "cancelled", text, "cancel")

    def _over(self, one: MemoryRun, status: str, result: dict[str, Any]) -> None:
        one.status, one.result, one.ended = status, result, time.time()
        one.wake()
        if self._metrics is not None:
            reason = result.get("reason")
            self._metrics.ended(
                one.order.pipeline, status, reason, one.cost, one.tokens, one.seconds
            )
        self._done.append(one.id)
        while len(self._done) > self._most_kept:
            gone = self._runs.pop(self._done.popleft(), None)
            if gone is not None and gone.order.key is not None:
                self._keys.pop((gone.order.tenant, gone.order.pipeline, gone.order.key), None)

    def _listener(self, one: MemoryRun) -> Callable[[str, Event], None]:
        def listen(run_id: str, event: Event) -> None:
            self._follow_people(one, event)
            one.under_way.hear(event)
            if self._metrics is not None:
                self._metrics.event(one.order.pipeline, event)
            if len(one.events) < MOST_EVENTS or event.kind == "outcome":
                one.events.append(self._cleaner.occurrence(event, len(one.events)))
            one.wake()

        return listen

    def _follow_people(self, one: MemoryRun, event: Event) -> None:
        """Runs that only wait for people leave their place to others."""
        before = bool(one.asking)
        match event.kind:
            case "asks":
                one.asking[event.name] = str(event.data.get("role", ""))
            case "approve" | "hold" | "answer" | "failed" | "result":
                one.asking.pop(event.name, None)
            case "done" | "ended":
                for name in [n for n in one.asking if is_in(n, event.name)]:
                    del one.asking[name]
            case _:
                return
        now = bool(one.asking)
        if before != now and one.task is not None:
            self._active += -1 if now else 1
            one.status = "waiting" if now else "running"
            if now:
                asyncio.get_running_loop().call_soon(self._pump)

    async def run(self, id: str) -> RunJson | None:
        """A run, by its whole id."""
        one = self._runs.get(id)
        return None if one is None else self._json(one)

    async def input_of(self, id: str) -> dict[str, Any] | None:
        """The input of a run, as JSON."""
        one = self._runs.get(id)
        return None if one is None else dict(one.order.row)

    def _json(self, one: MemoryRun) -> RunJson:
        return self._listed([one])[0]

    def _listed(self, runs: Sequence[MemoryRun]) -> list[RunJson]:
        """Runs as JSON, with when the time of what they ask is up: the cases are gone through once
        for all of them.
        """
        asking = {one.id: one.asked_role for one in runs if one.asked_role is not None}
        due: dict[str, float] = {}
        for case in self._inbox.cases() if asking else ():
            if case.due_at is not None and asking.get(case.run_id) == case.role:
                at = case.due_at.timestamp()
                due[case.run_id] = min(at, due.get(case.run_id, at))
        return [one.as_json(due.get(one.id)) for one in runs]

    async def runs(self, wanted: RunFilter) -> RunPage:
        """A page of runs, newest first."""
        found: list[MemoryRun] = []
        for one in reversed(self._runs.values()):
            if wanted.after is not None and not is_older(one, wanted.after):
                continue
            if fits(one, wanted):
                found.append(one)
                if len(found) > wanted.limit:
                    break
        page = found[: wanted.limit]
        more = (page[-1].created, page[-1].id) if len(found) > wanted.limit and page else None
        return RunPage(tuple(self._listed(page)), more)

    async def wait(self, id: str, seconds: float) -> RunJson | None:
        """The run when it has ended, or as it is after so many seconds."""
        one = self._runs.get(id)
        if one is None:
            return None
        end = time.monotonic() + seconds
        while not one.over and (left := end - time.monotonic()) > 0 and not self._closing:
            await one.change(left)
        return self._json(one)

    async def cancel(self, id: str) -> None:
        """End a run as failed with the code `cancelled`."""
        one = self._runs.get(id)
        if one is None:
            return
        if one.over:
            raise Problem(409, "ended", f"run {id} has ended: {one.status}")
        timer = self._timers.pop(id, None)
        if timer is not None:
            timer.cancel()
        task = one.task
        if task is None:
            self._cancelled(one)
            one.run = None
            return
        task.cancel()
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait({task}, timeout=10.0)

    async def recorded(self, id: str) -> tuple[Occurrence, ...]:
        """The events of a run so far, in order."""
        one = self._runs.get(id)
        return () if one is None else tuple(one.events)

    async def follow(self, id: str, after: int) -> AsyncIterator[Occurrence | None]:
        """The events of a run beyond `after`, as they come."""
        one = self._runs.get(id)
        if one is None:
            return
        place = max(after + 1, 0)
        while True:
            while place < len(one.events):
                yield one.events[place]
                place += 1
            # Between this look and the wait nothing else runs, so that nothing is missed.
            if one.over:
                return
            if not await one.change(IDLE):
                yield None

    # ---------------------------------------------------------------------------------- cases

    async def case_page(self, wanted: CaseFilter) -> CasePage:
        """A page of cases, oldest first."""
        return page_of_cases(self._inbox.cases(closed=wanted.closed), wanted)

    async def open_case_ids(self, all_tenants: bool, tenant: str | None) -> tuple[str, ...]:
        """The ids of the open cases, of a tenant or of all."""
        return tuple(one.id for one in self._inbox.cases() if all_tenants or one.tenant == tenant)

    async def open_cases_of(self, run: str) -> tuple[Case, ...]:
        """The open cases of a run, oldest first."""
        return tuple(one for one in self._inbox.cases() if one.run_id == run)

    async def closed_cases(
        self, all_tenants: bool, tenant: str | None, role: str | None, most: int
    ) -> tuple[Case, ...]:
        """The closed cases that were opened last, at most so many."""
        found = [
            one
            for one in self._inbox.cases(role=role, closed=True)
            if one.state != "open" and (all_tenants or one.tenant == tenant)
        ]
        return tuple(found[: -most - 1 : -1])

    async def case(self, id: str) -> Case | None:
        """A case, by its whole id."""
        from pipelang.runtime.inbox.cases import Refused

        try:
            found = self._inbox.case(id)
        except Refused:
            return None
        return found if found.id == id else None

    async def decide(self, id: str, *, yes: bool, by: str, reason: str) -> Case:
        """Say yes or no to a case."""
        return await self._inbox.decide(id, yes=yes, by=by, reason=reason)

    async def answer(self, id: str, answer: Any, *, by: str, reason: str) -> Case:
        """Answer the ask of a case."""
        return await self._inbox.answer(id, answer, by=by, reason=reason)

    async def look(self, id: str, by: str) -> Case:
        """Take note that somebody looks at a case; it, with that."""
        return await self._inbox.look(id, by)

    async def label(self, id: str, verdict: Verdict) -> Case:
        """Say whether a sampled answer is right."""
        return await self._inbox.rule(id, verdict)

    async def source(self) -> RunSource:
        """The runs that are kept, as they are now."""
        from pipelang.interfaces.service.backends.memory_source import MemorySource

        kept = list(self._runs.values())
        runs = [
            (told, one.created, list(one.events))
            for told, one in zip(self._listed(kept), kept, strict=True)
        ]
        return MemorySource(runs, self._inbox.cases(closed=True), "memory", self._notes)

    # ------------------------------------------------------------------------------- switches

    async def switches(self) -> dict[Switch, str]:
        """Everything that is switched off, with the reason."""
        return self._switches.off()

    async def others(self, what: SwitchKind) -> frozenset[str]:
        """None: what runs here is served here."""
        return frozenset()

    async def kill(self, tool: str | None, pipeline: str | None, reason: str) -> None:
        """Switch off a tool, a pipeline, or everything."""
        self._switches.kill(tool=tool, pipeline=pipeline, reason=reason)

    async def restore(self, tool: str | None, pipeline: str | None) -> bool:
        """Switch it on again, and have runs of paused pipelines begin."""
        was = self._switches.revive(tool=tool, pipeline=pipeline)
        names: Iterable[str] = (
            () if tool is not None else [pipeline] if pipeline else self._deployed
        )
        for name in names:
            was = was or name in self._paused
            self._paused.pop(name, None)
            for place in self._held.pop(name, []):
                heapq.heappush(self._queue, place)
        self._pump()
        return was

    async def pause(self, pipeline: str | None, reason: str) -> None:
        """Have no run of a pipeline begin, or of any."""
        names = self._deployed if pipeline is None else (pipeline,)
        self._paused |= dict.fromkeys(names, reason)

    async def paused(self) -> dict[str, str]:
        """The pipelines of which no run begins, with the reasons."""
        return dict(sorted(self._paused.items()))

    # --------------------------------------------------------------------------------- health

    async def health(self) -> Health:
        """Health: nothing here can be away."""
        return Health("it is stopping" if self._closing else None)

    async def depths(self) -> dict[str, Depth]:
        """The numbers of each pipeline as they are now."""
        states = Counter((one.order.pipeline, one.status) for one in self._runs.values())
        now = datetime.now(UTC)
        waits: defaultdict[str, list[float]] = defaultdict(list)
        for case in self._inbox.cases():
            waits[case.pipeline].append((now - case.opened_at).total_seconds())
        return {
            name: Depth(
                states[name, "queued"],
                states[name, "running"],
                states[name, "waiting"] + states[name, "delayed"],
                len(waits[name]),
                max(waits[name], default=0.0),
            )
            for name in self._deployed
        }
