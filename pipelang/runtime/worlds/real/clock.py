"""The clock of one run: machine time, which stands still while the run waits for people."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any


class MachineClock:
    """Counts the seconds of a run since it was made, without its waits for people."""

    # One for every run in flight.
    __slots__ = ("_began", "_people", "_waited", "_waiting_since")

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._waited = 0.0
        self._people = 0
        self._waiting_since = 0.0

    def elapsed(self) -> float:
        """Seconds of machine time so far."""
        now = time.monotonic()
        if not self._people:
            return now - self._began - self._waited
        waiting = now - self._waiting_since
        return max(0.0, now - self._began - self._waited - waiting)

    async def wait_for_people(self, work: Coroutine[Any, Any, Any], limit: float | None) -> Any:
        """The result of `work`, None if it takes longer than `limit` seconds. Time in which several
        people are waited for is left out once.
        """
        if not self._people:
            self._waiting_since = time.monotonic()
        self._people += 1
        timeout = asyncio.timeout(limit)
        try:
            async with timeout:
                return await work
        except TimeoutError:
            if not timeout.expired():
                raise
            return None
        finally:
            self._people -= 1
            if not self._people:
                self._waited += time.monotonic() - self._waiting_since
