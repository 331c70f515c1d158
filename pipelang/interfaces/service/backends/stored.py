"""Runs in a store: any worker does them, and any server on the same store tells of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

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
from pipelang.interfaces.service.backends.quota_refusals import refuse_beyond_quota
from pipelang.interfaces.service.backends.watch import RunWatch, SharedReads, ToldEvents
from pipelang.interfaces.service.health import Depth, Health
from pipelang.interfaces.service.problems import Problem
from pipelang.interfaces.text.number_format import plural
from pipelang.runtime.durable import listing, programs, run_pages, upkeep
from pipelang.runtime.durable.address import KeyConflict, NotPossible, StoreProblem, UnknownRun
from pipelang.runtime.durable.case_pages import (
    CaseQuery,
    OpenCases,
    case_page,
    open_cases_by_pipeline,
)
from pipelang.runtime.durable.cases import (
    closed_cases,
    inbox_of,
    open_case_ids,
    open_cases_of,
)
from pipelang.runtime.durable.database_errors import reason_of
from pipelang.runtime.durable.leases import BEAT, LEASE
from pipelang.runtime.durable.shared.quotas import StoredQuotas
from pipelang.runtime.durable.submitting import Submission, checked_submission, run_id_of, take

if TYPE_CHECKING:
    from pipelang.interfaces.observation.records import RunSource
    from pipelang.interfaces.service.backends.telling_worker import Tell
    from pipelang.interfaces.service.deployment import Deployed
    from pipelang.interfaces.service.metrics import ServiceMetrics
    from pipelang.runtime.durable.store import Store
    from pipelang.runtime.durable.switches import StoredSwitches
    from pipelang.runtime.durable.worker import Worker
    from pipelang.runtime.engine.events import Event
    from pipelang.runtime.inbox.cases import Case, Verdict
    from pipelang.runtime.shared.kill_switches import Switch

LOG = logging.getLogger("pipelang.serve")

MOST_QUEUED = 100_000
IDLE = 15.0
"""Seconds after which somebody who follows a quiet run hears that nothing happened."""
AWAY = 1.0
"""Seconds between two tries to reach a store that is away."""
MOST_SKEW = 2.0
"""Seconds by which a clock may differ from the store's without a word."""
OVERLAP = 30.0
"""Seconds that a look at ended runs goes back: a transaction may end later than its run."""

T = TypeVar("T")


