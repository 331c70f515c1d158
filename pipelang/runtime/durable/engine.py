"""Queues and ownership of legs, by DBOS. Nothing else imports it, so another engine is one module.

A leg is a workflow `RUN:NUMBER` in the queue of what it runs. DBOS hands it to one process, whose
token is in `owner_xid` as long as nobody took the leg over. That column is internal to DBOS, which
is why its version is pinned and `tests/unit/runtime/durable/test_engine.py` holds what we rely on.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import sqlalchemy as sa
from dbos import DBOS, DBOSClient
from dbos._client import EnqueueOptions
from dbos._context import current_owner_xid, get_local_dbos_context
from dbos._serialization import Serializer

from pipelang.runtime.durable import milliseconds
from pipelang.runtime.durable.address import Address

APPLICATION = "pipelang"
VERSION = "1"
LEG = "pipelang.leg"
POLL = 0.25
"""Seconds between two looks into a queue."""
POOL = 10
"""Connections to PostgreSQL that a process has at most, for DBOS and for us each."""
IDLE = 5.0
"""Seconds that PostgreSQL lets a transaction hang whose process is stopped."""

SILENT = {
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}

DoLeg = Callable[[str, int, str], Awaitable[None]]
"""Does a leg: the run, the number of the leg, and the token of who owns it."""


class JsonSerializer(Serializer):
    """Arguments and results as JSON: nothing in a database is code."""

    def serialize(self, data: Any) -> str:
        return json.dumps(data, default=str)

    def deserialize(cls, serialized_data: str) -> Any:
        return json.loads(serialized_data)

    def name(self) -> str:
        return "pipelang_json"


def _database_url(address: Address) -> str:
    """The URL for the driver. A connection that goes silent is given up within half a minute, where
    the URL says nothing else: by itself TCP waits for a quarter of an hour.
    """
    parts = urlsplit(address.url)
    given = dict(parse_qsl(parts.query))
    if address.file is not None:  # versions of SQLAlchemy differ in what they read in a name
        if milliseconds.are_missing():
            given["plugin"] = milliseconds.PLUGIN
        return sa.URL.create("sqlite", database=str(address.file), query=given).render_as_string()
    query = urlencode({**SILENT, **given})
    # By hand: `urlunsplit` leaves `//` out where no server is named, and a socket is meant.
    return f"{parts.scheme}://{parts.netloc}{parts.path}?{query}"


def workflow_id(run: str, leg: int) -> str:
    return f"{run}:{leg}"


class LegQueues:
    """The legs of a store, as rows of DBOS, which a caller's transaction changes."""

    def __init__(self, address: Address) -> None:
        quiet()
        self._client = DBOSClient(
            system_database_url=_database_url(address),
            serializer=JsonSerializer(),
            application_name=APPLICATION,
            lazy=True,
            retry_connection_errors=False,
            system_database_pool_size=POOL,
            sys_db_idle_transaction_timeout_sec=IDLE,
        )
        sqlite = address.is_sqlite
        self.table = "workflow_status" if sqlite else "dbos.workflow_status"
        where = f"FROM {self.table} WHERE workflow_uuid = :id AND status = 'PENDING'"
        self._owner = sa.text(
            f"UPDATE {self.table} SET owner_xid = owner_xid "
            "WHERE workflow_uuid = :id AND status = 'PENDING' RETURNING owner_xid"
            if sqlite
            else f"SELECT owner_xid {where} FOR NO KEY UPDATE"
        )
        self._lock = sa.text(
            f"UPDATE {self.table} SET owner_xid = owner_xid WHERE workflow_uuid = :id"
        )

    @property
    def database(self) -> sa.Engine:
        """The engine of DBOS: one of our own would lose its ways with SQLite."""
        engine: sa.Engine = self._client._sys_db.engine
        return engine

    def migrate(self) -> None:
        """Make the tables of DBOS, or bring them up to date."""
        self._client._sys_db.run_migrations()

    def enqueue(
        self,
        connection: sa.Connection,
        queue: str,
        run: str,
        leg: int,
        due_ms: int | None,
        priority: int,
    ) -> None:
        """Put a leg into a queue, in a transaction of the caller's. `due_ms` is the time of the
        store before which nobody begins it.
        """
        id = workflow_id(run, leg)
        options: EnqueueOptions = {
            "workflow_name": LEG,
            "queue_name": queue,
            "workflow_id": id,
            "app_version": VERSION,
            "priority": priority,
        }
        if due_ms is not None:
            options["delay_seconds"] = 1.0
        self._client.enqueue_in_transaction(connection, options, run, leg)
        if due_ms is not None:  # by the clock of the store, not of this machine
            connection.execute(
                sa.text(
                    f"UPDATE {self.table} SET delay_until_epoch_ms = :due WHERE workflow_uuid = :id"
                ),
                {"id": id, "due": due_ms},
            )

    def owner(self, connection: sa.Connection, run: str, leg: int) -> str | None:
        """The token of who owns a leg that runs, None if nobody does. The leg is locked until the
        transaction ends, so that it stays so.
        """
        found = connection.execute(self._owner, {"id": workflow_id(run, leg)}).scalar()
        return None if found is None else str(found)

    def lock(self, connection: sa.Connection, run: str, leg: int) -> None:
        """Lock a leg, whoever has it, until the transaction ends."""
        connection.execute(self._lock, {"id": workflow_id(run, leg)})

    def cancel(self, connection: sa.Connection, run: str, leg: int) -> None:
        """Take a leg from whoever has it, for good."""
        connection.execute(
            sa.text(
                f"UPDATE {self.table} SET status = 'CANCELLED', owner_xid = NULL "
                "WHERE workflow_uuid = :id AND status IN ('PENDING', 'ENQUEUED', 'DELAYED')"
            ),
            {"id": workflow_id(run, leg)},
        )

    def release(self, connection: sa.Connection, run: str, leg: int, owner: str) -> None:
        """Put a leg back into its queue, if this is its owner."""
        connection.execute(
            sa.text(
                f"UPDATE {self.table} SET status = 'ENQUEUED', owner_xid = NULL "
                "WHERE workflow_uuid = :id AND status = 'PENDING' AND owner_xid = :owner"
            ),
            {"id": workflow_id(run, leg), "owner": owner},
        )

    def held_by(self, connection: sa.Connection, executor: str) -> list[tuple[str, int, str]]:
        """The legs that a process has, each as its run, its number and its owner's token."""
        rows = connection.execute(
            sa.text(
                f"SELECT workflow_uuid, owner_xid FROM {self.table} "
                "WHERE status = 'PENDING' AND executor_id = :executor AND owner_xid IS NOT NULL"
            ),
            {"executor": executor},
        )
        split = ((*row.workflow_uuid.rpartition(":"), row.owner_xid) for row in rows)
        return [(run, int(leg), owner) for run, _, leg, owner in split if leg.isdigit()]

    def wake(self, connection: sa.Connection, run: str, leg: int) -> None:
        """Have a leg that is delayed begin now."""
        connection.execute(
            sa.text(
                f"UPDATE {self.table} SET delay_until_epoch_ms = 0 "
                "WHERE workflow_uuid = :id AND status = 'DELAYED'"
            ),
            {"id": workflow_id(run, leg)},
        )

    def move(self, connection: sa.Connection, runs: str, to: str, **values: Any) -> None:
        """Put legs that nobody has into another queue: those of the ids that a query gives."""
        connection.execute(
            sa.text(
                f"UPDATE {self.table} SET queue_name = :to_queue "
                f"WHERE status IN ('ENQUEUED', 'DELAYED') AND workflow_uuid IN ({runs})"
            ),
            {"to_queue": to, **values},
        )

    def forget(self, connection: sa.Connection, run: str, legs: int) -> None:
        """Delete the legs of a run that is over."""
        connection.execute(
            sa.text(f"DELETE FROM {self.table} WHERE workflow_uuid = :id"),
            [{"id": workflow_id(run, leg)} for leg in range(1, legs + 1)],
        )

    def close(self) -> None:
        self._client.destroy()


