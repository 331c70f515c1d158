"""The chain of a run's rows: each has a number, and a hash that the one before is part of.

A row that was changed, taken out of the middle or put in breaks a link. The row of what is spent
ahead is written again with more, so it has a number and is in no chain.
"""

from __future__ import annotations

import hashlib
import json
import threading

import sqlalchemy as sa

from pipelang.records import dataclass, field

GENESIS = "0" * 64
"""The hash before the first row."""

_LAST = sa.text(
    "SELECT number, hash FROM pipelang_journal WHERE run = :run AND hash IS NOT NULL "
    "ORDER BY number DESC LIMIT 1"
)
_MOST = sa.text("SELECT MAX(number) AS number FROM pipelang_journal WHERE run = :run")
_THERE = sa.text("SELECT 1 FROM pipelang_journal WHERE run = :run AND place = :place")


@dataclass(slots=True)
class ChainHead:
    """The end of a run's chain as its owner knows it; `number` None after a write of which nobody
    knows whether it came to be. Its lock is held by one write at a time.
    """

    number: int | None = None
    hash: str = GENESIS
    lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, connection: sa.Connection, run: str) -> None:
        """Read the end of the chain, in a transaction of the run's owner."""
        last = connection.execute(_LAST, {"run": run}).first()
        self.hash = GENESIS if last is None else last.hash
        self.number = connection.execute(_MOST, {"run": run}).scalar() or 0


def is_there(connection: sa.Connection, run: str, place: str) -> bool:
    """Whether a row was written after all."""
    return connection.execute(_THERE, {"run": run, "place": place}).first() is not None


def hash_of(before: str, number: int, place: str, kind: str, value: str) -> str:
    """The hash of a row."""
    text = json.dumps([before, number, place, kind, value], separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
