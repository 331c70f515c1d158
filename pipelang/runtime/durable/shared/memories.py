"""Memories in a store, shared by all workers."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from pipelang.runtime.durable.shared.patience import patiently
from pipelang.runtime.durable.store import Store
from pipelang.runtime.shared.memory_store import Place

_HERE = "tenant = :tenant AND memory = :memory AND key = :key"
_LOCK = sa.text(
    """INSERT INTO pipelang_memory_places (tenant, memory, key, last)
    VALUES (:tenant, :memory, :key, 1)
    ON CONFLICT (tenant, memory, key) DO UPDATE SET last = pipelang_memory_places.last + 1
    RETURNING last"""
)
_ADD = sa.text(
    """INSERT INTO pipelang_memories (tenant, memory, key, number, at, value, until)
    VALUES (:tenant, :memory, :key, :number, :at, :value, :until)"""
)
_FOUND = sa.text(
    f"""SELECT value FROM pipelang_memories WHERE {_HERE} AND at >= :oldest
    AND (until IS NULL OR until >= :now) ORDER BY number"""
)
_TOO_OLD = "pipelang_memories WHERE until < :now"


class StoredMemories:
    """Memories as rows of a store. A write locks its place, and waits while the database is away:
    a run must not take that for a memory that is broken.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, place: Place, keeps: float | None) -> list[Any]:
        def work() -> list[Any]:
            with self._store.transaction() as connection:
                now = {"now": self._store.now()}
                if connection.execute(sa.text(f"SELECT 1 FROM {_TOO_OLD} LIMIT 1"), now).first():
                    connection.execute(sa.text(f"DELETE FROM {_TOO_OLD}"), now)
                return self._found(connection, place, keeps)

        return patiently(work)

    def write(
        self,
        place: Place,
        value: Any,
        most: int | None,
        keeps: float | None,
        key: str | None = None,
    ) -> None:
        def work() -> None:
            with self._store.transaction() as connection:
                number = connection.execute(_LOCK, _columns(place)).scalar_one()
                self._write(connection, place, number, value, most, keeps, key)

        patiently(work)

    def swap(
        self,
        place: Place,
        found: list[Any],
        value: Any,
        keeps: float | None,
        key: str | None = None,
    ) -> list[Any] | None:
        def work() -> list[Any] | None:
            with self._store.transaction() as connection:
                number = connection.execute(_LOCK, _columns(place)).scalar_one()
                written = sa.text("SELECT 1 FROM pipelang_memory_writes WHERE key = :key")
                if key is not None and connection.execute(written, {"key": key}).first():
                    return None
                there = self._found(connection, place, keeps)
                # As texts, because to Python 1 == True == 1.0.
                if json.dumps(there[-1:]) != json.dumps(found[-1:]):
                    return there
                self._write(connection, place, number, value, 1, keeps, key)
                return None

        return patiently(work)

    def _found(self, connection: sa.Connection, place: Place, keeps: float | None) -> list[Any]:
        now = self._store.now()
        oldest = 0.0 if keeps is None else now - keeps
        rows = connection.execute(_FOUND, {**_columns(place), "oldest": oldest, "now": now})
        return [json.loads(row.value) for row in rows]

    def _write(
        self,
        connection: sa.Connection,
        place: Place,
        number: int,
        value: Any,
        most: int | None,
        keeps: float | None,
        key: str | None,
    ) -> None:
        if key is not None:
            new = sa.text(
                "INSERT INTO pipelang_memory_writes (key) VALUES (:key) ON CONFLICT DO NOTHING"
            )
            if not connection.execute(new, {"key": key}).rowcount:
                return
        now, where = self._store.now(), _columns(place)
        until = None if keeps is None else now + keeps
        row = {**where, "number": number, "at": now, "value": json.dumps(value), "until": until}
        connection.execute(_ADD, row)
        connection.execute(sa.text(f"DELETE FROM {_TOO_OLD}"), {"now": now})
        if keeps is not None:
            connection.execute(
                sa.text(f"DELETE FROM pipelang_memories WHERE {_HERE} AND at < :oldest"),
                {**where, "oldest": now - keeps},
            )
        if most is not None:
            connection.execute(
                sa.text(
                    f"""DELETE FROM pipelang_memories WHERE {_HERE} AND number NOT IN
                    (SELECT number FROM pipelang_memories WHERE {_HERE}
                        ORDER BY number DESC LIMIT :most)"""
                ),
                {**where, "most": most},
            )


_AT_ONCE = 500
_EMPTY = """NOT EXISTS (SELECT 1 FROM pipelang_memories m
    WHERE m.tenant = pipelang_memory_places.tenant
        AND m.memory = pipelang_memory_places.memory AND m.key = pipelang_memory_places.key)"""


def forget(store: Store) -> None:
    """Delete what no memory keeps any more, also the keys of what is gone, and the names of writes
    of runs that are deleted.
    """
    run = (
        "substr(key, 1, instr(key, '/') - 1)"
        if store.address.is_sqlite
        else "split_part(key, '/', 1)"
    )
    with store.transaction() as connection:
        connection.execute(sa.text(f"DELETE FROM {_TOO_OLD}"), {"now": store.now_on(connection)})
        connection.execute(
            sa.text(
                f"""DELETE FROM pipelang_memory_writes WHERE NOT EXISTS
                (SELECT 1 FROM pipelang_runs r WHERE r.run = {run})"""
            )
        )
    while _forget_places(store):
        pass


def _forget_places(store: Store) -> bool:
    """Delete some keys under which nothing is kept; whether there may be more."""
    lock = "" if store.address.is_sqlite else " FOR UPDATE"
    asked = f"SELECT tenant, memory, key FROM pipelang_memory_places WHERE {_EMPTY}"
    with store.transaction() as connection:
        places = connection.execute(sa.text(f"{asked} LIMIT {_AT_ONCE}{lock}")).all()
        if not places:
            return False
        # Asked again now that they are locked: somebody may have written meanwhile.
        gone = connection.execute(
            sa.text(f"DELETE FROM pipelang_memory_places WHERE {_HERE} AND {_EMPTY}"),
            [dict(place._mapping) for place in places],
        )
    return len(places) == _AT_ONCE and gone.rowcount != 0


def _columns(place: Place) -> dict[str, str]:
    tenant, memory, key = place
    # A named tenant can never be the nameless one.
    return {"tenant": "" if tenant is None else f"={tenant}", "memory": memory, "key": key}