class LegRunner:
    """This process as one that is handed legs. There is one at most in a process. `launched` says
    that it may have some.
    """

    def __init__(self, address: Address, executor: str, queues: Sequence[str], do: DoLeg) -> None:
        quiet()
        self._queues = tuple(queues)
        self._concurrency = 1
        self.launched = False
        self._dbos = DBOS(
            config={
                "name": APPLICATION,
                "system_database_url": _database_url(address),
                "executor_id": executor,
                "application_version": VERSION,
                "serializer": JsonSerializer(),
                "run_migrations": False,
                "use_listen_notify": False,
                "sys_db_pool_size": POOL,
                "log_level": "CRITICAL",
                "sys_db_idle_transaction_timeout_sec": IDLE,
            }
        )

        async def leg(run: str, number: int) -> None:
            owner = current_owner_xid(workflow_id(run, number), get_local_dbos_context())
            if owner is not None:
                await do(run, number, owner)

        # No limit of attempts: runs that bring workers down are counted by us, and can be resumed.
        DBOS.workflow(name=LEG, max_recovery_attempts=None)(leg)
        DBOS.listen_queues(self._queues)

    def launch(self, concurrency: int) -> None:
        """Begin to take legs, as many at once of each queue."""
        DBOS.launch()
        self.launched = True
        self._concurrency = concurrency
        for name in self._queues:
            self._register(name)

    def listen(self, queue: str) -> None:
        """Take from another queue too. The list is one that DBOS reads every second."""
        listened: list[str] | None = self._dbos._listening_queues
        assert listened is not None
        if queue not in listened:
            listened.append(queue)
            self._register(queue)

    def _register(self, queue: str) -> None:
        DBOS.register_queue(
            queue,
            worker_concurrency=self._concurrency,
            polling_interval_sec=POLL,
            on_conflict="always_update",
        )

    def take_over(self, executors: Sequence[str]) -> None:
        """Put the legs of processes that are dead back into their queues."""
        DBOS._recover_pending_workflows(list(executors))

    def take_no_more(self) -> None:
        """Go on with what is begun, and begin nothing."""
        for event in self._dbos.background_thread_stop_events:
            event.set()

    def close(self) -> None:
        DBOS.destroy(destroy_registry=True)


def quiet() -> None:
    """Have DBOS say nothing: what matters to people is said by those who call it."""
    logging.getLogger("dbos").setLevel(logging.CRITICAL)
