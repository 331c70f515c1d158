"""Kill switches in a store: one process writes, all workers look."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable

import sqlalchemy as sa

from pipelang.runtime.durable.address import StoreUnreachable
from pipelang.runtime.durable.shared.patience import patiently
from pipelang.runtime.durable.store import Store
from pipelang.runtime.shared.kill_switches import Switch, Switches

LOOK_EVERY = 1.0
"""Seconds between two looks at the switches."""


class StoredSwitches(Switches):
    """Switches as rows of a store. A database that is away changes nothing: a run can record
    nothing then either, so it does not act.
    """

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._looked = float("-inf")

    def off(self) -> dict[Switch, str]:
        self.look()
        return super().off()

    def look(self) -> None:
        """Read the switches, and wake the runs that must stop."""
        rows = self._store.rows("SELECT kind, name, reason FROM pipelang_switches")
        found = {Switch(row["kind"], row["name"]): row["reason"] for row in rows}
        with self._lock:
            changed, self._off = found != self._off, found
        self._looked = time.monotonic()
        if changed:
            self._wake_all()

    def why(self, pipelines: Iterable[str], tool: str | None = None) -> str | None:
        self._look_again()
        return super().why(pipelines, tool)

    def idle(self) -> bool:
        self._look_again()
        return super().idle()

    def catch_up(self) -> None:
        """Look again where something is off by the last look: nobody who begins after it was
        switched on is stopped. Waits while the database is away.
        """
        if not super().idle():
            patiently(self.look)

    def _look_again(self) -> None:
        """Look if the last look is long ago and no worker's beat looks, outside event loops."""
        if time.monotonic() - self._looked < LOOK_EVERY:
            return
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop()
            return
        with contextlib.suppress(StoreUnreachable):
            self.look()

    def _write(self, switch: Switch, reason: str) -> None:
        with self._store.transaction() as connection:
            connection.execute(
                sa.text(
                    """INSERT INTO pipelang_switches (kind, name, reason)
                    VALUES (:kind, :name, :reason)
                    ON CONFLICT (kind, name) DO UPDATE SET reason = excluded.reason"""
                ),
                {"kind": switch.kind, "name": switch.name, "reason": reason},
            )
        self.look()

    def _erase(self, switch: Switch) -> bool:
        with self._store.transaction() as connection:
            erased = connection.execute(
                sa.text("DELETE FROM pipelang_switches WHERE kind = :kind AND name = :name"),
                {"kind": switch.kind, "name": switch.name},
            ).rowcount
        self.look()
        return erased > 0
