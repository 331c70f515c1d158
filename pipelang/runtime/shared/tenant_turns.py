"""Turns of tenants: as many runs of each at once as a host allows, in the order of asking."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_Waiter = tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class TenantTurns:
    """Counts the runs of tenants that are at work. May be used from several event loops."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._working: dict[str | None, int] = {}
        self._waiting: dict[str | None, deque[_Waiter]] = {}

    @asynccontextmanager
    async def turn(self, tenant: str | None, most: int | None) -> AsyncIterator[None]:
        """Wait until fewer than `most` runs of a tenant are at work, and be one of them."""
        if most is None:
            yield
            return
        await self._begin(tenant, most)
        try:
            yield
        finally:
            self._end(tenant)

    async def _begin(self, tenant: str | None, most: int) -> None:
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._working.get(tenant, 0) < most:
                self._working[tenant] = self._working.get(tenant, 0) + 1
                return
            mine = loop, loop.create_future()
            self._waiting.setdefault(tenant, deque()).append(mine)
        try:
            await mine[1]
        except BaseException:
            with self._lock:
                waiting = self._waiting.get(tenant, deque())
                had_turn = mine not in waiting
                if not had_turn:
                    waiting.remove(mine)
            if had_turn:  # it was handed on to this run, which does not take it
                self._end(tenant)
            raise

    def _end(self, tenant: str | None) -> None:
        """Hand a turn on to whoever has waited longest."""
        with self._lock:
            waiting = self._waiting.get(tenant)
            while waiting:
                loop, future = waiting.popleft()
                try:
                    loop.call_soon_threadsafe(_wake, future)
                except RuntimeError:  # its loop is closed, and with it the run
                    continue
                return
            self._waiting.pop(tenant, None)
            self._working[tenant] -= 1
            if not self._working[tenant]:
                del self._working[tenant]


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
