"""Stores of memories: values that outlive a run, by tenant and key.

A memory of a list keeps its newest entries, any other its last value; both only for as long as the
memory's `keeps` says. A run without a tenant has one of its own, apart from all named ones.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from pipelang.runtime.files.private_files import make_private

Clock = Callable[[], float]

Place = tuple[str | None, str, str]
"""Tenant, memory, and the key as JSON."""


class MemoryStore(Protocol):
    """A store of memories. Values are JSON; its methods may be called from several threads."""

    def read(self, place: Place, keeps: float | None) -> list[Any]:
        """The values that are not older than `keeps` seconds, oldest first."""

    def write(self, place: Place, value: Any, most: int | None, keeps: float | None) -> None:
        """Add a value, dropping the oldest beyond `most` and those that are too old."""


class InMemory:
    """Memories that live as long as this object."""

    def __init__(self, clock: Clock = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[Place, list[tuple[float, str]]] = {}

    def read(self, place: Place, keeps: float | None) -> list[Any]:
        with self._lock:
            now, entries = self._clock(), self._entries.get(place, [])
            return [json.loads(text) for at, text in entries if keeps is None or now - at <= keeps]

    def write(self, place: Place, value: Any, most: int | None, keeps: float | None) -> None:
        text = json.dumps(value)
        with self._lock:
            now = self._clock()
            kept = [
                (at, said)
                for at, said in self._entries.get(place, [])
                if keeps is None or now - at <= keeps
            ]
            kept.append((now, text))
            self._entries[place] = kept if most is None else kept[-most:] if most else []


class Sqlite:
    """Memories in a SQLite file, which several processes may share."""

    def __init__(self, path: str | Path, clock: Clock = time.time) -> None:
        self._path = str(path)
        self._clock = clock
        make_private(Path(path).parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(self._connect()) as database, database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS memories (id INTEGER PRIMARY KEY AUTOINCREMENT, "
                "tenant TEXT NOT NULL, memory TEXT NOT NULL, key TEXT NOT NULL, at REAL NOT NULL, "
                "value TEXT NOT NULL)"
            )
            database.execute(
                "CREATE INDEX IF NOT EXISTS memories_by_place ON memories (tenant, memory, key, id)"
            )

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=30)

    def read(self, place: Place, keeps: float | None) -> list[Any]:
        oldest = 0.0 if keeps is None else self._clock() - keeps
        with closing(self._connect()) as database:
            rows = database.execute(
                "SELECT value FROM memories WHERE tenant = ? AND memory = ? AND key = ? "
                "AND at >= ? ORDER BY id",
                (*_columns(place), oldest),
            )
            return [json.loads(text) for (text,) in rows]

    def write(self, place: Place, value: Any, most: int | None, keeps: float | None) -> None:
        now, where = self._clock(), _columns(place)
        with closing(self._connect()) as database, database:
            database.execute(
                "INSERT INTO memories (tenant, memory, key, at, value) VALUES (?, ?, ?, ?, ?)",
                (*where, now, json.dumps(value)),
            )
            if keeps is not None:
                database.execute(
                    "DELETE FROM memories WHERE tenant = ? AND memory = ? AND key = ? AND at < ?",
                    (*where, now - keeps),
                )
            if most is not None:
                database.execute(
                    "DELETE FROM memories WHERE tenant = ? AND memory = ? AND key = ? AND id NOT IN"
                    " (SELECT id FROM memories WHERE tenant = ? AND memory = ? AND key = ? "
                    "ORDER BY id DESC LIMIT ?)",
                    (*where, *where, most),
                )


def _columns(place: Place) -> tuple[str, str, str]:
    tenant, memory, key = place
    # A named tenant can never be the nameless one.
    return "" if tenant is None else f"={tenant}", memory, key
