"""Cached answers in a store, shared by all workers."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import sqlalchemy as sa

from pipelang.runtime.durable.store import Store
from pipelang.runtime.engine.world import NOTHING
from pipelang.runtime.shared.cache import Key

_FIND = sa.text("SELECT name, answer FROM pipelang_cache WHERE digest = :digest AND until >= :now")
_STORE = sa.text(
    """INSERT INTO pipelang_cache (digest, name, answer, until)
    VALUES (:digest, :name, :answer, :until)
    ON CONFLICT (digest) DO UPDATE SET answer = excluded.answer, until = excluded.until"""
)
_SWEEP = sa.text("DELETE FROM pipelang_cache WHERE until < :now")
_SWEEP_EVERY = 256
"""Answers stored between two looks for those that are too old."""


class StoredCache:
    """Answers by tenant, program and key as rows of a store."""

    blocks = True

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stored = 0

    def find(self, key: Key) -> Any:
        name = json.dumps(key)
        with self._store.transaction() as connection:
            now = self._store.now_on(connection)
            found = connection.execute(_FIND, {"digest": _digest(name), "now": now}).first()
        return NOTHING if found is None or found.name != name else json.loads(found.answer)

    def store(self, key: Key, answer: Any, seconds: float) -> None:
        name = json.dumps(key)
        self._stored += 1
        with self._store.transaction() as connection:
            now = self._store.now_on(connection)
            row = {"digest": _digest(name), "name": name, "until": now + seconds}
            connection.execute(_STORE, {**row, "answer": json.dumps(answer)})
            if self._stored % _SWEEP_EVERY == 0:
                connection.execute(_SWEEP, {"now": now})


def forget(store: Store) -> None:
    """Delete the answers whose time is over."""
    with store.transaction() as connection:
        connection.execute(_SWEEP, {"now": store.now_on(connection)})


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
