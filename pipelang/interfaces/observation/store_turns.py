"""Turns to look at what a store's watch remembers: one process at a time has the one of a name.

A turn is a row beside what the watch keeps, with the time up to which it is somebody's. Whoever
died with it is waited for no longer than that.
"""

from __future__ import annotations

import time
from contextlib import suppress
from uuid import uuid4

import sqlalchemy as sa

from pipelang.runtime.durable.address import StoreProblem
from pipelang.runtime.durable.store import Store

LONGEST = 120.0
"""Seconds of a turn: a look takes a few, and telling an alert three times ten for each target."""

_PAUSE = 0.2
"""Seconds between two tries to take a turn that somebody has."""

# Times are written with as many digits, so that texts are in their order.
_TAKE = sa.text(
    """INSERT INTO pipelang_watch (name, value) VALUES (:name, :mine)
    ON CONFLICT (name) DO UPDATE SET value = :mine WHERE pipelang_watch.value < :now"""
)
_GIVE_UP = sa.text("DELETE FROM pipelang_watch WHERE name = :name AND value = :mine")


def take(store: Store, name: str, wait: bool = True) -> str | None:
    """Wait for the turn of a name and take it; the mark by which `give_up` knows it. Without `wait`
    None where somebody has it. Raises `StoreUnreachable`.
    """
    while True:
        with store.transaction() as connection:
            now = store.now_on(connection)
            mine = f"{_written(now + LONGEST)} {uuid4().hex}"
            values = {"name": _row(name), "mine": mine, "now": _written(now)}
            if connection.execute(_TAKE, values).rowcount == 1:
                return mine
        if not wait:
            return None
        time.sleep(_PAUSE)


def give_up(store: Store, name: str, mine: str) -> None:
    """End a turn, unless it is somebody else's by now. A store that cannot be reached ends it by
    its time.
    """
    with suppress(StoreProblem), store.transaction() as connection:
        connection.execute(_GIVE_UP, {"name": _row(name), "mine": mine})


def _row(name: str) -> str:
    return f"{name} turn"


def _written(moment: float) -> str:
    return f"{moment:017.3f}"
