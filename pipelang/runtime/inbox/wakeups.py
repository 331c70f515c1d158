"""Waking the runs that wait for cases: from any thread, event loop or process.

A store that other processes write to is looked at by one thread for all that wait, ten times a
second; it lives only while somebody waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable

POLL = 0.1
"""Seconds between two looks at what other processes decided."""

Look = Callable[[], Iterable[str]]
"""The ids of the cases that were closed since it was last called."""


class Wakeups:
    """Wakes the runs that wait for cases. `watch` starts polling a store that other processes write
    to, None if there is none.
    """

    def __init__(self, watch: Callable[[], Look] | None = None) -> None:
        self._watch = watch
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[asyncio.AbstractEventLoop, asyncio.Event]] = {}
        self._stop: threading.Event | None = None

    def register(self, case_id: str) -> asyncio.Event:
        """Begin to wait for a case: the event is set whenever the case changed."""
        event = asyncio.Event()
        with self._lock:
            self._waiting[case_id] = asyncio.get_running_loop(), event
            if self._watch is not None and self._stop is None:
                self._stop = threading.Event()
                args = (self._watch(), self._stop)
                threading.Thread(target=self._look, args=args, daemon=True).start()
        return event

    def unregister(self, case_id: str) -> None:
        """Stop waiting for a case."""
        with self._lock:
            self._waiting.pop(case_id, None)
            self._rest()

    def is_waited_for(self, case_id: str) -> bool:
        """Whether a run waits for a case, in a loop that is not closed."""
        with self._lock:
            found = self._waiting.get(case_id)
        return found is not None and not found[0].is_closed()

    def wake(self, case_id: str) -> None:
        """Wake the run that waits for a case, which changed."""
        with self._lock:
            found = self._waiting.get(case_id)
        if found is not None:
            loop, event = found
            with contextlib.suppress(RuntimeError):  # the loop is gone, and with it who waited
                loop.call_soon_threadsafe(event.set)

    def _look(self, look: Look, stop: threading.Event) -> None:
        while not stop.wait(POLL):
            self._drop_the_dead()
            try:
                for case_id in look():
                    self.wake(case_id)
            except OSError:
                continue  # a disk that is away may come back

    def _drop_the_dead(self) -> None:
        """Unregister the waits of loops that were closed, which never do it themselves."""
        with self._lock:
            for case_id, (loop, _) in list(self._waiting.items()):
                if loop.is_closed():
                    del self._waiting[case_id]
            self._rest()

    def _rest(self) -> None:
        if not self._waiting and self._stop is not None:
            self._stop.set()
            self._stop = None
