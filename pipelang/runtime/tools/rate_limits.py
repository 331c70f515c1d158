"""Rate limits of tools: `rate 100/min`, counted for all runs of a `Runtime` together."""

from __future__ import annotations

import threading
import time
from collections import deque

from pipelang.semantics import program as p


def rate_key(tool: p.Tool) -> tuple[object, ...]:
    """The key of what shares a rate: the binding of a tool, and how often."""
    return (*(tool.binding or (tool.name,)), *(tool.rate or ()))


class Rates:
    """Counts the calls of tools in a sliding window: no span of that length has more calls than
    the rate allows. May be used from several threads.

    A tool is its binding: two programs that call one function share its rate. Whoever has to wait
    asks again, so that a kill can cut its wait short. One that `blocks` is asked in threads.
    """

    blocks = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[tuple[object, ...], deque[float]] = {}
        """The times of the last calls of each tool, no more of them than its rate allows."""

    def take(self, tool: p.Tool) -> float:
        """Take a turn: 0 if there is one, else the seconds after which to ask again."""
        if tool.rate is None:
            return 0.0
        count, seconds = tool.rate
        key = rate_key(tool)
        with self._lock:
            calls, now = self._calls.setdefault(key, deque(maxlen=count)), time.monotonic()
            if len(calls) == count and now - calls[0] < seconds:
                return max(calls[0] + seconds - now, 0.001)
            calls.append(now)  # the oldest of as many as there may be goes
            return 0.0
