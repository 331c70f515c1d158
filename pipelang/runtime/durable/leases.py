"""Leases: every worker tells the store that it lives, and sees which others have stopped to.

A worker counts as dead when its last beat is older than a lease by the store's clock, and this
process saw no other one from it during a lease of its own time: so neither a clock that jumps nor a
process that was stopped itself takes runs from workers that live.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from pipelang.runtime.durable.store import Store

BEAT = 2.0
LEASE = 6.0

_BEAT = sa.text(
    """INSERT INTO pipelang_workers (executor, beat, queues) VALUES (:executor, :beat, :queues)
    ON CONFLICT (executor) DO UPDATE SET beat = excluded.beat, queues = excluded.queues"""
)


class Lease:
    """The lease of a worker, and what it saw of others. `clock` is this process's own time."""

    def __init__(
        self,
        store: Store,
        executor: str,
        queues: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._executor = executor
        self._queues = json.dumps(list(queues))
        self._clock = clock
        self._last: float | None = None
        self._steady = clock()
        self._seen: dict[str, tuple[float, float]] = {}

    def serve(self, queues: Sequence[str]) -> None:
        """Tell from the next beat on that this worker takes from these queues."""
        self._queues = json.dumps(list(queues))

    def beat(self) -> list[str]:
        """Tell that this worker lives; the workers that are dead. Raises `StoreUnreachable`."""
        with self._store.transaction() as connection:
            connection.execute(
                _BEAT,
                {
                    "executor": self._executor,
                    "beat": self._store.now_on(connection),
                    "queues": self._queues,
                },
            )
            now = self._store.set_clock(connection)
            others = connection.execute(
                sa.text("SELECT executor, beat FROM pipelang_workers WHERE executor <> :me"),
                {"me": self._executor},
            ).all()
        here = self._clock()
        if self._last is None or here - self._last > LEASE:
            self._steady, self._seen = here, {}  # it was stopped itself: what it saw is old
        self._last = here
        seen, self._seen = self._seen, {}
        dead = []
        for executor, beat in others:
            known = seen.get(executor)
            self._seen[executor] = known if known and known[0] == beat else (beat, here)
            # A beat far ahead is of before the clock was put back: who lives wrote another since.
            if abs(now - beat) > LEASE and here - self._seen[executor][1] >= LEASE:
                dead.append(str(executor))
        return dead if here - self._steady >= LEASE else []

    def forget(self, executors: Sequence[str]) -> None:
        """Forget workers that are dead and have no run any more."""
        table = self._store.legs.table
        with self._store.transaction() as connection:
            connection.execute(
                sa.text(
                    f"""DELETE FROM pipelang_workers WHERE executor = :executor AND NOT EXISTS
                    (SELECT 1 FROM {table} w WHERE w.executor_id = :executor
                        AND w.status = 'PENDING')"""
                ),
                [{"executor": one} for one in executors],
            )
