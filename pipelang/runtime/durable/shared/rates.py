"""Rates of tools in a store: all workers together call no tool more often than it says."""

from __future__ import annotations

import json

import sqlalchemy as sa

from pipelang.runtime.durable.shared.patience import patiently
from pipelang.runtime.durable.store import Store
from pipelang.runtime.tools.rate_limits import Rates, rate_key
from pipelang.semantics import program as p

_LOCK = sa.text(
    """INSERT INTO pipelang_rates (tool, taken) VALUES (:tool, 0)
    ON CONFLICT (tool) DO UPDATE SET taken = pipelang_rates.taken RETURNING taken"""
)
_OLDEST = sa.text("SELECT at FROM pipelang_rate_calls WHERE tool = :tool AND place = :place")
_CALL = sa.text(
    """INSERT INTO pipelang_rate_calls (tool, place, at) VALUES (:tool, :place, :at)
    ON CONFLICT (tool, place) DO UPDATE SET at = excluded.at"""
)
_TAKEN = sa.text("UPDATE pipelang_rates SET taken = :taken WHERE tool = :tool")


class StoredRates(Rates):
    """Times of the last calls as rows: a ring of as many as a tool's rate allows in a window."""

    blocks = True

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    def take(self, tool: p.Tool) -> float:
        return patiently(lambda: self._take(tool))

    def _take(self, tool: p.Tool) -> float:
        if tool.rate is None:
            return 0.0
        count, seconds = tool.rate
        name = json.dumps([str(part) for part in rate_key(tool)])
        with self._store.transaction() as connection:
            taken = int(connection.execute(_LOCK, {"tool": name}).scalar_one())
            now = self._store.now_on(connection)
            place = {"tool": name, "place": taken % count}
            oldest = connection.execute(_OLDEST, place).scalar()
            # A clock that was put back must not keep a tool waiting for longer than its window.
            if oldest is not None and 0 <= now - oldest < seconds:
                return float(max(oldest + seconds - now, 0.001))
            connection.execute(_CALL, {**place, "at": now})
            connection.execute(_TAKEN, {"tool": name, "taken": taken + 1})
        return 0.0
