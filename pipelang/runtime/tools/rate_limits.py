"""Rate limits of tools: `rate 100/min`, counted for all runs of a `Runtime` together."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pyrate_limiter import InMemoryBucket


class Rates:
    """Counts the calls of tools in a sliding window. May be used from several threads.

    A tool is its binding: two programs that call one function share its rate. A bucket is used
    without the library's limiter, because that one starts a thread and its waits cannot be cut
    short by a kill.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[tuple[object, ...], InMemoryBucket] = {}

    def take(self, tool: p.Tool) -> float:
        """Take a turn: 0 if there is one, else the seconds after which to ask again."""
        if tool.rate is None:
            return 0.0
        from pyrate_limiter import RateItem

        with self._lock:
            bucket = self._bucket(tool)
            item = RateItem(tool.name, time.monotonic_ns() // 1_000_000)  # what its clock says
            bucket.leak(item.timestamp)
            if bucket.put(item):
                return 0.0
            wait = bucket.waiting(item)
        assert isinstance(wait, int)
        return max(wait, 1) / 1000

    def _bucket(self, tool: p.Tool) -> InMemoryBucket:
        assert tool.rate is not None
        key = (*(tool.binding or (tool.name,)), *tool.rate)
        if key not in self._buckets:
            from pyrate_limiter import InMemoryBucket, Rate

            count, seconds = tool.rate
            self._buckets[key] = InMemoryBucket([Rate(count, seconds * 1000)])
        return self._buckets[key]
