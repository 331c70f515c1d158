"""Single flight: of several runs that want the same cached answer at the same time, one asks.

The others wait for its answer and share it, before anybody knows how that run ends: an answer is
as good for them as one of their own. It is *kept* only when a run that used it ends answered, be it
the one that asked or one that waited. Whoever asked and got nothing hands over: the first of those
that wait asks next.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any
from weakref import WeakKeyDictionary

from pipelang.runtime.engine.world import NOTHING
from pipelang.runtime.shared.cache import Key

Flight = asyncio.Future[Any]
"""A future of the answer as JSON, or of `NOTHING` if there will be none."""


class SingleFlight:
    """The requests that are in flight, by cache key. Each event loop has its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Key, Flight]]
        self._loops = WeakKeyDictionary()

    def of(self, key: Key) -> Flight | None:
        """The flight of an answer, if a run asks for it now."""
        return self._here().get(key)

    def begin(self, key: Key) -> Flight:
        """Begin one; who begins it must `land` it."""
        flight = self._here()[key] = asyncio.get_running_loop().create_future()
        return flight

    def land(self, key: Key, flight: Flight, answer: Any = NOTHING) -> None:
        """End a flight with its answer, or with none."""
        flights = self._here()
        if flights.get(key) is flight:
            del flights[key]
        if not flight.done():
            flight.set_result(answer)

    def _here(self) -> dict[Key, Flight]:
        loop = asyncio.get_running_loop()
        with self._lock:
            return self._loops.setdefault(loop, {})