class StoreBackend:
    """Puts runs into a store and tells of them. `worker` does runs in this process; without one
    they are left to others.
    """

    def __init__(
        self,
        store: Store,
        switches: StoredSwitches,
        worker: Callable[[Tell], Worker] | None = None,
        *,
        most_queued: int = MOST_QUEUED,
    ) -> None:
        self._store = store
        self._switches = switches
        self._make_worker = worker
        self._worker: Worker | None = None
        self._most_queued = most_queued
        self._inbox = inbox_of(store)
        self._watch = RunWatch(self._marks)
        self._reads = SharedReads(lambda run, row: self._recorded(run, row))
        self._deployed: Mapping[str, Deployed] = {}
        self._cleaner = Cleaner({})
        self._beats: asyncio.Task[None] | None = None
        self._last_beat = time.monotonic()
        self._skew = 0.0
        self._late: str | None = None
        self._queued = 0
        self._metrics: ServiceMetrics | None = None
        self._began = float("inf")
        self._counted: float | None = None
        self._seen: set[str] = set()
        self._before: set[str] = set()
        self._closing = False

    @property
    def where(self) -> str:
        """The store, without its password."""
        return self._store.address.shown

    # -------------------------------------------------------------------------------- serving

    async def open(self, deployed: Mapping[str, Deployed], metrics: ServiceMetrics) -> None:
        """Begin to work on these pipelines. Raises `StoreProblem`."""
        self._deployed = deployed
        self._metrics = metrics
        if not await asyncio.to_thread(run_pages.make_indexes, self._store):
            LOG.warning(
                "the user of the store may not make the indexes that pages read by: lists are slow "
                "until a server was started once as the owner of the tables"
            )
        self._cleaner = Cleaner(deployed)
        await asyncio.to_thread(self._beat)
        if self._make_worker is not None:
            loop = asyncio.get_running_loop()

            def tell(run: str, pipeline: str, event: Event, recorded: bool) -> None:
                if recorded:
                    metrics.event(pipeline, event)
                elif event.kind == "outcome":
                    return  # that a leg was left is no outcome, and an outcome is one when recorded
                one = None if recorded else self._cleaner.occurrence(event, None)
                with contextlib.suppress(RuntimeError):  # the server has ended
                    loop.call_soon_threadsafe(self._watch.told, run, one)

            self._worker = self._make_worker(tell)
            await asyncio.to_thread(self._worker.start)
        self._beats = asyncio.ensure_future(self._beat_on())

    async def close(self, grace: float) -> None:
        """Leave what is not done to others."""
        self._closing = True
        if self._beats is not None:
            self._beats.cancel()
        self._watch.close()
        if self._worker is not None:
            await asyncio.to_thread(self._worker.stop, grace)
        await asyncio.to_thread(self._store.close)

    async def _ask(self, work: Callable[[], T]) -> T:
        """Do something with the store, in a thread. Raises `Problem`."""

        def guarded() -> T:
            with _as_problem():
                return work()

        return await asyncio.to_thread(guarded)

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            try:
                await self._ask(self._beat)
            except Problem:
                LOG.warning("the store is away")

    def _beat(self) -> None:
        """Look at the store: its clock, this server's worker, how much is queued."""
        with self._store.transaction() as connection:
            now = self._store.set_clock(connection)
        self._skew = time.time() - now
        if abs(self._skew) > MOST_SKEW:
            LOG.warning("this machine's clock differs from the store's by %.1f s", self._skew)
        late = None
        if self._worker is not None:
            rows = self._store.rows(
                "SELECT beat FROM pipelang_workers WHERE executor = :me", me=self._worker.executor
            )
            if not rows or now - rows[0]["beat"] > LEASE:
                late = "the worker of this server does not beat"
        self._queued = sum(one.queued for one in run_pages.open_counts(self._store).values())
        self._count_ended(now)
        self._late, self._last_beat = late, time.monotonic()

    def _count_ended(self, now: float) -> None:
        """Count the runs that have ended since the last look, whoever did them."""
        if self._counted is not None and now < self._counted - MOST_SKEW:  # it was put back
            before = run_pages.ended_between(self._store, now - OVERLAP, self._counted + OVERLAP)
            self._before |= {row["run"] for row in before}
            self._counted, self._began = now, min(self._began, now - OVERLAP)
        since = self._counted if self._counted is not None else now
        seen: set[str] = set()
        for row in run_pages.ended_between(self._store, since - OVERLAP, now + OVERLAP):
            seen.add(row["run"])
            known = row["run"] in self._seen or row["run"] in self._before
            if known or row["ended"] < self._began:
                continue
            outcome = json.loads(row["outcome"])
            if self._metrics is not None:
                self._metrics.ended(
                    row["pipeline"],
                    row["status"],
                    outcome["result"].get("reason"),
                    row["cost"],
                    row["tokens"],
                    outcome.get("duration"),
                )
        if self._counted is None:
            self._began = now
        self._counted, self._seen = now, seen

    async def health(self) -> Health:
        """Health as it was last seen."""
        if self._closing:
            return Health("it is stopping", self._skew)
        if time.monotonic() - self._last_beat > LEASE:
            return Health("the store has not answered for a while", self._skew)
        return Health(self._late, self._skew)

    # ----------------------------------------------------------------------------------- runs

    async def start(self, order: RunOrder) -> tuple[str, bool]:
        """Take a run; its id, and whether it is new."""
        if self._queued >= self._most_queued:
            raise Problem(
                429,
                "queue_full",
                f"{plural(self._queued, 'run waits', 'runs wait')} to begin",
                headers={"Retry-After": "10"},
            )
        found = self._deployed[order.pipeline]
        options = {
            "key": order.key,
            "tenant": order.tenant,
            "thread": order.thread,
            "priority": order.priority,
            "delay": order.delay,
        }

        def submit() -> tuple[str, bool]:
            from pipelang.runtime.host.inputs import checked_inputs, with_read_media
            from pipelang.runtime.media.given import MediaSources

            # Whoever starts a run must not read files or addresses with our rights.
            values = checked_inputs(
                found.loaded.types, found.pipeline, order.row, MediaSources(False, ())
            )
            if found.pipeline.quota is not None and not self._is_known(order):
                refuse_beyond_quota(StoredQuotas(self._store), found.pipeline, order)
            row = with_read_media(found.pipeline, order.row, values)
            made = checked_submission(found.loaded.program, found.pipeline, row, options)
            return take(self._store, made)

        return await self._ask(submit)

    def _is_known(self, order: RunOrder) -> bool:
        """Whether the run of a key was taken before."""
        if order.key is None:
            return False
        named = Submission(
            pipeline=order.pipeline, program="", input={}, key=order.key, tenant=order.tenant
        )
        return run_pages.input_of(self._store, run_id_of(named)) is not None

    async def run(self, id: str) -> RunJson | None:
        """A run, by its whole id."""
        found = await self._ask(lambda: listing.runs(self._store, [id]))
        return found[0] if found else None

    async def input_of(self, id: str) -> dict[str, Any] | None:
        """The input of a run, as JSON."""
        return await self._ask(lambda: run_pages.input_of(self._store, id))

    async def runs(self, wanted: RunFilter) -> RunPage:
        """A page of runs, newest first."""
        asked = run_pages.RunQuery(
            tenant=None if wanted.all_tenants else (wanted.tenant,),
            pipeline=wanted.pipeline,
            status=wanted.status,
            reason=wanted.reason,
            thread=wanted.thread,
            since=None if wanted.since is None else wanted.since.timestamp(),
            after=wanted.after,
            limit=wanted.limit,
        )
        items, next = await self._ask(lambda: run_pages.run_page(self._store, asked))
        return RunPage(tuple(items), next)

    async def wait(self, id: str, seconds: float) -> RunJson | None:
        """The run when it has ended, or as it is after so many seconds."""
        end = time.monotonic() + seconds
        with self._watch.over(id) as watcher:
            while True:
                found = await self.run(id)
                if found is None or found["status"] in listing.ENDED or self._closing:
                    return found
                left = end - time.monotonic()
                if left <= 0 or not await watcher.change(left):
                    return await self.run(id)

    async def cancel(self, id: str) -> None:
        """End a run as failed with the code `cancelled`."""
        await self._ask(lambda: upkeep.cancel(self._store, id))

    async def recorded(self, id: str) -> tuple[Occurrence, ...]:
        """The events of a run that are recorded so far, in order."""
        return (await self._recorded(id, listing.BEFORE_ALL))[0]

    async def _recorded(self, id: str, row: int) -> tuple[tuple[Occurrence, ...], int]:
        """The events that rows beyond one have, and the number of the last row."""
        found, last = await self._ask(lambda: listing.events_beyond(self._store, id, row))
        return tuple(self._cleaner.occurrence(event, event.number) for event in found), last

    async def follow(self, id: str, after: int) -> AsyncIterator[Occurrence | None]:
        """The recorded events of a run beyond `after`, and what happens in it here."""
        place, found = after, ToldEvents()
        with self._watch.over(id) as watcher:
            while True:
                try:
                    # First whether it has ended: then nothing is recorded after what is read.
                    marks = await self._marks([id])
                    found = await self._reads.at(id, marks[id]) if marks else found
                except Problem:
                    marks = None
                for one in found.beyond(place):
                    place = place if one.number is None else one.number
                    yield one
                if marks is not None and (id not in marks or marks[id][0]):  # gone, or ended
                    return
                while watcher.live:
                    told = watcher.live.popleft()
                    if not found.has(told):  # it is in progress no more
                        yield told
                if marks is None or not await watcher.change(IDLE):
                    yield None

    async def _marks(self, runs: list[str]) -> dict[str, tuple[Any, ...]] | None:
        try:
            return await self._ask(lambda: run_pages.marks(self._store, runs))
        except Problem:
            await asyncio.sleep(AWAY)
            return None

    # ---------------------------------------------------------------------------------- cases

    async def case_page(self, wanted: CaseFilter) -> CasePage:
        """A page of cases, oldest first."""
        asked = CaseQuery(
            tenant=None if wanted.all_tenants else (wanted.tenant,),
            role=wanted.role,
            run=wanted.run,
            closed=wanted.closed,
            after=wanted.after,
            limit=wanted.limit,
        )
        items, more = await self._ask(lambda: case_page(self._store, asked))
        return CasePage(tuple(items), more)

    async def open_case_ids(self, all_tenants: bool, tenant: str | None) -> tuple[str, ...]:
        """The ids of the open cases, of a tenant or of all."""
        of = None if all_tenants else (tenant,)
        return await self._ask(lambda: open_case_ids(self._store, of))

    async def open_cases_of(self, run: str) -> tuple[Case, ...]:
        """The open cases of a run, oldest first."""
        return tuple(await self._ask(lambda: open_cases_of(self._store, run)))

    async def closed_cases(
        self, all_tenants: bool, tenant: str | None, role: str | None, most: int
    ) -> tuple[Case, ...]:
        """The closed cases of the newest runs that have some, at most so many."""
        of = None if all_tenants else (tenant,)
        return tuple(await self._ask(lambda: closed_cases(self._store, of, role, most)))

    async def case(self, id: str) -> Case | None:
        """A case, by its whole id."""
        from pipelang.runtime.inbox.cases import Refused

        try:
            found = await self._ask(lambda: self._inbox.case(id))
        except Refused:
            return None
        return found if found.id == id else None

    async def decide(self, id: str, *, yes: bool, by: str, reason: str) -> Case:
        """Say yes or no to a case."""
        with _as_problem():
            return await self._inbox.decide(id, yes=yes, by=by, reason=reason)

    async def answer(self, id: str, answer: Any, *, by: str, reason: str) -> Case:
        """Answer the ask of a case."""
        with _as_problem():
            return await self._inbox.answer(id, answer, by=by, reason=reason)

    async def look(self, id: str, by: str) -> Case:
        """Take note that somebody looks at a case; it, with that."""
        with _as_problem():
            return await self._inbox.look(id, by)

    async def label(self, id: str, verdict: Verdict) -> Case:
        """Say whether a sampled answer is right."""
        with _as_problem():
            return await self._inbox.rule(id, verdict)

    async def source(self) -> RunSource:
        """The runs in the store."""
        from pipelang.interfaces.observation.store_source import StoreSource

        return StoreSource(self._store)

    # ------------------------------------------------------------------------------- switches

    async def switches(self) -> dict[Switch, str]:
        """Everything that is switched off, with the reason."""
        return await self._ask(self._switches.off)

    async def others(self, what: SwitchKind) -> frozenset[str]:
        """The pipelines of open runs, or the tools of programs that were used last."""
        names = programs.tools if what == "tool" else run_pages.open_pipelines
        return await self._ask(lambda: names(self._store))

    async def kill(self, tool: str | None, pipeline: str | None, reason: str) -> None:
        """Switch off a tool, a pipeline, or everything."""
        await self._ask(lambda: self._switches.kill(tool=tool, pipeline=pipeline, reason=reason))

    async def restore(self, tool: str | None, pipeline: str | None) -> bool:
        """Switch it on again, and have runs of paused pipelines begin."""

        def turn() -> bool:
            was = self._switches.revive(tool=tool, pipeline=pipeline)
            names = [pipeline] if pipeline is not None else run_pages.paused_pipelines(self._store)
            paused = [] if tool is not None else [upkeep.unpause(self._store, n) for n in names]
            return was or any(paused)

        return await self._ask(turn)

    async def pause(self, pipeline: str | None, reason: str) -> None:
        """Have no run of a pipeline begin, or of any: others serve some on the same store, and a
        deploy left some behind.
        """

        def turn() -> None:
            known = {*self._deployed, *run_pages.pipelines(self._store)}
            for name in [pipeline] if pipeline is not None else sorted(known):
                upkeep.pause(self._store, name, reason)

        await self._ask(turn)

    async def paused(self) -> dict[str, str]:
        """The pipelines of which no run begins, with the reasons."""
        return await self._ask(lambda: run_pages.paused_pipelines(self._store))

    async def depths(self) -> dict[str, Depth]:
        """The numbers of each pipeline as they are now."""
        counts = await self._ask(lambda: run_pages.open_counts(self._store))
        cases = await self._ask(lambda: open_cases_by_pipeline(self._store))
        now = time.time()
        nobody = OpenCases(0, now)
        none = run_pages.RunCounts()
        return {
            name: Depth(
                counts.get(name, none).queued,
                counts.get(name, none).running,
                counts.get(name, none).waiting,
                cases.get(name, nobody).count,
                max(0.0, now - cases.get(name, nobody).oldest),
            )
            for name in self._deployed
        }


@contextmanager
def _as_problem() -> Iterator[None]:
    """Tell what is wrong with a store as a `Problem`, without where the store is."""
    try:
        yield
    except KeyConflict as conflict:
        raise Problem(409, "key_conflict", str(conflict)) from conflict
    except NotPossible as refused:
        raise Problem(409, "ended", str(refused)) from refused
    except UnknownRun as missing:
        raise Problem(404, "unknown", "there is no such run") from missing
    except (StoreProblem, SQLAlchemyError) as away:
        why = away if isinstance(away, StoreProblem) else reason_of(away)
        LOG.warning("the store cannot be used: %s", why)
        raise Problem(
            503, "store", "the store cannot be reached now", headers={"Retry-After": "5"}
        ) from away
