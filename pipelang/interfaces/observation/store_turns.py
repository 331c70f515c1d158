"""Turns to look at what a store's watch remembers: one process at a time has the one of a name.

A turn is a row beside what the watch keeps, with the time up to which it is somebody's, who moves
that on while it lasts. Whoever died with it is waited for no longer than that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import sqlalchemy as sa

from pipelang.runtime.durable.address import StoreProblem
from pipelang.runtime.durable.store import Store

LONGEST = 12.0
"""Seconds for which a turn is somebody's who says nothing more."""
BEAT = 3.0
"""Seconds after which who has a turn says that it goes on."""

_PAUSE = 0.2
"""Seconds between two tries to take a turn that somebody has."""

# Times are written with as many digits, so that texts are in their order.
_TAKE = sa.text(
    """INSERT INTO pipelang_watch (name, value) VALUES (:name, :mine)
    ON CONFLICT (name) DO UPDATE SET value = :mine WHERE pipelang_watch.value < :now"""
)
_MOVE = sa.text("UPDATE pipelang_watch SET value = :new WHERE name = :name AND value = :mine")
_GIVE_UP = sa.text("DELETE FROM pipelang_watch WHERE name = :name AND value = :mine")


@contextmanager
def turn(store: Store, name: str, wait: bool = True) -> Iterator[bool]:
    """Wait for the turn of a name and have it; without `wait` False where somebody has it. Raises
    `StoreUnreachable`.
    """
    mine = take(store, name, wait)
    if mine is None:
        yield False
        return
    with mine:
        yield True


class StoreTurn:
    """A turn that is somebody's, who moves its time on from a thread: a look takes seconds, and
    telling alerts minutes where nobody answers. A store that cannot be reached ends it by its time.
    """

    def __init__(self, store: Store, name: str, mark: str) -> None:
        self.mark = mark
        self._store, self._name = store, name
        self._over = threading.Event()
        self._beating = threading.Thread(target=self._beat, name="pipelang-turn", daemon=True)

    def __enter__(self) -> None:
        self._beating.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._beating.join()
        self.give_up()

    def _beat(self) -> None:
        while not self._over.wait(BEAT):
            with suppress(StoreProblem):
                self.go_on()

    def go_on(self) -> None:
        """Move its time on, unless it is somebody else's by now. Raises `StoreUnreachable`."""
        with self._store.transaction() as connection:
            new = _mark(self._store.now_on(connection))
            values = {"name": _row(self._name), "mine": self.mark, "new": new}
            moved = connection.execute(_MOVE, values).rowcount == 1
        if moved:
            self.mark = new

    def give_up(self) -> None:
        """End it, unless it is somebody else's by now."""
        with suppress(StoreProblem), self._store.transaction() as connection:
            connection.execute(_GIVE_UP, {"name": _row(self._name), "mine": self.mark})


def take(store: Store, name: str, wait: bool = True) -> StoreTurn | None:
    """Wait for the turn of a name and take it; without `wait` None where somebody has it. Raises
    `StoreUnreachable`.
    """
    while True:
        with store.transaction() as connection:
            now = store.now_on(connection)
            mine = _mark(now)
            values = {"name": _row(name), "mine": mine, "now": _written(now)}
            if connection.execute(_TAKE, values).rowcount == 1:
                return StoreTurn(store, name, mine)
        if not wait:
            return None
        time.sleep(_PAUSE)


def _mark(now: float) -> str:
    """A mark of a turn: until when it is somebody's, and whose."""
    return f"{_written(now + LONGEST)} {uuid4().hex}"


def _row(name: str) -> str:
    return f"{name} turn"


def _written(moment: float) -> str:
    return f"{moment:017.3f}"
