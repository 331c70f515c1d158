"""Cached answers of links: by tenant, program and key, stored only when a run ends answered."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol

from pipelang.runtime.engine.world import NOTHING

Key = tuple[str | None, str, str, str]
"""Tenant, program hash, the link's place, and its key values as JSON."""

MOST = 10_000
"""Entries of a cache in memory; beyond it the one used longest ago goes."""


class CacheStore(Protocol):
    """A store of answers, as JSON. Its methods may be called from several threads.

    One with an attribute `blocks` that is true is read in a thread.
    """

    def find(self, key: Key) -> Any:
        """The answer, or `NOTHING`."""

    def store(self, key: Key, answer: Any, seconds: float) -> None:
        """Keep an answer for so long."""


class InMemoryCache:
    """A cache that lives as long as this object."""

    def __init__(self, clock: Callable[[], float] = time.time, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._lock = threading.Lock()
        self._entries: OrderedDict[Key, tuple[float, str]] = OrderedDict()

    def find(self, key: Key) -> Any:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return NOTHING
            until, text = entry
            if until < self._clock():
                del self._entries[key]
                return NOTHING
            self._entries.move_to_end(key)
            return json.loads(text)

    def store(self, key: Key, answer: Any, seconds: float) -> None:
        with self._lock:
            self._entries[key] = (self._clock() + seconds, json.dumps(answer))
            self._entries.move_to_end(key)
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
