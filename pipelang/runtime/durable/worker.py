"""A worker: takes legs from the queues of its programs and does them, side by side."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from secrets import token_hex

from sqlalchemy.exc import SQLAlchemyError

from pipelang.runtime.durable.address import StoreProblem
from pipelang.runtime.durable.doing import LOG, LegWork, Startable
from pipelang.runtime.durable.engine import LegRunner
from pipelang.runtime.durable.journal import surely
from pipelang.runtime.durable.leases import BEAT, LEASE, Lease
from pipelang.runtime.durable.legs import Fenced, Legs, LegToken
from pipelang.runtime.durable.shared.quotas import sweep
from pipelang.runtime.durable.shared.tenants import HELD
from pipelang.runtime.durable.store import Store
from pipelang.runtime.durable.submitting import queue_of
from pipelang.runtime.durable.switches import StoredSwitches
from pipelang.runtime.durable.versions.guards import ReleaseGuards
from pipelang.runtime.engine.events import Sink

SWEEP = 15
"""Beats between two looks for runs that have ended and still hold something of a quota."""
GUARD_EVERY = 10.0
"""Seconds between two looks at the guards of canaries."""
LOOK = 0.1
"""Seconds between two looks whether all is done."""


class Worker:
    """Does legs of runs of these pipelines, which are by the hash of their program and their name.

    `sinks` gets the sinks of a run by its id. `more` gives pipelines that this worker can do too,
    of programs that runs in the store need now; it is asked at the start and with every beat.
    `live` hears events before they are recorded. Of a tenant no more runs are at work at once,
    with all workers that say so, than `per_tenant`.
    """

    def __init__(
        self,
        store: Store,
        pipelines: Mapping[tuple[str, str], Startable],
        concurrency: int = 10,
        sinks: Callable[[str], Iterable[Sink]] = lambda run: (),
        switches: StoredSwitches | None = None,
        more: Callable[[], Mapping[tuple[str, str], Startable]] = dict,
        live: Sink | None = None,
        per_tenant: int | None = None,
    ) -> None:
        self.executor = token_hex(6)
        self._store = store
        self._stopping = threading.Event()
        self._more = more
        named = {queue_of(*key): one for key, one in {**pipelines, **more()}.items()}
        self._named = named
        self.queues = tuple(named)
        self._legs = Legs(store, per_tenant)
        self._work = LegWork(self._legs, named, sinks, self._stopping, live, switches)
        self._concurrency = concurrency
        self._switches = switches
        self._guards = ReleaseGuards(store)
        self._guarded = 0.0
        self._lease = Lease(store, self.executor, self.queues)
        self._runner = LegRunner(store.address, self.executor, self.queues, self._do)
        self._active: dict[LegToken, tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = {}
        self._beats = 0
        self._missed: dict[LegToken, float] = {}
        self._over = threading.Event()
        self._beating = threading.Thread(target=self._beat, name="pipelang-beat", daemon=True)

    def start(self) -> None:
        """Begin to take legs. Raises `StoreProblem`."""
        self._lease.beat()
        with self._store.reached():
            self._runner.launch(self._concurrency)
        self._beating.start()

    def stop(self, grace: float) -> None:
        """Take no more legs, finish what can be finished within `grace` seconds, and leave the rest
        to others. It may have been stopped while it started.
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
        if self._beating.ident is not None:
            self._beating.join(BEAT)
        with contextlib.suppress(SQLAlchemyError, StoreProblem):
            if self._runner.launched:
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
            AND (w.status IN ('ENQUEUED', 'PENDING') OR r.paused = {HELD}
                OR w.status = 'DELAYED' AND w.delay_until_epoch_ms <= :now) LIMIT 1"""
        now = int(self._store.now() * 1000)
        return not names or not self._store.rows(asked, now=now, **names)

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
                self._release_lost()
                self._beats += 1
                if self._beats % SWEEP == 0:
                    sweep(self._store)
                self._take_up()
                if self._switches is not None:
                    self._switches.look()
                self._guard_releases()
            except (StoreProblem, SQLAlchemyError) as error:
                LOG.warning("the store is away: %s", error)
            except Exception:
                LOG.exception("a beat failed")

    def _take_up(self) -> None:
        """Take from the queues of programs that runs have begun to need."""
        if self._stopping.is_set():
            return
        found = {queue_of(*key): one for key, one in self._more().items()}
        new = [queue for queue in found if queue not in self._named]
        if not new:
            return
        self._named |= found
        for queue in new:
            self._runner.listen(queue)
        self.queues = tuple(self._named)
        self._lease.serve(self.queues)

    def _guard_releases(self) -> None:
        """Take back canaries whose guards say that they are worse."""
        if time.monotonic() - self._guarded < GUARD_EVERY:
            return
        self._guarded = time.monotonic()
        for release, why in self._guards.look():
            LOG.warning("`%s` of %s is rolled back: %s", release.version, release.pipeline, why)

    def _release_lost(self) -> None:
        """Put back legs that the store says this worker has, and that it does not: the answer to
        its claim was lost, with the connection.
        """
        with self._store.transaction() as connection:
            held = {LegToken(*leg) for leg in self._store.legs.held_by(connection, self.executor)}
        now = time.monotonic()
        lost = held - self._active.keys()
        self._missed = {token: self._missed.get(token, now) for token in lost}
        for token, since in self._missed.items():
            if now - since > LEASE:
                LOG.warning("run %s was claimed and never begun: it is put back", token.run)
                self._legs.release(token)

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
        task = asyncio.ensure_future(self._work.do(token))
        self._active[token] = asyncio.get_running_loop(), task
        try:
            await task
        except Fenced as fenced:
            LOG.info("%s", fenced)
            raise asyncio.CancelledError from fenced
        except Exception as error:  # never to DBOS, for which the leg would be over
            LOG.exception("run %s is put back", run)
            await asyncio.sleep(BEAT)
            await surely(lambda: self._legs.release(token))
            raise asyncio.CancelledError from error
        finally:
            self._active.pop(token, None)
