"""Stores of memories: values that outlive a run, by tenant and key.

A memory of a list keeps its newest entries, any other its last value; both only for as long as the
memory's `keeps` says, and what is too old is dropped at the next read or write of any place. A
write is atomic: of lists that several runs append to nothing is lost, of other values the last
write stays, unless it is a `swap`, which writes only where nobody else has. A run without a tenant
has one of its own, apart from all named ones.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import closing
from heapq import heappop, heappush
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipelang.runtime.files.private_files import make_private

if TYPE_CHECKING:
    import sqlite3

Clock = Callable[[], float]

Place = tuple[str | None, str, str]
"""Tenant, memory, and the key as JSON."""


class MemoryStore(Protocol):
    """A store of memories. Values are JSON; its methods may be called from several threads."""

    def read(self, place: Place, keeps: float | None) -> list[Any]:
        """The values that are not older than `keeps` seconds, oldest first."""

    def write(
        self,
        place: Place,
        value: Any,
        most: int | None,
        keeps: float | None,
        key: str | None = None,
    ) -> None:
        """Add a value, dropping the oldest beyond `most` and those that are too old. What was
        written with the same `key` before is not written again; only recorded runs have one.
        """

    def swap(
        self,
        place: Place,
        found: list[Any],
        value: Any,
        keeps: float | None,
        key: str | None = None,
    ) -> list[Any] | None:
        """Put a value in the place of the last of those that `read` found (none: an empty list), in
        one step with looking whether that is still there. None if it was; else what is there now,
        as `read` gives it, and nothing is written.
        """


class InMemory:
    """Memories that live as long as this object."""

    def __init__(self, clock: Clock = time.time) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._entries: dict[Place, list[tuple[float, float | None, str]]] = {}
        self._ends: list[tuple[float, int, Place]] = []
        self._written = 0
        self._keys: OrderedDict[str, None] = OrderedDict()

    def read(self, place: Place, keeps: float | None) -> list[Any]:
        with self._lock:
            now = self._clock()
            self._drop(now)
            entries = self._entries.get(place, [])
            texts = [text for at, _, text in entries if keeps is None or now - at <= keeps]
        return [json.loads(text) for text in texts]

    def write(
        self,
        place: Place,
        value: Any,
        most: int | None,
        keeps: float | None,
        key: str | None = None,
    ) -> None:
        text = json.dumps(value)
        with self._lock:
            if key is not None and not self._is_new(key):
                return
            now = self._clock()
            self._drop(now)
            end = None if keeps is None else now + keeps
            kept = [
                entry
                for entry in self._entries.get(place, [])
                if keeps is None or now - entry[0] <= keeps
            ]
            kept.append((now, end, text))
            self._entries[place] = kept if most is None else kept[-most:] if most else []
            if end is not None:
                self._written += 1
                heappush(self._ends, (end, self._written, place))

    def swap(
        self,
        place: Place,
        found: list[Any],
        value: Any,
        keeps: float | None,
        key: str | None = None,
    ) -> list[Any] | None:
        with self._lock:  # which may be taken again by the same thread
            there = self.read(place, keeps)
            if not _same(there, found) and (key is None or key not in self._keys):
                return there
            self.write(place, value, 1, keeps, key)
            return None

    def _is_new(self, key: str) -> bool:
        if key in self._keys:
            return False
        self._keys[key] = None
        while len(self._keys) > MOST_KEYS:
            self._keys.popitem(last=False)
        return True

    def _drop(self, now: float) -> None:
        """Drop what is too old, of every place: also of those that nobody asks for any more."""
        while self._ends and self._ends[0][0] < now:
            place = heappop(self._ends)[2]
            entries = self._entries.get(place, [])
            left = [entry for entry in entries if entry[1] is None or entry[1] >= now]
            if left:
                self._entries[place] = left
            else:
                self._entries.pop(place, None)


MOST_KEYS = 100_000
"""Keys of writes that are known in memory."""

_TOO_OLD = "memories WHERE until IS NOT NULL AND until < ?"


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
                "value TEXT NOT NULL, until REAL)"
            )
            columns = [row[1] for row in database.execute("PRAGMA table_info(memories)")]
            if "until" not in columns:  # written by a version that kept what was too old
                database.execute("ALTER TABLE memories ADD COLUMN until REAL")
            database.execute("CREATE TABLE IF NOT EXISTS writes (key TEXT PRIMARY KEY)")
            database.execute(
                "CREATE INDEX IF NOT EXISTS memories_by_end ON memories (until) "
                "WHERE until IS NOT NULL"
            )
            database.execute(
                "CREATE INDEX IF NOT EXISTS memories_by_place ON memories (tenant, memory, key, id)"
            )

    def _connect(self) -> sqlite3.Connection:
        import sqlite3  # few runs have a memory that outlives them

        return sqlite3.connect(self._path, timeout=30)

    def read(self, place: Place, keeps: float | None) -> list[Any]:
        now = self._clock()
        oldest = 0.0 if keeps is None else now - keeps
        with closing(self._connect()) as database, database:
            if database.execute(f"SELECT 1 FROM {_TOO_OLD} LIMIT 1", (now,)).fetchone():
                database.execute(f"DELETE FROM {_TOO_OLD}", (now,))
            return _found(database, place, oldest)

    def write(
        self,
        place: Place,
        value: Any,
        most: int | None,
        keeps: float | None,
        key: str | None = None,
    ) -> None:
        with closing(self._connect()) as database, database:
            self._write(database, place, value, most, keeps, key)

    def swap(
        self,
        place: Place,
        found: list[Any],
        value: Any,
        keeps: float | None,
        key: str | None = None,
    ) -> list[Any] | None:
        with closing(self._connect()) as database, database:
            database.execute("BEGIN IMMEDIATE")  # nobody writes between the look and the write
            written = "SELECT 1 FROM writes WHERE key = ?"
            if key is not None and database.execute(written, (key,)).fetchone():
                return None
            there = _found(database, place, 0.0 if keeps is None else self._clock() - keeps)
            if not _same(there, found):
                return there
            self._write(database, place, value, 1, keeps, key)
            return None

    def _write(
        self,
        database: sqlite3.Connection,
        place: Place,
        value: Any,
        most: int | None,
        keeps: float | None,
        key: str | None,
    ) -> None:
        now, where = self._clock(), _columns(place)
        if key is not None:
            made = database.execute("INSERT OR IGNORE INTO writes VALUES (?)", (key,))
            if not made.rowcount:
                return
        database.execute(
            "INSERT INTO memories (tenant, memory, key, at, value, until) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (*where, now, json.dumps(value), None if keeps is None else now + keeps),
        )
        database.execute(f"DELETE FROM {_TOO_OLD}", (now,))
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


def _found(database: sqlite3.Connection, place: Place, oldest: float) -> list[Any]:
    rows = database.execute(
        "SELECT value FROM memories WHERE tenant = ? AND memory = ? AND key = ? "
        "AND at >= ? ORDER BY id",
        (*_columns(place), oldest),
    )
    return [json.loads(text) for (text,) in rows]


def _same(there: list[Any], found: list[Any]) -> bool:
    """Whether a place holds what was found there: by their last value, which is what counts."""
    # As texts, because to Python 1 == True == 1.0.
    return json.dumps(there[-1:]) == json.dumps(found[-1:])


def _columns(place: Place) -> tuple[str, str, str]:
    tenant, memory, key = place
    # A named tenant can never be the nameless one.
    return "" if tenant is None else f"={tenant}", memory, key
